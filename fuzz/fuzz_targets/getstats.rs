//! getStats text, the hot path.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callgauge_fuzz::getstats(data));
