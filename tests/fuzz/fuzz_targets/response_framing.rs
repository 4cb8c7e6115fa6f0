#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orrery_proxy::fuzzing::response_framing(bytes));
