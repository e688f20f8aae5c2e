//! A matrix of one's own, and the answer whether it tolerates a Byzantine worker.

use ecode::code::{AllocationMatrix, Claim, TieRule};
use ecode::verify::{Control, Method, VerifiedCode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Five workers, five partitions: who holds what.
    let rows: [&[usize]; 5] = [&[0], &[1, 2, 3], &[0, 1, 2, 3, 4], &[0, 1, 2, 3, 4], &[0, 1, 2, 3, 4]];
    let matrix = AllocationMatrix::from_supports(5, &rows)?;
    for b in 1..=2 {
        let claim = Claim { matrix: matrix.clone(), b, ties: TieRule::Adversarial };
        match VerifiedCode::verify(claim, &Method::Auto, &Control::default())? {
            Ok(code) => println!("b = {b}: tolerant, by {}", code.verdict().method),
            Err(verdict) => println!("b = {b}: {}", verdict.word()),
        }
    }
    Ok(())
}
