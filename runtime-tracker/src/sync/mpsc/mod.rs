//! Drop-in for [`std::sync::mpsc`]: the messages go through `std`'s channel, and a thread that has to wait for one waits in
//! the tracker's own queue, where it can be seen and called off.
//!
//! Guarantees: `std`'s API, order and disconnection. A receiver that waits for a message, and a sender that waits for
//! room, are part of an observed deadlock where no other thread of the process can go on any more. What was done
//! before a message was sent is never reported against what is done after it was received.
//!
//! Misses: which threads own a sender: it moves into closures and other channels without a trace. So a receiver whose
//! senders are all stuck is not reported while an unrelated thread runs. With `LOCKCHECK=off` when the channel is
//! made, everything is `std`'s alone. What a receiver did before a full channel took a message is not put before the
//! sender's next step.

mod meet;
mod receiver;
mod shared;

use std::fmt;
use std::sync::Arc;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

pub use receiver::{IntoIter, Iter, Receiver, TryIter};
use shared::{Message, Senders, Shared};

use crate::head::Head;
use crate::site::Site;

/// A channel without bound; the caller's place is its class. See [`std::sync::mpsc::channel`].
///
/// ```
/// use lockcheck_tracker::sync::mpsc;
/// use lockcheck_tracker::thread;
///
/// let (sender, receiver) = mpsc::channel();
/// for number in 0..3 {
///     let sender = sender.clone();
///     thread::spawn(move || sender.send(number).unwrap());
/// }
/// drop(sender);
/// assert_eq!(receiver.iter().sum::<i32>(), 3);
/// ```
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    unbounded(Head::new())
}

/// As [`channel`], of the class `name`.
#[must_use]
#[track_caller]
pub fn named_channel<T>(name: &'static str) -> (Sender<T>, Receiver<T>) {
    unbounded(Head::named(name))
}

/// A channel that holds at most `bound` messages; with 0, a sender waits until its message is taken. The caller's
/// place is its class. See [`std::sync::mpsc::sync_channel`].
///
/// ```
/// use lockcheck_tracker::sync::mpsc;
/// use lockcheck_tracker::thread;
///
/// let (sender, receiver) = mpsc::sync_channel(0);
/// thread::spawn(move || sender.send("hand to hand").unwrap());
/// assert_eq!(receiver.recv(), Ok("hand to hand"));
/// ```
#[must_use]
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    bounded(Head::new(), bound)
}

/// As [`sync_channel`], of the class `name`.
#[must_use]
#[track_caller]
pub fn named_sync_channel<T>(name: &'static str, bound: usize) -> (SyncSender<T>, Receiver<T>) {
    bounded(Head::named(name), bound)
}

fn unbounded<T>(head: Head) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let shared = Shared::new::<T>(head, None);
    (Sender { inner: sender, shared: Senders::first(shared.clone()) }, Receiver::new(receiver, shared))
}

fn bounded<T>(head: Head, bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = std::sync::mpsc::sync_channel(bound);
    let shared = Shared::new::<T>(head, Some(bound));
    (SyncSender { inner: sender, shared: Senders::first(shared.clone()) }, Receiver::new(receiver, shared))
}

/// The sending half of a channel without bound; as [`std::sync::mpsc::Sender`].
pub struct Sender<T> {
    // Dropped first, so that whoever is woken by the other field sees the channel disconnected.
    inner: std::sync::mpsc::Sender<Message<T>>,
    shared: Senders,
}

impl<T> Sender<T> {
    /// Sends; never waits.
    ///
    /// # Errors
    /// The message, where the receiver is gone.
    #[inline]
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let message = self.shared.message(value);
        let number = message.number;
        self.inner.send(message).map_err(|error| SendError(error.0.value))?;
        self.shared.sent(number, Site::here());
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { inner: self.inner.clone(), shared: self.shared.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// The sending half of a bounded channel; as [`std::sync::mpsc::SyncSender`].
pub struct SyncSender<T> {
    inner: std::sync::mpsc::SyncSender<Message<T>>,
    shared: Senders,
}

impl<T> SyncSender<T> {
    /// Sends, waiting for room if need be.
    ///
    /// # Errors
    /// The message, where the receiver is gone.
    ///
    /// # Panics
    /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let site = Site::here();
        let mut message = self.shared.message(value);
        let number = message.number;
        let Some(bound) = self.shared.bound() else {
            return self.inner.send(message).map_err(|error| SendError(error.0.value));
        };
        self.shared.wants_to_send(site);
        if bound == 0 {
            if !self.shared.meet_receiver(site) {
                return Err(SendError(message.value));
            }
            self.inner.send(message).map_err(|error| SendError(error.0.value))?;
        } else {
            loop {
                let taken = self.shared.taken();
                match self.inner.try_send(message) {
                    Ok(()) => break,
                    Err(TrySendError::Disconnected(message)) => return Err(SendError(message.value)),
                    Err(TrySendError::Full(back)) => message = back,
                }
                self.shared.wait_for_room(taken, site);
            }
        }
        self.shared.sent(number, site);
        Ok(())
    }

    /// Sends if there is room now; with a bound of 0, if the receiver waits.
    ///
    /// # Errors
    /// The message, where there is none or the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let message = self.shared.message(value);
        let number = message.number;
        if self.shared.bound() == Some(0) {
            match self.shared.try_meet_receiver() {
                Some(true) => {}
                Some(false) => return Err(TrySendError::Disconnected(message.value)),
                None => return Err(TrySendError::Full(message.value)),
            }
            self.inner.send(message).map_err(|error| TrySendError::Disconnected(error.0.value))?;
        } else {
            self.inner.try_send(message).map_err(|error| match error {
                TrySendError::Full(message) => TrySendError::Full(message.value),
                TrySendError::Disconnected(message) => TrySendError::Disconnected(message.value),
            })?;
        }
        self.shared.sent(number, Site::here());
        Ok(())
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        SyncSender { inner: self.inner.clone(), shared: self.shared.clone() }
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SyncSender").finish_non_exhaustive()
    }
}

/// What sender and receiver have in common; `None` where nothing is tracked.
type Common = Option<Arc<Shared>>;
