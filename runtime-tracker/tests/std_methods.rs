//! Every stable method of every mirrored type of `std`, deprecated ones too, exists on the mirror under the same name.
//!
//! That the list has what the mirrors have is a matter of compiling it twice; that it has what `std` has is compared with the
//! documentation of the compiler that builds this, where it is installed (the component `rust-docs`).

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

macro_rules! methods {
    ($($module:literal $name:ident $type:ty { $($method:ident $(::< $($argument:ty),* >)?),* $(,)? })*) => {
        /// Where it is documented, the type, its methods.
        const LIST: &[(&str, &str, &[&str])] = &[$(($module, stringify!($name), &[$(stringify!($method)),*])),*];

        mod of_std {
            use std::sync::{atomic::*, mpsc::*, *};
            use std::thread::*;
            methods!(@use $($type { $($method $(::< $($argument),* >)?),* })*);
        }
        mod of_the_tracker {
            use lockcheck_tracker::sync::{atomic::*, mpsc::*, *};
            use lockcheck_tracker::thread::*;
            methods!(@use $($type { $($method $(::< $($argument),* >)?),* })*);
        }
    };
    (@use $($type:ty { $($method:ident $(::< $($argument:ty),* >)?),* })*) => {
        #[allow(deprecated, reason = "deprecated methods are mirrored as well")]
        #[test]
        fn has_every_method() {
            $($(let _ = <$type>::$method $(::< $($argument),* >)?;)*)*
            // Their argument has no name, so that only a call can tell.
            let order = Ordering::SeqCst;
            assert!(!AtomicBool::new(false).update(order, order, |flag| !flag));
            assert_eq!(AtomicBool::new(false).try_update(order, order, |_| None), Err(false));
            let place = AtomicPtr::<u8>::new(std::ptr::null_mut());
            assert!(place.update(order, order, |place| place.wrapping_add(1)).is_null());
            assert!(place.try_update(order, order, |_| None).is_err());
            assert_eq!(AtomicU32::new(1).update(order, order, |number| number + 1), 1);
            assert_eq!(AtomicU32::new(1).try_update(order, order, |number| number.checked_sub(1)), Ok(1));
            assert_eq!(AtomicI64::new(1).update(order, order, |number| number + 1), 1);
            assert_eq!(AtomicI64::new(1).try_update(order, order, |number| number.checked_sub(1)), Ok(1));
        }
    };
}

type Update<T> = fn(T) -> Option<T>;

methods! {
    "sync" Mutex Mutex<u8> { clear_poison, get_mut, into_inner, is_poisoned, lock, new, try_lock }
    "sync" MutexGuard MutexGuard<'static, u8> {}
    "sync" RwLock RwLock<u8> {
        clear_poison, get_mut, into_inner, is_poisoned, new, read, try_read, try_write, write,
    }
    "sync" RwLockReadGuard RwLockReadGuard<'static, u8> {}
    "sync" RwLockWriteGuard RwLockWriteGuard<'static, u8> { downgrade }
    "sync" Condvar Condvar {
        new, notify_all, notify_one, wait::<u8>, wait_timeout::<u8>, wait_timeout_ms::<u8>,
        wait_timeout_while::<u8, fn(&mut u8) -> bool>, wait_while::<u8, fn(&mut u8) -> bool>,
    }
    "sync" WaitTimeoutResult WaitTimeoutResult { timed_out }
    "sync" Barrier Barrier { new, wait }
    "sync" BarrierWaitResult BarrierWaitResult { is_leader }
    "sync" Once Once {
        call_once::<fn()>, call_once_force::<fn(&OnceState)>, is_completed, new, wait, wait_force,
    }
    "sync" OnceState OnceState { is_poisoned }
    "sync" OnceLock OnceLock<u8> { get, get_mut, get_or_init::<fn() -> u8>, into_inner, new, set, take, wait }
    "sync" LazyLock LazyLock<u8> { force, force_mut, get, get_mut, new }
    "sync" PoisonError PoisonError<u8> { get_mut, get_ref, into_inner, new }
    "sync/mpsc" Sender Sender<u8> { send }
    "sync/mpsc" SyncSender SyncSender<u8> { send, try_send }
    "sync/mpsc" Receiver Receiver<u8> { iter, recv, recv_timeout, try_iter, try_recv }
    "thread" Thread Thread { id, name, unpark }
    "thread" ThreadId ThreadId {}
    "thread" JoinHandle JoinHandle<u8> { is_finished, join, thread }
    "thread" Builder Builder {
        name, new, spawn::<fn(), ()>, spawn_scoped::<fn(), ()>, spawn_unchecked::<fn(), ()>, stack_size,
    }
    "thread" Scope Scope<'static, 'static> { spawn::<fn(), ()> }
    "thread" ScopedJoinHandle ScopedJoinHandle<'static, u8> { is_finished, join, thread }
    "sync/atomic" AtomicBool AtomicBool {
        as_ptr, compare_and_swap, compare_exchange, compare_exchange_weak, fetch_and, fetch_nand, fetch_not, fetch_or,
        fetch_update::<super::Update<bool>>, fetch_xor, from_ptr, get_mut, into_inner, load, new, store, swap,
    }
    "sync/atomic" AtomicPtr AtomicPtr<u8> {
        as_ptr, compare_and_swap, compare_exchange, compare_exchange_weak, fetch_and, fetch_byte_add, fetch_byte_sub, fetch_or,
        fetch_ptr_add, fetch_ptr_sub, fetch_update::<super::Update<*mut u8>>, fetch_xor, from_ptr, get_mut, into_inner,
        load, new, store, swap,
    }
    "sync/atomic" AtomicU32 AtomicU32 {
        as_ptr, compare_and_swap, compare_exchange, compare_exchange_weak, fetch_add, fetch_and, fetch_max, fetch_min,
        fetch_nand, fetch_or, fetch_sub, fetch_update::<super::Update<u32>>, fetch_xor, from_ptr, get_mut, into_inner,
        load, new, store, swap,
    }
    "sync/atomic" AtomicI64 AtomicI64 {
        as_ptr, compare_and_swap, compare_exchange, compare_exchange_weak, fetch_add, fetch_and, fetch_max, fetch_min,
        fetch_nand, fetch_or, fetch_sub, fetch_update::<super::Update<i64>>, fetch_xor, from_ptr, get_mut, into_inner,
        load, new, store, swap,
    }
}

/// Inherent methods that the installed documentation has for a type and that are not experimental.
fn documented(module: &str, name: &str) -> Option<BTreeSet<String>> {
    let root = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?.stdout;
    let folder = PathBuf::from(String::from_utf8(root).ok()?.trim()).join("share/doc/rust/html/std").join(module);
    let page = ["struct", "type"].iter().find_map(|kind| {
        let page = std::fs::read_to_string(folder.join(format!("{kind}.{name}.html"))).ok()?;
        page.contains("id=\"implementations\"").then_some(page)
    });
    // A type without methods has a page without that section.
    let Some(page) = page else { return folder.exists().then(BTreeSet::new) };
    let own = page.split("id=\"implementations\"").nth(1)?;
    let own = own.split("id=\"trait-implementations\"").next()?.split("id=\"deref-methods").next()?;
    let methods = own.split("<section id=\"method.").skip(1).filter(|method| {
        let description = method.split("<section id=").next().unwrap_or(method);
        !description.contains("nightly-only experimental")
    });
    Some(methods.filter_map(|method| Some(method.split(['"', '-']).next()?.to_owned())).collect())
}

#[test]
fn the_list_has_all_that_the_documentation_of_std_has() {
    for (module, name, methods) in LIST {
        let Some(mut documented) = documented(module, name) else { continue };
        if *module == "sync/atomic" {
            assert!(documented.remove("update") && documented.remove("try_update"), "{name}");
        }
        let listed: BTreeSet<String> = methods.iter().map(|method| (*method).to_owned()).collect();
        assert_eq!(documented, listed, "{module} {name}");
    }
}
