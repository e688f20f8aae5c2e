//! For each number of workers and liars: the lightest code known beside the paper's Algorithm 1, every one verified.

use ecode::code::{Claim, TieRule};
use ecode::construct::{algorithm1, best};
use ecode::verify::{Control, Method, VerifiedCode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("workers liars  Algorithm 1  lightest known  heaviest worker");
    for n in (5..=15).step_by(2) {
        for b in 1..=(n - 1) / 2 {
            let paper = algorithm1(n, b)?;
            let lightest = best(n, b)?.matrix;
            let heaviest = lightest.worker_loads().into_iter().max().unwrap_or(0);
            println!("{n:7} {b:5} {:12} {:15} {heaviest:16}", paper.ones(), lightest.ones());
            assert!(lightest.ones() <= paper.ones());
            for matrix in [paper, lightest] {
                let claim = Claim { matrix, b, ties: TieRule::Adversarial };
                let verified = VerifiedCode::verify(claim, Method::Auto, &Control::default())?;
                assert!(verified.code().is_some(), "a constructed code is tolerant");
            }
        }
    }
    Ok(())
}
