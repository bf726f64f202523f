//! Any calls to a fleet in any order, under small limits.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callgauge_fuzz::fleet(data));
