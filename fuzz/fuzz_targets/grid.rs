//! Whatever text arrives: an error of one line, or a grid of training runs.
#![no_main]

use ecode::train::sweep::Grid;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(error) = Grid::from_toml(text) {
        assert!(!error.to_string().contains('\n'), "more than one line: {error:?}");
    }
});
