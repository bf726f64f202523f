//! A queue between the thread that reads a file and the replay, bounded in bytes. It knows nothing about items.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue from one sender to one receiver. Its items are bounded by their memory, not by their number: one may be a
/// report of 23 MB, and most have some kilobytes.
#[derive(Debug)]
pub(crate) struct ByteQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Memory of the waiting items, bytes. One item may wait whatever its size.
    max_bytes: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(usize, T)>,
    bytes: usize,
    is_closed: bool,
}

impl<T> ByteQueue<T> {
    pub(crate) fn new(max_bytes: usize) -> Self {
        let state = State { items: VecDeque::new(), bytes: 0, is_closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), max_bytes }
    }

    /// Adds an item of so many bytes when there is room.
    pub(crate) fn push(&self, bytes: usize, item: T) {
        let mut state = self.lock();
        while !state.items.is_empty() && state.bytes.saturating_add(bytes) > self.max_bytes {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.bytes = state.bytes.saturating_add(bytes);
        state.items.push_back((bytes, item));
        self.changed.notify_all();
    }

    /// The next item; `None` once the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some((bytes, item)) = state.items.pop_front() {
                state.bytes = state.bytes.saturating_sub(bytes);
                self.changed.notify_all();
                return Some(item);
            }
            if state.is_closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a queue when the sender is dropped, even by a panic: the receiver must not wait for it.
pub(crate) struct CloseOnDrop<'a, T>(pub(crate) &'a ByteQueue<T>);

impl<T> Drop for CloseOnDrop<'_, T> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_items_are_bounded_in_bytes() {
        let queue = ByteQueue::new(100);
        let sizes = [40, 40, 40, 300, 1, 99, 60];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let sender = CloseOnDrop(&queue);
                sizes.iter().for_each(|&bytes| sender.0.push(bytes, bytes));
            });
            let mut received = Vec::new();
            loop {
                let state = queue.lock();
                assert!(state.bytes <= 100 || state.items.len() == 1, "{state:?}");
                drop(state);
                let Some(bytes) = queue.pop() else { break };
                received.push(bytes);
            }
            assert_eq!(received, sizes);
        });
    }

    #[test]
    fn a_queue_closes_when_its_sender_panics() {
        let queue = ByteQueue::<()>::new(1);
        let sender = std::panic::AssertUnwindSafe(|| {
            let _sender = CloseOnDrop(&queue);
            panic!("a reader");
        });
        assert!(std::panic::catch_unwind(sender).is_err());
        assert_eq!(queue.pop(), None);
    }
}
