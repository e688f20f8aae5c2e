//! Promise: what `verify --stragglers` calls tolerant no choice of liars and missing votes overturns, and what it calls
//! refuted one does: tried on all messages and all choices of small matrices.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, Message, TieRule, decode, honest_vote, majority};
use itertools::Itertools as _;

fn messages(k: usize) -> impl Iterator<Item = Message> {
    (0..1_usize << k).map(move |bits| Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1)))
}

/// Whether some b liars and s further missing votes make a decode wrong: by the definition.
fn overturned(g: &AllocationMatrix, ties: TieRule, b: usize, s: usize) -> bool {
    messages(g.k()).any(|message| decoded_wrong(g, ties, &message, b, s))
}

/// Whether they do for a message.
fn decoded_wrong(g: &AllocationMatrix, ties: TieRule, message: &Message, b: usize, s: usize) -> bool {
    let honest: Vec<_> = (0..g.n()).map(|j| honest_vote(g, ties, j, message)).collect();
    (0..g.n()).combinations(b).any(|liars| {
        let others: Vec<usize> = (0..g.n()).filter(|j| !liars.contains(j)).collect();
        others.into_iter().combinations(s).any(|missing| {
            (0..3_usize.pow(b as u32)).any(|lies| {
                let mut received = honest.clone();
                for (place, &liar) in liars.iter().enumerate() {
                    received[liar] = [Some(false), Some(true), None][lies / 3_usize.pow(place as u32) % 3];
                }
                missing.iter().for_each(|&j| received[j] = None);
                decode(&received) != majority(message)
            })
        })
    })
}

#[test]
fn the_verdict_is_that_of_the_definition() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = 7_u64;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % sides
    };
    let mut seen = [0; 4];
    for case in 0..60 {
        let (n, k) = (3 + roll(3), 3 + roll(3));
        // Mostly ones: a matrix that tolerates nothing shows nothing.
        let g = AllocationMatrix::from_fn(n, k, |_, _| roll(8) > 0).unwrap();
        let ties = TieRule::ALL[roll(4)];
        let (b, s) = (roll(2), roll(4));
        let rows: Vec<String> =
            (0..n).map(|j| (0..k).map(|i| if g.holds(j, i) { "1" } else { "0" }).collect()).collect();
        let file = folder.path().join(format!("{case}.txt"));
        std::fs::write(&file, rows.join("\n") + "\n").unwrap();
        let (liars, missing) = (b.to_string(), s.to_string());
        let asked = |more: &[&str]| {
            let mut command = assert_cmd::Command::cargo_bin("ecode").unwrap();
            command.args([
                "verify",
                "--json",
                "-q",
                "--b",
                &liars,
                "--stragglers",
                &missing,
                "--ties",
                ties.name(),
            ]);
            command.args(more).arg(&file).output().unwrap()
        };
        let output = asked(&[]);
        // Every choice tried: nothing is left undecided.
        let tried = asked(&["--method", "definition"]);
        assert_eq!(
            tried.status.code(),
            Some(i32::from(overturned(&g, ties, b, s))),
            "{rows:?} {ties} b = {b} s = {s}: {}",
            String::from_utf8_lossy(&tried.stderr)
        );
        let code = output.status.code().unwrap();
        let context = format!("{rows:?} {ties} b = {b} s = {s}: {}", String::from_utf8_lossy(&output.stderr));
        seen[code as usize] += 1;
        let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let said = &verdict["stragglers"]["tolerant"];
        match code {
            0 => assert!(said == true && !overturned(&g, ties, b, s), "{context}"),
            1 => assert!(said == false && overturned(&g, ties, b, s), "{context}"),
            3 => assert!(said.is_null(), "{context}"),
            _ => panic!("{context}"),
        }
    }
    assert!(seen[0] > 5 && seen[1] > 5 && seen[3] > 0, "{seen:?}");
}

/// A code of radius 3 decodes right with one liar and four votes missing, not with five.
#[test]
fn a_missing_vote_costs_half_a_lie() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code.json");
    let ecode = |arguments: &[&str]| {
        let output = assert_cmd::Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), text)
    };
    let path = file.to_str().unwrap();
    assert_eq!(
        ecode(&["design", "--construction", "algorithm1", "--n", "9", "--b", "3", "-q", "-o", path]).0,
        Some(0)
    );
    let asked = |b: &str, s: &str| ecode(&["verify", path, "-q", "--b", b, "--stragglers", s]);
    let (code, text) = asked("1", "4");
    assert!(code == Some(0) && text.contains("Tolerant of 1 liars and 4 missing votes"), "{text}");
    assert_eq!(asked("0", "6").0, Some(0));
    let (code, text) = asked("1", "9");
    assert!(code == Some(2) && text.contains("more than the n = 9 workers"), "{text}");
}

/// What `analyze` and `compare` say of errors with missing votes is never too little, and for an even number of them
/// exactly what the worst choice for each message does, on codes that have so many right votes.
#[test]
fn errors_with_missing_votes_are_those_of_the_worst_choice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code.txt");
    let path = file.to_str().unwrap();
    let ecode = |arguments: &[&str]| -> serde_json::Value {
        let output = assert_cmd::Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    let q = 0.2_f64;
    let mut equal = 0;
    for rows in
        ["10000 01000 00111 01111 11111", "11100 01110 00111 10011 11001", "10000 01000 00100 00010 00001"]
    {
        let g = AllocationMatrix::from_fn(5, 5, |j, i| rows.split(' ').nth(j).unwrap().as_bytes()[i] == b'1')
            .unwrap();
        let text: Vec<String> =
            rows.split(' ').map(|row| row.chars().map(|c| format!("{c} ")).collect()).collect();
        std::fs::write(&file, text.join("\n") + "\n").unwrap();
        for s in 0..=3 {
            let missing = s.to_string();
            let all = ecode(&["analyze", path, "--json", "-q", "--q", "0.2", "--stragglers", &missing]);
            for b in 0..=5 - s {
                let errors = [false, true].map(|sign| -> f64 {
                    let of = |message: Message| {
                        let wrong = (0..5).filter(|&i| message.contains(i) != sign).count() as i32;
                        let likely = q.powi(wrong) * (1.0 - q).powi(5 - wrong);
                        if decoded_wrong(&g, TieRule::Adversarial, &message, b, s) { likely } else { 0.0 }
                    };
                    messages(5).map(of).sum()
                });
                let worst = errors[0].max(errors[1]);
                let said = &all["stragglers"][b];
                assert_eq!((&said["b"], &said["missing"]), (&b.into(), &s.into()));
                let at_most = said["at"][0]["decode_at_most"].as_f64().unwrap();
                assert!(worst <= at_most + 1e-12, "{rows}, b = {b}, s = {s}: {worst} > {at_most}");
                equal += usize::from(s % 2 == 0 && (worst - at_most).abs() < 1e-12);
                let compared = ecode(&[
                    "compare",
                    path,
                    "--json",
                    "--q",
                    "0.2",
                    "--b",
                    &b.to_string(),
                    "--stragglers",
                    &missing,
                ]);
                assert_eq!(
                    compared["codes"][0]["stragglers"]["at"][0]["decode_at_most"],
                    said["at"][0]["decode_at_most"]
                );
            }
        }
    }
    assert!(equal >= 20, "{equal}");
}

/// A code for one liar and four missing votes is one for three liars, and says so.
#[test]
fn a_code_is_designed_for_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code.json");
    let path = file.to_str().unwrap();
    let ecode = |arguments: &[&str]| {
        let output = assert_cmd::Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, text, error) = ecode(&["design", "--n", "9", "--b", "1", "--stragglers", "4", "-o", path]);
    assert_eq!(code, Some(0), "{error}");
    assert!(text.contains("Tolerant of 1 liars and 4 missing votes, whoever they are"), "{text}");
    assert!(text.contains("Train with it: --byzantine 1; then 4 votes may be missing in a step."), "{text}");
    let asked = |b: &str, s: &str| ecode(&["verify", path, "-q", "--b", b, "--stragglers", s]).0;
    assert_eq!((asked("1", "4"), asked("2", "2"), asked("1", "5")), (Some(0), Some(0), Some(1)));
    let (code, _, error) = ecode(&["design", "--n", "9", "--b", "4", "--stragglers", "6"]);
    assert!(code == Some(2) && error.contains("more than the n = 9 workers"), "{error}");
    // No code of nine workers tolerates five.
    let (code, _, error) = ecode(&["design", "--n", "9", "--b", "4", "--stragglers", "2"]);
    assert_eq!((code, error), {
        let plain = ecode(&["design", "--n", "9", "--b", "5"]);
        (plain.0, plain.2)
    });
}
