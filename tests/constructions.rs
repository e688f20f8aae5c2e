//! Promise: every construction of the registry is known with all its parameters to `ecode design`, to `--code` and to
//! the provenance in matrix files, and each makes the same matrix of them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use assert_cmd::Command;
use ecode::code::TieRule;
use ecode::construct::{
    Argument, CONSTRUCTIONS, Construction, Domain, Fallback, Parameter, Specification, blocks,
};
use ecode::verify::{Control, Method, verify};
use serde_json::Value;

/// The example of a construction, with whether it has to be verified as tolerant.
fn example(construction: &Construction) -> Specification {
    format!("{}:{}", construction.name, construction.example).parse().unwrap()
}

/// A value of the domain that differs from the fallback and suits every construction's example.
fn other_value(parameter: &Parameter) -> String {
    match (parameter.name, parameter.domain) {
        ("n" | "b" | "group" | "degree", _) => "3".to_owned(),
        ("k", _) => "5".to_owned(),
        ("digest", _) => "sha256:".to_owned(),
        ("max-load", _) => "9".to_owned(),
        (_, Domain::Whole { .. }) => "2".to_owned(),
        (_, Domain::Positive { .. }) => "0.5".to_owned(),
        (_, Domain::Switch) => "true".to_owned(),
        (_, Domain::Word(words)) => words[1].0.to_owned(),
        (_, Domain::Text | Domain::BlockFile) => "mine.txt".to_owned(),
    }
}

fn ecode(args: &[String]) -> (Option<i32>, Value, String) {
    let output = Command::cargo_bin("ecode").unwrap().args(args).output().unwrap();
    let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), document, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn names_are_unique_and_a_parameter_means_the_same_everywhere() {
    let names: BTreeSet<_> = CONSTRUCTIONS.iter().map(|construction| construction.name).collect();
    assert_eq!(names.len(), CONSTRUCTIONS.len());
    let mut meanings: BTreeMap<&str, (Domain, &str)> = BTreeMap::new();
    for construction in CONSTRUCTIONS {
        assert_eq!(construction.parameters[0].name, "n", "{}", construction.name);
        assert!(!construction.summary.is_empty() && !construction.source.is_empty());
        let keys: Vec<&str> =
            construction.parameters.iter().flat_map(|p| [Some(p.name), p.short]).flatten().collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "{}", construction.name);
        for parameter in construction.parameters {
            assert!(
                parameter.name.bytes().all(|c| c.is_ascii_lowercase() || c == b'-'),
                "{}",
                parameter.name
            );
            let meaning = (parameter.domain, parameter.help);
            assert_eq!(*meanings.entry(parameter.name).or_insert(meaning), meaning, "{}", parameter.name);
            if let Fallback::Value(text) = parameter.fallback {
                parameter.parse(text).unwrap();
            }
        }
    }
}

#[test]
fn values_outside_their_range_are_refused_with_the_parameter_s_name() {
    for (parameter, wrong) in
        CONSTRUCTIONS.iter().flat_map(|construction| construction.parameters).flat_map(|parameter| {
            let wrong: &[&str] = match parameter.domain {
                Domain::Whole { most: u64::MAX, .. } => &["-1", "", "1.5", "18446744073709551616"],
                Domain::Whole { .. } => &["-1", "", "1.5", "4097"],
                Domain::Positive { .. } => &["0", "-0.5", "NaN", "inf", "4097", ""],
                Domain::Switch => &["yes", ""],
                Domain::Word(_) => &["nothing", ""],
                Domain::Text | Domain::BlockFile => &[""],
            };
            wrong.iter().map(move |wrong| (parameter, *wrong))
        })
    {
        let error = parameter.parse(wrong).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{} = {wrong}: expected ", parameter.name)), "{error}");
    }
    let long = CONSTRUCTIONS[0].parameters[0].parse(&"9".repeat(100_000)).unwrap_err().to_string();
    assert!(long.len() < 200, "{}", long.len());
}

/// What a file says of a code makes the code again, word for word.
#[test]
fn the_provenance_makes_the_same_matrix_again() {
    for construction in CONSTRUCTIONS {
        let built = example(construction).build(TieRule::Adversarial, blocks()).unwrap();
        let again = Specification::from_json(&built.provenance).unwrap();
        let rebuilt = again.build(TieRule::Adversarial, blocks()).unwrap();
        assert_eq!((&rebuilt.matrix, &rebuilt.provenance), (&built.matrix, &built.provenance));
        // As text, too.
        let read: Specification = again.to_string().parse().unwrap();
        assert_eq!(read.build(TieRule::Adversarial, blocks()).unwrap().matrix, built.matrix, "{again}");
    }
    for (name, wrong) in [("nothing", "{}"), ("cyclic", r#"{"degree":[1]}"#), ("cyclic", r#"{"n":-1}"#)] {
        let mut made: Value = serde_json::from_str(wrong).unwrap();
        made["name"] = name.into();
        assert!(Specification::from_json(&made).is_err(), "{made}");
    }
    assert!(Specification::from_json(&Value::Null).is_err());
}

#[test]
fn the_best_known_codes_of_all_sizes_have_a_provenance_that_makes_them_again() {
    let mut names = BTreeSet::new();
    for n in 2..=16 {
        for k in [n - 1, n, 7] {
            for b in 0..=(n - 1) / 2 {
                let Ok(specification) = format!("best:n={n},k={k},b={b}").parse::<Specification>() else {
                    continue;
                };
                let Ok(built) = specification.build(TieRule::Adversarial, blocks()) else { continue };
                let again = Specification::from_json(&built.provenance).unwrap();
                let rebuilt = again.build(TieRule::Adversarial, blocks()).unwrap();
                assert_eq!(rebuilt.matrix, built.matrix, "{}", built.provenance);
                names.insert(built.provenance["name"].as_str().unwrap().to_owned());
            }
        }
    }
    let all = ["algorithm1", "disjoint", "full", "gluing", "listed", "resized", "uncoded"];
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

/// Both doors lead to the same: the flags of `design`, and a specification as after `--code`.
#[test]
fn design_and_code_make_the_same_of_every_example() {
    for construction in CONSTRUCTIONS {
        let specification = example(construction);
        let built = specification.build(TieRule::Adversarial, blocks()).unwrap();
        let mut args: Vec<String> =
            ["design", "--json", "-q", "--construction", construction.name].map(str::to_owned).into();
        for parameter in construction.parameters {
            match specification.arguments.get(parameter.name) {
                Some(Argument::Switch(true)) => args.push(format!("--{}", parameter.name)),
                Some(Argument::Switch(false)) => {}
                Some(value) => args.extend([format!("--{}", parameter.name), value.to_string()]),
                // Every construction has b here, the claim.
                None if parameter.name == "b" => args.extend(["--b".to_owned(), "0".to_owned()]),
                None => {}
            }
        }
        let (code, document, error) = ecode(&args);
        assert!(matches!(code, Some(0 | 1)), "{args:?}: {error}");
        assert_eq!(document["digest"], built.matrix.digest(), "{args:?}");
        assert_eq!(document["construction"], built.provenance, "{args:?}");
        let example = format!("{}:{}", construction.name, construction.example);
        let compare = ["compare", &example, "--json", "-q", "--draws", "1"].map(str::to_owned);
        let (code, document, error) = ecode(&compare);
        assert_eq!(code, Some(0), "{example}: {error}");
        assert!(document.to_string().contains(&built.matrix.digest()), "{document}");
    }
}

/// What has no effect is refused, and says where it has one.
#[test]
fn flags_of_other_constructions_are_refused() {
    for construction in CONSTRUCTIONS {
        let all = CONSTRUCTIONS.iter().flat_map(|other| other.parameters);
        for parameter in all {
            if construction.parameter(parameter.name).is_some() {
                // And by the other door a value is taken.
                let mut specification = Specification::new(construction);
                specification.arguments.set(parameter.name, &other_value(parameter)).unwrap();
                continue;
            }
            let mut specification = Specification::new(construction);
            let error = specification.arguments.set(parameter.name, &other_value(parameter)).unwrap_err();
            let expected = format!("{} has no '{}'; it takes ", construction.name, parameter.name);
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }
    let takers = |name: &str| -> Vec<&str> {
        let takers = CONSTRUCTIONS.iter().filter(|construction| construction.parameter(name).is_some());
        takers.map(|construction| construction.name).collect()
    };
    for (construction, flags) in [
        ("best", &["--p", "0.5"][..]),
        ("best", &["--seed", "0"]),
        ("best", &["--odd-rows"]),
        ("algorithm1", &["--catalogue", "no-such-file"]),
        ("algorithm1", &["--balanced"]),
        ("gluing", &["--max-load", "7"]),
        ("cyclic", &["--degree", "3", "--group", "3"]),
    ] {
        let given = ["design", "--n", "9", "--b", "1", "--construction", construction];
        let args: Vec<String> = given.iter().chain(flags).map(|&arg| arg.to_owned()).collect();
        let (code, _, error) = ecode(&args);
        assert_eq!(code, Some(2), "{args:?}");
        let flag = flags.iter().rev().find(|flag| flag.starts_with("--")).unwrap();
        let expected = format!("{flag} is for {}", takers(&flag[2..]).join(", "));
        assert!(error.contains(&expected), "{error}");
    }
    let draws = ["design", "--n", "9", "--b", "1", "--draws", "9"].map(str::to_owned);
    let (code, _, error) = ecode(&draws);
    assert!(code == Some(2) && error.contains("--draws is for bernoulli"), "{error}");
}

/// An even number of workers, which most people have, gets one partition fewer, and one remark.
#[test]
fn an_even_number_of_workers_is_served() {
    for (n, b) in [(2, 0), (4, 1), (8, 2), (64, 1)] {
        let args = ["design", "--n", &n.to_string(), "--b", &b.to_string(), "--json"].map(str::to_owned);
        let (code, document, error) = ecode(&args);
        assert_eq!(code, Some(0), "{error}");
        let k = if b == 0 { n } else { n - 1 };
        assert_eq!((document["n"].as_u64(), document["k"].as_u64()), (Some(n), Some(k)));
        assert_eq!(error.lines().count(), usize::from(b > 0), "{error}");
        assert!(
            b == 0 || error.contains(&format!("k = {} partitions", n - 1)) && error.contains("--k"),
            "{error}"
        );
        let built = format!("best:n={n},b={b}").parse::<Specification>().unwrap();
        let built = built.build(TieRule::Adversarial, blocks()).unwrap();
        assert_eq!(document["digest"], built.matrix.digest());
    }
    let args = |args: &[&str]| args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>();
    let (code, document, error) = ecode(&args(&["bounds", "--n", "8", "--b", "2", "--json"]));
    assert_eq!((code, document["k"].as_u64()), (Some(0), Some(7)), "{error}");
    assert!(document["lower_bound"].as_u64() <= document["best"]["ones"].as_u64(), "{document}");
    let (code, document, _) = ecode(&args(&["table", "--n", "8,9", "--b", "1", "--json"]));
    let sizes: Vec<_> =
        document["codes"].as_array().unwrap().iter().map(|row| (&row["n"], &row["k"])).collect();
    assert_eq!(code, Some(0));
    assert_eq!(sizes, [(&8.into(), &7.into()), (&9.into(), &9.into())]);
    let (code, _, error) =
        ecode(&args(&["compare", "best:n=8,b=2", "full:n=8,b=2", "--json", "--draws", "1"]));
    assert!(code == Some(0) && error.contains("k = 7"), "{error}");
    // Who wants an even number of partitions is told why there is no code.
    for command in ["design", "search", "bounds"] {
        let (code, document, error) = ecode(&args(&[command, "--n", "8", "--b", "2", "--k", "8", "--json"]));
        assert_eq!(code, Some(1), "{command}: {error}");
        assert!(document["impossible"].as_str().unwrap().contains("Theorem 4"), "{document}");
    }
}

/// What the registry's own constructions promise of b, the engines confirm.
#[test]
fn the_codes_of_the_examples_tolerate_their_b() {
    for construction in CONSTRUCTIONS {
        let built = example(construction).build(TieRule::Adversarial, blocks()).unwrap();
        let promised = !matches!(
            construction.name,
            "assigned"
                | "bernoulli"
                | "budget"
                | "cyclic"
                | "groups"
                | "mols"
                | "ramanujan"
                | "repetition"
                | "subsets"
        );
        let Some(b) = built.b else {
            assert!(!promised, "{} has an example without b", construction.name);
            continue;
        };
        let verdict =
            verify(&built.matrix, None, TieRule::Adversarial, Method::Auto, &Control::default()).unwrap();
        assert!(!promised || verdict.radius().exactly() >= Some(b), "{}", construction.name);
    }
}
