//! Lists of which a process has many.

use alloc::vec::Vec;

/// Adds an item, and grows by a quarter, not by doubling: calls grow slowly, and then last.
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(2));
    }
    list.push(item);
}
