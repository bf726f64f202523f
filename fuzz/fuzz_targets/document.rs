//! Formats that are one document, through format recognition into a conference.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callgauge_fuzz::document(data));
