//! The system's allocator with counts of each thread's requests and bytes held, to be the `#[global_allocator]` of a
//! program.
#![allow(dead_code)] // no program needs all of it

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

pub(crate) struct Counting;

thread_local! {
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

fn count(asked: usize, returned: usize) {
    REQUESTS.with(|requests| requests.set(requests.get() + u64::from(asked > 0)));
    HELD.with(|held| {
        held.set(held.get() + asked as i64 - returned as i64);
        PEAK.with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call goes to `System` unchanged; the counters are `Cell`s without a destructor and allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// Number of bytes that this thread holds.
pub(crate) fn held() -> i64 {
    HELD.with(Cell::get)
}

/// Number of requests that `work` makes to this thread's heap.
pub(crate) fn requests(work: impl FnOnce()) -> u64 {
    weighed(work).1
}

/// Number of requests that `work` makes to this thread's heap, and the bytes held after it beyond those before.
pub(crate) fn weighed<T>(work: impl FnOnce() -> T) -> (T, u64, i64) {
    let before = (REQUESTS.with(Cell::get), held());
    let result = work();
    (result, REQUESTS.with(Cell::get) - before.0, held() - before.1)
}

/// The maximum that this thread held during `work`, beyond what it held before, in bytes.
pub(crate) fn peak(work: impl FnOnce()) -> i64 {
    let before = held();
    PEAK.with(|peak| peak.set(before));
    work();
    PEAK.with(Cell::get) - before
}
