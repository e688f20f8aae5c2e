//! A matrix of one's own, and the answer whether it tolerates a Byzantine worker.

use ecode::code::{AllocationMatrix, Claim, TieRule};
use ecode::verify::{Control, Method, Verified, VerifiedCode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Five workers, five partitions: who holds what.
    let rows: [&[usize]; 5] = [&[0], &[1, 2, 3], &[0, 1, 2, 3, 4], &[0, 1, 2, 3, 4], &[0, 1, 2, 3, 4]];
    let matrix = AllocationMatrix::from_supports(5, &rows)?;
    for (b, expected) in [(1, "tolerant"), (2, "refuted")] {
        let claim = Claim { matrix: matrix.clone(), b, ties: TieRule::Adversarial };
        let word = match VerifiedCode::verify(claim, Method::Auto, &Control::default())? {
            Verified::Yes(code) => code.verdict().word(),
            Verified::No(verdict) => verdict.word(),
        };
        println!("b = {b}: {word}");
        assert_eq!(word, expected);
    }
    Ok(())
}
