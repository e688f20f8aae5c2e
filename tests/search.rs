//! Promise: `ecode search` finds the best known small codes in a second, keeps them, and what it keeps is
//! verified when it is used.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::construct::{Block, Gluing, Placement, blocks, parse_blocks, part_with_most_rows};
use ecode::search::{Effort, FamilyProblem, anneal_family, reduce_weight};
use serde_json::Value;

const EFFORT: Effort = Effort { moves: 20_000, restarts: 4, seed: 3, rotation: 1 };

#[test]
fn small_families_are_found_from_nothing() {
    for (n, b, ones) in [(9, 1, 41), (9, 2, 59), (9, 3, 71), (11, 1, 51), (11, 2, 75), (11, 3, 95)] {
        let family = anneal_family(FamilyProblem::whole(n, b), EFFORT, &|| false).unwrap();
        let code = Gluing::with_blocks(n, b, &[family]).unwrap();
        assert_eq!(code.matrix.ones(), ones, "n = {n}, b = {b}");
        code.shape.prove(&code.matrix, b).unwrap();
    }
}

#[test]
fn parts_pass_the_theorem_wherever_they_stand() {
    for placement in [Placement::Part, Placement::First] {
        let old = if placement == Placement::Part { 6 } else { 0 };
        let family =
            anneal_family(FamilyProblem { placement, b: 1, points: 7, old }, EFFORT, &|| false).unwrap();
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
        let firsts: Vec<Block> =
            own.iter().filter(|block| block.placement == Placement::First).cloned().collect();
        let part = part_with_most_rows(b, points, &firsts).unwrap();
        assert_eq!(
            (part.placement, part.points, part.found.as_str()),
            (Placement::Part, points, "the lemma")
        );
        let effort = Effort { moves: 10_000, restarts: 2, seed: 1, rotation: 1 };
        let lighter = reduce_weight(&part, effort, &|| false).unwrap();
        assert!(glues(&part) && glues(&lighter), "{part}\n{lighter}");
        assert_eq!(lighter.rows.len(), part.rows.len());
        assert!(lighter.weight() < part.weight());
    }
    for part in blocks().iter().filter(|block| block.placement == Placement::Part) {
        assert!(glues(part), "{part}");
    }
    // Where a part is known with as many rows and fewer ones, it is that one; where there is no room, none.
    assert_eq!(part_with_most_rows(2, 12, blocks()).unwrap().weight(), 58);
    assert_eq!(part_with_most_rows(3, 5, blocks()), None);
    // Whole codes are another matter.
    let whole = anneal_family(FamilyProblem::whole(9, 1), EFFORT, &|| false).unwrap();
    assert_eq!(reduce_weight(&whole, EFFORT, &|| false), None);
}

/// Families that turn are far fewer, and what is hard to find among all is found among them in a moment.
#[test]
fn families_that_turn_are_found_and_hold() {
    let effort = Effort { moves: 150_000, restarts: 8, seed: 2, rotation: 3 };
    let family = anneal_family(
        FamilyProblem { placement: Placement::First, b: 2, points: 12, old: 0 },
        effort,
        &|| false,
    )
    .unwrap();
    assert_eq!(family.rows.len(), 6, "{family}");
    // A third of a rotation: points 3c, 3c + 1, 3c + 2 one on.
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
            let effort = Effort { moves: 20_000, restarts: 4, seed, rotation: turn };
            let quest = FamilyProblem { placement: Placement::Part, b: 1, points, old: 4 };
            let Some(family) = anneal_family(quest, effort, &|| false) else { continue };
            let code = Gluing::with_blocks(63, 1, std::slice::from_ref(&family)).unwrap();
            code.shape.prove(&code.matrix, 1).unwrap();
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_family_at_any_number_of_threads() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| anneal_family(FamilyProblem::whole(13, 2), EFFORT, &|| false))
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
        placement: Placement::Whole,
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

/// Where a bound is met there is nothing to look for, however long one would look.
#[test]
fn what_is_proven_to_be_best_is_said_at_once() {
    for more in [&[][..], &["--rounds", "1"], &["--time", "10m"]] {
        let mut command = Command::cargo_bin("ecode").unwrap();
        let output = command.args(["search", "--n", "9", "--b", "2", "--json"]).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{more:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((found["ones"].as_u64(), found["rounds"].as_u64()), (Some(59), Some(0)));
        assert_eq!((&found["optimal"], &found["verdict"]), (&true.into(), &"tolerant".into()));
        assert!(error.contains("nothing to look for"), "{error}");
    }
}

/// A search that finds a code that no other can beat is over.
#[test]
fn a_search_ends_with_an_optimal_code() {
    let mut command = Command::cargo_bin("ecode").unwrap();
    let sizes =
        ["search", "--n", "12", "--k", "7", "--b", "1", "--balanced", "--rounds", "1000000", "--json"];
    let output = command.args(sizes).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["optimal"], found["max_load"].as_u64()), (&true.into(), Some(5)));
    assert!(found["rounds"].as_u64() < Some(100), "{found}");
}

/// Searches that share a catalogue keep each other's finds; what several find is kept once.
#[test]
fn a_shared_catalogue_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = [("12", "7"), ("13", "7"), ("14", "7"), ("11", "7"), ("12", "5"), ("12", "5")];
    let searches: Vec<_> = sizes
        .iter()
        .map(|(n, k)| {
            let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("ecode"));
            let args = ["search", "--n", n, "--k", k, "--b", "1", "--balanced", "--rounds", "1", "-q"];
            command.current_dir(folder.path()).args(args).args(["--catalogue", "mine.txt"]);
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut search in searches {
        assert!(search.wait().unwrap().success());
    }
    let text = std::fs::read_to_string(folder.path().join("mine.txt")).unwrap();
    assert_eq!(parse_blocks(&text).unwrap().len(), 5, "{text}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
