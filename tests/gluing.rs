//! Promise: gluing makes a tolerant code for every odd n and every b, lighter than Algorithm 1, and its
//! theorem's check neither needs the construction nor accepts what is not tolerant.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Algorithm1, Demand, Gluing, Placement, Provenance, best_for, blocks, parse_blocks};
use ecode::verify::{Control, Method, Part, Shape, verify};
use proptest::prelude::*;

fn tolerates(g: &AllocationMatrix, b: usize) -> bool {
    let verdict = verify(g, Some(b), TieRule::Adversarial, Method::Auto, &Control::default()).unwrap();
    verdict.is_tolerant()
}

#[test]
fn engines_confirm_every_code_up_to_21() {
    for n in (3..=21).step_by(2) {
        for b in 1..=(n - 1) / 2 {
            let code = Gluing::new(n, b).unwrap();
            assert!(tolerates(&code.matrix, b), "n = {n}, b = {b}");
            let proof = code.shape.prove(&code.matrix, b).unwrap();
            assert_eq!(proof.b(), b);
            assert!(b == (n - 1) / 2 || code.shape.prove(&code.matrix, b + 1).is_err());
        }
    }
}

#[test]
fn never_heavier_than_algorithm_1_and_lighter_from_9_on() {
    for n in (3..=301).step_by(2) {
        let most = (n - 1) / 2;
        for b in 1..=most {
            let (glued, paper) =
                (Gluing::new(n, b).unwrap().matrix.ones(), Algorithm1::new(n, b).unwrap().ones());
            assert!(glued <= paper, "n = {n}, b = {b}: {glued} against {paper}");
            assert!(glued < paper || n < 9 || b >= most - 1, "n = {n}, b = {b}: {glued}");
        }
    }
}

#[test]
fn the_best_totals_known_are_reached() {
    let known = [
        (5, 1, 19),
        (5, 2, 25),
        (7, 1, 29),
        (7, 2, 41),
        (9, 1, 41),
        (9, 2, 59),
        (9, 3, 71),
        (11, 1, 51),
        (11, 2, 75),
        (11, 3, 95),
        (11, 4, 109),
        (13, 1, 71),
        (13, 2, 97),
        (15, 1, 83),
        (15, 2, 115),
        (21, 1, 139),
        (31, 1, 243),
        (101, 1, 1823),
        (101, 2, 2293),
        (101, 3, 2811),
        (101, 4, 3201),
    ];
    for (n, b, ones) in known {
        assert!(Gluing::new(n, b).unwrap().matrix.ones() <= ones, "n = {n}, b = {b}");
    }
}

#[test]
fn the_theorem_proves_large_codes() {
    for n in [33, 61, 101, 255, 1001] {
        let most = (n - 1) / 2;
        for b in [1, 2, 3, 4, 5, 7, 10, most / 4, most / 2, most - 1, most] {
            let code = Gluing::new(n, b).unwrap();
            if let Err(premise) = code.shape.prove(&code.matrix, b) {
                panic!("n = {n}, b = {b}: {premise}");
            }
        }
    }
}

/// The second lemma takes at most m − 2b rows inside, whatever else would be found wrong with more of them.
#[test]
fn the_lemma_takes_no_more_rows_than_it_is_proven_for() {
    // Four single partitions, a row on {4, 5, 6}, rows on the new points {8, 9, 10}, and one that covers them.
    let code = |inside: usize| {
        let mut rows: Vec<Vec<usize>> = (0..4).map(|i| vec![i]).collect();
        rows.push(vec![4, 5, 6]);
        rows.extend(vec![vec![8, 9, 10]; inside]);
        rows.push(vec![6, 7, 8, 9, 10]);
        rows.resize(11, (0..11).collect());
        AllocationMatrix::from_supports(11, &rows).unwrap()
    };
    let shape = Shape::from_json(&serde_json::json!([{"counted": 4}, [3]])).unwrap();
    assert_eq!(shape.prove(&code(1), 1).unwrap().b(), 1);
    let premise = shape.prove(&code(2), 1).unwrap_err().to_string();
    assert!(premise.contains("2 rows inside, more than m − 2b"), "{premise}");
    assert!(!tolerates(&code(2), 1));
}

#[test]
fn the_limits_of_redundancy_are_reached() {
    // Repeating a block with q rows on m points leads to r = (1 − q/m)·n/2: n/7 for b = 1.
    for (b, most) in [(1, 18.05), (2, 22.71), (3, 27.84), (4, 31.7)] {
        let r = Gluing::new(101, b).unwrap().matrix.redundancy();
        assert!(r <= most, "b = {b}: {r}");
    }
    assert!(Gluing::new(4095, 1).unwrap().matrix.redundancy() < 4095.0 / 6.9);
}

#[test]
fn a_shape_is_read_as_it_was_written() {
    for (n, b) in [(9, 1), (21, 1), (101, 3), (101, 10)] {
        let shape = Gluing::new(n, b).unwrap().shape;
        assert_eq!(Shape::from_json(&shape.to_json()), Some(shape));
    }
    for wrong in ["1", "[5000]", "[-1]", "[1.5]", "[{}]", "[{\"counted\":\"3\"}]", "[[null]]"] {
        assert_eq!(Shape::from_json(&serde_json::from_str(wrong).unwrap()), None, "{wrong}");
    }
}

#[test]
fn every_block_round_trips_and_passes_its_check() {
    assert!(!blocks().is_empty(), "the block file does not parse");
    for block in blocks() {
        assert_eq!(parse_blocks(&block.to_string()).unwrap(), std::slice::from_ref(block));
        // A code that uses only this block, after a staircase with points enough.
        let old = block.rows.iter().map(|&(_, old)| old).max().unwrap();
        let n = match block.placement {
            Placement::Whole => 2 * (block.points - block.b) - 1,
            Placement::Code => {
                assert!(tolerates(&block.code().unwrap(), block.b), "{block}");
                continue;
            }
            Placement::First | Placement::Part => 4 * (block.points + old) + 2 * block.b + 1,
        };
        let code = Gluing::with_blocks(n, block.b, std::slice::from_ref(block)).unwrap();
        code.shape.prove(&code.matrix, block.b).unwrap();
    }
    for wrong in [
        "part 1",
        "part 1 3 0,1,2",
        "part 1 3 0,1 me",
        "part 1 3 0,3,2 me",
        "part 1 3 0,1,x me",
        "part x 3 0,1,2 me",
        "first 1 3 0,1+1 me",
        "1 3 0,1,2 me",
    ] {
        assert!(parse_blocks(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Changing entries at random must never be proved where an engine refutes.
    #[test]
    fn the_check_accepts_nothing_that_an_engine_refutes(
        (n, b, flips) in (2..=6_usize).prop_flat_map(|t| (Just(2 * t + 1), 1..=t, prop::collection::vec((0..=2 * t, 0..=2 * t), 2..=4))),
        cut in prop::collection::vec(1..=7_usize, 1..=4),
    ) {
        let code = Gluing::new(n, b).unwrap();
        let g = AllocationMatrix::from_fn(n, n, |j, i| code.matrix.holds(j, i) != flips.contains(&(j, i))).unwrap();
        let enumerated = Shape(cut.into_iter().map(Part::Enumerated).collect());
        let whole = Shape(vec![Part::Enumerated(n.div_ceil(2) + b)]);
        let counted = Shape(vec![Part::Counted(n.div_ceil(2) + b)]);
        for shape in [&code.shape, &enumerated, &whole, &counted] {
            if shape.prove(&g, b).is_ok() {
                prop_assert!(tolerates(&g, b), "{:?}", g);
            }
        }
    }

    /// On a code of the shape, one enumerated part is the exact condition.
    #[test]
    fn one_part_is_the_exact_condition(
        (n, b, rows) in (2..=5_usize).prop_flat_map(|t| (1..t).prop_flat_map(move |b| {
            let points = t + 1 + b;
            let row = prop::sample::subsequence((0..points).collect::<Vec<_>>(), 3..=points);
            (Just(2 * t + 1), Just(b), prop::collection::vec(row, 1..=4))
        })),
    ) {
        let singles = (n - 1) / 2 - b;
        let mut all: Vec<Vec<usize>> = (0..singles).map(|i| vec![i]).collect();
        for row in rows {
            let odd = row.len() - usize::from(row.len() % 2 == 0);
            all.push(row[..odd].iter().map(|i| i + singles).collect());
        }
        all.resize(n, (0..n).collect());
        let g = AllocationMatrix::from_supports(n, &all).unwrap();
        let whole = Shape(vec![Part::Enumerated(n.div_ceil(2) + b)]);
        prop_assert_eq!(whole.prove(&g, b).is_ok(), tolerates(&g, b));
    }
}

/// An even number of workers: the code for one worker fewer, and a full row more, which changes nothing.
#[test]
fn one_more_full_row_is_proven_like_the_code_itself() {
    for (n, b) in [(10, 2), (12, 1), (102, 3)] {
        let demand = Demand { k: n - 1, max_load: n - 1, ..Demand::square(n, b) };
        let code = best_for(&demand, blocks()).unwrap().unwrap();
        let Provenance::Resized { copies: 0, shape: Some(shape) } = &code.provenance else {
            panic!("{:?}", code.provenance)
        };
        assert_eq!(shape.prove(&code.matrix, b).unwrap().b(), b);
        assert!(n > 12 || tolerates(&code.matrix, b), "n = {n}, b = {b}");
        // Another row in its place, or two rows more, and the theorem says nothing.
        let mut rows: Vec<Vec<usize>> = (0..n).map(|j| code.matrix.support(j).collect()).collect();
        rows[n - 1] = vec![n - 2];
        let single = AllocationMatrix::from_supports(n - 1, &rows).unwrap();
        rows[n - 1] = (0..n - 1).collect();
        rows.push((0..n - 1).collect());
        let longer = AllocationMatrix::from_supports(n - 1, &rows).unwrap();
        assert!(shape.prove(&single, b).is_err() && shape.prove(&longer, b).is_err());
    }
}
