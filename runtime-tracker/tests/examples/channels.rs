//! `mpsc`.

use std::time::{Duration, Instant};

use super::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError, channel, sync_channel};
use super::thread;

#[test]
fn a_channel_carries_from_one_thread_and_from_many() {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send("a result").unwrap());
    assert_eq!(receiver.recv(), Ok("a result"));

    let (sender, receiver) = channel();
    for number in 0..10 {
        let sender = sender.clone();
        thread::spawn(move || sender.send(number).unwrap());
    }
    drop(sender);
    let mut all: Vec<u32> = receiver.into_iter().collect();
    all.sort_unstable();
    assert_eq!(all, (0..10).collect::<Vec<_>>());
}

#[test]
fn an_end_hears_that_the_other_is_gone() {
    let (sender, receiver) = channel::<u32>();
    drop(sender);
    assert_eq!((receiver.recv(), receiver.try_recv()), (Err(RecvError), Err(TryRecvError::Disconnected)));
    let (sender, receiver) = channel();
    drop(receiver);
    assert_eq!(sender.send(7), Err(SendError(7)));
    let (sender, receiver) = sync_channel(1);
    drop(receiver);
    assert_eq!((sender.send(7), sender.try_send(8)), (Err(SendError(7)), Err(TrySendError::Disconnected(8))));
}

#[test]
fn a_bounded_sender_waits_until_there_is_room() {
    let (sender, receiver) = sync_channel(1);
    sender.send(1).unwrap();
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    let other = sender.clone();
    let sends = thread::spawn(move || {
        other.send(2).unwrap();
        other.send(3).unwrap();
    });
    drop(sender);
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2, 3]);
    sends.join().unwrap();
}

#[test]
fn without_room_the_two_meet() {
    let (sender, receiver) = sync_channel::<&str>(0);
    let sends = thread::spawn(move || {
        let begun = Instant::now();
        sender.send("hello").unwrap();
        begun.elapsed()
    });
    thread::sleep(Duration::from_millis(20));
    assert_eq!(receiver.recv(), Ok("hello"));
    assert!(sends.join().unwrap() > Duration::from_millis(5));
}

#[test]
fn a_receiver_waits_for_a_while_or_not_at_all() {
    let (sender, receiver) = channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let limit = Duration::from_millis(10);
    assert_eq!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Timeout));
    let sends = thread::spawn(move || sender.send('a').unwrap());
    assert_eq!(receiver.recv_timeout(Duration::from_secs(20)), Ok('a'));
    sends.join().unwrap();
    assert_eq!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn what_is_there_is_taken_without_waiting_for_more() {
    let (sender, receiver) = channel();
    assert!(receiver.try_iter().next().is_none());
    (1..=3).for_each(|number| sender.send(number).unwrap());
    assert_eq!(receiver.try_iter().map(|number| number * 2).collect::<Vec<_>>(), [2, 4, 6]);
    sender.send(4).unwrap();
    drop(sender);
    let mut rest = receiver.iter();
    assert_eq!((rest.next(), rest.next()), (Some(4), None));
}
