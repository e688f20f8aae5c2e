//! Promise: a budgeted code costs no more than was asked for and errs exactly as often as is said; it is never called
//! tolerant or verified.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use ecode::analysis::{Adversary, Kind, Profile, enumerate};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::search::{BudgetEntry, BudgetRequest, budget_catalogue, least_errors};
use ecode::verify::Control;
use serde_json::Value;

fn ecode(args: &str, folder: &Path) -> (Option<i32>, String, String) {
    let output =
        Command::cargo_bin("ecode").unwrap().current_dir(folder).args(args.split(' ')).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The probability of a wrong sign at each q, by what `ecode analyze` counts with.
fn errors(g: &AllocationMatrix, b: usize, qs: &[f64]) -> Vec<f64> {
    let profile = Profile::exact(&enumerate(g, &Control::default()).unwrap(), TieRule::Adversarial);
    let errors = profile.errors(Kind::Sign, Adversary::Adaptive, qs, &Control::default()).unwrap();
    errors.iter().map(|errors| errors.worst()[b].value()).collect()
}

fn alike(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-9
}

/// Every code of the catalogue, counted anew.
#[test]
fn the_catalogue_says_what_is_so() {
    let mut kept = BTreeSet::new();
    for entry in budget_catalogue() {
        let (g, b) = (&entry.matrix, entry.b);
        assert!(g.ones() as f64 <= entry.redundancy * g.n() as f64 + 1e-9 && g.all_loads_odd());
        assert!(g.worker_loads().iter().all(|&load| load <= entry.max_load));
        assert!(kept.insert((g.n(), b, entry.redundancy.to_bits())), "twice: {}", entry.to_line());
        let request = BudgetRequest { qs: entry.qs.clone(), ..BudgetRequest::new(g.n(), b, g.ones()) };
        for (least, error) in least_errors(&request).iter().zip(&entry.errors) {
            assert!(*least <= error * (1.0 + 1e-12), "below the bound: {}", entry.to_line());
        }
        for (counted, &kept) in errors(g, b, &entry.qs).into_iter().zip(&entry.errors) {
            assert!(alike(counted, kept), "{counted} {}", entry.to_line());
        }
    }
    // More ones are worth no less.
    let value = |entry: &BudgetEntry| (entry.matrix.n(), entry.b, entry.redundancy, entry.value());
    let all: Vec<_> = budget_catalogue().iter().map(value).collect();
    for pair in all.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        assert!(
            (before.0, before.1) < (after.0, after.1)
                || before.2 < after.2 && before.3 >= after.3 * (1.0 - 1e-12)
        );
    }
}

#[test]
fn design_searches_within_the_budget_and_claims_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text, error) =
        ecode("design --n 7 --b 2 --redundancy 2.5 --rounds 1 --q 0.05,0.2 -o code.json", folder.path());
    assert_eq!(code, Some(0), "{error}");
    assert!(text.starts_with("Budgeted: ") && text.contains("tolerates no"), "{text}");
    let file: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("code.json")).unwrap()).unwrap();
    assert!(file["ones"].as_u64() <= Some(17) && file["b"].is_null(), "{file}");
    let made = &file["construction"];
    assert_eq!(
        (&made["name"], &made["exact"], &made["b"]),
        (&"budget search".into(), &true.into(), &2.into())
    );
    let supports: Vec<Vec<usize>> = file["G"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let row = row.as_array().unwrap();
            (0..row.len()).filter(|&i| row[i] == 1).collect()
        })
        .collect();
    let g = AllocationMatrix::from_supports(7, &supports).unwrap();
    for (counted, said) in errors(&g, 2, &[0.05, 0.2]).into_iter().zip(made["errors"].as_array().unwrap()) {
        assert!(alike(counted, said.as_f64().unwrap()), "{counted} {said}");
    }
    // Its radius is none, whatever it was made for.
    let (code, text, _) = ecode("verify code.json --json", folder.path());
    let verdict: Value = serde_json::from_str(&text).unwrap();
    assert!(verdict["radius"].is_null() && code != Some(2), "{text}");
    // In training it is budgeted, and not verified.
    let (code, text, error) =
        ecode("train --code code.json --steps 3 --batch 4 --attack omniscient --run run", folder.path());
    assert_eq!(code, Some(0), "{error}");
    assert!(error.contains("budgeted code, which is not tolerant: with 2 adaptive liars"), "{error}");
    assert!(text.contains("Not verified, from step 0: the code is budgeted"), "{text}");
    assert!(text.contains(", budgeted"), "{text}");
    let summary: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("run/summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["code"]["verified"], &summary["code"]["b"]), (&false.into(), &Value::Null));
}

#[test]
fn other_liars_limits_and_bad_requests() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        "--liars random",
        "--liars fixed --max-load 3",
        "--stragglers 2",
        "--k 6 --q 0.1..0.3",
        "--from-nothing --seed 9",
    ] {
        let args = format!("design --n 7 --b 1 --redundancy 2 --rounds 1 {args}");
        let (code, text, error) = ecode(&args, folder.path());
        assert!(code == Some(0) && text.starts_with("Budgeted"), "{args}: {error}");
    }
    for (args, expected) in [
        ("--redundancy 0.5", "at least n = 7 ones"),
        ("--redundancy 2 --q 0.7", "below 0.5"),
        ("--redundancy 2 --q 0.2..0.1", "is empty"),
        ("--redundancy 2 --seed x", "--seed"),
        ("--redundancy 2 --stragglers 5", "make every decode wrong"),
        ("--redundancy 2 --draws 3", "--draws is for bernoulli"),
        ("--q 0.1", "--redundancy"),
    ] {
        let (code, _, error) = ecode(&format!("design --n 7 --b 1 {args}"), folder.path());
        assert!(code == Some(2) && error.contains(expected), "{args}: {error}");
    }
}

#[test]
fn a_search_goes_on_from_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let ask = "design --n 5 --b 1 --redundancy 2 --from-nothing --json -q";
    let (_, whole, _) = ecode(&format!("{ask} --rounds 2"), folder.path());
    ecode(&format!("{ask} --rounds 1 --state s.json"), folder.path());
    let (code, parts, error) = ecode(&format!("{ask} --rounds 2 --state s.json"), folder.path());
    let said = |text: &str| {
        let mut file: Value = serde_json::from_str(text).unwrap();
        file.as_object_mut().unwrap().remove("verification");
        file
    };
    assert_eq!((code, said(&parts)), (Some(0), said(&whole)), "{error}");
    let (code, _, error) =
        ecode(&ask.replace("--n 5", "--n 7").replace("-q", "--state s.json"), folder.path());
    assert!(code == Some(2) && error.contains("the state of a search with"), "{error}");
}

#[test]
fn a_frontier_puts_budgeted_codes_beside_others() {
    let folder = tempfile::tempdir().unwrap();
    let args = "frontier --n 5 --b 1 --rounds 1 --draws 20 --json --csv f.csv --svg f.svg --html f.html";
    let (code, text, error) = ecode(args, folder.path());
    assert_eq!(code, Some(0), "{error}");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["schema"], &document["n"]), (&"ecode/frontier/1".into(), &5.into()));
    let codes = document["codes"].as_array().unwrap();
    let names: BTreeSet<&str> = codes.iter().map(|code| code["code"].as_str().unwrap()).collect();
    for name in ["budgeted", "uncoded", "cyclic", "Algorithm 1", "tolerant, fewest ones known"] {
        assert!(names.contains(name), "{name} {names:?}");
    }
    let number = |code: &Value, key: &str| code[key].as_f64().unwrap();
    for code in codes {
        let better = codes.iter().any(|other| {
            let (own, other) = (["ones", "heaviest", "error"])
                .map(|key| (number(code, key), number(other, key)))
                .into_iter()
                .unzip::<_, _, Vec<_>, Vec<_>>();
            let less = |a: f64, b: f64| a < b * (1.0 - 1e-12);
            let mut pairs = own.iter().zip(&other);
            pairs.clone().all(|(&own, &other)| !less(own, other))
                && pairs.any(|(&own, &other)| less(other, own))
        });
        assert_eq!(code["front"], !better, "{code}");
        if code["code"] == "budgeted" {
            assert!(number(code, "lower_bound") <= number(code, "error"), "{code}");
        }
    }
    let csv = std::fs::read_to_string(folder.path().join("f.csv")).unwrap();
    assert_eq!(csv.lines().count(), codes.len() + 1);
    for name in ["f.svg", "f.html"] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.contains("<svg") && text.contains("no code below"), "{name}");
    }
    let (code, _, error) = ecode("frontier --n 27 --b 1", folder.path());
    assert!(code == Some(2) && error.contains("1 to 25"), "{error}");
}
