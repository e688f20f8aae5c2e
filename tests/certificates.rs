//! Promise: a verdict leaves a certificate that others can check, and no certificate is accepted that
//! does not show what it claims.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command as Process;

use assert_cmd::Command;
use ecode::certificate::{
    Certificate, Evidence, ProofError, Scope, System, certify, certify_distortion, check, refute, replay,
};
use ecode::code::{AllocationMatrix, Clauses, Formula, TieRule};
use ecode::construct::{Bernoulli, Gluing, Specification, algorithm1, bernoulli, blocks};
use ecode::verify::{Assignment, Control, Method, verify};
use outside::veripb;
use proptest::prelude::*;

mod outside;

fn ecode(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn matrices(most: usize) -> impl Strategy<Value = AllocationMatrix> {
    (1..=most, 1..=most, 3..=10_u32).prop_flat_map(|(n, k, tenths)| {
        prop::collection::vec(0..10_u32, n * k)
            .prop_map(move |draws| AllocationMatrix::from_fn(n, k, |j, i| draws[j * k + i] < tenths).unwrap())
    })
}

fn ties() -> impl Strategy<Value = TieRule> {
    prop::sample::select(TieRule::ALL.to_vec())
}

/// The certificate of a claim, written and read back.
fn certificate(g: &AllocationMatrix, b: Option<usize>, ties: TieRule) -> Certificate {
    let control = Control::default();
    let verdict = verify(g, b, ties, Method::Auto, &control).unwrap();
    let made = certify(g, &verdict, Scope::WorstCase, System::CuttingPlanes, &control);
    // The worst case is known only where the radius is.
    let made = made.or_else(|_| certify(g, &verdict, Scope::Claim, System::CuttingPlanes, &control)).unwrap();
    let read = Certificate::parse(made.to_json().as_bytes()).unwrap();
    assert_eq!(read, made);
    made
}

fn accepted_outside(certificate: &Certificate) {
    let claim = &certificate.claim;
    if let Some((margin, sides)) = certificate.evidence.proofs(claim.b) {
        for side in sides {
            let formula = Formula::below(&claim.matrix, claim.ties, margin, side.correct);
            if matches!(certificate.evidence, Evidence::Drat(_)) {
                assert!(rate(&Clauses::of(&claim.matrix, &formula), &side.proof));
                continue;
            }
            assert!(
                veripb(&formula, &side.proof),
                "{:?}, b = {}, ties {}",
                claim.matrix,
                claim.b,
                claim.ties
            );
        }
    }
}

/// Whether rate, an independent DRAT checker, says that the proof shows the clauses unsatisfiable.
fn rate(clauses: &Clauses, proof: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (cnf, drat) = (folder.path().join("formula.cnf"), folder.path().join("proof.drat"));
    std::fs::write(&cnf, clauses.dimacs()).unwrap();
    std::fs::write(&drat, proof).unwrap();
    let output = Process::new("rate").arg("--skip-unit-deletions").args([&cnf, &drat]).output();
    let Ok(output) = output else { panic!("rate is missing: cargo install rate --locked --version 0.3.0") };
    String::from_utf8(output.stdout).unwrap().lines().any(|line| line == "s VERIFIED")
}

/// The DRAT certificate of a tolerant claim, accepted by us and by rate; `None` where the claim is refuted.
fn drat(g: &AllocationMatrix, b: usize, ties: TieRule) -> Option<Certificate> {
    let control = Control::default();
    let verdict = verify(g, Some(b), ties, Method::Auto, &control).unwrap();
    let made = certify(g, &verdict, Scope::Claim, System::Drat, &control).unwrap();
    let read = Certificate::parse(made.to_json().as_bytes()).unwrap();
    assert_eq!(read, made);
    assert_eq!(check(&made).unwrap().tolerant, verdict.word() == "tolerant");
    let (margin, sides) = made.evidence.proofs(b)?;
    for side in sides {
        let clauses = Clauses::of(g, &Formula::below(g, ties, margin, side.correct));
        assert!(rate(&clauses, &side.proof), "{g:?}, b = {b}, ties {ties}\n{}", side.proof);
    }
    Some(made)
}

#[test]
fn rate_accepts_every_drat_proof_of_algorithm_1() {
    for (n, b) in [(3, 1), (5, 1), (7, 2), (9, 1), (11, 2), (13, 1), (15, 1), (15, 3)] {
        assert!(drat(&algorithm1(n, b).unwrap(), b, TieRule::Adversarial).is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn rate_accepts_the_drat_proofs_of_any_shape_under_any_rule(g in matrices(8), ties in ties(), b in 0..2_usize) {
        drat(&g, b, ties);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Every shape, every tie rule, with b and without: what is certified is what was decided.
    #[test]
    fn every_verdict_has_a_certificate_that_is_accepted(
        g in matrices(7), ties in ties(), b in prop::option::of(0..4_usize),
    ) {
        let b = b.filter(|&b| b <= g.n());
        let verdict = verify(&g, b, ties, Method::Auto, &Control::default()).unwrap();
        let accepted = check(&certificate(&g, b, ties)).unwrap();
        prop_assert_eq!(if accepted.tolerant { "tolerant" } else { "refuted" }, verdict.word());
        if accepted.radius.is_some() {
            prop_assert_eq!(accepted.radius, verdict.radius().exactly());
        }
    }

    /// A claim that does not hold has no proof: not by the prover, and not by changing one of another claim.
    #[test]
    fn nothing_proves_a_wrong_claim(
        g in matrices(7), ties in ties(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let verdict = verify(&g, None, ties, Method::Auto, &Control::default()).unwrap();
        let radius = verdict.radius().exactly();
        let wrong = radius.map_or(0, |radius| radius + 1);
        for correct in [false, true] {
            let formula = Formula::new(&g, ties, wrong, correct);
            let found = refute(&formula, &|| false);
            if let Some(radius) = radius && found.is_err() {
                // The right claim's proof, with some tokens exchanged against others.
                let right = refute(&Formula::new(&g, ties, radius, correct), &|| false).unwrap();
                let mut tokens: Vec<String> = right.split_inclusive([' ', '\n']).map(str::to_owned).collect();
                let mut proofs = vec![right];
                for (from, to) in &changes {
                    let token = from.get(&tokens).clone();
                    *to.get_mut(&mut tokens) = token;
                    proofs.push(tokens.concat());
                }
                for proof in proofs {
                    prop_assert!(replay(&formula, &proof, &|| false).is_err(), "{}", proof);
                }
            }
        }
        let decided = ecode::code::deciding_sides(&g, ties).into_iter();
        let mut proofs = decided.map(|correct| refute(&Formula::new(&g, ties, wrong, correct), &|| false));
        prop_assert!(proofs.any(|proof| proof.is_err()));
    }
}

/// Every Algorithm 1 code up to n = 15, and gluing codes, at their radius.
#[test]
fn veripb_accepts_every_proof_up_to_15_workers() {
    for n in (3..=15).step_by(2) {
        for b in 1..=(n - 1) / 2 {
            let one = certificate(&algorithm1(n, b).unwrap(), None, TieRule::Adversarial);
            assert_eq!(check(&one).unwrap().radius, Some(b));
            accepted_outside(&one);
        }
    }
    for (n, b) in [(9, 1), (13, 2), (15, 1), (15, 3)] {
        let one = certificate(&Gluing::new(n, b).unwrap().matrix, Some(b), TieRule::Adversarial);
        assert!(check(&one).unwrap().tolerant);
        accepted_outside(&one);
    }
}

/// Rows and columns in an order that says nothing of how the code was made.
fn shuffled(g: &AllocationMatrix) -> AllocationMatrix {
    let order = |len: usize, step: usize| -> Vec<usize> {
        let mut list: Vec<usize> = (0..len).collect();
        for i in (1..len).rev() {
            list.swap(i, (i * step + 7) % (i + 1));
        }
        list
    };
    g.permuted(&order(g.n(), 7919), &order(g.k(), 104_729)).unwrap()
}

/// Far beyond enumeration, and still short: bounds from a linear relaxation.
#[test]
fn veripb_accepts_short_proofs_of_shuffled_codes_of_up_to_101_workers() {
    for (n, b, most) in
        [(31, 1, 20_000), (51, 1, 20_000), (51, 5, 20_000), (101, 1, 60_000), (101, 5, 60_000)]
    {
        let one = certificate(&shuffled(&algorithm1(n, b).unwrap()), Some(b), TieRule::Adversarial);
        assert!(check(&one).unwrap().tolerant);
        let (_, sides) = one.evidence.proofs(b).unwrap();
        assert!(sides[0].proof.len() < most, "({n}, {b}): {} bytes", sides[0].proof.len());
        accepted_outside(&one);
    }
}

/// A dense random code is refuted, and how bad it gets is proven as well.
#[test]
fn veripb_accepts_the_worst_case_of_a_dense_code() {
    let how = Bernoulli { n: 21, k: 21, p: 0.5, seed: 1, draw: 0, redraw_empty: false, odd_rows: true };
    let one = certificate(&bernoulli(how).unwrap(), None, TieRule::Adversarial);
    let (margin, sides) = one.evidence.proofs(0).unwrap();
    assert!(margin < 0 && !sides.is_empty());
    assert!(!check(&one).unwrap().tolerant);
    accepted_outside(&one);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn veripb_accepts_the_proofs_of_any_shape_under_any_rule(g in matrices(9), ties in ties()) {
        accepted_outside(&certificate(&g, None, ties));
    }
}

#[test]
fn veripb_accepts_the_proofs_about_distortion() {
    let control = Control::default();
    for (scheme, liars) in
        [("mols:l=5,r=3", 5), ("ramanujan:m=5,s=5", 5), ("groups:n=45,r=5", 12), ("subsets:n=7,r=3", 3)]
    {
        let scheme: Specification = scheme.parse().unwrap();
        let g = scheme.build(TieRule::Adversarial, blocks()).unwrap().matrix;
        let point = Assignment::new(&g).unwrap().worst(liars, 0, Method::Auto, &control).unwrap();
        let made = certify_distortion(&g, liars, point.files, Some(&point.worst), &control).unwrap();
        assert!(veripb(&Formula::distortion(&g, liars, point.files), &made.proof), "{scheme}, {liars} liars");
        // One file fewer, and the proof shows nothing.
        assert!(
            !veripb(&Formula::distortion(&g, liars, point.files - 1), &made.proof),
            "{scheme}, {liars} liars"
        );
    }
}

/// veripb is asked about proofs that our replay refuses, too: no difference in what follows.
#[test]
fn veripb_and_our_replay_refuse_the_same_proofs() {
    let g = algorithm1(9, 1).unwrap();
    let formula = Formula::new(&g, TieRule::Zero, 1, false);
    let proof = refute(&formula, &|| false).unwrap();
    assert!(veripb(&formula, &proof));
    let lines: Vec<&str> = proof.lines().collect();
    for gone in (2..lines.len()).filter(|&line| lines[line].starts_with("rup")) {
        let shorter: Vec<&str> =
            lines.iter().enumerate().filter(|(i, _)| *i != gone).map(|(_, l)| *l).collect();
        let shorter = shorter.join("\n") + "\n";
        assert_eq!(
            replay(&formula, &shorter, &|| false).is_ok(),
            veripb(&formula, &shorter),
            "without line {gone}"
        );
    }
    let satisfiable = Formula::new(&g, TieRule::Zero, 2, false);
    assert!(!veripb(&satisfiable, &proof));
    assert!(matches!(replay(&satisfiable, &proof, &|| false), Err(ProofError::Rejected { .. })));
}

/// The list beside the corpus says the exit code and the reason; `crates/check/tests/corpus.rs` asks the library.
#[test]
fn every_invalid_certificate_is_refused_with_its_reason() {
    let list = std::fs::read_to_string("fixtures/certificates/invalid.tsv").unwrap();
    assert!(list.lines().count() > 100);
    for line in list.lines() {
        let [name, expected, reason] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let path = format!("fixtures/certificates/invalid/{name}.json");
        let (code, out, err) = ecode(&["check", &path]);
        assert_eq!((code, out.as_str()), (expected.parse().ok(), ""), "{name}: {err}");
        assert!(err.starts_with(&format!("error: {path}: ")) && err.contains(reason), "{name}: {err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{name}: {err}");
    }
}

/// Where a record is consistent and nothing more, no exit code and no field says that it is valid, unless it is counted again.
#[test]
fn a_count_that_would_have_to_be_believed_is_not_called_valid() {
    let record = "fixtures/certificates/unproved/record.json";
    let (code, out, err) = ecode(&["check", record]);
    assert_eq!(code, Some(3), "{err}");
    assert!(out.starts_with("Consistent, but not proved: 2 Byzantine workers of 31 cannot"), "{out}");
    assert!(out.contains("if the count is right.") && out.contains("is the word of ecode"), "{out}");
    let (code, out, _) = ecode(&["check", record, "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let null = serde_json::Value::Null;
    let said = ["valid", "verdict", "radius", "strength"].map(|name| &document[name]);
    assert_eq!((code, said), (Some(3), [&null, &"undecided".into(), &null, &null]));
    let (code, out, err) = ecode(&["check", record, "--recount", "--timeout", "0s"]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.contains("stopped before everything was checked"), "{err}");
    // A record of few messages is counted again unasked.
    let (code, out, _) = ecode(&["check", "fixtures/certificates/valid/record.json", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &document["strength"]), (Some(0), &"recounted".into()));
}

/// What a certificate says of its maker is shown, and does nothing to the reader's terminal.
#[test]
fn no_certificate_writes_on_the_terminal() {
    let (code, out, _) = ecode(&["check", "fixtures/certificates/valid/spoof-program.json"]);
    assert!(code == Some(0) && !out.contains('\u{1b}'), "{out:?}");
    assert!(out.contains("made by  ecode 0.1.0\\u{1b}[2J"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() < 300), "{out}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claim.json");
    let valid = std::fs::read_to_string("fixtures/certificates/valid/tolerant.json").unwrap();
    let long = "\\u001b[2J\\nchecked  everything".repeat(1000);
    for (from, to) in [
        ("\"digest\":\"", "\"digest\":\"LONG"),
        ("\"schema\":\"", "\"schema\":\"LONG"),
        ("\"ties\":\"", "\"ties\":\"LONG"),
        ("\"kind\":\"", "\"kind\":\"LONG"),
        ("\"formula\":\"", "\"formula\":\"LONG"),
        ("\"reductions\":[\"", "\"reductions\":[\"LONG"),
        ("\\nrup ", "\\nrup LONG"),
        ("\\npol ", "\\npol LONG"),
        ("{", "{\"LONG\":1,"),
    ] {
        let forged = valid.replacen(from, &to.replace("LONG", &long), 1);
        assert_ne!(forged, valid, "{from}");
        std::fs::write(&path, forged).unwrap();
        let (code, out, err) = ecode(&["check", path.to_str().unwrap()]);
        assert!(matches!(code, Some(2 | 4)) && out.is_empty(), "{from}: {code:?} {out}");
        assert!(err.lines().count() == 1 && err.chars().count() < 700 && !err.contains('\u{1b}'), "{err}");
    }
}

/// A file of another kind is called by its name.
#[test]
fn what_is_no_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let matrix = at("matrix.json");
    assert_eq!(ecode(&["design", "--n", "9", "--b", "2", "-o", &matrix]).0, Some(0));
    for end in ["csv", "npy", "txt", "opb", "dimacs"] {
        assert_eq!(ecode(&["export", &matrix, "--to", end, "--b", "2", "-o", &at(end)]).0, Some(0));
    }
    let write = |name: &str, text: &str| {
        std::fs::write(at(name), text).unwrap();
        at(name)
    };
    let said = |path: &str| {
        let (code, _, err) = ecode(&["check", path]);
        assert_eq!((code, err.lines().count()), (Some(2), 1), "{err}");
        err
    };
    for path in [&matrix, &at("csv"), &at("txt"), &write("bare.json", "[[1,0],[1,1]]")] {
        let err = said(path);
        assert!(err.contains("this is a matrix; `ecode verify`"), "{err}");
    }
    assert!(said(&at("npy")).contains("this is a NumPy array"));
    assert!(said(&at("opb")).contains("this is a formula for pseudo-Boolean solvers"));
    assert!(said(&at("dimacs")).contains("this is a formula for SAT solvers"));
    assert!(
        said("fixtures/parts/valid/0-of-3.json").contains("this is a part of an enumeration; `ecode merge`")
    );
    let log = "{\"step\":0,\"epoch\":0.0}\n{\"step\":5,\"epoch\":0.1}\n";
    assert!(said(&write("metrics.jsonl", log)).contains("this is the log of a training run"));
    let (_, verdict, _) = ecode(&["verify", &matrix, "--json"]);
    assert!(said(&write("verdict.json", &verdict)).contains("this is a verdict"));
    let proof = "pseudo-Boolean proof version 3.0\n";
    assert!(said(&write("proof.pbp", proof)).contains("this is a proof alone"));
    assert!(said(&write("empty", "")).contains("EOF while parsing"));
}

/// A step that copies a long inequality costs little in a file: the checker keeps so many terms and no more.
#[test]
fn a_small_file_takes_no_large_memory() {
    let (n, k) = (3, 4095);
    let g = AllocationMatrix::from_fn(n, k, |_, _| true).unwrap();
    let formula = Formula::new(&g, TieRule::Zero, 1, false);
    let proof = format!("pseudo-Boolean proof version 3.0\nf 5;\n{}", "pol 1;\n".repeat(12_000));
    assert!(
        matches!(replay(&formula, &proof, &|| false), Err(ProofError::TooLarge { line, .. }) if line > 6000)
    );
    let stack = format!("pseudo-Boolean proof version 3.0\nf 5;\npol{};\n", " 1".repeat(12_000));
    assert!(matches!(replay(&formula, &stack, &|| false), Err(ProofError::TooLarge { line: 3, .. })));
    // The work ends when it is told to, between two lines and within one.
    assert_eq!(replay(&formula, &proof, &|| true), Err(ProofError::Stopped));
    assert_eq!(replay(&formula, &stack, &|| true), Err(ProofError::Stopped));
}

/// Numbers and lists without end are refused before anything is made of them.
#[test]
fn numbers_and_lists_are_bounded() {
    let valid = std::fs::read_to_string("fixtures/certificates/valid/record.json").unwrap();
    let digits = "9".repeat(5_000_000);
    let list = "0,".repeat(5_000_000);
    for (from, to) in [
        ("\"choices\":\"", format!("\"choices\":\"{digits}")),
        ("\"from\":\"", format!("\"from\":\"{digits}")),
        ("\"b\":", format!("\"b\":{digits}")),
        ("\"worst\":[", format!("\"worst\":[{list}")),
        ("\"G\":[", format!("\"G\":[[{list}0],")),
        ("\"margins\":[", format!("\"margins\":[{}", "[0,\"1\"],".repeat(500_000))),
    ] {
        let forged = valid.replacen(from, &to, 1);
        assert_ne!(forged, valid, "{from}");
        let error = Certificate::parse(forged.as_bytes()).unwrap_err().to_string();
        assert!(error.chars().count() < 600, "{error}");
    }
}

/// Proofs of two certificates are never mixed in one folder.
#[test]
fn extract_leaves_only_this_certificates_files() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    let extract = |name: &str| {
        ecode(&["check", &format!("fixtures/certificates/valid/{name}.json"), "--extract", into])
    };
    assert_eq!(extract("zero-2-sides").0, Some(0));
    assert_eq!(extract("zero-2-sides").0, Some(0));
    let (code, _, err) = extract("tolerant");
    assert!(code == Some(2) && err.contains("side-1") && err.contains("name a new folder"), "{err}");
    assert_eq!(std::fs::read_dir(into).unwrap().count(), 4);
}

#[test]
fn valid_certificates_are_accepted_and_leave_files_for_other_checkers() {
    for file in std::fs::read_dir("fixtures/certificates/valid").unwrap() {
        let path = file.unwrap().path();
        let (code, out, err) = ecode(&["check", path.to_str().unwrap()]);
        assert_eq!(code, Some(0), "{}: {err}", path.display());
        assert!(out.starts_with("Valid: ") || out.starts_with("Valid by a theorem: "), "{out}");
        let bytes = std::fs::read(&path).unwrap();
        accepted_outside(&Certificate::parse(&bytes).unwrap());
        let (code, out, _) = ecode(&["check", path.to_str().unwrap(), "--json"]);
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &document["valid"]), (Some(0), &serde_json::Value::Bool(true)));
    }
    let folder = tempfile::tempdir().unwrap();
    let proof = folder.path().join("proof");
    let valid = "fixtures/certificates/valid/tolerant.json";
    let (code, _, err) = ecode(&["check", valid, "--extract", proof.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{err}");
    let output =
        Process::new("veripb").args([proof.join("side-0.opb"), proof.join("side-0.pbp")]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("s VERIFIED UNSATISFIABLE"));
}

/// From a matrix to a certificate about it, on the command line, and not about another matrix.
#[test]
fn verify_writes_and_check_reads() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (matrix, other, claim) = (at("matrix.json"), at("other.json"), at("claim.json"));
    assert_eq!(ecode(&["design", "--n", "9", "--b", "2", "-o", &matrix]).0, Some(0));
    assert_eq!(ecode(&["design", "--n", "9", "--b", "1", "-o", &other]).0, Some(0));
    for (b, exit, verdict) in [("2", 0, "cannot overturn"), ("3", 1, "can overturn")] {
        assert_eq!(ecode(&["verify", &matrix, "--b", b, "--certificate", &claim]).0, Some(exit));
        let (code, out, err) = ecode(&["check", &claim, "--matrix", &matrix]);
        assert!(code == Some(0) && out.contains(verdict), "{out}{err}");
        let (code, _, err) = ecode(&["check", &claim, "--matrix", &other]);
        assert!(code == Some(4) && err.contains("it is about another matrix"), "{err}");
    }
    // Nothing is written for what was not decided.
    let none = at("none.json");
    let (code, _, err) = ecode(&["verify", &matrix, "--timeout", "0s", "--certificate", &none]);
    assert!(code == Some(3) && err.contains("none.json was not written"), "{err}");
    assert!(!Path::new(&none).exists());
}
