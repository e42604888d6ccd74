//! Channels without room: sender and receiver have to meet.
//!
//! `std` would let both wait inside its channel, where neither can be seen. Here each waits in the tracker's queue until
//! the other has come; whoever comes second commits both, and only then do they meet in `std`'s channel, where each
//! waits for the other's next few instructions alone.
//!
//! Guarantees: who is committed goes to the channel, even where it was called off or out of time meanwhile: then the next
//! one on its side goes in its place.
//!
//! Misses: where the last sender is called off between being committed and waking, the receiver waits in `std`'s
//! channel until that sender is dropped or sends again.

use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use super::shared::Shared;
use crate::event::WaitKind;
use crate::park::{self, Priority, Wake};
use crate::site::Site;
use crate::wait::{self, Wait};

/// Who has come and not met anybody yet.
#[derive(Default)]
pub(super) struct Meet {
    senders: usize,
    receivers: usize,
    /// How many of those that came were committed, counted no more, and have not noticed yet.
    go_send: usize,
    go_receive: usize,
    /// How many of those have gone meanwhile: the next one on their side has to go in their place.
    missing_senders: usize,
    missing_receivers: usize,
    /// The receiver is gone.
    pub(super) closed: bool,
}

/// What became of a wait for the other side.
pub(super) enum Met {
    /// The other side comes to the channel.
    Yes,
    /// The other side is gone.
    Closed,
    /// The time is over.
    TimedOut,
}

impl Shared {
    pub(super) fn meet_lock(&self) -> MutexGuard<'_, Meet> {
        self.meet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the receiver; `false` where it is gone.
    #[track_caller]
    pub(super) fn meet_receiver(&self, site: Site) -> bool {
        if let Some(met) = self.try_meet_receiver() {
            return met;
        }
        self.meet_lock().senders += 1;
        // The receiver may have come before this sender was counted: it would have found nobody.
        matches!(self.wait_to_meet(true, None, site), Met::Yes)
    }

    /// Commits to the receiver if it waits; `Some(false)` where it is gone, `None` where it has not come.
    pub(super) fn try_meet_receiver(&self) -> Option<bool> {
        let mut meet = self.meet_lock();
        if meet.closed {
            return Some(false);
        }
        if meet.missing_senders > 0 {
            meet.missing_senders -= 1;
            return Some(true);
        }
        if meet.receivers == 0 {
            return None;
        }
        meet.receivers -= 1;
        meet.go_receive += 1;
        drop(meet);
        park::wake_one(self.receiving_address(), || 0);
        Some(true)
    }

    /// Commits to a sender if one waits.
    pub(super) fn try_meet_sender(&self) -> bool {
        let mut meet = self.meet_lock();
        if meet.missing_receivers > 0 {
            meet.missing_receivers -= 1;
            return true;
        }
        if meet.senders == 0 {
            return false;
        }
        meet.senders -= 1;
        meet.go_send += 1;
        drop(meet);
        park::wake_one(self.sending_address(), || 0);
        true
    }

    /// Waits for a sender.
    #[track_caller]
    pub(super) fn meet_sender(&self, until: Option<Instant>, site: Site) -> Met {
        if self.try_meet_sender() {
            return Met::Yes;
        }
        self.meet_lock().receivers += 1;
        self.wait_to_meet(false, until, site)
    }

    #[track_caller]
    fn wait_to_meet(&self, sending: bool, until: Option<Instant>, site: Site) -> Met {
        /// Who goes without having met anybody counts no more.
        struct Leave<'a>(&'a Shared, bool);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                let mut meet = self.0.meet_lock();
                let meet = &mut *meet;
                let (count, go, missing) = if self.1 {
                    (&mut meet.senders, &mut meet.go_send, &mut meet.missing_senders)
                } else {
                    (&mut meet.receivers, &mut meet.go_receive, &mut meet.missing_receivers)
                };
                if *count > 0 {
                    *count -= 1;
                } else if *go > 0 {
                    *go -= 1;
                    *missing += 1;
                }
            }
        }
        let (address, kind) =
            if sending { (self.sending_address(), WaitKind::Send) } else { (self.receiving_address(), WaitKind::Recv) };
        let wait = Wait { goal: self.goal(kind), site, address };
        let leave = Leave(self, sending);
        let mut timed_out = false;
        loop {
            {
                let mut meet = self.meet_lock();
                // Both have come, and neither has seen the other.
                if meet.senders > 0 && meet.receivers > 0 {
                    meet.senders -= 1;
                    meet.receivers -= 1;
                    meet.go_send += 1;
                    meet.go_receive += 1;
                    drop(meet);
                    let other = if sending { self.receiving_address() } else { self.sending_address() };
                    park::wake_one(other, || 0);
                    meet = self.meet_lock();
                }
                let closed = if sending { meet.closed } else { !self.has_senders() };
                let go = if sending { &mut meet.go_send } else { &mut meet.go_receive };
                if *go > 0 {
                    *go -= 1;
                    std::mem::forget(leave);
                    return Met::Yes;
                }
                if closed {
                    drop(meet);
                    return Met::Closed;
                }
            }
            if timed_out {
                return Met::TimedOut;
            }
            let nobody = || {
                let meet = self.meet_lock();
                let (go, closed) =
                    if sending { (meet.go_send, meet.closed) } else { (meet.go_receive, !self.has_senders()) };
                go == 0 && !closed && !(meet.senders > 0 && meet.receivers > 0)
            };
            timed_out = wait::sleep(wait, Priority::Back, until, nobody, || {}) == Wake::TimedOut;
        }
    }
}
