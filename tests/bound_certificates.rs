//! Promise: every lower bound of the table that a theorem gives has a certificate that the checker accepts, and a
//! certificate that claims more, or shows it with less, is refused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::certificate::{
    BoundCertificate, BoundRule, Closed, Options, Refused, certify_bound, check_bound, is_bound,
};
use ecode::code::TieRule;
use ecode::construct::{Demand, Objective, best_for, blocks};
use ecode::search::bounds;
use rayon::prelude::*;
use serde_json::Value;

fn refusal(certificate: &BoundCertificate) -> String {
    match check_bound(certificate, Options::default()) {
        Err(Refused::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// All up to 31 workers: `ecode check` shares no code with what found them, nor its rounding. Only what takes exhaustion with too
/// many families, and averages beyond 15 workers, leave no certificate.
#[test]
fn the_checker_accepts_the_bounds_of_the_table() {
    let sizes = (5..=31).step_by(2).flat_map(|n| (1..=(n - 1) / 2).map(move |b| (n, b)));
    let sizes: Vec<(usize, usize)> = sizes.collect();
    let checked: Vec<BoundRule> = sizes
        .into_par_iter()
        .map(|(n, b)| {
            let certificate = certify_bound(n, b).unwrap();
            let bounds = bounds(n, b).unwrap();
            let by_theorem = bounds.iter().rfind(|bound| bound.name != "exhaustion").unwrap();
            if certificate.rule == BoundRule::Exhaustion {
                assert_eq!(Some(certificate.ones), bounds.last().map(|bound| bound.least));
            } else {
                assert_eq!((certificate.ones, certificate.rule.name()), (by_theorem.least, by_theorem.name));
                assert!(
                    certificate.ones == bounds.last().unwrap().least || [(13, 1), (13, 2)].contains(&(n, b))
                );
            }
            let bytes = certificate.to_json();
            assert!(is_bound(bytes.as_bytes()));
            let read = BoundCertificate::parse(bytes.as_bytes()).unwrap();
            assert_eq!(read, certificate, "({n}, {b})");
            check_bound(&read, Options::default()).unwrap_or_else(|why| panic!("({n}, {b}): {why}"));
            read.rule
        })
        .collect();
    let count = |rule| checked.iter().filter(|&&checked| checked == rule).count();
    let rules = [
        BoundRule::SecondMoment,
        BoundRule::ThreeRows,
        BoundRule::TwoRows,
        BoundRule::Columns,
        BoundRule::Exhaustion,
    ];
    assert_eq!(rules.map(count), [74, 12, 14, 14, 5]);
}

/// Every bound up to 11 workers is what a code attains, and shown.
#[test]
fn the_fewest_ones_up_to_11_workers_are_certified() {
    for n in (3..=11).step_by(2) {
        for b in 1..=(n - 1) / 2 {
            let certificate = certify_bound(n, b).unwrap();
            let ties = TieRule::Adversarial;
            let demand = Demand { n, k: n, b, ties, max_load: n, objective: Objective::Ones };
            let known = best_for(&demand, blocks()).unwrap().unwrap();
            assert_eq!(certificate.ones, known.matrix.ones(), "({n}, {b})");
        }
    }
}

/// A family that is left out is missed, wherever it stands; so is one that is a code, and one that is none.
#[test]
fn families_that_are_changed_are_refused() {
    let certificate = certify_bound(9, 1).unwrap();
    let families: usize = certificate.closed.iter().map(|set| set.families.len()).sum();
    assert_eq!((certificate.rule, certificate.closed.len(), families), (BoundRule::Exhaustion, 8, 591));
    for at in (0..families).step_by(13) {
        let mut less = certificate.clone();
        let mut left = at;
        let set = less.closed.iter_mut().find(|set| {
            let here = left < set.families.len();
            left -= if here { 0 } else { set.families.len() };
            here
        });
        let set = set.unwrap();
        set.families.remove(left);
        let empty = set.families.is_empty();
        let why = refusal(&less);
        assert!(empty || why.contains("is not listed"), "{at}: {why}");
    }
    let changed = |change: &dyn Fn(&mut Vec<Closed>)| {
        let mut other = certificate.clone();
        change(&mut other.closed);
        refusal(&other)
    };
    assert!(changed(&|closed| closed.clear()).contains("the family without rows is not listed"));
    assert!(changed(&|closed| closed.push(closed[0].clone())).contains("twice"));
    let other = Closed { empty: 0, singles: vec![4], families: vec![vec![]] };
    assert!(changed(&|closed| closed.push(other.clone())).contains("none of such a code"));
    assert!(changed(&|closed| closed[0].families.push(vec![0b111, 0b1])).contains("a load is not odd"));
    assert!(changed(&|closed| closed[0].families.push(vec![0b1_1111, 0b111])).contains("lighter"));
    assert!(changed(&|closed| closed[0].families.push(vec![7 << 7])).contains("there is not"));
    // One more: the code with 41 ones is among what must be listed, and once it is, it is seen.
    let more = BoundCertificate { ones: 42, ..certificate.clone() };
    assert!(refusal(&more).contains("is not listed"));
    let sets = ecode::search::closed_families(9, 1, 42, 10_000, &|| false);
    assert!(sets.is_none());
    // The rule alone, or with another rule's evidence.
    refusal(&BoundCertificate { rule: BoundRule::SecondMoment, ..certificate.clone() });
    let cases = certify_bound(15, 1).unwrap().cases;
    assert!(refusal(&BoundCertificate { cases, ..certificate }).contains("has no cases"));
}

/// A code with few ones, given away row by row: the list that holds its beginnings is refused for it.
#[test]
fn a_list_that_leads_to_a_code_is_refused() {
    let code = certify_bound(5, 1).unwrap();
    let exhaustion = |ones, closed| BoundCertificate {
        ones,
        rule: BoundRule::Exhaustion,
        cases: Vec::new(),
        closed,
        ..code.clone()
    };
    let closed = |sets: Vec<ecode::search::ClosedFamilies>| {
        sets.into_iter()
            .map(|set| Closed { empty: set.empty, singles: set.singles, families: set.families })
            .collect::<Vec<_>>()
    };
    let least = closed(ecode::search::closed_families(5, 1, code.ones, 1000, &|| false).unwrap());
    check_bound(&exhaustion(code.ones, least.clone()), Options::default()).unwrap();
    // Algorithm 1 for (5, 1) has one row of load 1, one of load 3 and full ones.
    let mut all = least;
    all.push(Closed { empty: 0, singles: vec![1], families: vec![vec![], vec![0b111], vec![0b1_1100]] });
    all.dedup_by(|one, other| (one.empty, &one.singles) == (other.empty, &other.singles));
    let why = refusal(&exhaustion(code.ones + 1, all));
    assert!(why.contains("is a code with fewer ones") || why.contains("is not listed"), "{why}");
}

/// Another program, in another language, comes to the same.
#[test]
fn the_python_script_accepts_them_and_refuses_others() {
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/check_bounds.py");
    let run = |certificate: &BoundCertificate| {
        let path = folder.path().join("bound.json");
        std::fs::write(&path, certificate.to_json()).unwrap();
        let output = Command::new("python3").arg(script).arg(&path).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    for (n, b) in [(3, 1), (7, 2), (9, 1), (9, 2), (11, 2)] {
        let certificate = certify_bound(n, b).unwrap();
        let (code, text) = run(&certificate);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains(&certificate.sentence()), "{text}");
        assert_eq!(run(&BoundCertificate { ones: certificate.ones + 1, ..certificate }).0, Some(1));
    }
    let mut less = certify_bound(9, 1).unwrap();
    less.closed[1].families.remove(200);
    let (code, text) = run(&less);
    assert!(code == Some(1) && text.contains("is not listed"), "{text}");
    // Second moments are for `ecode check`.
    assert_eq!(run(&certify_bound(17, 2).unwrap()).0, Some(3));
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
    // Too many families: the note says which bound is shown instead.
    let output = run(&["bounds", "--n", "13", "--b", "1", "--certificate", "weaker.json"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("61 ones"));
    let output = run(&["bounds", "--n", "16", "--b", "1", "--certificate", "even.json"]);
    assert_eq!((output.status.code(), folder.path().join("even.json").exists()), (Some(2), false));
}
