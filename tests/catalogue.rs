//! Promise: every row of the catalogue is what it says, and docs/codes.md is the catalogue.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::certificate::{Scope, System, certify};
use ecode::code::{AllocationMatrix, Formula, TieRule};
use ecode::construct::{Algorithm1, Provenance, best};
use ecode::report::{codes_csv, codes_html, codes_json, codes_markdown};
use ecode::search::{CATALOGUE, Entry, catalogue};
use ecode::verify::{Control, Method, Verdict, verify};
use outside::veripb;
use rayon::prelude::*;
use serde_json::Value;
use std::sync::LazyLock;

mod outside;

static ALL: LazyLock<Vec<Entry>> =
    LazyLock::new(|| catalogue(&CATALOGUE.step_by(2).collect::<Vec<_>>(), None, None).unwrap());

fn by(g: &AllocationMatrix, b: usize, method: Method) -> Verdict {
    verify(g, Some(b), TieRule::Adversarial, method, &Control::default()).unwrap()
}

#[test]
fn every_code_is_tolerant_and_no_more() {
    assert_eq!(ALL.len(), (1..=25).sum::<usize>());
    ALL.par_iter().for_each(|entry| {
        let (n, b, g) = (entry.n(), entry.b, &entry.code.matrix);
        assert_eq!((g.n(), g.k()), (n, n));
        let glued = match &entry.code.provenance {
            Provenance::Gluing(shape) => {
                shape.prove(g, b).unwrap();
                true
            }
            _ => false,
        };
        // Three engines that have little in common, and the definition itself, where they can; beyond 31 workers two, for
        // glued codes the theorem's premises being one of them.
        let engines: &[&str] = match n {
            ..=9 => &["exhaustive", "structure", "branch", "definition"],
            10..=31 => &["exhaustive", "structure", "branch"],
            _ if glued => &["structure"],
            _ => &["structure", "branch"],
        };
        for engine in engines {
            let verdict = by(g, b, engine.parse().unwrap());
            assert!(verdict.is_tolerant(), "n = {n}, b = {b}, {engine}");
        }
        assert!(by(g, b + 1, Method::Auto).is_refuted(), "n = {n}, b = {b}");
    });
}

/// The data are what the constructions, the blocks and the bounds give today. Beyond 31 workers a bound by averages takes a
/// second or more, so there one b in six is worked out again, and of the others the code.
#[test]
fn every_line_can_be_worked_out_again() {
    let pairs: Vec<(usize, usize)> =
        CATALOGUE.step_by(2).flat_map(|n| (1..=(n - 1) / 2).map(move |b| (n, b))).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/design/src/search/catalogue.jsonl");
    if std::env::var_os("ECODE_WRITE_DOCS").is_some() {
        let fresh: Vec<String> =
            pairs.into_par_iter().map(|(n, b)| Entry::new(n, n, b).unwrap().to_line() + "\n").collect();
        std::fs::write(path, fresh.concat()).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = kept.split_inclusive('\n').collect();
    assert_eq!((lines.len(), ALL.len()), (pairs.len(), pairs.len()));
    pairs.into_par_iter().enumerate().for_each(|(at, (n, b))| {
        let entry = &ALL[at];
        assert_eq!((entry.n(), entry.b), (n, b));
        let fresh = if n <= 31 || b % 6 == 1 {
            Entry::new(n, n, b).unwrap()
        } else {
            Entry { code: best(n, b).unwrap(), ..entry.clone() }
        };
        let fresh = fresh.to_line() + "\n";
        assert!(
            lines[at] == fresh,
            "the catalogue is not fresh: run the tests with ECODE_WRITE_DOCS=1, twice"
        );
        assert_eq!(entry.to_line() + "\n", fresh);
    });
}

/// Nobody has to trust an engine: our proof of every code up to 25 workers is accepted by an
/// independent checker.
#[test]
fn an_outside_checker_accepts_a_proof_of_every_code_up_to_25_workers() {
    let control = Control::default();
    let mut proofs = 0;
    for entry in ALL.iter().filter(|entry| entry.n() <= 25) {
        let (n, b, g) = (entry.n(), entry.b, &entry.code.matrix);
        let verdict = by(g, b, Method::Auto);
        let made = certify(g, &verdict, Scope::Claim, System::CuttingPlanes, &control).unwrap();
        let (margin, sides) = made.evidence.proofs(b).unwrap();
        assert!(margin >= b as i64, "n = {n}, b = {b}");
        for side in sides {
            let formula = Formula::below(g, TieRule::Adversarial, b as i64, side.correct);
            assert!(veripb(&formula, &side.proof), "n = {n}, b = {b}");
            proofs += 1;
        }
    }
    assert_eq!(proofs, 78);
}

#[test]
fn every_row_says_what_its_code_has() {
    for entry in ALL.iter() {
        let (n, b) = (entry.n(), entry.b);
        let row = entry.to_json();
        let ones = (0..n).map(|j| entry.code.matrix.worker_load(j)).sum::<usize>();
        assert_eq!(row["ones"].as_u64(), Some(ones as u64));
        assert_eq!(entry.algorithm1.unwrap(), Algorithm1::new(n, b).unwrap().ones());
        assert!(entry.bound.least <= ones && ones <= entry.algorithm1.unwrap(), "n = {n}, b = {b}");
        assert_eq!(row["digest"], entry.code.matrix.digest());
        assert_eq!(row["optimal"], ones == entry.bound.least);
        // Lighter than Algorithm 1 wherever nothing forbids it.
        assert!(ones < entry.algorithm1.unwrap() || n < 9 || entry.optimal(), "n = {n}, b = {b}");
    }
}

#[test]
fn the_document_is_the_catalogue() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/codes.md");
    let text = std::fs::read_to_string(path).unwrap();
    let head = &text[..text.find("\n| n").map_or(text.len(), |at| at + 1)];
    let fresh = format!("{head}{}\n", codes_markdown(&ALL));
    if std::env::var_os("ECODE_WRITE_DOCS").is_some() {
        std::fs::write(path, fresh).unwrap();
    } else {
        assert!(text == fresh, "docs/codes.md is not fresh: run the tests with ECODE_WRITE_DOCS=1");
    }
}

#[test]
fn the_table_is_written_in_every_format() {
    let run = |args: &[&str]| {
        let output = Command::cargo_bin("ecode").unwrap().arg("table").args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let few = catalogue(&[9, 11], None, Some(&[1, 2])).unwrap();
    let pick = ["--n", "9-11", "--b", "1,2"];
    for (flag, expected) in [
        ("markdown", codes_markdown(&few)),
        ("csv", codes_csv(&few)),
        ("json", codes_json(&few).to_string()),
        ("html", codes_html(&few)),
    ] {
        let short = run(&[&pick[..], &[&format!("--{flag}")]].concat());
        assert_eq!(short.trim_end(), expected.trim_end());
        assert_eq!(short, run(&[&pick[..], &["--format", flag]].concat()));
    }
    let document: Value = serde_json::from_str(&run(&["--n", "9", "--b", "2", "--json"])).unwrap();
    assert_eq!(
        (document["schema"].as_str(), document["codes"][0]["ones"].as_u64()),
        (Some("ecode/table/1"), Some(59))
    );
    let csv = codes_csv(&few);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.records().map(|record| record.unwrap().len()).collect::<Vec<_>>(), [11; 4]);
    for wrong in [
        &["--n", "53"][..],
        &["--n", "9", "--k", "8"],
        &["--n", "9", "--b", "5"],
        &["--n", "9-"],
        &["--json", "--csv"],
    ] {
        let output = Command::cargo_bin("ecode").unwrap().arg("table").args(wrong).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{wrong:?}");
    }
}

/// What `design` writes, `verify` reads: also codes that only the theorem can prove in a short time.
#[test]
fn the_best_code_is_the_default_and_is_verified_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code.json");
    let file = file.to_str().unwrap();
    for (n, b, name) in
        [("9", "0", "uncoded"), ("9", "2", "gluing"), ("9", "3", "algorithm1"), ("63", "2", "gluing")]
    {
        let run = |args: &[&str]| Command::cargo_bin("ecode").unwrap().args(args).output().unwrap();
        assert_eq!(run(&["design", "--n", n, "--b", b, "-o", file]).status.code(), Some(0));
        let stored: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(stored["construction"]["name"], name);
        let verdict: Value = serde_json::from_slice(&run(&["verify", file, "--json"]).stdout).unwrap();
        assert_eq!((verdict["verdict"].as_str(), verdict["b"].to_string()), (Some("tolerant"), b.to_owned()));
    }
}
