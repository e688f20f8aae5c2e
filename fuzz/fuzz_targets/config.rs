//! Whatever text arrives: an error of one line, or a configuration of a training run.
#![no_main]

use ecode::train::Config;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(error) = Config::from_toml(text) {
        assert!(!error.to_string().contains('\n'), "more than one line: {error:?}");
    }
});
