//! Promise: `ecode check --verified` says that a certificate is valid only where `ecode-verified`, the checker that is
//! proved in Coq, says the same of the same claim.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use ecode::certificate::{BoundCertificate, Certificate, DistortionCertificate, DomainCertificate};
use skipped::skip;
use tempfile::TempDir;

mod skipped;

const TOLERANT: &str = "fixtures/certificates/valid/tolerant.json";

/// A folder with `ecode` alone, so that nothing that was built stands beside it.
fn alone() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (assert_cmd::cargo::cargo_bin("ecode"), folder.path().join("ecode"));
    fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(|_| ())).unwrap();
    folder
}

/// `ecode check FILE --verified …`, with a program of this text in `PATH`, or none.
fn check(folder: &Path, file: &str, program: Option<&str>, more: &[&str]) -> (Option<i32>, String, String) {
    let path = folder.join("path");
    fs::create_dir_all(&path).unwrap();
    let place = path.join("ecode-verified");
    if let Some(program) = program {
        fs::write(&place, format!("#!/bin/sh\n{program}\n")).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(folder.join("ecode"));
    command.args(["check", file, "--verified"]).args(more);
    let output = command.env("PATH", format!("{}:/bin:/usr/bin", path.display())).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The line of a program that agrees about [`TOLERANT`].
fn line() -> String {
    let Certificate { claim, radius, digest, .. } = Certificate::parse(&fs::read(TOLERANT).unwrap()).unwrap();
    let radius = radius.map_or_else(String::new, |radius| format!(" radius={radius}"));
    let (n, k) = (claim.matrix.n(), claim.matrix.k());
    let about = format!("n={n} k={k} b={} ties={}{radius}", claim.b, claim.ties);
    format!("s VERIFIED TOLERANT {about} kind=cutting-planes digest={digest}")
}

#[test]
fn both_agree() {
    let folder = alone();
    let program = format!("test -s \"$1\" && echo '{}'", line());
    let (code, out, err) = check(folder.path(), TOLERANT, Some(&program), &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.starts_with("Valid: ") && out.ends_with(&format!("agrees   ecode-verified: {}\n", line())),
        "{out}"
    );
    let (code, out, _) = check(folder.path(), TOLERANT, Some(&program), &["--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &document["valid"]), (Some(0), &true.into()));
    assert_eq!(document["second_opinion"], line());
    // It stands where it was built, too.
    fs::rename(folder.path().join("path/ecode-verified"), folder.path().join("ecode-verified")).unwrap();
    assert_eq!(check(folder.path(), TOLERANT, None, &[]).0, Some(0));
}

#[test]
fn another_answer_is_a_contradiction() {
    let folder = alone();
    let right = line();
    let changed = |from: &str, to: &str| {
        assert!(right.contains(from), "{from}");
        format!("echo '{}'", right.replacen(from, to, 1))
    };
    for program in [
        changed("TOLERANT", "REFUTED"),
        changed("VERIFIED", "NOT VERIFIED"),
        changed(" n=", " n=1"),
        changed(" k=", " m="),
        changed(" b=", " b=1"),
        changed("ties=adversarial", "ties=zero"),
        changed("digest=sha256:", "digest=sha256:0"),
        changed(" radius=", " radius=9"),
        changed(" radius=", " kind="),
        changed("s VERIFIED", "VERIFIED"),
        format!("echo '{right} b=1'"),
        format!("echo '{right}'; echo '{right}'"),
        "true".to_owned(),
        format!("echo '{right}'; exit 4"),
        "echo 's NOT VERIFIED the claim: it is not shown'; exit 4".to_owned(),
        "echo 's NOT A CERTIFICATE line 1'; exit 2".to_owned(),
    ] {
        let (code, out, err) = check(folder.path(), TOLERANT, Some(&program), &[]);
        assert_eq!((code, out.as_str()), (Some(4), ""), "{program}: {err}");
        assert!(err.contains("one of the two is wrong") && err.lines().count() == 1, "{program}: {err}");
    }
}

#[test]
fn no_answer_is_no_agreement() {
    let folder = alone();
    let undecided = "echo 's NOT DECIDED there are too many messages'; exit 3";
    let (code, out, err) = check(folder.path(), TOLERANT, Some(undecided), &[]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.contains("ecode-verified does not decide it: s NOT DECIDED there"), "{err}");
    for crash in ["exit 139", "kill -9 $$"] {
        let (code, out, err) = check(folder.path(), TOLERANT, Some(crash), &[]);
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert!(err.contains("gave no answer") && err.lines().count() == 1, "{err}");
    }
    let hang = format!("echo $$ > '{}'; exec sleep 1000", folder.path().join("pid").display());
    let (code, out, err) = check(folder.path(), TOLERANT, Some(&hang), &["--timeout", "2s"]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.contains("stopped before ecode-verified had checked it"), "{err}");
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    assert!(!Command::new("kill").args(["-0", pid.trim()]).output().unwrap().status.success(), "it runs on");
}

#[test]
fn without_the_program_nothing_is_checked() {
    let folder = alone();
    let (code, out, err) = check(folder.path(), TOLERANT, None, &[]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert_eq!(
        err,
        "error: --verified: there is no program ecode-verified in PATH; scripts/verified builds it from the folder coq\n"
    );
    // What is refused here is refused, whatever the program would say.
    let invalid = "fixtures/certificates/invalid/matrix.json";
    let (code, _, err) = check(folder.path(), invalid, Some(&format!("echo '{}'", line())), &[]);
    assert!(code == Some(4) && err.contains("the digest is"), "{err}");
}

/// The program itself, on every valid certificate of the corpus.
#[test]
fn the_proved_checker_agrees_on_the_corpus() {
    let folder = alone();
    let place = folder.path().join("path");
    let built = Command::new("scripts/verified").arg(&place).output().unwrap();
    if !built.status.success() {
        return skip(&format!("ecode-verified: {}", String::from_utf8_lossy(&built.stderr).trim()));
    }
    let mut agreed = 0;
    for file in fs::read_dir("fixtures/certificates/valid").unwrap() {
        let path = file.unwrap().path();
        let (code, out, err) = check(folder.path(), path.to_str().unwrap(), None, &[]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{}", path.display());
        assert!(out.contains("\nagrees   ecode-verified: s VERIFIED "), "{}: {out}", path.display());
        agreed += 1;
    }
    assert!(agreed > 5, "{agreed}");
}

/// Claims about distortion have a second opinion, too, about the same claim.
#[test]
fn both_agree_about_distortion() {
    let file = "fixtures/distortion/certificates/groups-9-3.json";
    let DistortionCertificate { digest, liars, files, .. } =
        DistortionCertificate::parse(&fs::read(file).unwrap()).unwrap();
    let right =
        format!("s VERIFIED DISTORTION n=9 k=3 liars={liars} files={files} exact=true digest={digest}");
    let others = [
        ("DISTORTION", "TOLERANT"),
        (" n=9", " n=8"),
        (" k=3", ""),
        ("liars=3", "liars=2"),
        ("files=1", "files=2"),
        ("exact=true", "exact=false"),
        ("digest=sha256:", "digest=sha256:0"),
    ];
    agree_only_about(file, &right, &others);
}

/// And so have claims about failure domains.
#[test]
fn both_agree_about_failure_domains() {
    for (file, verdict, b) in [("each-set", "TOLERANT", 1), ("refutation", "REFUTED", 2)] {
        let file = format!("fixtures/domains/{file}.json");
        let DomainCertificate { digest, .. } = DomainCertificate::parse(&fs::read(&file).unwrap()).unwrap();
        let right = format!("s VERIFIED {verdict} n=5 k=5 domains=4 b={b} ties=adversarial digest={digest}");
        let others = [
            (verdict, "DISTORTION"),
            (verdict, if b == 1 { "REFUTED" } else { "TOLERANT" }),
            ("n=5", "n=4"),
            ("domains=4", "domains=5"),
            (" domains=4", ""),
            (" b=", " b=1"),
            ("ties=adversarial", "ties=zero"),
            ("digest=sha256:", "digest=sha256:0"),
        ];
        agree_only_about(&file, &right, &others);
    }
}

/// And so have claims about the fewest ones.
#[test]
fn both_agree_about_the_fewest_ones() {
    let file = "fixtures/bounds/three-rows.json";
    let BoundCertificate { n, b, ones, .. } = BoundCertificate::parse(&fs::read(file).unwrap()).unwrap();
    let right = format!("s VERIFIED BOUND n={n} b={b} ones={ones} rule=three-rows");
    let others =
        [("BOUND", "TOLERANT"), ("n=", "n=1"), (" b=", " b=1"), ("ones=", "ones=1"), ("ones=", "n=")];
    agree_only_about(file, &right, &others);
}

/// `ecode check --verified` agrees with a program that prints this line, and with none that prints another.
fn agree_only_about(file: &str, right: &str, others: &[(&str, &str)]) {
    let folder = alone();
    let (code, out, err) = check(folder.path(), file, Some(&format!("echo '{right}'")), &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.ends_with(&format!("agrees   ecode-verified: {right}\n")), "{out}");
    let (code, out, _) = check(folder.path(), file, Some(&format!("echo '{right}'")), &["--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &document["second_opinion"]), (Some(0), &right.into()));
    for (from, to) in others {
        assert!(right.contains(from), "{from}");
        let program = format!("echo '{}'", right.replacen(from, to, 1));
        let (code, out, err) = check(folder.path(), file, Some(&program), &[]);
        assert_eq!((code, out.as_str()), (Some(4), ""), "{program}");
        assert!(err.contains("one of the two is wrong") && err.lines().count() == 1, "{program}: {err}");
    }
    let (code, out, _) = check(folder.path(), file, Some("echo 's NOT DECIDED'; exit 3"), &[]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
}
