//! Every public method of every type of `parking_lot` 0.12 exists on the mirror, and can be named by the same path.
//!
//! That the list has what the mirror has is a matter of compiling it twice; that it has what `parking_lot` has is compared
//! with its sources and those of `lock_api`, where cargo has them.
#![cfg(feature = "parking_lot")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

macro_rules! methods {
    ($($name:ident $type:ty { $($method:ident $(::< $($argument:ty),* >)?),* $(,)? })*) => {
        /// The type, its methods.
        const LIST: &[(&str, &[&str])] = &[$((stringify!($name), &[$(stringify!($method)),*])),*];

        mod of_parking_lot {
            use parking_lot::*;
            methods!(@use $($type { $($method $(::< $($argument),* >)?),* })*);
        }
        mod of_the_tracker {
            use lockcheck_tracker::parking_lot::*;
            methods!(@use $($type { $($method $(::< $($argument),* >)?),* })*);
        }
    };
    (@use $($type:ty { $($method:ident $(::< $($argument:ty),* >)?),* })*) => {
        use super::{Call, Get, Is, Look, LookOr, Map, MapOr, TryLook, TryMap};

        #[allow(deprecated, reason = "deprecated methods are mirrored as well")]
        #[test]
        fn has_every_method() {
            $($(let _ = <$type>::$method $(::< $($argument),* >)?;)*)*
            // What is not a method.
            let _ = (const_mutex(0), const_fair_mutex(0), const_reentrant_mutex(0), const_rwlock(0));
            let _: (Option<RawMutex>, Option<RawFairMutex>, Option<RawRwLock>, Option<RawThreadId>) = Default::default();
        }
    };
}

type Call = fn() -> u8;
type Get = fn(&mut u8) -> u8;
type Is = fn(&mut u8) -> bool;
type Map = fn(&mut u8) -> &mut u8;
type TryMap = fn(&mut u8) -> Option<&mut u8>;
type MapOr = fn(&mut u8) -> Result<&mut u8, ()>;
type Look = fn(&u8) -> &u8;
type LookOr = fn(&u8) -> Result<&u8, ()>;
/// As `TryMap`, of shared data.
type TryLook = fn(&u8) -> Option<&u8>;

methods! {
    Mutex Mutex<u8> {
        const_new, data_ptr, force_unlock, force_unlock_fair, from_raw, get_mut, into_inner, is_locked, lock,
        lock_arc, make_guard_unchecked, new, raw, try_lock, try_lock_arc, try_lock_arc_for, try_lock_arc_until,
        try_lock_for, try_lock_until,
    }
    MutexGuard MutexGuard<'static, u8> {
        bump, leak, map::<u8, Map>, mutex, try_map::<u8, TryMap>, try_map_or_err::<u8, MapOr, ()>, unlock_fair,
        unlocked::<Call, u8>, unlocked_fair::<Call, u8>,
    }
    MappedMutexGuard MappedMutexGuard<'static, u8> {
        map::<u8, Map>, try_map::<u8, TryMap>, try_map_or_err::<u8, MapOr, ()>, unlock_fair,
    }
    ArcMutexGuard ArcMutexGuard<RawMutex, u8> {
        bump, into_arc, into_arc_fair, mutex, unlock_fair, unlocked::<Call, u8>, unlocked_fair::<Call, u8>,
    }
    FairMutex FairMutex<u8> {
        const_new, data_ptr, force_unlock, force_unlock_fair, from_raw, get_mut, into_inner, is_locked, lock,
        lock_arc, make_guard_unchecked, new, raw, try_lock, try_lock_arc, try_lock_arc_for, try_lock_arc_until,
        try_lock_for, try_lock_until,
    }
    FairMutexGuard FairMutexGuard<'static, u8> {
        bump, leak, map::<u8, Map>, mutex, try_map::<u8, TryMap>, try_map_or_err::<u8, MapOr, ()>, unlock_fair,
        unlocked::<Call, u8>, unlocked_fair::<Call, u8>,
    }
    MappedFairMutexGuard MappedFairMutexGuard<'static, u8> {
        map::<u8, Map>, try_map::<u8, TryMap>, try_map_or_err::<u8, MapOr, ()>, unlock_fair,
    }
    ReentrantMutex ReentrantMutex<u8> {
        const_new, data_ptr, force_unlock, force_unlock_fair, from_raw, get_mut, into_inner, is_locked,
        is_owned_by_current_thread, lock, lock_arc, make_arc_guard_unchecked, make_guard_unchecked, new, raw,
        try_lock, try_lock_arc, try_lock_arc_for, try_lock_arc_until, try_lock_for, try_lock_until,
    }
    ReentrantMutexGuard ReentrantMutexGuard<'static, u8> {
        bump, map::<u8, Look>, remutex, try_map::<u8, TryLook>, try_map_or_err::<u8, LookOr, ()>, unlock_fair,
        unlocked::<Call, u8>, unlocked_fair::<Call, u8>,
    }
    MappedReentrantMutexGuard MappedReentrantMutexGuard<'static, u8> {
        map::<u8, Look>, try_map::<u8, TryLook>, try_map_or_err::<u8, LookOr, ()>, unlock_fair,
    }
    ArcReentrantMutexGuard ArcReentrantMutexGuard<RawMutex, RawThreadId, u8> {
        bump, into_arc, into_arc_fair, remutex, unlock_fair, unlocked::<Call, u8>, unlocked_fair::<Call, u8>,
    }
    RwLock RwLock<u8> {
        const_new, data_ptr, force_unlock_read, force_unlock_read_fair, force_unlock_write, force_unlock_write_fair,
        from_raw, get_mut, into_inner, is_locked, is_locked_exclusive, make_arc_read_guard_unchecked,
        make_arc_write_guard_unchecked, make_read_guard_unchecked, make_upgradable_arc_guard_unchecked,
        make_upgradable_guard_unchecked, make_write_guard_unchecked, new, raw, read, read_arc, read_arc_recursive,
        read_recursive, try_read, try_read_arc, try_read_arc_for, try_read_arc_recursive_for,
        try_read_arc_recursive_until, try_read_arc_until, try_read_for, try_read_recursive, try_read_recursive_arc,
        try_read_recursive_for, try_read_recursive_until, try_read_until, try_upgradable_read,
        try_upgradable_read_arc, try_upgradable_read_arc_for, try_upgradable_read_arc_until, try_upgradable_read_for,
        try_upgradable_read_until, try_write, try_write_arc, try_write_arc_for, try_write_arc_until, try_write_for,
        try_write_until, upgradable_read, upgradable_read_arc, write, write_arc,
    }
    RwLockReadGuard RwLockReadGuard<'static, u8> {
        bump, map::<u8, Look>, rwlock, try_map::<u8, TryLook>, try_map_or_err::<u8, LookOr, ()>, unlock_fair,
        unlocked::<Call, u8>, unlocked_fair::<Call, u8>,
    }
    RwLockWriteGuard RwLockWriteGuard<'static, u8> {
        bump, downgrade, downgrade_to_upgradable, map::<u8, Map>, rwlock, try_map::<u8, TryMap>,
        try_map_or_err::<u8, MapOr, ()>, unlock_fair, unlocked::<Call, u8>, unlocked_fair::<Call, u8>,
    }
    RwLockUpgradableReadGuard RwLockUpgradableReadGuard<'static, u8> {
        bump, downgrade, rwlock, try_upgrade, try_upgrade_for, try_upgrade_until, try_with_upgraded::<u8, Get>,
        try_with_upgraded_for::<u8, Get>, try_with_upgraded_until::<u8, Get>, unlock_fair, unlocked::<Call, u8>,
        unlocked_fair::<Call, u8>, upgrade, with_upgraded::<u8, Get>,
    }
    MappedRwLockReadGuard MappedRwLockReadGuard<'static, u8> {
        map::<u8, Look>, try_map::<u8, TryLook>, try_map_or_else::<u8, LookOr, ()>, unlock_fair,
    }
    MappedRwLockWriteGuard MappedRwLockWriteGuard<'static, u8> {
        map::<u8, Map>, try_map::<u8, TryMap>, try_map_or_err::<u8, MapOr, ()>, unlock_fair,
    }
    ArcRwLockReadGuard ArcRwLockReadGuard<RawRwLock, u8> {
        bump, into_arc, into_arc_fair, rwlock, unlock_fair, unlocked::<Call, u8>, unlocked_fair::<Call, u8>,
    }
    ArcRwLockWriteGuard ArcRwLockWriteGuard<RawRwLock, u8> {
        bump, downgrade, downgrade_to_upgradable, into_arc, into_arc_fair, rwlock, unlock_fair, unlocked::<Call, u8>,
        unlocked_fair::<Call, u8>,
    }
    ArcRwLockUpgradableReadGuard ArcRwLockUpgradableReadGuard<RawRwLock, u8> {
        bump, downgrade, into_arc, into_arc_fair, rwlock, try_upgrade, try_upgrade_for, try_upgrade_until,
        try_with_upgraded::<u8, Get>, try_with_upgraded_for::<u8, Get>, try_with_upgraded_until::<u8, Get>,
        unlock_fair, unlocked::<Call, u8>, unlocked_fair::<Call, u8>, upgrade, with_upgraded::<u8, Get>,
    }
    Condvar Condvar {
        new, notify_all, notify_one, wait::<u8>, wait_for::<u8>, wait_until::<u8>, wait_while::<u8, Is>,
        wait_while_for::<u8, Is>, wait_while_until::<u8, Is>,
    }
    WaitTimeoutResult WaitTimeoutResult {
        timed_out,
    }
    Once Once {
        call_once::<fn()>, call_once_force::<fn(OnceState)>, new, state,
    }
    OnceState OnceState {
        done, poisoned,
    }
}

/// The folder of a package whose name and version begin so.
fn sources(of: &str) -> Option<PathBuf> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .ok()?;
    let text = String::from_utf8(metadata.stdout).ok()?;
    let path = text.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let path = path.map(PathBuf::from).find(|path| {
        let folder = path.parent().and_then(|folder| folder.file_name()).and_then(|name| name.to_str());
        folder.is_some_and(|folder| folder.starts_with(of))
    })?;
    Some(path.parent()?.join("src"))
}

/// The type that a text, which begins behind `impl`, is an implementation for; `None` where it is one of a trait.
fn implemented(text: &str) -> Option<(&str, &str)> {
    let (head, body) = text.split_once('{')?;
    if head.split_whitespace().any(|word| word == "for") {
        return None;
    }
    let mut depth = 0;
    let is_end = |letter: char| {
        depth += i32::from(letter == '<') - i32::from(letter == '>');
        depth == 0 && letter != '<' && letter != '>'
    };
    let name = &head[head.find(is_end)?..];
    let name = name.trim().split(|letter: char| !letter.is_alphanumeric()).next()?;
    Some((name, body.split("\n}").next()?))
}

#[test]
fn the_list_has_all_that_the_sources_have() {
    let (Some(locks), Some(own)) = (sources("lock_api-0.4."), sources("parking_lot-0.12.")) else {
        return println!("cargo does not tell where the sources are");
    };
    let files = [
        locks.join("mutex.rs"),
        locks.join("remutex.rs"),
        locks.join("rwlock.rs"),
        own.join("condvar.rs"),
        own.join("once.rs"),
    ];
    let texts: Vec<_> = files.iter().map(|file| std::fs::read_to_string(file).expect("the file exists")).collect();
    for (name, methods) in LIST {
        let source_name = name.strip_prefix("Fair").unwrap_or(name).replace("MappedFair", "Mapped");
        let mut found = BTreeSet::new();
        for text in &texts {
            let bodies = text.split("\nimpl").skip(1).filter_map(implemented).filter(|(name, _)| *name == source_name);
            for function in bodies.flat_map(|(_, body)| body.split("\n    pub ").skip(1)) {
                let line = function.lines().next().unwrap_or_default();
                if let Some((_, name)) = line.split_once("fn ") {
                    found.insert(name.split(['(', '<']).next().unwrap_or_default());
                }
            }
        }
        let listed: BTreeSet<&str> = methods.iter().copied().collect();
        assert_eq!(found, listed, "{name}");
    }
}
