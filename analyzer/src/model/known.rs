//! The library stubs, and the items of them that the analysis refers to by name.
//!
//! Guarantees: a stub is parsed by the same parser as the user's sources, so it cannot say what Rust could not; what
//! a function does beyond its signature (dropping, spawning, blocking) stands in one table here.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::resolve::Namespace;
use super::{AdtId, CrateInput, Def, Dependencies, FnId, Model, ModuleId, TraitId};
use crate::source::Edition;
use crate::syntax::{FileSyntax, ItemKind, Symbol};

const STD: [&str; 3] =
    [include_str!("stubs/std.rs"), include_str!("stubs/std_collections.rs"), include_str!("stubs/std_sync.rs")];
const PARKING_LOT: &str = include_str!("stubs/parking_lot.rs");
const TOKIO: &str = include_str!("stubs/tokio.rs");
const OTHERS: &str = include_str!("stubs/others.rs");

/// The crate whose types stand for locks of crates that are not there: known by name only.
pub const BY_NAME: &str = "?";

/// The crate of tracked cells, as users' programs name it.
pub const TRACKER: &str = "lockcheck_tracker";

/// The stubs' syntax by crate name; their parts are parsed in parallel.
pub fn stubs() -> Vec<(Symbol, FileSyntax)> {
    let parse = |text: &&str| crate::syntax::parse(text, 2021);
    let of = |items| FileSyntax { items, ..FileSyntax::default() };
    let std: Vec<FileSyntax> = STD.par_iter().map(parse).collect();
    let one: Vec<FileSyntax> = [PARKING_LOT, TOKIO, PARKING_LOT].par_iter().map(parse).collect();
    let names = ["parking_lot", "tokio", BY_NAME];
    let mut out = vec![(Symbol::from("std"), of(std.into_iter().flat_map(|part| part.items).collect()))];
    out.extend(names.into_iter().map(Symbol::from).zip(one));
    for item in parse(&OTHERS).items {
        if let ItemKind::Mod { items: Some(items), .. } = item.kind {
            out.push((item.name, of(items)));
        }
    }
    out
}

/// The crate inputs of the stubs, whose files begin at index `first`.
pub fn stub_crates(names: impl Iterator<Item = Symbol>, first: usize) -> Vec<CrateInput> {
    names
        .enumerate()
        .map(|(index, name)| CrateInput {
            name,
            root: first + index,
            edition: Edition::E2021,
            dependencies: Dependencies::default(),
            library: true,
            stub: true,
            test: false,
            files: Vec::new(),
        })
        .collect()
}

/// What a library function does beyond its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Drops its argument at once.
    Drop,
    /// Never drops its argument.
    Forget,
    /// Runs its closure on another thread.
    SpawnThread,
    /// Runs its future as another task.
    SpawnTask,
    /// Runs its future on this thread.
    BlockOn,
    /// Gives its first guard argument back while its closure runs.
    Unlocked,
    /// Waits for a thread or task.
    Join,
    /// Waits for a message.
    Receive,
    /// May wait for room.
    Send,
    /// Waits on a condvar with the guard in its first argument.
    CondvarWait,
    /// Wakes waiters of a condvar.
    Notify,
    /// Sleeps.
    Sleep,
    /// Runs its closure and waits for what that spawns.
    Scope,
    /// Gives both ends of a channel that has room for any number of messages.
    Channel,
    /// Gives both ends of a channel with a bound.
    BoundedChannel,
    /// Gives both ends of a watch channel, which are one lock.
    Watch,
    /// Sends without ever waiting for room.
    Post,
    /// Gives an iterator that waits for each message.
    ReceiveAll,
    /// Waits until others have arrived.
    Barrier,
    /// Waits for a child process.
    Process,
    /// Runs its closure unless that was done before; whoever comes meanwhile waits.
    Initialise,
    /// Begins the description of a bounded pool.
    PoolBuilder,
    /// Makes a bounded pool with its argument's number of workers, whose submissions never wait.
    PoolNew,
    /// Says how many workers a pool has.
    PoolWorkers,
    /// Says what a pool does with tasks while no worker is free.
    PoolPolicy,
    /// Names a pool.
    PoolName,
    /// Hands its closure to a bounded pool.
    Submit,
    /// Waits for the result of a pool's task.
    Result,
    /// Waits for all tasks of a pool.
    PoolWait,
    /// Never returns.
    Diverge,
}

/// Items of the stubs.
#[derive(Debug, Default)]
pub struct Known {
    /// `std::prelude`
    pub prelude: Option<ModuleId>,
    /// `std::option::Option`
    pub option: Option<AdtId>,
    /// `std::result::Result`
    pub result: Option<AdtId>,
    /// `std::vec::Vec`
    pub vec: Option<AdtId>,
    /// What slices have as methods.
    pub slice: Option<AdtId>,
    /// What iterators have as methods.
    pub iter: Option<AdtId>,
    /// `std::thread::LocalKey`
    pub local_key: Option<AdtId>,
    /// Pointers that are as good as what they point to: `Arc`, `Rc`, `Box`, `Pin`, ...
    pub transparent: Vec<AdtId>,
    /// `std::ops::Drop`
    pub drop: Option<TraitId>,
    /// Stubs by path that stand for types of other crates, see [`stand_in`].
    pub stand_ins: FxHashMap<&'static str, AdtId>,
    /// Functions with a role.
    pub roles: FxHashMap<FnId, Role>,
    /// Spawners and others by path, for crates without a stub.
    pub external_roles: FxHashMap<&'static str, Role>,
}

const ROLES: &[(&str, Role)] = &[
    ("std::mem::drop", Role::Drop),
    ("std::mem::forget", Role::Forget),
    ("std::mem::ManuallyDrop::new", Role::Forget),
    ("std::boxed::Box::leak", Role::Forget),
    ("std::thread::spawn", Role::SpawnThread),
    ("std::thread::Builder::spawn", Role::SpawnThread),
    ("std::thread::Scope::spawn", Role::SpawnThread),
    ("std::thread::scope", Role::Scope),
    ("crossbeam_utils::thread::scope", Role::Scope),
    ("rayon::scope", Role::Scope),
    ("std::thread::sleep", Role::Sleep),
    ("std::thread::JoinHandle::join", Role::Join),
    ("std::thread::ScopedJoinHandle::join", Role::Join),
    ("std::process::exit", Role::Diverge),
    ("std::process::abort", Role::Diverge),
    ("std::sync::mpsc::Receiver::recv", Role::Receive),
    ("std::sync::mpsc::Receiver::iter", Role::ReceiveAll),
    ("std::sync::mpsc::Sender::send", Role::Post),
    ("std::sync::mpsc::SyncSender::send", Role::Send),
    ("std::sync::mpsc::channel", Role::Channel),
    ("std::sync::mpsc::sync_channel", Role::BoundedChannel),
    ("std::sync::Barrier::wait", Role::Barrier),
    ("std::sync::Once::call_once", Role::Initialise),
    ("std::sync::Once::call_once_force", Role::Initialise),
    ("std::sync::OnceLock::get_or_init", Role::Initialise),
    ("std::process::Child::wait", Role::Process),
    ("std::process::Child::wait_with_output", Role::Process),
    ("std::process::Command::status", Role::Process),
    ("std::process::Command::output", Role::Process),
    ("once_cell::sync::OnceCell::get_or_init", Role::Initialise),
    ("once_cell::sync::OnceCell::get_or_try_init", Role::Initialise),
    ("std::sync::Condvar::wait", Role::CondvarWait),
    ("std::sync::Condvar::wait_while", Role::CondvarWait),
    ("std::sync::Condvar::notify_one", Role::Notify),
    ("std::sync::Condvar::notify_all", Role::Notify),
    ("parking_lot::Condvar::wait", Role::CondvarWait),
    ("parking_lot::Condvar::wait_while", Role::CondvarWait),
    ("parking_lot::Condvar::notify_one", Role::Notify),
    ("parking_lot::Condvar::notify_all", Role::Notify),
    ("parking_lot::Once::call_once", Role::Initialise),
    ("parking_lot::MutexGuard::unlocked", Role::Unlocked),
    ("parking_lot::RwLockReadGuard::unlocked", Role::Unlocked),
    ("parking_lot::RwLockWriteGuard::unlocked", Role::Unlocked),
    ("parking_lot::MutexGuard::unlock_fair", Role::Drop),
    ("tokio::task::spawn", Role::SpawnTask),
    ("tokio::task::spawn_local", Role::SpawnTask),
    ("tokio::task::spawn_blocking", Role::SpawnThread),
    ("tokio::runtime::Runtime::block_on", Role::BlockOn),
    ("tokio::runtime::Runtime::spawn", Role::SpawnTask),
    ("tokio::runtime::Runtime::spawn_blocking", Role::SpawnThread),
    ("tokio::runtime::Handle::block_on", Role::BlockOn),
    ("tokio::runtime::Handle::spawn", Role::SpawnTask),
    ("tokio::runtime::Handle::spawn_blocking", Role::SpawnThread),
    ("futures::executor::block_on", Role::BlockOn),
    ("crossbeam_utils::thread::Scope::spawn", Role::SpawnThread),
    ("crossbeam_channel::Receiver::recv", Role::Receive),
    ("crossbeam_channel::Receiver::iter", Role::ReceiveAll),
    ("crossbeam_channel::Sender::send", Role::Send),
    ("crossbeam_channel::bounded", Role::BoundedChannel),
    ("crossbeam_channel::unbounded", Role::Channel),
    ("flume::Receiver::recv", Role::Receive),
    ("flume::Receiver::iter", Role::ReceiveAll),
    ("flume::Sender::send", Role::Send),
    ("flume::bounded", Role::BoundedChannel),
    ("flume::unbounded", Role::Channel),
    ("tokio::sync::watch::channel", Role::Watch),
    ("tokio::sync::mpsc::channel", Role::BoundedChannel),
    ("tokio::sync::mpsc::unbounded_channel", Role::Channel),
    ("tokio::sync::mpsc::Sender::send", Role::Send),
    ("tokio::sync::mpsc::Sender::blocking_send", Role::Send),
    ("tokio::sync::mpsc::UnboundedSender::send", Role::Post),
    ("tokio::sync::mpsc::Receiver::recv", Role::Receive),
    ("tokio::sync::mpsc::Receiver::blocking_recv", Role::Receive),
    ("tokio::sync::mpsc::UnboundedReceiver::recv", Role::Receive),
    ("threadpool::ThreadPool::new", Role::PoolNew),
    ("threadpool::ThreadPool::execute", Role::Submit),
    ("threadpool::ThreadPool::join", Role::PoolWait),
    ("lockcheck_tracker::pool::ThreadPool::new", Role::PoolNew),
    ("lockcheck_tracker::pool::ThreadPool::builder", Role::PoolBuilder),
    ("lockcheck_tracker::pool::Builder::workers", Role::PoolWorkers),
    ("lockcheck_tracker::pool::Builder::policy", Role::PoolPolicy),
    ("lockcheck_tracker::pool::Builder::name", Role::PoolName),
    ("lockcheck_tracker::pool::ThreadPool::run_async", Role::Submit),
    ("lockcheck_tracker::pool::ThreadPool::run_async_named", Role::Submit),
    ("lockcheck_tracker::pool::ThreadPool::join", Role::PoolWait),
    ("lockcheck_tracker::pool::Promise::join", Role::Result),
    ("rayon::spawn", Role::SpawnThread),
    ("rayon::Scope::spawn", Role::SpawnThread),
];

/// The stub that stands for a type of this name from a crate that is not there: re-exports of std's types under their
/// own names, and collections that are used like std's.
pub fn stand_in(name: &str) -> Option<&'static str> {
    Some(match name {
        "Arc" => "std::sync::Arc",
        "Rc" => "std::rc::Rc",
        "Weak" => "std::sync::Weak",
        "RefCell" => "std::cell::RefCell",
        "Cell" => "std::cell::Cell",
        "HashMap" | "FxHashMap" | "AHashMap" | "IndexMap" | "FxIndexMap" | "LinkedHashMap" | "LruCache"
        | "FastHashMap" => "std::collections::HashMap",
        "BTreeMap" => "std::collections::BTreeMap",
        "HashSet" | "FxHashSet" | "AHashSet" | "IndexSet" | "LinkedHashSet" => "std::collections::HashSet",
        "BTreeSet" => "std::collections::BTreeSet",
        "VecDeque" => "std::collections::VecDeque",
        "SmallVec" | "ArrayVec" | "ThinVec" | "TinyVec" => "std::vec::Vec",
        "Slab" => "slab::Slab",
        "CachePadded" => "crossbeam_utils::CachePadded",
        "DashMap" | "FxDashMap" => "dashmap::DashMap",
        "DashSet" | "FxDashSet" => "dashmap::DashSet",
        _ => return None,
    })
}

const STAND_INS: &[&str] = &[
    "std::sync::Arc",
    "std::rc::Rc",
    "std::sync::Weak",
    "std::cell::RefCell",
    "std::cell::Cell",
    "std::collections::HashMap",
    "std::collections::BTreeMap",
    "std::collections::HashSet",
    "std::collections::BTreeSet",
    "std::collections::VecDeque",
    "std::vec::Vec",
    "slab::Slab",
    "crossbeam_utils::CachePadded",
    "dashmap::DashMap",
    "dashmap::DashSet",
];

impl Known {
    /// Looks everything up; needs resolved imports.
    pub fn find(model: &Model<'_>) -> Known {
        let Some(std) = model.crates_by_name.get(&Symbol::from("std")) else { return Known::default() };
        let root = model.crates[std.0 as usize].root;
        let find = |path: &str| {
            let path: Vec<Symbol> = path.split("::").map(Symbol::from).collect();
            model.resolve(root, &path, false, Namespace::Type).map(|(def, _)| def)
        };
        let adt = |path: &str| match find(path) {
            Some(Def::Adt(id)) => Some(id),
            _ => None,
        };
        let transparent = [
            "sync::Arc",
            "rc::Rc",
            "boxed::Box",
            "pin::Pin",
            "mem::ManuallyDrop",
            "panic::AssertUnwindSafe",
            "borrow::Cow",
            "sync::LazyLock",
        ];
        let mut by_path: FxHashMap<String, FnId> = FxHashMap::default();
        for (index, function) in model.fns.iter().enumerate() {
            if !model.crate_of(function.module).stub {
                continue;
            }
            let base = model.module_path(function.module);
            let path = match function.impl_.map(|id| &model.impls[id.0 as usize]) {
                Some(impl_) if impl_.trait_path.is_none() => match impl_.self_ref {
                    crate::syntax::TypeRef::Path(path) => {
                        let name = path.segments.last().map(|segment| segment.name);
                        format!("{base}::{}::{}", name.unwrap_or(Symbol::from("")), function.syntax.name)
                    }
                    _ => continue,
                },
                Some(_) => continue,
                None => format!("{base}::{}", function.syntax.name),
            };
            by_path.insert(path, FnId(index as u32));
        }
        let anywhere = |path: &str| {
            let path: Vec<Symbol> = path.split("::").map(Symbol::from).collect();
            match model.resolve(root, &path, true, Namespace::Type) {
                Some((Def::Adt(id), _)) => Some(id),
                _ => None,
            }
        };
        Known {
            stand_ins: STAND_INS.iter().filter_map(|path| Some((*path, anywhere(path)?))).collect(),
            prelude: match find("prelude") {
                Some(Def::Module(id)) => Some(id),
                _ => None,
            },
            option: adt("option::Option"),
            result: adt("result::Result"),
            vec: adt("vec::Vec"),
            slice: adt("slice::Slice"),
            iter: adt("iter::Iter"),
            local_key: adt("thread::LocalKey"),
            transparent: transparent.iter().filter_map(|path| adt(path)).collect(),
            drop: match find("ops::Drop") {
                Some(Def::Trait(id)) => Some(id),
                _ => None,
            },
            roles: ROLES.iter().filter_map(|(path, role)| Some((*by_path.get(*path)?, *role))).collect(),
            external_roles: ROLES.iter().copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stubs_parse_without_notices_and_every_role_is_found() {
        let stubs = stubs();
        assert!(
            stubs.iter().all(|(_, file)| file.notices.is_empty()),
            "{:?}",
            stubs.iter().map(|(_, file)| &file.notices).collect::<Vec<_>>()
        );
        let files: Vec<_> = stubs
            .iter()
            .map(|(name, syntax)| super::super::ModelFile { syntax, path: std::path::Path::new(name.as_str()) })
            .collect();
        let crates = stub_crates(stubs.iter().map(|(name, _)| *name), 0);
        let model = Model::build(&files, &crates);
        let found: Vec<_> = model.known.roles.values().collect();
        assert_eq!(found.len(), ROLES.len(), "a role names a function that no stub has");
        assert!(model.known.option.is_some() && model.known.slice.is_some() && model.known.local_key.is_some());
        assert_eq!(model.known.transparent.len(), 8);
        assert_eq!(model.known.stand_ins.len(), STAND_INS.len());
    }
}
