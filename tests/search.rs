//! Promise: `ecode search` finds the best known small codes in a second, keeps them, and what it keeps is
//! verified when it is used.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::construct::{Block, Gluing, Kind, blocks, known_part};
use ecode::search::{Effort, Quest, improve, lighten};
use serde_json::Value;

const EFFORT: Effort = Effort { moves: 20_000, restarts: 4, seed: 3, turn: 1 };

#[test]
fn small_families_are_found_from_nothing() {
    for (n, b, ones) in [(9, 1, 41), (9, 2, 59), (9, 3, 71), (11, 1, 51), (11, 2, 75), (11, 3, 95)] {
        let family = improve(Quest::whole(n, b), EFFORT, &|| false).unwrap();
        let code = Gluing::with_blocks(n, b, &[family]).unwrap();
        assert_eq!(code.matrix.ones(), ones, "n = {n}, b = {b}");
        code.shape.prove(&code.matrix, b).unwrap();
    }
}

#[test]
fn parts_pass_the_theorem_wherever_they_stand() {
    for kind in [Kind::Part, Kind::First] {
        let old = if kind == Kind::Part { 6 } else { 0 };
        let family = improve(Quest { kind, b: 1, points: 7, old }, EFFORT, &|| false).unwrap();
        assert!(family.rows.len() >= 4, "{family}");
        for n in [41, 63] {
            let code = Gluing::with_blocks(n, 1, std::slice::from_ref(&family)).unwrap();
            code.shape.prove(&code.matrix, 1).unwrap();
        }
    }
}

/// The condition of the gluing theorem (docs/theory/lighter.md), taken literally.
fn glues(part: &Block) -> bool {
    let old = part.rows.iter().map(|&(_, old)| old).max().unwrap();
    (0..1_u32 << part.points).all(|set| {
        let size = set.count_ones() as usize;
        (0..=old.max(part.b)).all(|c| {
            let wins = part.rows.iter().filter(|(new, old)| {
                let held = new.iter().filter(|&i| set >> i & 1 == 1).count() + c.min(*old);
                2 * held > new.len() + old
            });
            let most = if c < part.b { (size + c).saturating_sub(part.b) } else { size };
            wins.count() <= most
        })
    })
}

/// What the second lemma makes of a family gets lighter, keeps its rows, and can still be glued.
#[test]
fn parts_are_made_lighter() {
    for (b, points, own) in [(2, 9, &[][..]), (2, 12, blocks()), (3, 11, &[])] {
        let firsts: Vec<Block> = own.iter().filter(|block| block.kind == Kind::First).cloned().collect();
        let part = known_part(b, points, &firsts).unwrap();
        assert_eq!((part.kind, part.points, part.found.as_str()), (Kind::Part, points, "the lemma"));
        let effort = Effort { moves: 10_000, restarts: 2, seed: 1, turn: 1 };
        let lighter = lighten(&part, effort, &|| false).unwrap();
        assert!(glues(&part) && glues(&lighter), "{part}\n{lighter}");
        assert_eq!(lighter.rows.len(), part.rows.len());
        assert!(lighter.weight() < part.weight());
    }
    for part in blocks().iter().filter(|block| block.kind == Kind::Part) {
        assert!(glues(part), "{part}");
    }
    // Where a part is known with as many rows and fewer ones, it is that one; where there is no room, none.
    assert_eq!(known_part(2, 12, blocks()).unwrap().weight(), 58);
    assert_eq!(known_part(3, 5, blocks()), None);
    // Whole codes are another matter.
    let whole = improve(Quest::whole(9, 1), EFFORT, &|| false).unwrap();
    assert_eq!(lighten(&whole, EFFORT, &|| false), None);
}

/// Families that turn are far fewer, and what is hard to find among all is found among them in a moment.
#[test]
fn families_that_turn_are_found_and_hold() {
    let effort = Effort { moves: 150_000, restarts: 8, seed: 2, turn: 3 };
    let family = improve(Quest { kind: Kind::First, b: 2, points: 12, old: 0 }, effort, &|| false).unwrap();
    assert_eq!(family.rows.len(), 6, "{family}");
    // A third of a turn: points 3c, 3c + 1, 3c + 2 one on.
    let mut turned: Vec<Vec<usize>> =
        family.rows.iter().map(|(row, _)| row.iter().map(|i| i / 3 * 3 + (i + 1) % 3).collect()).collect();
    let mut rows: Vec<Vec<usize>> = family.rows.iter().map(|(row, _)| row.clone()).collect();
    for row in &mut turned {
        row.sort_unstable();
    }
    rows.sort();
    turned.sort();
    assert_eq!(rows, turned);
    for n in [19, 63] {
        let code = Gluing::with_blocks(n, 2, std::slice::from_ref(&family)).unwrap();
        code.shape.prove(&code.matrix, 2).unwrap();
    }
    // Every order that fits, also where points stay or rows do.
    for (points, turn) in [(7, 2), (7, 3), (8, 2), (9, 3), (10, 5), (6, 6)] {
        for seed in [1, 2] {
            let effort = Effort { moves: 20_000, restarts: 4, seed, turn };
            let quest = Quest { kind: Kind::Part, b: 1, points, old: 4 };
            let Some(family) = improve(quest, effort, &|| false) else { continue };
            let code = Gluing::with_blocks(63, 1, std::slice::from_ref(&family)).unwrap();
            code.shape.prove(&code.matrix, 1).unwrap();
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_family_at_any_number_of_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| improve(Quest::whole(13, 2), EFFORT, &|| false))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn what_is_found_is_kept_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, code) = (folder.path().join("mine.txt"), folder.path().join("code.json"));
    let ecode = |args: &[&str]| {
        let mut command = Command::cargo_bin("ecode").unwrap();
        let output = command.args(args).arg("--catalogue").arg(&mine).arg("--json").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    // Nothing better than what is known for (9, 1), which is proven to be minimal: no catalogue appears.
    let found = ecode(&["search", "--n", "9", "--b", "1", "--time", "300ms", "-o", code.to_str().unwrap()]);
    assert_eq!((found["ones"].as_u64(), found["found"].is_null()), (Some(41), true));
    assert!(!mine.exists());
    let stored: Value = serde_json::from_slice(&std::fs::read(&code).unwrap()).unwrap();
    assert_eq!(stored["verification"]["verdict"], "tolerant");
    // Parts are looked for as well, and the code that they make is verified.
    let part = ["search", "--n", "33", "--b", "2", "--part", "6", "--rounds", "1"];
    assert!(ecode(&part)["ones"].as_u64() <= Some(397));
    for wrong in [["--part", "3"], ["--part", "17"]] {
        let mut command = Command::cargo_bin("ecode").unwrap();
        let output = command.args(["search", "--n", "33", "--b", "2"]).args(wrong).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("a part for b = 2 has 4 to 16 points"), "{said}");
    }
    // A family that is not valid is used, and the verdict says so.
    let wrong = Block {
        kind: Kind::Whole,
        b: 1,
        points: 6,
        workers: 0,
        rows: vec![(vec![0, 1, 2], 0), (vec![0, 1, 3], 0), (vec![0, 1, 4], 0), (vec![2, 3, 4], 0)],
        found: "nobody".to_owned(),
    };
    std::fs::write(&mine, format!("{wrong}\n")).unwrap();
    let mut command = Command::cargo_bin("ecode").unwrap();
    let design = ["design", "--construction", "gluing", "--n", "9", "--b", "1", "--catalogue"];
    assert_eq!(command.args(design).arg(&mine).output().unwrap().status.code(), Some(1));
    std::fs::write(&mine, "whole 1 6 0,1\n").unwrap();
    let mut command = Command::cargo_bin("ecode").unwrap();
    let refused = command.args(design).arg(&mine).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("line 1"));
}

/// Where a bound is met there is nothing to look for, unless one says how long to look.
#[test]
fn what_is_proven_to_be_best_is_said_at_once() {
    let search = |more: &[&str]| {
        let mut command = Command::cargo_bin("ecode").unwrap();
        let output = command.args(["search", "--n", "9", "--b", "2", "--json"]).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{more:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), said)
    };
    let (found, said) = search(&[]);
    assert_eq!((found["ones"].as_u64(), found["seeds"].as_u64()), (Some(59), Some(0)));
    assert_eq!((&found["optimal"], &found["verdict"]), (&true.into(), &"tolerant".into()));
    assert!(said.contains("nothing to look for"), "{said}");
    let (found, said) = search(&["--rounds", "1"]);
    assert_eq!(found["seeds"].as_u64(), Some(1));
    assert!(!said.contains("nothing to look for"), "{said}");
}
