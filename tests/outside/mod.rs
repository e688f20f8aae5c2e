//! Asking a checker that shares nothing with this program.

use std::process::Command;

use ecode::code::Formula;

/// Whether veripb, an independent checker, says that the proof shows the formula unsatisfiable. Its
/// printed verdict is read: an exit code alone says little.
pub(crate) fn veripb(formula: &Formula, proof: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (opb, pbp) = (folder.path().join("formula.opb"), folder.path().join("proof.pbp"));
    std::fs::write(&opb, formula.opb()).unwrap();
    std::fs::write(&pbp, proof).unwrap();
    let output = Command::new("veripb").args([&opb, &pbp]).output();
    let Ok(output) = output else {
        panic!("veripb is missing: cargo install veripb --locked --version 3.0.2")
    };
    let verdict = String::from_utf8(output.stdout).unwrap();
    let verified = verdict.lines().any(|line| line == "s VERIFIED UNSATISFIABLE");
    assert_eq!(verified, output.status.success(), "{verdict}");
    verified
}
