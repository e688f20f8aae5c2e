//! A stranger's certificate, checked with two small crates: the definitions (`election-coding-core`) and the checker
//! (`election-coding-check`). No engine is asked.

use ecode_check::{Certificate, Strength, check};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/certificates");

    // A proof that a claim holds: it is replayed line by line.
    let certificate = Certificate::parse(&std::fs::read(format!("{folder}/valid/tolerant.json"))?)?;
    let accepted = check(&certificate)?;
    println!("b = {}, tolerant: {}", certificate.claim.b, accepted.tolerant);
    for checked in &accepted.checked {
        println!("  {checked}");
    }
    assert!(accepted.tolerant && accepted.strength == Strength::Proved);

    // The same proof with one line left out shows nothing any more.
    let certificate = Certificate::parse(&std::fs::read(format!("{folder}/invalid/dropped-line.json"))?)?;
    let Err(refused) = check(&certificate) else { return Err("a proof without a line was accepted".into()) };
    println!("with a line left out: {refused}");
    Ok(())
}
