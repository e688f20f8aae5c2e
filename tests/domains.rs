//! Promise: with `--domains` the commands count hosts instead of workers and name them; what is wrong in the file is said in one
//! line; a run in which whole hosts lie is called verified only where that was proved.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use assert_cmd::Command;
use ecode::code::{Counterexample, DomainCounterexample, DomainSet, Domains, Message, TieRule, Workers};
use ecode::format::{Format, MatrixFile};
use serde_json::Value;

fn ecode(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder with hosts of two workers each.
fn hosts(n: usize, each: usize) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..n).map(|worker| format!("host-{}\n", worker / each)).collect();
    let path = folder.path().join("hosts.txt");
    std::fs::write(&path, lines.concat()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn indices(list: &Value) -> Vec<usize> {
    list.as_array().unwrap().iter().map(|x| usize::try_from(x.as_u64().unwrap()).unwrap()).collect()
}

/// The document's attack, replayed by the definitions.
fn replays(document: &Value, matrix: &Path, b: usize) -> bool {
    let g = MatrixFile::parse(&std::fs::read(matrix).unwrap(), Format::Json).unwrap().matrix;
    let names: Vec<&str> =
        document["domains"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let domains = Domains::of_workers(&names).unwrap();
    let attack = &document["counterexample"];
    let lying: Vec<&str> =
        attack["domains"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let lying = (0..domains.len()).filter(|&domain| lying.contains(&domains.name(domain)));
    let bit = |value: &Value| value.as_u64().map(|bit| bit == 1);
    let found = DomainCounterexample {
        domains: DomainSet::from_indices(domains.len(), lying),
        attack: Counterexample {
            message: Message::from_indices(g.k(), indices(&attack["message"])),
            byzantine: Workers::from_indices(g.n(), indices(&attack["byzantine"])),
            sent: attack["sent"].as_array().unwrap().iter().map(bit).collect(),
            decoded: bit(&attack["decoded"]).unwrap(),
            correct: bit(&attack["correct"]).unwrap(),
        },
    };
    found.replays(&g, TieRule::Adversarial, &domains, b)
}

#[test]
fn hosts_are_counted_and_named_from_design_to_certificate() {
    let (folder, file) = hosts(15, 3);
    let matrix = folder.path().join("matrix.json");
    let claim = folder.path().join("claim.json");
    let (m, c) = (matrix.to_str().unwrap(), claim.to_str().unwrap());
    let (code, text, err) = ecode(&["design", "--n", "15", "--b", "1", "--domains", &file, "-o", m]);
    assert_eq!(code, 0, "{err}");
    assert!(
        text.starts_with("Tolerant: no domain of 5 can overturn any vote, with all their workers"),
        "{text}"
    );
    // Without a b the radius in domains is found; the matrix's own b would count workers.
    let (code, text, _) = ecode(&["verify", m, "--domains", &file, "--json"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &document["radius"], &document["b"]), (0, &1.into(), &1.into()));
    assert_eq!(document["schema"], "ecode/domain-verdict/1");
    // Two hosts are six of fifteen workers: too many, and said by name.
    let (code, text, _) = ecode(&["verify", m, "--domains", &file, "--b", "2", "--json"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &document["verdict"]), (1, &"refuted".into()));
    assert!(replays(&document, &matrix, 2));
    assert!(!replays(&document, &matrix, 1));
    let (_, text, _) = ecode(&["verify", m, "--domains", &file, "--b", "2"]);
    assert!(text.starts_with("Refuted: 2 of 5 domains can overturn a vote: host-"), "{text}");
    assert!(text.contains("These lie: host-"), "{text}");
    // Certificates of both verdicts.
    for (b, expected, word) in
        [("1", 0, "Valid: no domain of 5"), ("2", 1, "Valid: 2 domains of 5 can overturn")]
    {
        let (code, ..) = ecode(&["verify", m, "-q", "--domains", &file, "--b", b, "--certificate", c]);
        assert_eq!(code, expected);
        let (code, text, err) = ecode(&["check", c, "--matrix", m]);
        assert_eq!(code, 0, "{err}");
        assert!(text.starts_with(word), "{text}");
        let (code, text, _) = ecode(&["check", c, "--json"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &document["valid"], &document["strength"]), (0, &true.into(), &"proved".into()));
    }
    let changed = std::fs::read_to_string(&claim).unwrap().replacen("host-4", "host-0", 1);
    std::fs::write(&claim, changed).unwrap();
    assert_eq!(ecode(&["check", c]).0, 4, "a liar that stands in another host");
}

#[test]
fn bad_files_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts.txt");
    let file = path.to_str().unwrap();
    let commands: [&[&str]; 4] = [
        &["verify", "fixtures/lemma2-even.txt"],
        &["design", "--n", "4", "--b", "1"],
        &["design", "--n", "4", "--b", "1", "--detect"],
        &["distortion", "fixtures/lemma2-even.txt"],
    ];
    for (text, expected) in [
        ("a\nb\n", "2 lines for 4 workers"),
        ("a\nb\nc\nd\ne\n", "5 lines for 4 workers"),
        ("a\n \nc\nd\n", "line 2 has no name"),
        ("a\nb\nc\nd\n\n", "line 5 has no name"),
        ("", "0 lines for 4 workers"),
    ] {
        std::fs::write(&path, text).unwrap();
        for command in commands {
            let (code, out, err) = ecode(&[command, &["--domains", file][..]].concat());
            assert_eq!((code, out.as_str()), (2, ""), "{command:?} {text:?}: {err}");
            assert!(err.starts_with(&format!("error: {file}: ")) && err.contains(expected), "{err}");
            assert_eq!(err.trim_end().lines().count(), 1, "{err}");
        }
    }
    std::fs::write(&path, "a\na\nb\nb\n").unwrap();
    let refused: [&[&str]; 6] = [
        &["verify", "fixtures/lemma2-even.txt", "--b", "3"],
        &["verify", "fixtures/lemma2-even.txt", "--b", "1", "--stragglers", "1"],
        &["verify", "fixtures/lemma2-even.txt", "--worst-case"],
        &["distortion", "fixtures/lemma2-even.txt", "--liars", "3"],
        &["distortion", "fixtures/lemma2-even.txt", "--distribution"],
        &["design", "--n", "4", "--b", "1", "--detect", "--one-round"],
    ];
    for command in refused {
        let (code, out, err) = ecode(&[command, &["--domains", file][..]].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{command:?}: {err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{err}");
    }
    let (code, _, err) = ecode(&["verify", "fixtures/lemma2-even.txt", "--domains", "no-such-file"]);
    assert_eq!(code, 2);
    assert!(err.starts_with("error: no-such-file: "), "{err}");
}

/// Where half of the workers lie with the hosts, no code helps.
#[test]
fn what_no_code_can_do_is_said_to_be_impossible() {
    let (_folder, file) = hosts(8, 4);
    let (code, text, _) = ecode(&["design", "--n", "8", "--b", "1", "-q", "--domains", &file]);
    assert_eq!(code, 1);
    assert!(text.starts_with("Impossible: the largest domain has 4 of 8 workers, half or more"), "{text}");
}

#[test]
fn holders_stand_in_different_hosts() {
    let (folder, file) = hosts(8, 2);
    let matrix = folder.path().join("holders.json");
    let m = matrix.to_str().unwrap();
    let (code, text, _) = ecode(&["design", "--n", "8", "--b", "1", "--detect", "--domains", &file, "-o", m]);
    assert_eq!(code, 0);
    assert!(
        text.starts_with("2 holders of each partition, in different domains, detect every lie of 1 of 4"),
        "{text}"
    );
    for (b, expected) in [("1", 0), ("2", 1)] {
        let (code, text, _) = ecode(&["verify", m, "--detect", "--domains", &file, "--b", b, "--json"]);
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &document["detection_radius"]), (expected, &1.into()));
        assert_eq!(document["unseen_domains"].as_array().unwrap().len(), 2);
    }
    // Holders that were spread over workers alone may share a host.
    let (code, ..) = ecode(&["design", "--n", "8", "--b", "1", "--detect", "-q", "-o", m]);
    assert_eq!(code, 0);
    let (code, text, _) = ecode(&["verify", m, "--detect", "--domains", &file, "--b", "1"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.starts_with("Refuted: 1 of 4 domains can lie unseen."), "{text}");
    let (code, _, err) = ecode(&["design", "--n", "8", "--b", "4", "--detect", "--domains", &file]);
    assert_eq!(code, 2);
    assert!(err.contains("there are 4 domains; 5 are needed"), "{err}");
}

#[test]
fn racks_overturn_files_together() {
    let (_folder, file) = hosts(6, 2);
    let (code, text, _) =
        ecode(&["distortion", "groups:n=6,r=3", "--liars", "all", "--domains", &file, "--json"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, 0);
    let files: Vec<&Value> = document["points"].as_array().unwrap().iter().map(|p| &p["files"]).collect();
    // Groups {0, 1, 2} and {3, 4, 5}; racks {0, 1}, {2, 3}, {4, 5}.
    assert_eq!(files, [&Value::from(0), &Value::from(1), &Value::from(2), &Value::from(2)]);
    assert_eq!(document["points"][1]["worst"], serde_json::json!(["host-0"]));
}

fn train(arguments: &[&str]) -> (i32, String, String) {
    ecode(&[&["train", "--steps", "20", "--batch", "8"][..], arguments].concat())
}

fn summary(run: &str) -> Value {
    serde_json::from_slice(&std::fs::read(Path::new(run).join("summary.json")).unwrap()).unwrap()
}

/// One host of three lies in everything: the parameters are those of the honest run. Two hosts are more than was verified.
#[test]
fn a_run_is_verified_for_the_hosts_that_were_proved() {
    let (folder, file) = hosts(15, 3);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let matrix = path("matrix.json");
    assert_eq!(ecode(&["design", "--n", "15", "--b", "1", "-q", "--domains", &file, "-o", &matrix]).0, 0);
    let run = |name: &str, more: &[&str]| {
        let run = path(name);
        let ended =
            train(&[&["--code", &matrix, "--domains", &file, "--run", &run, "--audit"][..], more].concat());
        (ended, run)
    };
    let ((code, text, err), honest) = run("honest", &["--attack", "none"]);
    assert_eq!(code, 0, "{err}{text}");
    let ((code, text, err), one) = run("one", &["--attack", "omniscient", "--byzantine-set", "worst"]);
    assert_eq!(code, 0, "{err}{text}");
    assert!(text.contains("Verified for any 1 of 5 domains."), "{text}");
    assert!(text.contains("3 of 15 workers Byzantine"), "{text}");
    assert!(text.contains("Domains that lie, with all their workers: host-"), "{text}");
    let told = summary(&one);
    assert_eq!(told["code"]["verified"], true);
    assert_eq!(told["code"]["domains"], serde_json::json!({"b": 1, "of": 5}));
    assert_eq!(told["parameters_digest"], summary(&honest)["parameters_digest"]);
    // It goes on as it began, and is started again from its configuration.
    let (code, text, err) = ecode(&["train", "--run", &one, "--resume"]);
    assert_eq!(code, 0, "{err}");
    assert!(text.contains("Verified for any 1 of 5 domains."), "{text}");
    let again = path("again");
    let (code, _, err) = ecode(&["train", "--config", &format!("{one}/config.toml"), "--run", &again]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(summary(&again)["parameters_digest"], told["parameters_digest"]);
    // Two hosts lie: nothing that was proved covers them.
    let two = path("two");
    let more = ["--byzantine", "2", "--byzantine-set", "first"];
    let (code, text, err) =
        train(&[&["--code", &matrix, "--domains", &file, "--run", &two][..], &more].concat());
    assert_eq!(code, 0, "{err}");
    let why = "6 workers lie in the domains host-0, host-1, the code is verified for any 1 of 5 domains";
    assert!(text.contains("UNVERIFIED") && text.contains(why), "{text}{err}");
    assert!(!text.contains("Verified for any"), "{text}");
    assert_eq!(summary(&two)["code"]["verified"], false);
    // A host that lies in part is no host, other hosts in each step are no set, schemes count workers.
    for (more, expected) in [
        (&["--byzantine-set", "random-per-step"][..], "the same lie in every step"),
        (&["--byzantine", "6"], "there are 5 domains"),
        (&["--byzantine-set", "7"], "1 different domains of 0 to 4"),
        (&["--scheme", "reactive", "--b", "1"], "domains belong to votes"),
    ] {
        let ((code, _, err), _) = run("refused", more);
        assert_eq!(code, 2, "{more:?}: {err}");
        assert!(err.contains(expected), "{more:?}: {err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{err}");
    }
    let parts = format!("{one}/config.toml");
    let (code, _, err) = ecode(&["train", "--config", &parts, "--byzantine", "1", "--byzantine-set", "0"]);
    assert_eq!(code, 2);
    assert!(err.contains("with domains whole domains lie"), "{err}");
}
