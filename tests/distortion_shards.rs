//! Promise: a worst-case distortion that is counted in parts, and interrupted, is that of one run; parts of other matrices or
//! questions, and a part too few, are refused in one line.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use assert_cmd::Command;
use ecode::analysis::distribution;
use ecode::code::AllocationMatrix;
use ecode::verify::part::{Asked, Part, Question, merge};
use ecode::verify::{Assignment, Control, Method};
use proptest::prelude::*;
use serde_json::Value;

fn ecode(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Shard `index` of `of`, written and read back.
fn part(question: &Question, index: u64, of: u64) -> Part {
    let all = question.enumeration().unwrap();
    let shard = all.shard(index, of);
    let control = Control::default();
    let counted = all.count(shard.clone(), all.nothing(), &control, Duration::MAX, &mut |_, _: &_| Ok(()));
    let (end, count) = counted.unwrap();
    assert_eq!(end, shard.end);
    let part = Part::new(question.clone(), &all, (index, of), shard, count);
    assert_eq!(Part::parse(part.to_json().as_bytes()).unwrap(), part);
    part
}

/// Random assignments in which every file has a holder.
fn assignments() -> impl Strategy<Value = AllocationMatrix> {
    (1..=9_usize, 1..=8_usize).prop_flat_map(|(n, k)| {
        prop::collection::vec(0..10_u32, n * k).prop_map(move |draws| {
            AllocationMatrix::from_fn(n, k, |j, i| draws[j * k + i] < 4 || j == i % n).unwrap()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_number_of_shards_gives_the_distortion_of_one_run(
        matrix in assignments(), q in 0..=9_usize, of in 1..30_u64,
    ) {
        let liars = q.min(matrix.n());
        let assignment = Assignment::new(&matrix).unwrap();
        let question = Question { matrix: matrix.clone(), asked: Asked::Distortion { liars } };
        let parts = (0..of).rev().map(|index| (index.to_string(), part(&question, index, of)));
        let whole = merge(parts.collect()).unwrap();
        let merged = whole.distortion(Duration::ZERO).unwrap();
        let exact = assignment.worst(liars, 0, Method::Definition, &Control::default()).unwrap();
        prop_assert!(merged.is_exact());
        prop_assert_eq!(merged.files, exact.files);
        let sets = distribution(&assignment, liars, &Control::default()).unwrap();
        prop_assert_eq!(Some(assignment.sets_by_files(whole.count())), sets);
        // A part alone proves nothing beyond the loads.
        let alone = part(&question, 0, of).distortion(Duration::ZERO).unwrap();
        prop_assert!(alone.files <= exact.files && exact.files <= alone.at_most);
        prop_assert!(whole.verdict(Duration::ZERO).is_err());
    }
}

/// The name, the worst case, the distribution: everything but which engine answered and which of the worst sets was met.
fn essence(document: &str) -> Value {
    let mut document: Value = serde_json::from_str(document).unwrap();
    let point = document["points"][0].as_object_mut().unwrap();
    assert!(point.remove("method").is_some() && point.remove("worst").is_some());
    document
}

#[test]
fn parts_are_written_merged_and_proved() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let parts: Vec<String> = (0..4).map(|i| at(&format!("part-{i}.json"))).collect();
    for (i, part) in parts.iter().enumerate().rev() {
        let shard = format!("{i}/4");
        let asked = ["distortion", "mols:l=5,r=3", "--liars", "4", "--shard", &shard, "-o", part];
        let (code, out, err) = ecode(&asked);
        assert!(code == Some(0) && out.starts_with(&format!("Part {i} of 4: ")), "{out}{err}");
        assert!(out.contains("Of its sets of 4 liars none overturns more than"), "{out}");
        let bytes = std::fs::read(part).unwrap();
        assert_eq!(ecode(&[&asked[..], &["--threads", "3"]].concat()).0, Some(0));
        assert_eq!(std::fs::read(part).unwrap(), bytes, "the same bytes at any number of threads");
    }
    let names: Vec<&str> = parts.iter().map(String::as_str).collect();
    let claim = at("claim.json");
    let more = ["merge", "--matrix", "mols:l=5,r=3", "--certificate", &claim];
    let (code, out, err) = ecode(&[&more[..], &names].concat());
    assert!(
        code == Some(0) && out.contains("| 4       | 5        |") && out.contains("in 4 parts"),
        "{out}{err}"
    );
    let (code, out, _) = ecode(&["check", &claim]);
    assert!(code == Some(0) && out.contains("no 4 workers of 15 overturn more than 5 of 25 files"), "{out}");
    let (_, merged, _) = ecode(&[&["merge", "--json", "--matrix", "mols:l=5,r=3"], &names[..]].concat());
    let (_, alone, _) = ecode(&["distortion", "mols:l=5,r=3", "--liars", "4", "--distribution", "--json"]);
    assert_eq!(essence(&merged), essence(&alone));
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let shard = |name: &str, arguments: &[&str]| {
        let path = at(name);
        let (code, _, err) = ecode(&[arguments, &["-o", &path]].concat());
        assert_eq!(code, Some(0), "{err}");
        path
    };
    let of = |name: &str, matrix: &str, liars: &str, part: &str| {
        shard(name, &["distortion", matrix, "--liars", liars, "--shard", part])
    };
    let [zero, one, two] =
        ["0/3", "1/3", "2/3"].map(|part| of(&part.replace('/', "-"), "mols:l=3,r=3", "3", part));
    let other = of("other", "groups:n=9,r=3", "3", "1/3");
    let fewer = of("fewer", "mols:l=3,r=3", "2", "1/3");
    let matrix = at("mols.csv");
    let g = Part::parse(&std::fs::read(&zero).unwrap()).unwrap().question.matrix;
    let row =
        |j: usize| (0..g.k()).map(|i| u8::from(g.holds(j, i)).to_string()).collect::<Vec<_>>().join(",");
    std::fs::write(&matrix, (0..g.n()).map(|j| row(j) + "\n").collect::<String>()).unwrap();
    let same = shard("same", &["verify", &matrix, "--shard", "1/3"]);
    let cases: [(&[&str], &str); 5] = [
        (&[&zero, &two], "the choices 28 to 56 of 84 are in no part; not whole: shard 1/3"),
        (&[&zero, &one, &one, &two], "both have the choice 28"),
        (&[&zero, &other, &two], "is about the matrix sha256:"),
        (&[&zero, &fewer, &two], "the files that 2 liars overturn"),
        (&[&zero, &same, &two], "what its votes tolerate"),
    ];
    for (parts, reason) in cases {
        let claim = at("none.json");
        let (code, out, err) = ecode(&[&["merge", "--certificate", &claim], parts].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(reason) && err.trim_end().lines().count() == 1, "{err}");
        assert!(!std::path::Path::new(&claim).exists());
    }
    let (code, _, err) = ecode(&["merge", "--matrix", "groups:n=9,r=3", &zero, &one, &two]);
    assert!(code == Some(2) && err.contains("the parts are about another matrix"), "{err}");
    // What somebody changed in a part is found out, also where it says anew what it contains.
    let text = std::fs::read_to_string(&one).unwrap();
    for (from, to) in [("\"liars\":3", "\"liars\":2"), ("\"from\":\"28\"", "\"from\":\"27\"")] {
        let path = at("changed.json");
        assert!(text.contains(from));
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let (code, out, err) = ecode(&["merge", &zero, &path, &two]);
        assert!(code == Some(4) && out.is_empty() && err.contains("contents is sha256:"), "{err}");
    }
    let mut part = Part::parse(text.as_bytes()).unwrap();
    part.question.asked = Asked::Distortion { liars: 2 };
    assert!(
        Part::parse(part.to_json().as_bytes())
            .unwrap_err()
            .to_string()
            .contains("there are 84 choices, but there are 36")
    );
}

#[test]
fn wrong_usage_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("part.json").to_str().unwrap().to_owned();
    let mols = ["distortion", "mols:l=3,r=3"];
    let cases: [(&[&str], &str); 6] = [
        (&["--liars", "3", "--shard", "3/3", "-o", &part], "parts count from 0"),
        (&["--liars", "3", "--shard", "0/3"], "--part <FILE>"),
        (&["--shard", "0/3", "-o", &part], "one assignment and one number of liars"),
        (
            &["groups:n=9,r=3", "--liars", "3", "--shard", "0/3", "-o", &part],
            "one assignment and one number of liars",
        ),
        (
            &["--liars", "3", "--stragglers", "1", "--shard", "0/3", "-o", &part],
            "an enumeration is of liars alone",
        ),
        (
            &["--liars", "3", "--method", "sat", "--shard", "0/3", "-o", &part],
            "shards and checkpoints are of an enumeration",
        ),
    ];
    for (more, reason) in cases {
        let (code, out, err) = ecode(&[&mols[..], more].concat());
        assert!(code == Some(2) && out.is_empty() && err.contains(reason), "{more:?} {out}{err}");
        assert!(!std::path::Path::new(&part).exists());
    }
    let (code, _, err) =
        ecode(&[&mols[..], &["--liars", "3", "--shard", "0/3", "-o", &part, "--timeout", "0s"]].concat());
    assert!(code == Some(3) && err.contains("was not written: stopped before the part was counted"), "{err}");
    assert!(!std::path::Path::new(&part).exists());
}

/// A count that is stopped says what it knows, and the same command goes on from its checkpoint.
#[test]
fn a_checkpoint_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("count.json").to_str().unwrap().to_owned();
    let asked = ["distortion", "mols:l=5,r=3", "--liars", "4", "--checkpoint", &state];
    let (code, out, err) = ecode(&[&asked[..], &["--timeout", "0s"]].concat());
    assert!(code == Some(3) && out.contains("Not all was settled"), "{out}{err}");
    assert!(out.contains("| 0 to 10 ") && err.contains("the same command goes on from"), "{out}{err}");
    // Half of it, as a process that was killed leaves it.
    let saved = Part::parse(&std::fs::read(&state).unwrap()).unwrap();
    let all = saved.question.enumeration().unwrap();
    let counted =
        all.count(0..500, all.nothing(), &Control::default(), Duration::MAX, &mut |_, _: &_| Ok(())).unwrap();
    let half = Part { range: 0..500, count: counted.1, ..saved };
    std::fs::write(&state, half.to_json()).unwrap();
    let (code, out, err) = ecode(&[&asked[..], &["--distribution"]].concat());
    assert!(code == Some(0) && err.contains("going on from") && err.contains("36.6% are done"), "{err}");
    let alone =
        ecode(&["distortion", "mols:l=5,r=3", "--liars", "4", "--distribution", "--method", "exhaustive"]).1;
    let tail = |text: &str| text.split_once("all sets of them").map(|(_, tail)| tail.to_owned());
    assert!(out.contains("| 4       | 5        | 0.2 |") && tail(&out) == tail(&alone), "{out}{alone}");
    // Another question is not what the checkpoint is about.
    let (code, _, err) = ecode(&["distortion", "mols:l=5,r=3", "--liars", "3", "--checkpoint", &state]);
    assert!(code == Some(2) && err.contains("a checkpoint of another matrix, claim or shard"), "{err}");
}
