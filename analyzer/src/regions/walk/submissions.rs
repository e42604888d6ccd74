//! Bounded pools: how they are made, what is submitted to them from where, and which results are waited for.
//!
//! Guarantees: a task's steps stand in the order of evaluation, branches apart; a submission in a loop counts as
//! often as the loop says, or without bound.
//!
//! Misses: pools whose making is not seen have no number of workers.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Walker;
use super::blocking::{Own, bare};
use crate::graph::pool::Submission;
use crate::model::known::Role;
use crate::regions::blocking::Op;
use crate::regions::blocking::pools::{MOST_STEPS, Needy, PoolDef, PoolFacts, PoolStep, Submit, worst};
use crate::regions::place::{Place, Root};
use crate::regions::state::Value;
use crate::regions::summary::{LONGEST_WAY, Site};
use crate::syntax::{ExprId, ExprKind, Lit};

/// The pools of a body, and what the thread or task at hand does with pools.
#[derive(Default)]
pub(super) struct Pools {
    made: FxHashMap<u32, PoolDef>,
    pub(super) steps: Vec<PoolStep>,
    /// Where the tasks were submitted in which the walk stands.
    submitting: Vec<Site>,
}

impl Walker<'_> {
    pub(super) fn is_pool(&self, number: u32) -> bool {
        self.blocking.pools.made.contains_key(&number)
    }

    fn arguments_of(&self, id: ExprId) -> &[ExprId] {
        match &self.body[id].kind {
            ExprKind::Call { args, .. } | ExprKind::MethodCall { args, .. } => args,
            _ => &[],
        }
    }

    pub(super) fn make_pool(&mut self, id: ExprId, role: Role) -> Value {
        let number = self.fresh();
        let workers =
            if role == Role::PoolNew { self.arguments_of(id).first().and_then(|arg| self.number(*arg)) } else { None };
        let site = self.site(self.body[id].span);
        let def =
            PoolDef { workers, submission: Submission::Queues, policy_known: role == Role::PoolNew, name: None, site };
        self.blocking.pools.made.insert(number, def);
        Value::of(Some(Place::new(Root::Value(self.id, number))))
    }

    /// A number that is written, or a default: `workers.unwrap_or(2)`.
    fn number(&self, arg: ExprId) -> Option<u32> {
        match &self.body[self.written(arg)].kind {
            ExprKind::Lit(Lit::Int(value)) => u32::try_from(*value).ok(),
            ExprKind::MethodCall { method, args, .. } if method.as_str() == "unwrap_or" => self.number(*args.first()?),
            _ => None,
        }
    }

    /// What a variable was bound to by `let name = ..;`.
    fn written(&self, arg: ExprId) -> ExprId {
        let local = match self.types.names.get(&arg) {
            Some(crate::model::infer::Name::Local(local)) => *local,
            _ => return arg,
        };
        let binds = |pat: crate::syntax::PatId| self.types.bindings.get(&pat) == Some(&local);
        let lets = self.body.exprs.iter().filter_map(|expr| match &expr.kind {
            ExprKind::Block { stmts, .. } => Some(stmts),
            _ => None,
        });
        lets.flatten()
            .find_map(|stmt| match stmt {
                crate::syntax::Stmt::Let { pat, init: Some(init), .. } if binds(*pat) => Some(*init),
                _ => None,
            })
            .unwrap_or(arg)
    }

    pub(super) fn configure_pool(&mut self, id: ExprId, role: Role, values: &[Value]) {
        let Some(Root::Value(_, number)) =
            values.first().and_then(|value| value.place.as_ref()).map(|place| place.root)
        else {
            return;
        };
        let Some(arg) = self.arguments_of(id).first().copied() else { return };
        let workers = self.number(arg);
        let name = match &self.body[arg].kind {
            ExprKind::Lit(Lit::Str(name)) => name.map(|name| name.to_string()),
            _ => None,
        };
        let policy = self.policy(arg);
        let Some(def) = self.blocking.pools.made.get_mut(&number) else { return };
        match role {
            Role::PoolWorkers => def.workers = workers,
            Role::PoolName => def.name = name,
            Role::PoolPolicy => {
                def.policy_known = policy.is_some();
                def.submission = policy.unwrap_or(Submission::Queues);
            }
            _ => {}
        }
    }

    /// `Policy::Block`, or a default of that name.
    fn policy(&self, arg: ExprId) -> Option<Submission> {
        match &self.body[self.written(arg)].kind {
            ExprKind::Path(path) => match path.segments.last()?.name.as_str() {
                "Block" => Some(Submission::Blocks),
                "Queue" => Some(Submission::Queues),
                "CallerRuns" => Some(Submission::RunsHere),
                _ => None,
            },
            ExprKind::MethodCall { method, args, .. } if method.as_str() == "unwrap_or" => self.policy(*args.first()?),
            _ => None,
        }
    }

    /// A closure is handed to a pool.
    pub(super) fn submit(&mut self, id: ExprId, values: &[Value]) -> Value {
        self.note_started_others();
        let site = self.site(self.body[id].span);
        let task = self.new_task();
        let name = self.arguments_of(id).iter().find_map(|arg| match &self.body[*arg].kind {
            ExprKind::Lit(Lit::Str(name)) => name.map(|name| name.to_string()),
            _ => None,
        });
        let pool = values.first().and_then(|value| value.place.clone());
        let blocks = match pool.as_ref().map(|place| place.root) {
            Some(Root::Value(_, number)) => {
                self.blocking.pools.made.get(&number).is_some_and(|def| def.submission == Submission::Blocks)
            }
            _ => false,
        };
        if blocks {
            self.wait(Op::Slot, values.first(), id, 0, false);
        }
        let times = self.times();
        let recursive = self.blocking.pools.submitting.contains(&site);
        self.blocking.pools.submitting.push(site);
        let outer = std::mem::replace(&mut self.task, task);
        let before = self.blocking.pools.steps.len();
        for closure in values.iter().filter_map(|value| value.closure) {
            self.detach(|this| {
                this.run_closure(closure, &[]);
            });
        }
        self.task = outer;
        self.blocking.pools.submitting.pop();
        let started = self.blocking.pools.steps.split_off(before.min(self.blocking.pools.steps.len()));
        let steps = started
            .into_iter()
            .flat_map(|step| match step {
                PoolStep::Start { steps, .. } => steps,
                other => vec![other],
            })
            .collect();
        if let Some(pool) = pool {
            let way = Default::default();
            let submit = Submit { pool, child: task, name, steps, times, recursive, site, way };
            self.step_of_pool(PoolStep::Submit(Box::new(submit)));
        }
        Value { task, ..Value::default() }
    }

    /// Remembers a step, once per place; a repeated one stands for the last.
    fn step_of_pool(&mut self, step: PoolStep) {
        let steps = &mut self.blocking.pools.steps;
        if let PoolStep::Submit(new) = &step {
            let same = |known: &PoolStep| matches!(known, PoolStep::Submit(known) if known.site == new.site && known.way == new.way);
            if let Some(known) = steps.iter_mut().find(|known| same(known)) {
                *known = step;
                return;
            }
        }
        if steps.len() < MOST_STEPS && !steps.contains(&step) {
            steps.push(step);
        }
    }

    /// What a detached closure did with pools.
    pub(super) fn note_started(&mut self, steps: Vec<PoolStep>) {
        if !steps.is_empty() {
            let times = self.times();
            self.step_of_pool(PoolStep::Start { child: self.task, steps, times });
        }
    }

    pub(super) fn note_pool_join(&mut self, joined: u32, id: ExprId) {
        if joined != 0 && self.state.reachable {
            let site = self.site(self.body[id].span);
            self.step_of_pool(PoolStep::Join(joined, site));
        }
    }

    pub(super) fn note_pool_wait(&mut self, pool: Option<&Value>, id: ExprId) {
        if let Some(place) = pool.and_then(|value| value.place.clone()) {
            let site = self.site(self.body[id].span);
            self.step_of_pool(PoolStep::JoinAll(place, site));
        }
    }

    /// Where a branch begins.
    pub(super) fn pool_mark(&self) -> usize {
        self.blocking.pools.steps.len()
    }

    /// The steps of the branch that began at the mark.
    pub(super) fn pool_branch(&mut self, mark: usize) -> Vec<PoolStep> {
        let mark = mark.min(self.blocking.pools.steps.len());
        self.blocking.pools.steps.split_off(mark)
    }

    /// One of these branches runs.
    pub(super) fn pool_either(&mut self, branches: Vec<Vec<PoolStep>>) {
        if branches.iter().any(|branch| !branch.is_empty()) {
            self.step_of_pool(PoolStep::Either(branches));
        }
    }

    /// What a callee does with pools, in the caller's terms.
    pub(super) fn apply_steps(
        &mut self,
        steps: &[PoolStep],
        renew: &dyn Fn(&Place) -> Place,
        site: Option<Site>,
        returned: Option<(u32, u32)>,
    ) {
        if steps.is_empty() {
            return;
        }
        let mut numbers: FxHashMap<u32, u32> = returned.into_iter().collect();
        let mut fresh = self.tasks.len() as u32;
        let submitting = self.blocking.pools.submitting.clone();
        let new = renewed(steps, renew, site, &mut numbers, &mut fresh, &submitting);
        while (self.tasks.len() as u32) < fresh {
            self.new_task();
        }
        let times = self.times();
        for step in new {
            let step = match step {
                PoolStep::Submit(mut submit) => {
                    submit.times = submit.times.and_then(|own| times.map(|times| times.saturating_mul(own)));
                    PoolStep::Submit(submit)
                }
                other => other,
            };
            self.step_of_pool(step);
        }
    }

    /// Which pools the body's threads and tasks can use up.
    pub(super) fn finish_pools(&mut self, own: &mut Own) {
        own.summary.steps = about_pools(std::mem::take(&mut own.pools.steps));
        let mut pools: Vec<Place> = Vec::new();
        collect_pools(&own.summary.steps, &mut pools);
        for pool in pools {
            let made = match pool.root {
                Root::Value(body, number) if body == self.id => own.pools.made.get(&number),
                _ => None,
            };
            let class = self.cx.class(&pool);
            // A pool that came in as a parameter is its caller's.
            if made.is_none() && class.is_none() {
                continue;
            }
            let submission = made.map_or(Submission::Queues, |def| def.submission);
            let found = worst(&own.summary.steps, false, submission, &|place| *place == pool, 0);
            if found.needs.most == 0 || found.needy.is_empty() {
                continue;
            }
            let minimum = found.needs.most.checked_add(1);
            let workers = made.and_then(|def| def.workers);
            if workers.is_some() && minimum.is_some() && workers >= minimum {
                continue;
            }
            let info = &self.cx.bodies[self.id.0 as usize];
            let name = made.and_then(|def| def.name.clone());
            own.facts.pools.push(PoolFacts {
                function: self.cx.name(self.id),
                test: info.test,
                key: name
                    .clone()
                    .or(class.as_ref().map(|class| bare(&class.key)))
                    .unwrap_or_else(|| self.cx.path(self.id)),
                name: name.or(class.map(|class| class.name)).unwrap_or_default(),
                workers,
                minimum,
                joins: found.joins,
                blocks: submission == Submission::Blocks,
                made: made.map(|def| self.cx.location(def.site)),
                needy: found
                    .needy
                    .iter()
                    .map(|needy| Needy {
                        name: needy.name.clone(),
                        submitted: self.cx.location(needy.submitted),
                        waits: self.cx.location(needy.waits),
                        slot: needy.slot,
                    })
                    .collect(),
            });
        }
    }
}

/// Only the steps that can matter to a pool: most threads that are started and joined never see one. Callers copy what
/// is left, so there is a limit to all of it, too.
fn about_pools(mut steps: Vec<PoolStep>) -> Vec<PoolStep> {
    fn keep_submitting(steps: &mut Vec<PoolStep>, children: &mut FxHashSet<u32>) {
        steps.retain_mut(|step| match step {
            PoolStep::Submit(submit) => {
                children.insert(submit.child);
                keep_submitting(&mut submit.steps, children);
                true
            }
            PoolStep::Start { child, steps, .. } => {
                keep_submitting(steps, children);
                let joins = |step: &PoolStep| matches!(step, PoolStep::Join(..));
                let kept = !steps.iter().all(joins);
                if kept {
                    children.insert(*child);
                }
                kept
            }
            PoolStep::Either(branches) => {
                branches.iter_mut().for_each(|branch| keep_submitting(branch, children));
                branches.iter().any(|branch| !branch.is_empty())
            }
            PoolStep::Join(..) | PoolStep::JoinAll(..) => true,
        });
    }
    fn keep_joins(steps: &mut Vec<PoolStep>, children: &FxHashSet<u32>, left: &mut usize) {
        steps.retain_mut(|step| {
            if *left == 0 {
                return false;
            }
            let kept = match step {
                PoolStep::Submit(submit) => {
                    keep_joins(&mut submit.steps, children, left);
                    true
                }
                PoolStep::Start { steps, .. } => {
                    keep_joins(steps, children, left);
                    !steps.is_empty()
                }
                PoolStep::Either(branches) => {
                    branches.iter_mut().for_each(|branch| keep_joins(branch, children, left));
                    branches.iter().any(|branch| !branch.is_empty())
                }
                PoolStep::Join(child, _) => children.contains(child),
                PoolStep::JoinAll(..) => true,
            };
            *left = left.saturating_sub(usize::from(kept));
            kept
        });
    }
    let mut children = FxHashSet::default();
    keep_submitting(&mut steps, &mut children);
    keep_joins(&mut steps, &children, &mut { MOST_STEPS });
    steps
}

fn collect_pools(steps: &[PoolStep], out: &mut Vec<Place>) {
    for step in steps {
        match step {
            PoolStep::Submit(submit) => {
                if !out.contains(&submit.pool) {
                    out.push(submit.pool.clone());
                }
                collect_pools(&submit.steps, out);
            }
            PoolStep::Start { steps, .. } => collect_pools(steps, out),
            PoolStep::Either(branches) => branches.iter().for_each(|branch| collect_pools(branch, out)),
            PoolStep::Join(..) | PoolStep::JoinAll(..) => {}
        }
    }
}

fn renewed(
    steps: &[PoolStep],
    renew: &dyn Fn(&Place) -> Place,
    site: Option<Site>,
    numbers: &mut FxHashMap<u32, u32>,
    fresh: &mut u32,
    submitting: &[Site],
) -> Vec<PoolStep> {
    fn number(child: u32, numbers: &mut FxHashMap<u32, u32>, fresh: &mut u32) -> u32 {
        *numbers.entry(child).or_insert_with(|| {
            *fresh += 1;
            *fresh
        })
    }
    let mut out = Vec::new();
    for step in steps {
        out.push(match step {
            PoolStep::Submit(submit) => {
                let recursive = submit.recursive || submitting.contains(&submit.site);
                let inner = match submitting.contains(&submit.site) {
                    // A second turn of a recursion: the first one says what it does.
                    true => Vec::new(),
                    false => renewed(&submit.steps, renew, site, numbers, fresh, submitting),
                };
                PoolStep::Submit(Box::new(Submit {
                    pool: renew(&submit.pool),
                    child: number(submit.child, numbers, fresh),
                    steps: inner,
                    recursive,
                    way: site.into_iter().chain(submit.way.iter().copied()).take(LONGEST_WAY).collect(),
                    ..(**submit).clone()
                }))
            }
            PoolStep::Start { child, steps, times } => PoolStep::Start {
                child: number(*child, numbers, fresh),
                steps: renewed(steps, renew, site, numbers, fresh, submitting),
                times: *times,
            },
            PoolStep::Join(child, at) => PoolStep::Join(number(*child, numbers, fresh), *at),
            PoolStep::JoinAll(pool, at) => PoolStep::JoinAll(renew(pool), *at),
            PoolStep::Either(branches) => PoolStep::Either(
                branches.iter().map(|branch| renewed(branch, renew, site, numbers, fresh, submitting)).collect(),
            ),
        });
    }
    out
}
