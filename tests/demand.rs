//! Promise: a code for other sizes or for light workers is what was asked for, and what is called
//! impossible or the least is so.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Demand, Objective, best, best_for, blocks, parse_blocks};
use ecode::search::{BoundError, Effort, anneal_code, bounds_for, minimum_within};
use ecode::verify::{Control, Method, verify};
use serde_json::Value;

const EFFORT: Effort = Effort { moves: 20_000, restarts: 4, seed: 1, rotation: 1 };

fn radius(g: &AllocationMatrix, ties: TieRule) -> Option<usize> {
    let radius = verify(g, None, ties, Method::Auto, &Control::default()).unwrap().radius();
    assert!(radius.is_determined());
    radius.exactly()
}

fn ones(n: usize, k: usize, b: usize) -> Demand {
    Demand { k, max_load: k, ..Demand::square(n, b) }
}

#[test]
fn codes_for_any_sizes_are_tolerant() {
    for k in (1..=11).step_by(2) {
        for n in 1..=14 {
            for b in 0..=(n - 1) / 2 {
                let code = best_for(&ones(n, k, b), blocks()).unwrap().unwrap().matrix;
                assert_eq!((code.n(), code.k()), (n, k));
                assert!(radius(&code, TieRule::Adversarial) >= Some(b), "n = {n}, k = {k}, b = {b}");
                if n == k {
                    assert_eq!(code, best(n, b).unwrap().matrix);
                }
            }
        }
    }
    // Repetition is the case of as many copies as there can be.
    for (n, k, b) in [(15, 5, 1), (25, 5, 2), (35, 7, 2), (21, 7, 1)] {
        assert_eq!(best_for(&ones(n, k, b), blocks()).unwrap().unwrap().matrix.ones(), n);
    }
}

/// The fewest ones of a tolerant matrix, for every b and every limit on loads.
type Fewest = Vec<Vec<Option<usize>>>;

/// Over all 0/1 matrices of a size, and over those in which every worker holds something.
fn fewest(n: usize, k: usize, ties: TieRule) -> [Fewest; 2] {
    let none = vec![vec![None::<usize>; k + 1]; n.div_ceil(2)];
    let mut fewest = [none.clone(), none];
    for bits in 0..1_u32 << (n * k) {
        let row = |j: usize| bits >> (j * k) & ((1 << k) - 1);
        // Workers have no names.
        if (1..n).any(|j| row(j - 1) > row(j)) {
            continue;
        }
        let g = AllocationMatrix::from_fn(n, k, |j, i| row(j) >> i & 1 == 1).unwrap();
        let Some(radius) = radius(&g, ties) else { continue };
        for table in &mut fewest[..if row(0) == 0 { 1 } else { 2 }] {
            for b in 0..=radius {
                for slot in &mut table[b][Demand::heaviest(&g)..] {
                    *slot = Some(slot.map_or(g.ones(), |ones| ones.min(g.ones())));
                }
            }
        }
    }
    fewest
}

#[test]
fn every_matrix_of_small_sizes_agrees() {
    let mut impossible = 0;
    for (n, k) in [(3, 3), (4, 3), (5, 3), (3, 5), (2, 5), (6, 1), (2, 4), (3, 4), (4, 4), (5, 2), (6, 2)] {
        for ties in TieRule::ALL {
            let [fewest, at_work] = fewest(n, k, ties);
            for b in 0..=(n - 1) / 2 {
                for max_load in 1..=k {
                    let demand = Demand { max_load, ties, ..ones(n, k, b) };
                    let place = format!("n = {n}, k = {k}, b = {b}, loads up to {max_load}, {ties}");
                    let least = match bounds_for(&demand) {
                        Ok(limits) => limits,
                        Err(BoundError::Impossible { .. }) => {
                            assert_eq!(fewest[b][max_load], None, "{place}");
                            impossible += 1;
                            continue;
                        }
                        Err(error) => panic!("{place}: {error}"),
                    };
                    let load = (1..=k).find(|&load| fewest[b][load].is_some());
                    assert!(load.is_none_or(|load| least.max_load.least <= load), "{place}");
                    assert!(fewest[b][max_load].is_none_or(|ones| least.ones.least <= ones), "{place}");
                    let found = anneal_code(&demand, EFFORT, None, &|| false).unwrap();
                    let found = found.map(|block| block.code().unwrap());
                    if let Some(g) = &found {
                        assert!(demand.fits(g) && radius(g, ties) >= Some(b), "{place}: {g:?}");
                    }
                    // Nobody is left idle; votes that tie are of use only where k is even, and searched only
                    // under `zero`.
                    if ties == TieRule::Adversarial || ties == TieRule::Zero && k % 2 == 0 {
                        assert_eq!(found.map(|g| g.ones()), at_work[b][max_load], "{place}");
                    }
                }
            }
        }
    }
    assert!(impossible > 50, "{impossible}");
}

#[test]
fn the_heaviest_worker_gets_lighter() {
    let heaviest = |objective| {
        let demand = Demand { objective, ..ones(12, 7, 1) };
        let known = best_for(&demand, blocks()).unwrap().unwrap().matrix;
        let than = Some(demand.price(&known));
        let found = anneal_code(&demand, EFFORT, than, &|| false).unwrap().unwrap();
        let g = found.code().unwrap();
        assert!(radius(&g, TieRule::Adversarial) >= Some(1));
        (Demand::heaviest(&known), Demand::heaviest(&g), g.ones())
    };
    let (before, balanced, any) = heaviest(Objective::MaxLoad);
    let (_, both, fewer) = heaviest(Objective::Lexicographic);
    assert_eq!((before, balanced, both), (7, 5, 5));
    assert!(fewer <= any, "{fewer} and {any}");
    let demand = ones(12, 7, 1);
    assert_eq!(bounds_for(&demand).unwrap().max_load.least, 5);
    // Seven signs through five workers of five: as much as is known of majorities of majorities.
    let demand = Demand { max_load: 5, ..ones(5, 7, 0) };
    let found = anneal_code(&demand, EFFORT, None, &|| false).unwrap().unwrap();
    assert_eq!(radius(&found.code().unwrap(), TieRule::Adversarial), Some(0));
}

/// What `limits` says of full rows rests on this exhaustion.
#[test]
fn full_rows_are_needed_where_exhaustion_says_so() {
    for (n, b) in [(7, 1), (9, 1), (11, 2)] {
        let none = n * (n - 2) + 1;
        let found = minimum_within(n, b, n - 2, n, none, &|| false).unwrap();
        assert_eq!((found.at_least, found.matrix), (none, None), "n = {n}, b = {b}");
        let demand = Demand { max_load: n - 2, ..ones(n, n, b) };
        assert!(matches!(bounds_for(&demand), Err(BoundError::Impossible { .. })));
    }
    // With full rows allowed the limit changes nothing.
    let found = minimum_within(9, 1, 9, 35, 99, &|| false).unwrap();
    assert_eq!((found.at_least, found.matrix.map(|g| g.ones())), (41, Some(41)));
}

#[test]
fn codes_of_other_sizes_are_read_as_they_were_written() {
    let text = "code 1 9x5 0;1,2,3;4 somebody\n";
    let block = &parse_blocks(text).unwrap()[0];
    assert_eq!(format!("{block}\n"), text);
    let g = block.code().unwrap();
    assert_eq!((g.n(), g.k(), g.ones()), (9, 5, 1 + 3 + 1 + 6 * 5));
    for wrong in
        ["code 1 9x 0 me", "code 1 0x5 0 me", "code 1 9x5000 0 me", "part 1 9x5 0 me", "code 1 1x3 0;1 me"]
    {
        assert!(parse_blocks(wrong).is_err(), "{wrong}");
    }
}

fn ecode(args: &[&str]) -> (Option<i32>, Value, String) {
    let output = Command::cargo_bin("ecode").unwrap().args(args).output().unwrap();
    let document = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), document, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_command_keeps_what_it_finds_and_design_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, file) = (folder.path().join("mine.txt"), folder.path().join("code.json"));
    let (mine, file) = (mine.to_str().unwrap(), file.to_str().unwrap());
    std::fs::write(mine, "# my codes").unwrap();
    let sizes = ["--n", "9", "--k", "5", "--b", "1", "--max-load", "3", "--catalogue", mine, "--json"];
    let refused = ecode(&[&["design"], &sizes[..]].concat());
    assert_eq!(refused.0, Some(2));
    assert!(refused.2.contains("'ecode search' looks for one"), "{}", refused.2);
    let search = [&["search", "--rounds", "1", "-o", file], &sizes[..]].concat();
    let (status, found, error) = ecode(&search);
    assert_eq!((status, &found["verdict"]), (Some(0), &"tolerant".into()), "{error}");
    assert_eq!(found["max_load"], 3);
    assert!(found["at_least"]["max_load"]["least"].as_u64() <= Some(3));
    let text = std::fs::read_to_string(mine).unwrap();
    assert!(text.starts_with("# my codes\ncode 1 9x5 ") && text.lines().count() == 2, "{text}");
    let (status, designed, _) = ecode(&[&["design"], &sizes[..]].concat());
    assert_eq!((status, &designed["ones"]), (Some(0), &found["ones"]));
    let verified = ecode(&["verify", file, "--json"]);
    assert_eq!((verified.0, &verified.1["b"]), (Some(0), &1.into()));
}

#[test]
fn the_command_says_what_is_impossible_and_what_is_only_not_found() {
    for (args, status) in [
        (&["search", "--n", "9", "--b", "1", "--max-load", "7"][..], 1),
        (&["search", "--n", "9", "--b", "1", "--max-load", "7", "--exact"], 1),
        (&["search", "--n", "15", "--k", "7", "--b", "2", "--max-load", "3"], 1),
        (&["search", "--n", "8", "--k", "8", "--b", "1"], 1),
        (&["search", "--n", "13", "--b", "1", "--max-load", "11", "--time", "200ms"], 3),
        (&["search", "--n", "11", "--b", "1", "--max-load", "9", "--exact", "--timeout", "200ms"], 3),
        (&["design", "--n", "9", "--b", "1", "--max-load", "7"], 1),
        (&["bounds", "--n", "8", "--k", "8", "--b", "1"], 1),
        (&["design", "--n", "9", "--b", "1", "--max-load", "7", "--construction", "gluing"], 2),
        (&["design", "--n", "9", "--b", "1", "--max-load", "0"], 2),
        (&["design", "--n", "9", "--k", "0", "--b", "1"], 2),
        (&["search", "--n", "9", "--k", "31", "--b", "1"], 2),
        (&["search", "--n", "9", "--k", "7", "--b", "1", "--disjoint-loads", "1,3"], 2),
        (&["search", "--n", "9", "--k", "7", "--b", "1", "--exact"], 2),
        (&["search", "--n", "9", "--b", "1", "--balanced", "--objective", "ones"], 2),
    ] {
        let json = if status == 1 || status == 3 { &["--json"][..] } else { &[] };
        let (code, document, error) = ecode(&[args, json].concat());
        assert_eq!(code, Some(status), "{args:?}: {error}");
        assert_eq!(document.is_object(), status != 2, "{args:?}");
        if status == 1 {
            assert!(document["impossible"] == true || document["impossible"].is_string(), "{document}");
        } else if status == 3 {
            assert!(document["ones"].is_null() && document["impossible"] != true, "{document}");
        }
    }
}

/// However low the limit, the first answer names the least that there can be.
#[test]
fn the_least_heaviest_load_is_said_at_once() {
    for (n, k, b) in [(9, 9, 1), (8, 7, 1), (15, 7, 2), (21, 21, 3)] {
        let demand = ones(n, k, b);
        let least = bounds_for(&demand).unwrap().max_load.least;
        assert!(least > 1);
        for max_load in 1..least {
            let error = bounds_for(&Demand { max_load, ..demand }).unwrap_err().to_string();
            assert!(error.contains(&format!("at least {least} partitions")), "{n}, {k}, {b}: {error}");
        }
        assert_eq!(bounds_for(&Demand { max_load: least, ..demand }).unwrap().max_load.least, least);
    }
}

/// Who asks for light workers is told how light they could be at most.
#[test]
fn a_balanced_design_says_what_no_code_goes_below() {
    let sizes = ["design", "--n", "15", "--b", "2", "--balanced"];
    let least = bounds_for(&Demand { objective: Objective::MaxLoad, ..Demand::square(15, 2) })
        .unwrap()
        .max_load
        .least;
    let (status, document, error) = ecode(&[&sizes[..], &["--json"]].concat());
    assert_eq!(status, Some(0), "{error}");
    let load = &document["construction"]["max_load"];
    assert_eq!(load["at_least"].as_u64(), Some(least as u64), "{document}");
    let heaviest = load["heaviest"].as_u64().unwrap();
    assert!(heaviest >= least as u64);
    let mut command = Command::cargo_bin("ecode").unwrap();
    let said = String::from_utf8(command.args(sizes).output().unwrap().stdout).unwrap();
    assert!(said.contains(&format!("Heaviest load: {heaviest}. No tolerant code has")), "{said}");
}
