//! What one walk leaves for the next: per group of bodies what it calls, its summaries and what was found in it.
//!
//! Guarantees: a group is taken over only if the text of all its bodies is the same, every summary it was walked with is
//! the same, and no item of the program changed its shape; what is found is then what walking it again would find.
//! Items, not positions, are compared: an edit inside one body leaves all other files' bodies alone.
//!
//! Misses: when an item is added, removed or changed, everything is walked again.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::context::Context;
use super::output::Output;
use super::place::BodyId;
use super::summary::Summary;
use super::walk::Group;
use crate::model::FnId;
use crate::model::infer::Name;
use crate::syntax::{ExprId, ExprKind};

/// What a walk left.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Walked {
    /// Numbers mean the same items only where this is equal.
    items: u64,
    /// For every file a number for its text.
    files: Vec<u128>,
    /// By body.
    links: Vec<Links>,
    groups: Vec<Kept>,
    /// Summaries and findings of all groups.
    bytes: Vec<u8>,
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
    members: Vec<BodyId>,
    truncated: u32,
    summaries: (u32, u32),
    found: (u32, u32),
}

/// Reads what an earlier walk left, and writes what this one leaves.
pub(super) struct Memory {
    earlier: Walked,
    /// The group of the earlier walk that a body was in.
    group_of: FxHashMap<BodyId, usize>,
    /// Bodies whose callers must be walked again.
    changed: Vec<bool>,
    /// Bodies that need not be walked again.
    taken_over: Vec<bool>,
    next: Walked,
}

/// A group's summaries and findings, and both as bytes.
pub(super) struct Walk {
    pub(super) summaries: Group,
    pub(super) found: Output,
    kept: Option<(Vec<u8>, Vec<u8>)>,
}

/// The bytes of an earlier walk are not what they should be.
#[derive(Debug)]
pub(super) struct Corrupt;

impl Links {
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

impl Memory {
    /// `items` is a number for all that items declare, `files` has one for the text of each file.
    pub(super) fn new(items: u64, files: Vec<u128>, earlier: Option<Walked>) -> Memory {
        let same = |earlier: &Walked| earlier.items == items && earlier.files.len() == files.len();
        let earlier = earlier.filter(same).unwrap_or_default();
        let members = earlier.groups.iter().enumerate();
        let group_of = members.flat_map(|(at, kept)| kept.members.iter().map(move |id| (*id, at))).collect();
        let next = Walked { items, files, ..Walked::default() };
        Memory { earlier, group_of, changed: Vec::new(), taken_over: Vec::new(), next }
    }

    /// The links of a body whose text is the same.
    pub(super) fn links(&self, cx: &Context<'_>, id: BodyId) -> Option<Links> {
        self.is_same_text(cx, id).then(|| self.earlier.links.get(id.0 as usize).cloned()).flatten()
    }

    fn is_same_text(&self, cx: &Context<'_>, id: BodyId) -> bool {
        let file = cx.bodies[id.0 as usize].file as usize;
        // The stubs behind the files are the program's own.
        self.next.items == self.earlier.items && self.earlier.files.get(file) == self.next.files.get(file)
    }

    /// Notes the links of all bodies.
    pub(super) fn begin(&mut self, links: &[Links]) {
        let names = |index: usize| self.earlier.links.get(index).map(|links| links.names);
        self.changed = links.iter().enumerate().map(|(at, links)| names(at) != Some(links.names)).collect();
        self.taken_over = vec![false; links.len()];
        self.next.links = links.to_vec();
    }

    /// The earlier walk of a group, where it still holds.
    fn kept(&self, cx: &Context<'_>, group: &[BodyId], links: &[Links]) -> Option<&Kept> {
        let kept = &self.earlier.groups[*self.group_of.get(group.first()?)?];
        let same = |id: &BodyId| {
            self.is_same_text(cx, *id)
                && !links[id.0 as usize].calls.iter().any(|callee| self.changed[callee.0 as usize])
        };
        (kept.members == group && group.iter().all(same)).then_some(kept)
    }

    /// What was found in a group that need not be walked again.
    pub(super) fn found(&self, cx: &Context<'_>, group: &[BodyId], links: &[Links]) -> Result<Option<Output>, Corrupt> {
        let Some(kept) = self.kept(cx, group, links) else { return Ok(None) };
        postcard::from_bytes(self.slice(kept.found)).map(Some).map_err(|_| Corrupt)
    }

    /// The summaries of the group of a function that was taken over; nothing for others.
    pub(super) fn summaries(&self, id: FnId) -> Result<Vec<(BodyId, Summary)>, Corrupt> {
        if !self.taken_over[id.0 as usize] {
            return Ok(Vec::new());
        }
        let Some(kept) = self.group_of.get(&BodyId(id.0)).map(|at| &self.earlier.groups[*at]) else {
            return Ok(Vec::new());
        };
        let summaries: Vec<Summary> = postcard::from_bytes(self.slice(kept.summaries)).map_err(|_| Corrupt)?;
        Ok(kept.members.iter().copied().zip(summaries).collect())
    }

    fn slice(&self, (start, end): (u32, u32)) -> &[u8] {
        self.earlier.bytes.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Keeps a group that was not walked again.
    pub(super) fn keep(&mut self, group: &[BodyId]) {
        let Some(kept) = group.first().and_then(|id| self.group_of.get(id)).map(|at| self.earlier.groups[*at].clone())
        else {
            return;
        };
        group.iter().for_each(|id| self.taken_over[id.0 as usize] = true);
        let (summaries, found) = (self.slice(kept.summaries).to_vec(), self.slice(kept.found).to_vec());
        self.push(kept.members, kept.truncated, &summaries, &found);
    }

    /// Keeps a group that was walked, and notes whether its callers must be walked again.
    pub(super) fn note(&mut self, group: &[BodyId], walk: &Walk) {
        let Some((summaries, found)) = &walk.kept else { return };
        let before = group.first().and_then(|id| self.group_of.get(id)).map(|at| &self.earlier.groups[*at]);
        let same = before.is_some_and(|kept| kept.members == group && self.slice(kept.summaries) == summaries);
        if !same {
            group.iter().for_each(|id| self.changed[id.0 as usize] = true);
        }
        let truncated = walk.summaries.iter().filter(|summary| summary.truncated).count() as u32;
        self.push(group.to_vec(), truncated, summaries, found);
    }

    fn push(&mut self, members: Vec<BodyId>, truncated: u32, summaries: &[u8], found: &[u8]) {
        let start = self.next.bytes.len() as u32;
        self.next.bytes.extend(summaries);
        let middle = self.next.bytes.len() as u32;
        self.next.bytes.extend(found);
        let end = self.next.bytes.len() as u32;
        self.next.groups.push(Kept { members, truncated, summaries: (start, middle), found: (middle, end) });
    }

    /// What this walk leaves, and how many functions' summaries were cut short.
    pub(super) fn finish(self) -> (Walked, usize) {
        let truncated = self.next.groups.iter().map(|kept| kept.truncated as usize).sum();
        (self.next, truncated)
    }
}

impl Walk {
    /// `keep`: as bytes, too.
    pub(super) fn new(group: &[BodyId], summaries: Group, found: Output, keep: bool) -> Walk {
        let kept = keep.then(|| {
            let nothing = Summary::default();
            let in_order: Vec<&Summary> = group.iter().map(|id| summaries.get(*id).unwrap_or(&nothing)).collect();
            let bytes = |result: postcard::Result<Vec<u8>>| result.unwrap_or_default();
            (bytes(postcard::to_allocvec(&in_order)), bytes(postcard::to_allocvec(&found)))
        });
        Walk { summaries, found, kept }
    }
}
