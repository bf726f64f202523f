//! A modified state of a conference.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    callgauge_fuzz::state(data);
});
