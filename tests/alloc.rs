//! What the hot path asks of the heap once it is warm: nothing.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests may assume as tests do

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use callgauge::ingest::Reader;
use callgauge::ingest::getstats::Scanner;
use callgauge::report::Report;
use common::{WORKLOADS, workload};

/// The system's allocator, counting what this thread asks for.
struct Counting;

thread_local! {
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    REQUESTS.with(|requests| requests.set(requests.get() + 1));
}

// SAFETY: every call goes to `System` unchanged; the counter is a `Cell` without a destructor and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many times `work` asks this thread's heap for memory.
fn requests(work: impl FnOnce()) -> u64 {
    let before = REQUESTS.with(Cell::get);
    work();
    REQUESTS.with(Cell::get) - before
}

/// A way in, kept from one snapshot to the next. Returns how many rows it saw.
type Door = Box<dyn FnMut(&str) -> usize>;

/// Every way in that must not allocate once it has seen a snapshot of each size.
fn doors() -> Vec<(&'static str, Door)> {
    let (mut scanner, mut report) = (Scanner::new(), Report::new());
    let scan = move |line: &str| {
        let (_, stats) = line.split_once(r#","stats":"#).expect("a line of the workload");
        scanner.read(stats.strip_suffix('}').unwrap_or(stats).as_bytes(), &mut report).expect("JSON");
        report.len()
    };
    let mut reader = Reader::new();
    let read = move |line: &str| {
        let mut rows = 0;
        reader.read(line.as_bytes(), &mut |snapshot| rows += snapshot.report.len()).expect("JSON");
        rows
    };
    vec![("scanner", Box::new(scan)), ("reader of lines", Box::new(read))]
}

#[test]
fn the_allocator_counts() {
    assert_eq!(requests(|| drop(std::hint::black_box(Box::new(7)))), 1);
    assert_eq!(requests(|| ()), 0);
}

#[test]
fn a_warm_door_reads_without_allocating() {
    for set in WORKLOADS {
        let lines = workload(set);
        for (name, mut door) in doors() {
            // One pass: participants come and go, and the largest snapshot may be any.
            let warm: usize = lines.iter().map(|line| door(line)).sum();
            let mut rows = 0;
            let asked = requests(|| rows = lines.iter().map(|line| door(line)).sum());
            assert_eq!(asked, 0, "{set}, {name}");
            assert!(rows > 1_000 && rows == warm, "{set}, {name}: {rows} rows");
        }
    }
}
