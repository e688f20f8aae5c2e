//! Whatever bytes arrive from another rank: no message, or one that travels back and forth to the same bytes.
#![no_main]

use ecode::train::transport::Message;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&d, bytes)) = bytes.split_first() else { return };
    // The number of parameters; d = 0 is one that no trainer has, and must not matter.
    let d = usize::from(d);
    let Some(message) = Message::from_bytes(bytes, d) else { return };
    let sent = message.to_bytes();
    let again = Message::from_bytes(&sent, d).expect("what was written is read");
    // Numbers that are not a number differ from themselves; their bytes do not.
    assert_eq!(again.to_bytes(), sent);
    assert!(sent.len() <= bytes.len() + 8, "{} bytes became {}", bytes.len(), sent.len());
});
