//! Where both passes meet: the lock-order graph and its cycles.

pub mod compatible;
pub mod cycles;
pub mod lock_graph;
pub mod picture;
pub mod pool;
pub mod pool_states;

pub use lock_graph::{
    Acquisition, ClassId, EdgeId, Gate, LockClass, LockGraph, LockMode, Node, NodeId, OrderEdge, Witness,
};
