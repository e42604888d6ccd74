//! [`Receiver`] and its iterators.
//!
//! Guarantees: as [`super`].
//!
//! Misses: as [`super`].

use std::fmt;
use std::time::{Duration, Instant};

use super::Common;
use super::meet::Met;
use super::shared::{Message, Shared};
use super::{RecvError, RecvTimeoutError, TryRecvError};
use crate::park::Wake;
use crate::site::Site;

/// The receiving half of a channel; as [`std::sync::mpsc::Receiver`].
pub struct Receiver<T> {
    // Dropped first, so that whoever is woken by the other field sees the channel disconnected.
    inner: std::sync::mpsc::Receiver<Message<T>>,
    shared: Half,
}

struct Half(Common);

impl Drop for Half {
    fn drop(&mut self) {
        if let Some(shared) = &self.0 {
            shared.receiver_dropped();
        }
    }
}

impl<T> Receiver<T> {
    pub(super) fn new(inner: std::sync::mpsc::Receiver<Message<T>>, shared: Common) -> Self {
        Receiver { inner, shared: Half(shared) }
    }

    /// A message, if one is there.
    ///
    /// # Errors
    /// Where there is none, and none can come any more.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let Some(shared) = &self.shared.0 else { return self.inner.try_recv().map(|message| message.value) };
        let message = if shared.is_rendezvous() {
            if !shared.try_meet_sender() {
                return Err(if shared.has_senders() { TryRecvError::Empty } else { TryRecvError::Disconnected });
            }
            self.inner.recv().map_err(|RecvError| TryRecvError::Disconnected)?
        } else {
            self.inner.try_recv()?
        };
        Ok(shared.received(message, Site::here()))
    }

    /// Waits for a message.
    ///
    /// # Errors
    /// Where none can come any more.
    ///
    /// # Panics
    /// Where this wait closes a deadlock and `LOCKCHECK_ON_DEADLOCK` is `panic`.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        match &self.shared.0 {
            None => self.inner.recv().map(|message| message.value),
            Some(shared) => self.wait(shared, None, Site::here()).map_err(|_| RecvError),
        }
    }

    /// Waits for a message, for at most `timeout`.
    ///
    /// # Errors
    /// Where the time is over, and where none can come any more.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match &self.shared.0 {
            None => self.inner.recv_timeout(timeout).map(|message| message.value),
            // A limit beyond what the clock can express is none.
            Some(shared) => self.wait(shared, Instant::now().checked_add(timeout), Site::here()),
        }
    }

    /// An iterator that waits for each message, until none can come any more.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// An iterator over the messages that are there.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    #[track_caller]
    fn wait(&self, shared: &Shared, until: Option<Instant>, site: Site) -> Result<T, RecvTimeoutError> {
        shared.wants_to_receive(site);
        if shared.is_rendezvous() {
            return match shared.meet_sender(until, site) {
                Met::Yes => {
                    let message = self.inner.recv().map_err(|RecvError| RecvTimeoutError::Disconnected)?;
                    Ok(shared.received(message, site))
                }
                Met::Closed => Err(RecvTimeoutError::Disconnected),
                Met::TimedOut => Err(RecvTimeoutError::Timeout),
            };
        }
        let (mut front, mut timed_out) = (false, false);
        loop {
            let seen = shared.sent_count();
            match self.inner.try_recv() {
                Ok(message) => return Ok(shared.received(message, site)),
                Err(TryRecvError::Disconnected) => return Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) if timed_out => return Err(RecvTimeoutError::Timeout),
                Err(TryRecvError::Empty) => {}
            }
            timed_out = shared.wait_for_message(seen, until, front, site) == Wake::TimedOut;
            front = true;
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// See [`Receiver::iter`].
#[derive(Debug)]
pub struct Iter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;
    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

/// See [`Receiver::try_iter`].
#[derive(Debug)]
pub struct TryIter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;
    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

/// An iterator that owns the receiver.
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;
    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}
