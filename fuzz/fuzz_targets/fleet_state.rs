//! A modified state of a fleet.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    callgauge_fuzz::fleet_state(data);
});
