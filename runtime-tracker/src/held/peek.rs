//! What another thread holds, looked at from outside while it may be running.
//!
//! The thread's stack is its own and has no lock. It is read through the system (`/proc/self/mem`), as a debugger would do, so
//! no memory of this program is shared for it, and a thread that has ended costs an error and nothing more.
//!
//! Guarantees: an entry counts only if the keys of the whole stack up to it fit together; a stack that changed while it was read
//! gives less, not something else.
//!
//! Misses: everything where the system has no such file: there nothing is seen.

use super::{DEPTH, Entry, Held, LockMode, ROOT, chain};
use crate::raw::List;
use crate::site::Site;

/// Bytes of the part of a stack that is read.
const LEN: usize = size_of::<Held>();

/// The locks that the thread whose stack is at `address` holds, outermost first.
pub(crate) fn held_at(address: usize) -> List<Entry> {
    let mut out = List::new();
    let mut bytes = [0; LEN];
    if address == 0 || !read(address, &mut bytes) {
        return out;
    }
    let depth = word(&bytes, std::mem::offset_of!(Held, depth)) as usize;
    let stack = std::mem::offset_of!(Held, stack);
    let entry = |at: usize| {
        let base = stack + at * size_of::<Entry>();
        let key = word(&bytes, base + std::mem::offset_of!(Entry, key));
        let half = |offset: usize| u32::from_ne_bytes(bytes[base + offset..][..4].try_into().unwrap_or_default());
        let (lock, site) = (half(std::mem::offset_of!(Entry, lock)), half(std::mem::offset_of!(Entry, site)));
        Entry { key, lock: LockMode(lock), site: Site(site) }
    };
    let root = entry(0);
    if root.lock != ROOT.lock || depth > DEPTH {
        return out;
    }
    let mut below = root.key;
    for at in 1..=depth {
        let entry = entry(at);
        if entry.key != chain(below, entry.lock, entry.site) {
            break;
        }
        below = entry.key;
        out.push(entry);
    }
    out
}

fn word(bytes: &[u8; LEN], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap_or_default())
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn read(address: usize, bytes: &mut [u8; LEN]) -> bool {
    use std::os::unix::fs::FileExt;
    std::fs::File::open("/proc/self/mem").is_ok_and(|memory| memory.read_exact_at(bytes, address as u64).is_ok())
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn read(_: usize, _: &mut [u8; LEN]) -> bool {
    false
}

#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod tests {
    use super::*;
    use crate::event::Mode;

    fn take(held: &Held, lock: u32, site: u32) {
        let (lock, site) = (LockMode::new(lock, Mode::Exclusive), Site(site));
        let key = chain(held.at(held.depth.get()).get().key, lock, site);
        held.push(key, lock, site);
    }

    #[test]
    fn another_threads_locks_are_seen_and_what_does_not_fit_together_is_not() {
        let (address, go_on) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
        let other = std::thread::spawn(move || {
            let held = super::super::current();
            take(held, 7, 10);
            take(held, 8, 20);
            address.0.send(std::ptr::from_ref(held).addr()).expect("somebody listens");
            go_on.1.recv().expect("a word");
            held.at(2).set(Entry { key: 1, ..held.at(2).get() });
            address.0.send(std::ptr::from_ref(held).addr()).expect("somebody listens");
            go_on.1.recv().expect("a word");
            held.depth.set(0);
        });
        let at = address.1.recv().expect("an address");
        let locks = |at| held_at(at).iter().map(|entry| (entry.lock.lock(), entry.site.0)).collect::<Vec<_>>();
        assert_eq!(locks(at), [(7, 10), (8, 20)]);
        go_on.0.send(()).expect("it waits");
        assert_eq!(locks(address.1.recv().expect("an address")), [(7, 10)]);
        go_on.0.send(()).expect("it waits");
        other.join().expect("no panic");
        assert_eq!(held_at(0).len(), 0);
    }
}
