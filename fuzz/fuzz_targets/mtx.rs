//! Whatever bytes arrive: an error of one line, or a matrix that reads back as itself.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ecode_fuzz::reader(bytes, ecode::format::Format::Mtx));
