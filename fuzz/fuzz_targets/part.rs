//! Whatever bytes arrive: an error of one line, or a part of an enumeration that writes and reads back.
#![no_main]

use ecode::verify::part::Part;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| match Part::parse(bytes) {
    Ok(part) => assert_eq!(Part::parse(part.to_json().as_bytes()).as_ref(), Ok(&part)),
    Err(error) => assert!(!error.to_string().contains('\n'), "more than one line: {error:?}"),
});
