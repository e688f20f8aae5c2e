//! Promise: what `verify --stragglers` calls tolerant no choice of liars and missing votes overturns, and what it calls
//! refuted one does: tried on all messages and all choices of small matrices.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, Message, TieRule, decode, honest_vote, majority};
use itertools::Itertools as _;

/// Whether some b liars and s further missing votes make a decode wrong: by the definition.
fn overturned(g: &AllocationMatrix, ties: TieRule, b: usize, s: usize) -> bool {
    let messages = (0..1_usize << g.k())
        .map(|bits| Message::from_indices(g.k(), (0..g.k()).filter(|i| bits >> i & 1 == 1)));
    let wrong = |message: Message| {
        let honest: Vec<_> = (0..g.n()).map(|j| honest_vote(g, ties, j, &message)).collect();
        (0..g.n()).combinations(b).any(|liars| {
            let others: Vec<usize> = (0..g.n()).filter(|j| !liars.contains(j)).collect();
            others.into_iter().combinations(s).any(|missing| {
                (0..3_usize.pow(b as u32)).any(|lies| {
                    let mut received = honest.clone();
                    for (place, &liar) in liars.iter().enumerate() {
                        received[liar] =
                            [Some(false), Some(true), None][lies / 3_usize.pow(place as u32) % 3];
                    }
                    missing.iter().for_each(|&j| received[j] = None);
                    decode(&received) != majority(&message)
                })
            })
        })
    };
    messages.into_iter().any(wrong)
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
        let output = assert_cmd::Command::cargo_bin("ecode")
            .unwrap()
            .args([
                "verify",
                "--json",
                "-q",
                "--b",
                &b.to_string(),
                "--stragglers",
                &s.to_string(),
                "--ties",
                ties.name(),
            ])
            .arg(&file)
            .output()
            .unwrap();
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
