//! Growth of lists that a process has many of. It changes no contents.

use alloc::vec::Vec;

/// Adds an item. The list grows by a quarter instead of doubling: calls grow slowly and then stay at their size.
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(2));
    }
    list.push(item);
}
