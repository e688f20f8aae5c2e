//! Whatever bytes a solver leaves as its proof: clauses that have a solution are never refuted.
#![no_main]

use std::cell::Cell;

use ecode::certificate::replay_full_drat;
use ecode::code::{Clauses, Encoding};

libfuzzer_sys::fuzz_target!(|proof: &[u8]| {
    // "All true" satisfies every clause.
    let mut clauses = Clauses::new(4, Encoding::default());
    for clause in [&[1, 2][..], &[-1, 3], &[-2, 3, 4], &[1, -3, 4], &[-4, 2, -1], &[2, -3]] {
        clauses.add(clause.to_vec());
    }
    let looks = Cell::new(0);
    let stopped = || {
        looks.set(looks.get() + 1);
        looks.get() > 20
    };
    assert!(replay_full_drat(&clauses, proof, &stopped).is_err());
});
