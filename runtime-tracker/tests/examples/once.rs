//! `Once`, `OnceLock`, `LazyLock`.

use super::sync::atomic::{AtomicU32, Ordering::Relaxed};
use super::sync::{LazyLock, Mutex, Once, OnceLock};
use super::thread;

#[test]
fn what_is_called_once_runs_once_and_all_see_what_it_did() {
    static START: Once = Once::new();
    static VALUE: AtomicU32 = AtomicU32::new(0);
    fn value() -> u32 {
        START.call_once(|| {
            assert!(!START.is_completed());
            VALUE.fetch_add(42, Relaxed);
        });
        VALUE.load(Relaxed)
    }
    assert!(!START.is_completed());
    let threads = [thread::spawn(value), thread::spawn(value), thread::spawn(value)];
    assert_eq!(threads.map(|thread| thread.join().unwrap()), [42; 3]);
    assert!(START.is_completed());
}

#[test]
fn a_panic_poisons_and_force_gets_past_it() {
    static START: Once = Once::new();
    let panics = thread::spawn(|| START.call_once(|| panic!("at the start")));
    assert!(panics.join().is_err() && !START.is_completed());
    // Whoever comes later hears of it.
    assert!(thread::spawn(|| START.call_once(|| ())).join().is_err());
    START.call_once_force(|state| assert!(state.is_poisoned()));
    START.call_once(|| unreachable!("it is done"));
    static FRESH: Once = Once::new();
    FRESH.call_once_force(|state| assert!(!state.is_poisoned()));
}

#[test]
fn those_that_only_wait_go_on_when_it_is_done() {
    static READY: Once = Once::new();
    let waits = thread::spawn(|| {
        READY.wait();
        READY.is_completed()
    });
    READY.call_once(thread::yield_now);
    assert!(waits.join().unwrap());
    READY.wait_force();
}

#[test]
fn a_cell_in_a_static_is_set_by_whoever_comes_first() {
    static CELL: OnceLock<usize> = OnceLock::new();
    assert!(CELL.get().is_none());
    thread::spawn(|| assert_eq!(CELL.get_or_init(|| 12), &12)).join().unwrap();
    assert_eq!((CELL.get(), CELL.get_or_init(|| unreachable!("it is set")), CELL.set(13)), (Some(&12), &12, Err(13)));
}

#[test]
fn a_list_of_cells_grows_from_many_threads() {
    struct List<T> {
        value: OnceLock<T>,
        rest: OnceLock<Box<List<T>>>,
    }
    impl<T: PartialEq> List<T> {
        const fn new() -> Self {
            List { value: OnceLock::new(), rest: OnceLock::new() }
        }
        fn push(&self, value: T) {
            if let Err(value) = self.value.set(value) {
                self.rest.get_or_init(|| Box::new(List::new())).push(value);
            }
        }
        fn contains(&self, wanted: &T) -> bool {
            match self.value.get() {
                Some(value) => value == wanted || self.rest.get().is_some_and(|rest| rest.contains(wanted)),
                None => false,
            }
        }
    }
    static LIST: List<u32> = List::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let adds = || (0..100).for_each(|_| LIST.push(NEXT.fetch_add(1, Relaxed)));
    [thread::spawn(adds), thread::spawn(adds)].into_iter().for_each(|thread| thread.join().unwrap());
    assert!((0..200).all(|number| LIST.contains(&number)) && !LIST.contains(&200));
}

#[test]
fn a_cell_is_waited_for_changed_and_emptied() {
    let mut cell = OnceLock::<String>::new();
    thread::scope(|scope| {
        let waits = scope.spawn(|| cell.wait().len());
        cell.set(String::from("hello")).unwrap();
        assert_eq!(waits.join().unwrap(), 5);
    });
    cell.get_mut().unwrap().push('!');
    assert_eq!((cell.take().as_deref(), cell.take()), (Some("hello!"), None));
    cell.set(String::from("again")).unwrap();
    assert_eq!(cell.into_inner().as_deref(), Some("again"));
    assert_eq!(OnceLock::<u8>::new().into_inner(), None);
}

#[test]
fn a_lazy_value_is_made_at_its_first_use_from_any_thread() {
    static MADE: AtomicU32 = AtomicU32::new(0);
    static WORDS: LazyLock<Mutex<Vec<&str>>> = LazyLock::new(|| {
        MADE.fetch_add(1, Relaxed);
        Mutex::new(vec!["made"])
    });
    assert_eq!(MADE.load(Relaxed), 0);
    thread::spawn(|| WORDS.lock().unwrap().push("used")).join().unwrap();
    WORDS.lock().unwrap().push("used again");
    assert_eq!((WORDS.lock().unwrap().len(), MADE.load(Relaxed)), (3, 1));
}

#[test]
fn a_lazy_value_can_be_a_field_and_be_forced() {
    struct Page {
        text: &'static str,
        words: LazyLock<usize, Box<dyn FnOnce() -> usize + Send>>,
    }
    let text = "three short words";
    let page = Page { text, words: LazyLock::new(Box::new(|| text.split(' ').count())) };
    assert_eq!((*page.words, LazyLock::force(&page.words), &*page.words, page.text), (3, &3, &3, text));
    let mut lazy = LazyLock::new(|| 92);
    assert_eq!(LazyLock::get(&lazy), None);
    *LazyLock::force_mut(&mut lazy) += 1;
    *LazyLock::get_mut(&mut lazy).unwrap() += 1;
    assert_eq!((*lazy, LazyLock::get(&lazy)), (94, Some(&94)));
}
