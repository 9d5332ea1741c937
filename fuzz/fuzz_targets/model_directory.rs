#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| twinseal_fuzz::fuzzing::model_directory(data));
