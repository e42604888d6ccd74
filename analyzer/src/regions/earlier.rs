//! What one walk leaves for the next: per group of bodies what it calls, its summaries and what was found in it.
//!
//! Guarantees: a group is taken over only if the text of all its bodies is the same, every summary it was walked with is
//! the same, and no item that its bodies may refer to changed its shape (`changes.rs`); what is found is then what
//! walking it again would find. Items, not positions, are compared: an edit inside one body leaves all other files'
//! bodies alone, and functions that come and go only change the numbers of the others.
//!
//! Misses: when another item than a function is added, removed or changed, everything is walked again.

use std::sync::Arc;

use bytes::Bytes;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use xxhash_rust::xxh3::Xxh3;

use super::changes::{Given, changes};
use super::context::Context;
use super::names::Named;
use super::output::Output;
use super::place::BodyId;
use super::summary::Summary;
use super::walk::Group;
use crate::model::infer::Name;
use crate::model::numbers::Numbers;
use crate::model::{FnId, Model};
use crate::syntax::keep::Shape;
use crate::syntax::{ExprId, ExprKind};

/// What a walk left.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Walked {
    /// For the files, the crates and the settings.
    pub(super) items: u64,
    /// What each file declares.
    pub(super) shapes: Vec<Shape>,
    /// For every file a number for its text.
    pub(super) files: Vec<u128>,
    /// For every function its file.
    pub(super) functions: Vec<u32>,
    /// The number of each body in what is kept; none where it is its own.
    numbers: Vec<u32>,
    /// By body.
    links: Vec<Links>,
    groups: Vec<Kept>,
    /// Names of variables that were asked for after walking.
    names: Vec<Named>,
    /// Something in it is not from the walk before.
    #[serde(skip)]
    new: bool,
    /// So many bodies were walked.
    #[serde(skip)]
    anew: usize,
}

/// What a body refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Links {
    /// The functions it may call, sorted.
    pub(super) calls: Vec<FnId>,
    /// The functions that it uses as values, sorted.
    pub(super) values: Vec<FnId>,
    /// A number for the names of its variables.
    names: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    members: SmallVec<[BodyId; 4]>,
    truncated: u32,
    /// Of the summaries and the findings.
    lengths: (u32, u32),
    /// Kept where they were read: an entry that goes from scan to scan is never copied.
    #[serde(skip)]
    summaries: Bytes,
    #[serde(skip)]
    found: Bytes,
}

/// Reads what an earlier walk left, and writes what this one leaves.
pub(super) struct Memory {
    earlier: Walked,
    /// By file: what was found there holds as far as the file itself goes.
    same: Vec<bool>,
    /// The numbers of bodies in what is kept.
    numbers: Arc<Numbers>,
    /// The number for the names of each body's variables in the earlier walk.
    names: Vec<u64>,
    /// The group of the earlier walk that each body was in.
    group_of: Vec<Option<u32>>,
    /// Bodies whose callers must be walked again.
    changed: Vec<bool>,
    /// Bodies that need not be walked again.
    taken_over: Vec<bool>,
    next: Walked,
}

/// A group's summaries, and these and what was found as bytes.
pub(super) struct Walk {
    pub(super) summaries: Group,
    kept: Option<(Vec<u8>, Vec<u8>)>,
}

/// The bytes of an earlier walk are not what they should be.
#[derive(Debug)]
pub(super) struct Corrupt;

impl Links {
    /// With other numbers of functions; `None` where one of them is gone.
    fn renumbered(self, now: &dyn Fn(FnId) -> Option<FnId>) -> Option<Links> {
        let all = |ids: Vec<FnId>| ids.into_iter().map(now).collect::<Option<Vec<FnId>>>();
        // Those that are left stand in the order in which they stood.
        Some(Links { calls: all(self.calls)?, values: all(self.values)?, names: self.names })
    }

    /// What the inferred types of a body say of it.
    pub(super) fn of(cx: &Context<'_>, id: BodyId) -> Links {
        let Some((body, types)) = cx.body(id) else { return Links::default() };
        let callees = body.exprs.iter().filter_map(|expr| match expr.kind {
            ExprKind::Call { callee, .. } => Some(callee),
            _ => None,
        });
        let mut callees: Vec<ExprId> = callees.collect();
        callees.sort_unstable();
        let mut values: Vec<FnId> = types
            .names
            .iter()
            .filter_map(|(expr, name)| match name {
                Name::Fn(id) if callees.binary_search(expr).is_err() => Some(*id),
                _ => None,
            })
            .collect();
        values.sort_unstable();
        values.dedup();
        let mut names = Xxh3::new();
        for local in &types.locals {
            names.update(local.name.as_str().as_bytes());
            names.update(b" ");
        }
        Links { calls: super::callees(cx, types), values, names: names.digest() }
    }
}

impl Walked {
    /// Whether it differs from what the walk before left.
    pub fn is_new(&self) -> bool {
        self.new
    }

    /// How many bodies were walked, and not taken over from the walk before.
    pub fn anew(&self) -> usize {
        self.anew
    }

    /// Makes the numbers of an earlier walk those of this one, which has so many bodies. What is gone is left out; `None`
    /// where a body that is the `same` refers to it.
    fn renumber(&mut self, now: &[Option<u32>], bodies: usize, same: &dyn Fn(BodyId) -> bool) -> Option<()> {
        if now.len() == bodies && now.iter().enumerate().all(|(before, now)| *now == Some(before as u32)) {
            return Some(());
        }
        let of = |id: BodyId| now.get(id.0 as usize).copied().flatten();
        let mut numbers: Vec<Option<u32>> = vec![None; bodies];
        let mut links: Vec<Links> = vec![Links::default(); bodies];
        for (before, old) in std::mem::take(&mut self.links).into_iter().enumerate() {
            let Some(id) = of(BodyId(before as u32)) else { continue };
            numbers[id as usize] = Some(self.numbers.get(before).copied().unwrap_or(before as u32));
            match old.renumbered(&|id| of(BodyId(id.0)).map(FnId)) {
                Some(now) => links[id as usize] = now,
                None if same(BodyId(id)) => return None,
                // They are made anew.
                None => {}
            }
        }
        self.links = links;
        let first = self.numbers.iter().max().map_or(0, |most| most + 1).max(now.len() as u32);
        let mut fresh = first..;
        self.numbers = numbers.into_iter().map(|number| number.or_else(|| fresh.next()).unwrap_or(u32::MAX)).collect();
        self.groups.retain_mut(|group| {
            let members: Option<SmallVec<[BodyId; 4]>> = group.members.iter().map(|id| of(*id).map(BodyId)).collect();
            members.map(|members| group.members = members).is_some()
        });
        self.names.retain_mut(|((id, _), _)| of(*id).map(|now| *id = BodyId(now)).is_some());
        self.new = true;
        Some(())
    }

    /// What is kept beside the rest, in a fixed order.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        self.groups.iter().flat_map(|group| [&group.summaries, &group.found])
    }

    /// Puts it back; `next` gives the next so many bytes, if there are so many.
    pub fn restore(&mut self, next: &mut dyn FnMut(u32) -> Option<Bytes>) -> Option<()> {
        for group in &mut self.groups {
            group.summaries = next(group.lengths.0)?;
            group.found = next(group.lengths.1)?;
        }
        Some(())
    }
}

impl Memory {
    /// What can be used of an earlier walk.
    pub(super) fn new(given: Given<'_>, model: &Model<'_>, earlier: Option<Walked>) -> Memory {
        let bodies = model.fns.len() + model.statics.len();
        let usable = earlier.and_then(|mut earlier| {
            let changes = changes(&earlier, &given, model)?;
            let file = |id: BodyId| model.fns.get(id.0 as usize).map(|function| function.file as usize);
            let same = |id: BodyId| file(id).is_none_or(|file| changes.same.get(file).copied().unwrap_or(true));
            earlier.new = false;
            earlier.renumber(&changes.now, bodies, &same)?;
            Some((earlier, changes.same))
        });
        let (mut earlier, same) = usable.unwrap_or_default();
        let numbers = std::mem::take(&mut earlier.numbers);
        let next = Walked {
            items: given.items,
            shapes: given.shapes,
            files: given.texts,
            functions: model.fns.iter().map(|function| function.file).collect(),
            numbers: numbers.clone(),
            new: earlier.new,
            ..Walked::default()
        };
        Memory { earlier, same, numbers: Arc::new(Numbers::new(numbers)), ..Memory::of(next) }
    }

    fn of(next: Walked) -> Memory {
        Memory {
            earlier: Walked::default(),
            same: Vec::new(),
            numbers: Arc::default(),
            names: Vec::new(),
            group_of: Vec::new(),
            changed: Vec::new(),
            taken_over: Vec::new(),
            next,
        }
    }

    /// The same where nothing can be used.
    pub(super) fn without_earlier(&self) -> Memory {
        Memory::of(Walked { numbers: Vec::new(), ..self.next.clone() })
    }

    /// The numbers of bodies in what is kept.
    pub(super) fn numbers(&self) -> Arc<Numbers> {
        self.numbers.clone()
    }

    /// Names of variables, of bodies whose text is the same.
    pub(super) fn names(&self, cx: &Context<'_>) -> Vec<Named> {
        let same = |((id, _), _): &&Named| (id.0 as usize) < cx.bodies.len() && self.is_same_text(cx, *id);
        self.earlier.names.iter().filter(same).copied().collect()
    }

    /// The links of all bodies; those of a body whose text is the same are taken over.
    pub(super) fn links(&mut self, cx: &Context<'_>) -> Vec<Links> {
        let bodies = cx.bodies.len();
        let mut earlier: Vec<Option<Links>> =
            std::mem::take(&mut self.earlier.links).into_iter().map(Some).take(bodies).collect();
        self.names = earlier.iter().flatten().map(|links| links.names).collect();
        self.group_of = vec![None; bodies];
        for (at, kept) in self.earlier.groups.iter().enumerate() {
            for id in &kept.members {
                if let Some(group) = self.group_of.get_mut(id.0 as usize) {
                    *group = Some(at as u32);
                }
            }
        }
        earlier.resize(bodies, None);
        let links: Vec<Links> = earlier
            .into_par_iter()
            .enumerate()
            .with_max_len(super::BODIES)
            .map(|(index, earlier)| {
                let id = BodyId(index as u32);
                earlier.filter(|_| self.is_same_text(cx, id)).unwrap_or_else(|| Links::of(cx, id))
            })
            .collect();
        self.changed = links.iter().enumerate().map(|(at, links)| self.names.get(at) != Some(&links.names)).collect();
        self.taken_over = vec![false; bodies];
        links
    }

    fn is_same_text(&self, cx: &Context<'_>, id: BodyId) -> bool {
        let file = cx.bodies[id.0 as usize].file as usize;
        // The stubs behind the files are the program's own.
        !self.same.is_empty() && self.same.get(file).copied().unwrap_or(true)
    }

    /// The earlier walk of the group that a body was in.
    fn earlier(&self, id: BodyId) -> Option<&Kept> {
        let group = *self.group_of.get(id.0 as usize)?;
        self.earlier.groups.get(group? as usize)
    }

    /// The earlier walk of a group, where it still holds.
    fn kept(&self, cx: &Context<'_>, group: &[BodyId], links: &[Links]) -> Option<&Kept> {
        let kept = self.earlier(*group.first()?)?;
        let same = |id: &BodyId| {
            self.is_same_text(cx, *id)
                && !links[id.0 as usize].calls.iter().any(|callee| self.changed[callee.0 as usize])
        };
        (kept.members[..] == *group && group.iter().all(same)).then_some(kept)
    }

    /// Whether a group need not be walked again.
    pub(super) fn holds(&self, cx: &Context<'_>, group: &[BodyId], links: &[Links]) -> bool {
        self.kept(cx, group, links).is_some()
    }

    /// What was found in a group that need not be walked again.
    pub(super) fn found(&self, cx: &Context<'_>, group: &[BodyId], links: &[Links]) -> Result<Option<Output>, Corrupt> {
        let Some(kept) = self.kept(cx, group, links) else { return Ok(None) };
        self.numbers.using(|| postcard::from_bytes(&kept.found)).map(Some).map_err(|_| Corrupt)
    }

    /// The summaries of the group of a function that was taken over; nothing for others.
    pub(super) fn summaries(&self, id: FnId) -> Result<Vec<(BodyId, Summary)>, Corrupt> {
        if !self.taken_over[id.0 as usize] {
            return Ok(Vec::new());
        }
        let Some(kept) = self.earlier(BodyId(id.0)) else { return Ok(Vec::new()) };
        let summaries: Vec<Summary> =
            self.numbers.using(|| postcard::from_bytes(&kept.summaries)).map_err(|_| Corrupt)?;
        Ok(kept.members.iter().copied().zip(summaries).collect())
    }

    /// Keeps a group that was not walked again.
    pub(super) fn keep(&mut self, group: &[BodyId]) {
        let Some(kept) = group.first().and_then(|id| self.earlier(*id)).cloned() else { return };
        group.iter().for_each(|id| self.taken_over[id.0 as usize] = true);
        self.next.groups.push(kept);
    }

    /// Keeps a group that was walked, and notes whether its callers must be walked again.
    pub(super) fn note(&mut self, group: &[BodyId], walk: &mut Walk) {
        self.next.new = true;
        self.next.anew += group.len();
        let Some((summaries, found)) = walk.kept.take() else { return };
        let before = group.first().and_then(|id| self.earlier(*id));
        let same = before.is_some_and(|kept| kept.members[..] == *group && kept.summaries == summaries);
        if !same {
            group.iter().for_each(|id| self.changed[id.0 as usize] = true);
        }
        self.next.groups.push(Kept {
            members: group.into(),
            truncated: walk.summaries.iter().filter(|summary| summary.truncated).count() as u32,
            lengths: (summaries.len() as u32, found.len() as u32),
            summaries: summaries.into(),
            found: found.into(),
        });
    }

    /// What this walk leaves, and how many functions' summaries were cut short.
    pub(super) fn finish(mut self, links: Vec<Links>, names: Vec<Named>) -> (Walked, usize) {
        let truncated = self.next.groups.iter().map(|kept| kept.truncated as usize).sum();
        self.next.links = links;
        self.next.new |= names != self.earlier.names;
        self.next.names = names;
        (self.next, truncated)
    }
}

impl Walk {
    /// `keep`: as bytes, too, with these numbers of bodies.
    pub(super) fn new(group: &[BodyId], summaries: Group, found: &Output, keep: Option<&Arc<Numbers>>) -> Walk {
        let kept = keep.map(|numbers| {
            let nothing = Summary::default();
            let in_order: Vec<&Summary> = group.iter().map(|id| summaries.get(*id).unwrap_or(&nothing)).collect();
            let bytes = |result: postcard::Result<Vec<u8>>| result.unwrap_or_default();
            numbers.using(|| (bytes(postcard::to_allocvec(&in_order)), bytes(postcard::to_allocvec(found))))
        });
        Walk { summaries, kept }
    }
}
