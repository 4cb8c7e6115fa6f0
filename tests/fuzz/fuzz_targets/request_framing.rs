#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orrery_proxy::fuzzing::request_framing(bytes));
