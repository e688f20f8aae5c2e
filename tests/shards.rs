//! Promise: an enumeration that is cut into parts gives the verdict of one that is not, and parts that do not
//! fit together, or do not hold what they say, give none.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use assert_cmd::Command;
use ecode::certificate::{Certificate, Strength, check, record};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::verify::part::{Part, Question, Whole, merge};
use ecode::verify::{Control, Enumeration, Method, verify};
use proptest::prelude::*;

fn ecode(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Shard `index` of `of`, written and read back.
fn part(g: &AllocationMatrix, b: Option<usize>, ties: TieRule, index: u64, of: u64) -> Part {
    let all = Enumeration::new(g, ties).unwrap();
    let shard = all.shard(index, of);
    let mut save = |_, _: &_| Ok(());
    let control = Control::default();
    let (end, count) = all.count(shard.clone(), all.nothing(), &control, Duration::MAX, &mut save).unwrap();
    assert_eq!(end, shard.end);
    let question = Question::tolerance(g.clone(), b, ties);
    let part = Part::new(question, &all, (index, of), shard, count);
    let read = Part::parse(part.to_json().as_bytes()).unwrap();
    assert_eq!(read, part);
    part
}

fn merged(g: &AllocationMatrix, b: Option<usize>, ties: TieRule, of: u64) -> Whole {
    let parts = (0..of).rev().map(|index| (index.to_string(), part(g, b, ties, index, of)));
    merge(parts.collect()).unwrap()
}

fn matrices() -> impl Strategy<Value = AllocationMatrix> {
    (1..=8_usize, 1..=9_usize, 3..=10_u32).prop_flat_map(|(n, k, tenths)| {
        prop::collection::vec(0..10_u32, n * k)
            .prop_map(move |draws| AllocationMatrix::from_fn(n, k, |j, i| draws[j * k + i] < tenths).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// More shards than choices, too: some are empty then.
    #[test]
    fn any_number_of_shards_gives_the_same_verdict(
        g in matrices(), rule in 0..4_usize, b in prop::option::of(0..4_usize), of in 1..40_u64,
    ) {
        let (ties, b) = (TieRule::ALL[rule], b.filter(|&b| b <= g.n()));
        let whole = merged(&g, b, ties, of);
        let alone = merged(&g, b, ties, 1);
        prop_assert_eq!(whole.count(), alone.count());
        let verdict = whole.verdict(Duration::ZERO).unwrap();
        // Without b every engine finds the exact radius.
        let exact = verify(&g, None, ties, Method::Definition, &Control::default()).unwrap();
        prop_assert_eq!(verdict.radius(), exact.radius());
        let expected = verify(&g, b, ties, Method::Auto, &Control::default()).unwrap();
        prop_assert_eq!((verdict.word(), verdict.b()), (expected.word(), expected.b()));

        // The record of it is read back, and counted again by the checker.
        let made = record(&whole, &verdict);
        let read = Certificate::parse(made.to_json().as_bytes()).unwrap();
        prop_assert_eq!(&read, &made);
        let accepted = check(&read).unwrap();
        prop_assert_eq!(accepted.strength, Strength::Recounted);
        prop_assert_eq!(accepted.radius, exact.radius().exactly());
        prop_assert_eq!(if accepted.tolerant { "tolerant" } else { "refuted" }, verdict.word());
    }
}

/// On the command line: parts in any order, the exit code of the verdict, and the same bytes on any machine.
#[test]
fn parts_are_written_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let matrix = at("matrix.json");
    assert_eq!(ecode(&["design", "--n", "21", "--b", "2", "-o", &matrix]).0, Some(0));
    for (b, exit, verdict) in [("2", 0, "Tolerant: 2"), ("3", 1, "Refuted: 3")] {
        let parts: Vec<String> = (0..5).map(|i| at(&format!("part-{i}-b{b}.json"))).collect();
        for (i, part) in parts.iter().enumerate().rev() {
            let shard = format!("{i}/5");
            let arguments = ["verify", &matrix, "--b", b, "--shard", &shard, "-o", part];
            let (code, out, err) = ecode(&arguments);
            assert!(code == Some(0) && out.starts_with(&format!("Part {i} of 5: ")), "{out}{err}");
            let bytes = std::fs::read(part).unwrap();
            for threads in ["1", "3"] {
                assert_eq!(ecode(&[&arguments[..], &["--threads", threads]].concat()).0, Some(0));
                assert_eq!(std::fs::read(part).unwrap(), bytes);
            }
        }
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let record = at("record.json");
        let (code, out, err) =
            ecode(&[&["merge", "--certificate", &record, "--matrix", &matrix], &names[..]].concat());
        assert!(code == Some(exit) && out.contains(verdict) && out.contains("in 5 parts"), "{out}{err}");
        let (code, out, err) = ecode(&["check", &record, "--matrix", &matrix]);
        assert!(code == Some(0) && out.contains("re-run, not proved"), "{out}{err}");
        assert!(out.contains("counted in 5 parts, and again here"), "{out}");
        let (code, out, _) = ecode(&["check", &record, "--json"]);
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &document["strength"]), (Some(0), &serde_json::Value::from("recounted")));
    }
}

fn valid(index: usize) -> String {
    format!("fixtures/parts/valid/{index}-of-3.json")
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    let [zero, one, two] = [0, 1, 2].map(valid);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let matrix = at("matrix.json");
    assert_eq!(ecode(&["design", "--n", "9", "--b", "2", "-o", &matrix]).0, Some(0));
    let shard = |name: &str, more: &[&str]| {
        let path = at(name);
        let file = if more.contains(&"other") { at("other.json") } else { matrix.clone() };
        let more: Vec<&str> = more.iter().copied().filter(|word| *word != "other").collect();
        let (code, _, err) = ecode(&[&["verify", &file, "-o", &path], &more[..]].concat());
        assert_eq!(code, Some(0), "{err}");
        path
    };
    assert_eq!(ecode(&["design", "--n", "9", "--b", "1", "-o", &at("other.json")]).0, Some(0));
    let thirds = ["--shard", "1/3"];
    let ties = shard("ties.json", &[&thirds[..], &["--ties", "zero"]].concat());
    let bound = shard("bound.json", &[&thirds[..], &["--b", "1"]].concat());
    let other = shard("other-part.json", &[&thirds[..], &["--b", "2", "other"]].concat());
    let half = shard("half.json", &["--shard", "1/2"]);
    let version = at("version.json");
    let text = std::fs::read_to_string(&one).unwrap();
    let mut part = Part::parse(text.as_bytes()).unwrap();
    part.program = "ecode 0.0.1".to_owned();
    std::fs::write(&version, part.to_json()).unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&[&zero, &two], "the choices 4 to 8 of 12 are in no part; not whole: shard 1/3"),
        (&[&one, &two], "the choices 0 to 4 of 12 are in no part; not whole: shard 0/3"),
        (&[&one], "the choices 0 to 4 of 12 are in no part"),
        (&[&zero, &one, &one, &two], "both have the choice 4"),
        (&[&zero, &one, &half], "both have the choice 6"),
        (&[&zero, &ties, &two], "is about ties adversarial"),
        (&[&zero, &bound, &two], "is about b = 2"),
        (&[&zero, &other, &two], "is about the matrix sha256:04d4"),
        (&[&zero, &version, &two], "by ecode 0.0.1"),
    ];
    for (parts, reason) in cases {
        let record = at("none.json");
        let (code, out, err) = ecode(&[&["merge", "--certificate", &record], parts].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(reason) && err.trim_end().lines().count() == 1, "{err}");
        assert!(!std::path::Path::new(&record).exists());
    }
    // Parts of different cuts may well fit.
    let first = shard("first.json", &["--shard", "0/2"]);
    let (quarters, last) =
        (shard("third.json", &["--shard", "2/4"]), shard("fourth.json", &["--shard", "3/4"]));
    assert_eq!(ecode(&["merge", &last, &first, &quarters]).0, Some(0));
}

/// What is wrong with each file of the corpus, put in the place of the part that it was.
const INVALID: [(&str, i32, &str); 34] = [
    ("b-above-n", 4, "b is 10, but there are only 9 workers"),
    ("choices", 4, "it says that there are 13 choices, but there are 12"),
    ("claim-unsigned", 4, "contents is sha256:3537"),
    ("count", 4, "61 messages are counted, but the choices 4 to 8 stand for 60"),
    ("count-unsigned", 4, "contents is sha256:3537"),
    ("entry-two", 2, "G: row 0, column 0 is 2, not 0 or 1"),
    ("from", 4, "shard 1 of 3 has the choices 4 to 8, but this part 5 to 8"),
    ("larger-margin", 4, "the worst message has the margin 2, but the smallest that is counted is 3"),
    ("leading-zero", 2, "\"010\", not a number in decimal digits"),
    ("matrix", 4, "the digest is sha256:04d4"),
    ("matrix-and-digest", 4, "it says that there are 12 choices, but there are 23"),
    ("minus", 2, "\"-10\", not a number in decimal digits"),
    ("n", 2, "n and k are 8 and 9, but G is 9 × 9"),
    ("no-side", 4, "0 sides, but 1 decide"),
    ("nothing", 2, "EOF while parsing a value at line 1 column 0"),
    ("number-as-number", 2, "invalid type: integer `10`, expected a string"),
    ("order", 2, "margins are in increasing order"),
    ("range", 4, "but this part 4 to 9"),
    ("range-backwards", 4, "but this part 4 to 3"),
    ("range-beyond", 4, "but this part 4 to 40"),
    ("schema", 2, "schema is \"ecode/part/2\""),
    ("shard", 4, "shard 2 of 3 has the choices 8 to 12, but this part 4 to 8"),
    ("shard-of-none", 4, "shard 3 of 3: shards count from 0"),
    ("side", 4, "side 1 stands where side 0 is expected"),
    ("smaller-margin", 4, "the worst message has the margin 2, but the smallest that is counted is 1"),
    ("ties", 2, "unknown tie rule 'coin'"),
    ("truncated", 2, "EOF while parsing a value at line 14"),
    ("two-sides", 4, "2 sides, but 1 decide"),
    ("unknown-field", 2, "unknown field `trust`"),
    ("worst-margin", 4, "the worst message is said to have the margin 1, but has 2"),
    ("worst-none", 4, "no message with the smallest margin 2 is given"),
    ("worst-of-another", 4, "the worst message is not one of this part's"),
    ("worst-outside", 2, "message is not an increasing list of numbers below 9"),
    ("zero-count", 2, "with messages above zero"),
];

#[test]
fn every_invalid_part_is_refused_with_its_reason() {
    let files = std::fs::read_dir("fixtures/parts/invalid").unwrap().count();
    assert_eq!(files, INVALID.len(), "every file of the corpus is listed");
    let (zero, one, two) = (valid(0), valid(1), valid(2));
    assert_eq!(ecode(&["merge", &zero, &one, &two]).0, Some(0));
    for (name, expected, reason) in INVALID {
        let path = format!("fixtures/parts/invalid/{name}.json");
        let (code, out, err) = ecode(&["merge", &zero, &path, &two]);
        assert_eq!((code, out.as_str()), (Some(expected), ""), "{name}: {err}");
        assert!(err.starts_with(&format!("error: {path}: ")) && err.contains(reason), "{name}: {err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{name}: {err}");
    }
}

#[test]
fn wrong_usage_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("part.json");
    let part = part.to_str().unwrap();
    let matrix = "fixtures/lemma2-even.txt";
    let cases: [(&[&str], &str); 7] = [
        (&["--shard", "3/3", "-o", part], "parts count from 0: the 3 parts are 0/3 to 2/3"),
        (&["--shard", "0/0", "-o", part], "there is no part of 0"),
        (&["--shard", "1", "-o", part], "expected i/N, as in 0/8"),
        (&["--shard", "0/3"], "--part <FILE>"),
        (&["-o", part], "--shard <i/N>"),
        (&["--shard", "0/3", "-o", part, "--method", "sat"], "--method sat: shards, checkpoints and records"),
        (&["--shard", "0/3", "-o", part, "--certificate", part], "cannot be used with"),
    ];
    for (arguments, reason) in cases {
        let (code, out, err) = ecode(&[&["verify", matrix], arguments].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(reason), "{err}");
        assert!(!std::path::Path::new(part).exists());
    }
    // Too many messages to enumerate.
    let sparse = folder.path().join("sparse.json");
    let sparse = sparse.to_str().unwrap();
    let random = ["--construction", "bernoulli", "--p", "0.5", "--odd-rows", "-o", sparse];
    ecode(&[&["design", "--n", "81", "--b", "0"], &random[..]].concat());
    let (code, _, err) = ecode(&["verify", sparse, "--shard", "0/3", "-o", part]);
    assert!(code == Some(2) && err.contains("more than 2^63 messages"), "{err}");
    // A part that could not be finished is not written.
    let (code, _, err) = ecode(&["verify", matrix, "--shard", "0/3", "-o", part, "--timeout", "0s"]);
    assert!(code == Some(3) && err.contains("was not written: stopped before the part was counted"), "{err}");
    assert!(!std::path::Path::new(part).exists());
}

/// The job array's script, with what the scheduler provides played by three lines of shell.
#[cfg(unix)]
#[test]
fn the_slurm_script_counts_every_part() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let stub = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    stub("srun", "exec \"$@\"");
    stub("scontrol", "echo \"$@\" >> requeued");
    stub("ecode", &format!("exec {} \"$@\"", assert_cmd::cargo::cargo_bin!("ecode").display()));
    let script = std::fs::canonicalize("docs/verify.sbatch").unwrap();
    let matrix = std::fs::canonicalize("fixtures/lemma2-even.txt").unwrap();
    let task = |index: &str, more: &[&str]| {
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let status = std::process::Command::new("bash")
            .current_dir(folder.path())
            .args([script.as_os_str(), matrix.as_os_str(), "parts".as_ref()])
            .args(more)
            .envs([("PATH", path.as_str()), ("SLURM_ARRAY_TASK_ID", index), ("SLURM_ARRAY_TASK_COUNT", "3")])
            .envs([("SLURM_ARRAY_JOB_ID", "17"), ("SLURM_CPUS_PER_TASK", "2")])
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        status.code()
    };
    // A task that runs out of time puts itself into the queue again, and goes on there.
    assert_eq!(task("2", &["--b", "0", "--timeout", "0s"]), Some(3));
    assert_eq!(std::fs::read_to_string(folder.path().join("requeued")).unwrap(), "requeue 17_2\n");
    for index in ["0", "1", "2"] {
        assert_eq!(task(index, &["--b", "0"]), Some(0));
    }
    let parts: Vec<String> = (0..3)
        .map(|i| folder.path().join(format!("parts/part-{i}.json")).to_str().unwrap().to_owned())
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (code, out, _) = ecode(&[&["merge"], &parts[..]].concat());
    assert!(code == Some(1) && out.starts_with("Refuted: some message is decoded wrong even"), "{out}");
}
