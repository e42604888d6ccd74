//! Functions that are given by name where a closure could stand: `.map(Self::parse)`, `thread::spawn(run)`.
//!
//! Guarantees: a function of the sources runs where a closure in its place would run, with the same arguments; a
//! library function does what its role says (`.map(JoinHandle::join)` waits).
//!
//! Misses: lock methods by name (`.map(Mutex::lock)`).

use smallvec::SmallVec;

use super::Walker;
use crate::model::FnId;
use crate::regions::state::Value;
use crate::regions::summary::Site;
use crate::syntax::ExprId;

impl Walker<'_> {
    /// Calls a closure, or a function that goes by its name.
    pub(super) fn run_callable(&mut self, value: &Value, args: &[Value], id: ExprId) -> Value {
        match (value.closure, value.function) {
            (Some(closure), _) => self.run_closure(closure, args),
            (None, Some(function)) if self.is_library(function) => self.run_library(function, args, id),
            (None, Some(function)) => {
                let site = self.site(self.body[id].span);
                self.run_named(function, args, site)
            }
            (None, None) => Value::default(),
        }
    }

    /// Whether calling this value matters: a function of the sources, or one of a library that does something.
    pub(super) fn runs_function(&self, value: &Value) -> bool {
        value
            .function
            .is_some_and(|function| !self.is_library(function) || self.model.known.roles.contains_key(&function))
    }

    /// Calls a function of the sources from a place where it is not named itself.
    pub(super) fn run_named(&mut self, function: FnId, args: &[Value], site: Site) -> Value {
        let signature = self.model.signature(function);
        if self.is_library(function) || signature.async_ {
            return Value::default();
        }
        let mut all: Vec<Value> = Vec::with_capacity(args.len() + 1);
        if !signature.has_receiver {
            all.push(Value::default());
        }
        all.extend(args.iter().cloned());
        if signature.has_receiver
            && !signature.receiver_by_value
            && let Some(receiver) = all.first_mut()
        {
            receiver.guards = SmallVec::new();
        }
        let Some(targets) = self.model.dispatch(function) else { return Value::default() };
        let mut out = Value::default();
        for target in &targets {
            let value = self.apply(*target, &all, Some(site), targets.len() > 1);
            if targets.len() == 1 {
                out = value;
            }
        }
        self.finish_call(&all, out)
    }

    fn run_library(&mut self, function: FnId, args: &[Value], id: ExprId) -> Value {
        let Some(role) = self.model.known.roles.get(&function).copied() else { return Value::default() };
        let suspends = self.model.signature(function).async_;
        if let Some(value) = self.note_role(role, Some(function), id, args, suspends) {
            return value;
        }
        self.role(role, id, args).unwrap_or_default()
    }

    fn is_library(&self, function: FnId) -> bool {
        self.model.crate_of(self.model.function(function).module).stub
    }
}
