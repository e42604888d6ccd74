//! The lock-order graph of both passes: lock classes, and an edge wherever one was requested while another was held.
//!
//! Guarantees: an edge keeps witnesses from different functions or threads, each with both acquisition sites and the
//! calls between them; nodes, edges and witnesses keep the order in which they were added, so reports do not change
//! from run to run.
//!
//! Misses: whether an edge can meet another one at run time; that is what the filters of [`super::cycles`] ask.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::finding::{Confidence, Location, LockInfo};

/// How a lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LockMode {
    /// Mutex, or the write side of an RwLock.
    Exclusive,
    /// The read side of an RwLock.
    Shared,
    /// A read that never waits behind a queued writer.
    SharedRecursive,
    /// An upgradable read.
    Upgradable,
}

impl LockMode {
    /// Whether a holder in `self` keeps out a request in `other`.
    pub fn conflicts(self, other: LockMode) -> bool {
        use LockMode::{Shared, SharedRecursive, Upgradable};
        let shared = |mode| matches!(mode, Shared | SharedRecursive);
        match (self, other) {
            (Upgradable, other) => !shared(other),
            (held, Upgradable) => !shared(held),
            (held, other) => !(shared(held) && shared(other)),
        }
    }
}

/// All locks that are ordered together: a struct field, a static, a creation site, a given name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockClass {
    /// Unique and stable: what fingerprints are made of, `Chain.header`.
    pub key: String,
    /// What reports show.
    pub info: LockInfo,
    /// How sure two acquisitions of this class are about being the same class at all.
    pub identity: Confidence,
}

/// Index of a class in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

/// Index of a node in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Index of an edge in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeId(pub u32);

/// What the graph's nodes are: a class (static pass), or one instance of it (run time).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The class.
    pub class: ClassId,
    /// The instance, where the pass knows instances.
    pub instance: Option<u32>,
}

/// One taking of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquisition {
    /// How.
    pub mode: LockMode,
    /// Where.
    pub site: Location,
}

/// A lock that is also held, and keeps two witnesses from meeting if both hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gate {
    /// The lock.
    pub node: NodeId,
    /// How it is held.
    pub mode: LockMode,
}

/// One way to an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Who does it: a thread's number, or in the static pass a number per function, which may run on any thread.
    pub thread: u32,
    /// Its name for reports.
    pub thread_name: String,
    /// The held lock's acquisition.
    pub held: Acquisition,
    /// The calls from there to the request, outermost first; empty where both stand in one function.
    pub calls: Vec<Location>,
    /// The request.
    pub wanted: Acquisition,
    /// Every lock surely held at the request, the edge's own included.
    pub gates: Vec<Gate>,
    /// How sure this witness is.
    pub confidence: Confidence,
    /// Only in test code.
    pub test: bool,
    /// Where the pass that made the graph finds more about it: a trace's event number, a critical pair's index.
    pub origin: u32,
}

/// `to` is requested while `from` is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEdge {
    /// The held lock.
    pub from: NodeId,
    /// The requested lock.
    pub to: NodeId,
    /// At least one.
    pub witnesses: Vec<Witness>,
}

/// The graph. Adding is O(1); lookups by index.
#[derive(Clone, Debug, Default)]
pub struct LockGraph {
    classes: IndexMap<String, LockClass, FxBuildHasher>,
    nodes: IndexMap<Node, (), FxBuildHasher>,
    edges: IndexMap<(NodeId, NodeId), OrderEdge, FxBuildHasher>,
}

impl LockGraph {
    /// The class with this key, added where new.
    pub fn class(&mut self, class: LockClass) -> ClassId {
        let entry = self.classes.entry(class.key.clone());
        let index = entry.index();
        entry.or_insert(class);
        ClassId(index as u32)
    }

    /// The node, added where new.
    pub fn node(&mut self, node: Node) -> NodeId {
        NodeId(self.nodes.insert_full(node, ()).0 as u32)
    }

    /// Adds a witness to the edge `from -> to`.
    pub fn edge(&mut self, from: NodeId, to: NodeId, witness: Witness) -> EdgeId {
        let entry = self.edges.entry((from, to));
        let index = entry.index();
        entry.or_insert_with(|| OrderEdge { from, to, witnesses: Vec::new() }).witnesses.push(witness);
        EdgeId(index as u32)
    }

    /// A class by index.
    pub fn class_of(&self, node: NodeId) -> &LockClass {
        &self.classes[self.node_at(node).class.0 as usize]
    }

    /// A node by index.
    pub fn node_at(&self, node: NodeId) -> Node {
        *self.nodes.get_index(node.0 as usize).expect("node ids come from this graph").0
    }

    /// An edge by index.
    pub fn edge_at(&self, edge: EdgeId) -> &OrderEdge {
        &self.edges[edge.0 as usize]
    }

    /// The edge `from -> to`, if there is one.
    pub fn edge_between(&self, from: NodeId, to: NodeId) -> Option<&OrderEdge> {
        self.edges.get(&(from, to))
    }

    /// All classes, in the order they were added.
    pub fn classes(&self) -> impl Iterator<Item = &LockClass> {
        self.classes.values()
    }

    /// All edges, in the order they were added.
    pub fn edges(&self) -> impl Iterator<Item = (EdgeId, &OrderEdge)> {
        self.edges.values().enumerate().map(|(index, edge)| (EdgeId(index as u32), edge))
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Number of edges.
    pub fn edge_count(&self) -> usize {
        self.edges.len()
    }
}
