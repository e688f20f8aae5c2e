//! Promise: every lower bound of the table that a theorem gives has a certificate that the checker accepts, and a
//! certificate that claims more, or shows it with less, is refused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::certificate::{
    BoundCertificate, BoundRule, Options, Refused, certify_bound, check_bound, is_bound,
};
use ecode::search::bounds;
use rayon::prelude::*;
use serde_json::Value;

fn refusal(certificate: &BoundCertificate) -> String {
    match check_bound(certificate, Options::default()) {
        Err(Refused::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// All up to 31 workers: `ecode check` shares no code with what found them, nor its rounding.
#[test]
fn the_checker_accepts_the_bounds_of_the_table() {
    let sizes = (5..=31).step_by(2).flat_map(|n| (1..=(n - 1) / 2).map(move |b| (n, b)));
    let sizes: Vec<(usize, usize)> = sizes.collect();
    let checked: Vec<BoundRule> = sizes
        .into_par_iter()
        .map(|(n, b)| {
            let certificate = certify_bound(n, b).unwrap();
            let strongest =
                bounds(n, b).unwrap().into_iter().rfind(|bound| bound.name != "exhaustion").unwrap();
            assert_eq!((certificate.ones, certificate.rule.name()), (strongest.least, strongest.name));
            let bytes = certificate.to_json();
            assert!(is_bound(bytes.as_bytes()));
            let read = BoundCertificate::parse(bytes.as_bytes()).unwrap();
            assert_eq!(read, certificate, "({n}, {b})");
            check_bound(&read, Options::default()).unwrap_or_else(|why| panic!("({n}, {b}): {why}"));
            read.rule
        })
        .collect();
    let count = |rule| checked.iter().filter(|&&checked| checked == rule).count();
    let rules = [BoundRule::SecondMoment, BoundRule::ThreeRows, BoundRule::TwoRows, BoundRule::Columns];
    assert_eq!(rules.map(count), [79, 12, 14, 14]);
}

/// Nothing that the checker accepts is above the fewest ones that are known for certain.
#[test]
fn no_certificate_claims_more() {
    for (n, b) in [(5, 1), (9, 1), (13, 1), (21, 1), (31, 14)] {
        let certificate = certify_bound(n, b).unwrap();
        let more = BoundCertificate { ones: certificate.ones + 1, ..certificate };
        refusal(&more);
    }
    // The second moment alone, without evidence, or with a rule that does not speak of it.
    let certificate = certify_bound(21, 1).unwrap();
    let none = BoundCertificate { cases: Vec::new(), ..certificate.clone() };
    assert!(refusal(&none).contains("no test excludes"), "{}", refusal(&none));
    for rule in [BoundRule::Columns, BoundRule::TwoRows, BoundRule::ThreeRows] {
        refusal(&BoundCertificate { rule, ..none.clone() });
        refusal(&BoundCertificate { rule, ..certificate.clone() });
    }
}

/// Every number of a case matters: the smallest change that could help the claim is noticed.
#[test]
fn a_case_that_is_changed_is_refused() {
    let certificate = certify_bound(15, 1).unwrap();
    assert_eq!(certificate.cases.len(), 9);
    for at in 0..certificate.cases.len() {
        let mut less = certificate.clone();
        less.cases.remove(at);
        assert!(refusal(&less).contains("no test excludes"));
        let mut twice = certificate.clone();
        twice.cases.push(twice.cases[at].clone());
        assert!(refusal(&twice).contains("twice"));
        let mut heavier = certificate.clone();
        heavier.cases[at].loads.iter_mut().for_each(|load| load.2 = 4096);
        assert!(refusal(&heavier).contains("do not exclude"));
        let mut other = certificate.clone();
        other.cases[at].full += 1;
        assert!(refusal(&other).contains("rows in all"));
    }
    let mut more = certificate.clone();
    more.cases.push(certify_bound(15, 1).unwrap().cases[0].clone());
    more.cases.last_mut().unwrap().held = 0;
    refusal(&more);
}

#[test]
fn the_command_writes_it_and_another_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        Command::cargo_bin("ecode").unwrap().args(args).current_dir(&folder).output().unwrap()
    };
    let output = run(&["bounds", "--n", "17", "--b", "2", "--certificate", "bound.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let output = run(&["check", "bound.json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("has fewer than 119 ones"));
    let document: Value = serde_json::from_slice(&run(&["check", "bound.json", "--json"]).stdout).unwrap();
    assert_eq!((document["valid"].as_bool(), document["ones"].as_u64()), (Some(true), Some(119)));
    let text = std::fs::read_to_string(folder.path().join("bound.json")).unwrap();
    std::fs::write(folder.path().join("more.json"), text.replace("\"ones\":119", "\"ones\":121")).unwrap();
    assert_eq!(run(&["check", "more.json"]).status.code(), Some(4));
    std::fs::write(folder.path().join("none.json"), text.replace("\"ones\"", "\"tens\"")).unwrap();
    assert_eq!(run(&["check", "none.json"]).status.code(), Some(2));
    // Exhaustion leaves no evidence: the note says which bound is shown instead.
    let output = run(&["bounds", "--n", "13", "--b", "1", "--certificate", "weaker.json"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("61 ones"));
    let output = run(&["bounds", "--n", "16", "--b", "1", "--certificate", "even.json"]);
    assert_eq!((output.status.code(), folder.path().join("even.json").exists()), (Some(2), false));
}
