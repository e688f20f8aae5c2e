//! Promise: every engine gives the definition's answer, on every shape and under every tie rule.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, Outcome, TieRule};
use ecode::verify::{Control, Encoding, Engine, Finding, Goal, Method, Sat, engines, verify};
use proptest::prelude::*;

/// Matrices of every small shape; density from empty rows to full ones.
fn matrices(most_n: usize, most_k: usize) -> impl Strategy<Value = AllocationMatrix> {
    (1..=most_n, 1..=most_k, 0..=10_u32).prop_flat_map(|(n, k, tenths)| {
        prop::collection::vec(prop::collection::vec(0..10_u32, k), n).prop_map(move |draws| {
            let rows: Vec<Vec<bool>> =
                draws.iter().map(|row| row.iter().map(|&draw| draw < tenths).collect()).collect();
            AllocationMatrix::from_rows(&rows).unwrap()
        })
    })
}

fn ties() -> impl Strategy<Value = TieRule> {
    prop::sample::select(TieRule::ALL.to_vec())
}

fn examine(engine: &dyn Engine, g: &AllocationMatrix, ties: TieRule) -> Finding {
    engine.examine(g, ties, Goal::Radius, &Control::default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_engine_finds_the_definitions_worst_case(g in matrices(6, 8), ties in ties()) {
        let engines = engines();
        let oracle = examine(engines[0].as_ref(), &g, ties);
        let worst = oracle.worst.unwrap();
        prop_assert_eq!(oracle.floor, Some(worst.margin));
        let sequential = Sat { encoding: Encoding::SequentialCounter, self_check: true, ..Sat::default() };
        for engine in engines[1..].iter().map(AsRef::as_ref).chain([&sequential as &dyn Engine]) {
            let found = examine(engine, &g, ties);
            prop_assert_eq!(found.floor, oracle.floor, "floor of {}", engine.name());
            let met = found.worst.unwrap();
            prop_assert_eq!(met.margin, worst.margin, "margin of {}", engine.name());
            if ties != TieRule::Abstain && engine.name() == "exhaustive" {
                prop_assert_eq!(met.wrong.count(), worst.wrong.count(), "W* of {}", engine.name());
            }
            prop_assert_eq!(&Outcome::of(&g, ties, &met.message), &met);
        }
    }

    #[test]
    fn every_claim_gets_the_definitions_verdict(g in matrices(5, 6), ties in ties(), b in 0..6_usize) {
        let expected = verify(&g, Some(b), ties, Method::Definition, &Control::default()).unwrap();
        for engine in engines() {
            let method: Method = engine.name().parse().unwrap();
            let verdict = verify(&g, Some(b), ties, method, &Control::default()).unwrap();
            prop_assert_eq!(verdict.word(), expected.word(), "{}", engine.name());
            if let Some(attack) = verdict.attack() {
                prop_assert!(attack.replays(&g, ties, b));
            }
        }
    }
}
