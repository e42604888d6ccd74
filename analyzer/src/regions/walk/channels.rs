//! Channels that are made in the body at hand: who has their ends, and what cannot end for that reason.
//!
//! Guarantees: a kept sender is a variable in scope that was never moved, dropped or given to a closure that takes it
//! along; a receiver counts as nobody else's only while no closure, call or loop has seen it.
//!
//! Misses: ends in fields, collections and messages.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Walker;
use super::blocking::Event;
use crate::model::FnId;
use crate::model::infer::{LocalId, Name};
use crate::model::ty::Ty;
use crate::regions::blocking::{ChannelFact, ChannelMistake};
use crate::regions::place::{Place, Root, Step};
use crate::regions::state::Value;
use crate::regions::summary::Site;
use crate::syntax::{ExprId, ExprKind, Lit, MacroKind, PatKind, Symbol};

/// How many messages a channel has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// Any number.
    Endless,
    /// This many.
    Of(u64),
    /// Not known.
    Unknown,
}

/// The channels of a body.
#[derive(Default)]
pub(super) struct Channels {
    made: FxHashMap<u32, (Bound, Site)>,
    /// Variables that a closure takes along.
    taken_along: FxHashSet<LocalId>,
    /// Variables that a closure names.
    named: FxHashSet<LocalId>,
    /// Channels whose receiver somebody may have used.
    received: FxHashSet<u32>,
    /// The bodies of the loops around.
    pub(super) loops: Vec<ExprId>,
    /// Channels over all of whose messages a spawned thread loops.
    drained: Vec<(u32, u32)>,
}

impl Walker<'_> {
    /// `channel()`, `sync_channel(n)`: both ends are new values.
    pub(super) fn make_channel(&mut self, id: ExprId, bounded: bool) -> Value {
        let number = self.fresh();
        let bound = match (&self.body[id].kind, bounded) {
            (_, false) => Bound::Endless,
            (ExprKind::Call { args, .. }, true) => match args.first().map(|arg| &self.body[*arg].kind) {
                Some(ExprKind::Lit(Lit::Int(bound))) => Bound::Of(*bound),
                _ => Bound::Unknown,
            },
            _ => Bound::Unknown,
        };
        let site = self.site(self.body[id].span);
        self.blocking.channels.made.insert(number, (bound, site));
        let end = |index| {
            let place = Place::new(Root::Value(self.id, number)).step(Step::Tuple(index));
            (Symbol::from(index.to_string()), Value::of(place))
        };
        Value { parts: vec![end(0), end(1)], ..Value::default() }
    }

    /// Whether a value of this number is a channel or pool that was made in the body at hand.
    pub(super) fn is_made_here(&self, number: u32) -> bool {
        self.blocking.channels.made.contains_key(&number) || self.is_pool(number)
    }

    /// The channel and its end (0: sender, 1: receiver), where it was made in the body at hand.
    fn end_of(&self, place: Option<&Place>) -> Option<(u32, u32)> {
        let place = place?;
        let (Root::Value(body, number), [Step::Tuple(end)]) = (place.root, &place.steps[..]) else { return None };
        (body == self.id && self.blocking.channels.made.contains_key(&number)).then_some((number, *end))
    }

    /// A closure or async block comes into being.
    pub(super) fn note_captured(&mut self, id: ExprId, move_: bool) {
        if self.blocking.channels.made.is_empty() {
            return;
        }
        for local in self.captured(id) {
            self.blocking.channels.named.insert(local);
            if move_ {
                self.blocking.channels.taken_along.insert(local);
            }
        }
    }

    /// Values are handed to a call: a receiver among them may be used there.
    pub(super) fn note_arguments(&mut self, values: &[Value]) {
        if self.blocking.channels.made.is_empty() {
            return;
        }
        for value in values {
            if let Some((channel, 1)) = self.end_of(value.place.as_ref()) {
                self.blocking.channels.received.insert(channel);
            }
        }
    }

    /// A method is called on the receiver.
    pub(super) fn note_receiver_use(&mut self, place: Option<&Place>) {
        if let Some((channel, 1)) = self.end_of(place) {
            self.blocking.channels.received.insert(channel);
        }
    }

    pub(super) fn receives(&mut self, receiver: Option<&Value>) {
        self.note_receiver_use(receiver.and_then(|value| value.place.as_ref()));
    }

    /// Whether a `send` can wait for room.
    pub(super) fn send_waits(&self, function: Option<FnId>, sender: Option<&Value>) -> bool {
        if let Some((channel, _)) = self.end_of(sender.and_then(|value| value.place.as_ref())) {
            return match self.blocking.channels.made[&channel].0 {
                Bound::Endless => false,
                Bound::Of(bound) => {
                    self.sent(channel).and_then(|sent| Some(sent + self.times()? as u64)).is_none_or(|all| all > bound)
                }
                Bound::Unknown => true,
            };
        }
        // Elsewhere only a type that is always bounded says so.
        let owner = function.and_then(|function| self.model.adt_of(&self.model.signature(function).self_ty));
        owner.is_some_and(|adt| {
            matches!(self.model.adt_path(adt), "std::sync::mpsc::SyncSender" | "tokio::sync::mpsc::Sender")
        })
    }

    /// Messages surely sent to a channel before; `None`: not known.
    fn sent(&self, channel: u32) -> Option<u64> {
        let mut sum = 0;
        for event in &self.blocking.events {
            if let Event::Sent(known, times, _) = event
                && *known == channel
            {
                sum += u64::from((*times)?);
            }
        }
        Some(sum)
    }

    /// A message is sent.
    pub(super) fn sends(&mut self, sender: Option<&Value>, id: ExprId, waits: bool) {
        let Some((channel, 0)) = self.end_of(sender.and_then(|value| value.place.as_ref())) else { return };
        if !self.state.reachable || self.blocking.selecting > 0 {
            return;
        }
        let (bound, _) = self.blocking.channels.made[&channel];
        if let (Bound::Of(bound), true, 0) = (bound, waits, self.detached)
            && !self.blocking.channels.received.contains(&channel)
            && let Some(receiver) = self.live_end(channel, 1)
            && !self.blocking.channels.named.contains(&receiver)
        {
            // What was surely sent before, and this.
            let before: u64 = self
                .state
                .done
                .iter()
                .filter_map(|event| match self.blocking.events.get(*event as usize) {
                    Some(Event::Sent(known, times, by)) if *known == channel && *by != id => {
                        Some(u64::from(times.unwrap_or(1)))
                    }
                    _ => None,
                })
                .sum();
            // A loop that receives, too, makes room again.
            let receives = self.blocking.channels.loops.iter().any(|body| self.names_within(*body, receiver));
            let here = if receives { 1 } else { self.times().unwrap_or(1) };
            if before + u64::from(here) > bound {
                self.mistake(ChannelMistake::SendsToItself, channel, receiver, Some(bound), id);
            }
        }
        let times = self.times();
        let event = Event::Sent(channel, times, id);
        self.happened(event.clone(), |known| *known == event);
    }

    /// A `for` over all messages, or `while let Ok(..) = receiver.recv()`.
    pub(super) fn note_message_loop(&mut self, head: ExprId, body: ExprId, receiver: Option<&Place>) {
        let Some((channel, 1)) = self.end_of(receiver) else { return };
        self.blocking.channels.received.insert(channel);
        if !self.state.reachable || self.can_leave(body) {
            return;
        }
        if self.detached > 0 {
            if self.task != 0 {
                self.blocking.channels.drained.push((self.task, channel));
            }
            return;
        }
        if let Some(sender) = self.live_end(channel, 0)
            && !self.blocking.channels.taken_along.contains(&sender)
        {
            self.mistake(ChannelMistake::KeepsSender, channel, sender, None, head);
        }
    }

    /// The receiver of a loop over all messages: `rx`, `&rx`, `rx.iter()`.
    pub(super) fn message_receiver(&self, head: ExprId) -> Option<Place> {
        let mut at = head;
        loop {
            match &self.body[at].kind {
                ExprKind::Ref { expr, .. } => at = *expr,
                ExprKind::MethodCall { receiver, method, args, .. }
                    if args.is_empty() && matches!(method.as_str(), "iter" | "into_iter" | "by_ref" | "recv") =>
                {
                    at = *receiver;
                }
                ExprKind::Path(_) => break,
                _ => return None,
            }
        }
        match self.types.names.get(&at) {
            Some(Name::Local(local)) => self.places.get(local).cloned(),
            _ => None,
        }
    }

    /// `while let Ok(message) = receiver.recv()`
    pub(super) fn while_receives(&self, cond: ExprId) -> Option<Place> {
        let ExprKind::Let { pat, scrutinee } = &self.body[cond].kind else { return None };
        let success = match &self.body[*pat].kind {
            PatKind::TupleStruct { path, .. } => {
                path.segments.last().is_some_and(|last| matches!(last.name.as_str(), "Ok" | "Some"))
            }
            _ => false,
        };
        let receives =
            matches!(&self.body[*scrutinee].kind, ExprKind::MethodCall { method, .. } if method.as_str() == "recv");
        if success && receives { self.message_receiver(*scrutinee) } else { None }
    }

    /// A thread is joined that ends only when all senders are gone.
    pub(super) fn joins_receiver(&mut self, joined: u32, id: ExprId) {
        if joined == 0 || self.detached > 0 {
            return;
        }
        let drained: Vec<u32> = self
            .blocking
            .channels
            .drained
            .iter()
            .filter(|(task, _)| *task == joined)
            .map(|(_, channel)| *channel)
            .collect();
        for channel in drained {
            if let Some(sender) = self.live_end(channel, 0)
                && !self.blocking.channels.taken_along.contains(&sender)
            {
                self.mistake(ChannelMistake::KeepsSender, channel, sender, None, id);
            }
        }
    }

    /// A variable in scope that is this end of a channel and has it still.
    fn live_end(&self, channel: u32, end: u32) -> Option<LocalId> {
        let locals = self.scopes.iter().flat_map(|scope| scope.locals.iter().flatten());
        locals.copied().find(|local| {
            let data = &self.types.locals[local.0 as usize];
            matches!(data.ty, Ty::Adt(..))
                && !data.by_ref
                && !self.moved.contains(local)
                && self.end_of(self.places.get(local)) == Some((channel, end))
        })
    }

    fn mistake(&mut self, mistake: ChannelMistake, channel: u32, kept: LocalId, bound: Option<u64>, id: ExprId) {
        let (_, made) = self.blocking.channels.made[&channel];
        let info = &self.cx.bodies[self.id.0 as usize];
        let kept = self.types.locals[kept.0 as usize].name;
        let found = ChannelFact {
            mistake,
            function: self.cx.name(self.id),
            test: info.test,
            made: self.cx.location(made),
            kept: kept.to_string(),
            key: format!("{}::{kept}", self.cx.path(self.id)),
            bound,
            at: self.cx.location(self.site(self.body[id].span)),
        };
        if !self.blocking.facts.channels.iter().any(|known| known.at == found.at && known.mistake == mistake) {
            self.blocking.facts.channels.push(found);
        }
    }

    /// Whether a variable is named somewhere below an expression.
    fn names_within(&self, at: ExprId, local: LocalId) -> bool {
        let mut inside = vec![at];
        while let Some(at) = inside.pop() {
            if self.types.names.get(&at) == Some(&Name::Local(local)) {
                return true;
            }
            crate::syntax::children(&self.body[at].kind, &mut |child| inside.push(child));
        }
        false
    }

    /// Whether a loop's body can end the loop by itself.
    fn can_leave(&self, body: ExprId) -> bool {
        let mut inside = vec![body];
        while let Some(at) = inside.pop() {
            match &self.body[at].kind {
                ExprKind::Break { .. } | ExprKind::Return(_) | ExprKind::Try(_) => return true,
                ExprKind::Macro { kind: MacroKind::Diverges | MacroKind::Opaque | MacroKind::Unknown, .. } => {
                    return true;
                }
                ExprKind::Call { .. } if self.types.ty(at) == &Ty::Never => return true,
                kind => crate::syntax::children(kind, &mut |child| inside.push(child)),
            }
        }
        false
    }

    /// How often the point at hand is passed in one run of the function or task, where the loops around say so.
    pub(super) fn times(&self) -> Option<u32> {
        self.repeats.iter().try_fold(1u32, |all, times| times.map(|times| all.saturating_mul(times)))
    }

    /// How many items an iterator gives, where its source is written out.
    pub(super) fn count_of(&self, iter: ExprId) -> Option<u32> {
        let mut at = iter;
        loop {
            match &self.body[at].kind {
                ExprKind::Ref { expr, .. } => at = *expr,
                ExprKind::MethodCall { receiver, method, .. }
                    if matches!(
                        method.as_str(),
                        "iter"
                            | "into_iter"
                            | "iter_mut"
                            | "enumerate"
                            | "map"
                            | "rev"
                            | "copied"
                            | "cloned"
                            | "inspect"
                    ) =>
                {
                    at = *receiver;
                }
                ExprKind::Array { items, .. } => return u32::try_from(items.len()).ok(),
                ExprKind::Range { from, to } => {
                    let number = |bound: &Option<ExprId>| match self.body[(*bound)?].kind {
                        ExprKind::Lit(Lit::Int(value)) => u32::try_from(value).ok(),
                        _ => None,
                    };
                    return number(to)?.checked_sub(number(from)?);
                }
                _ => return None,
            }
        }
    }
}
