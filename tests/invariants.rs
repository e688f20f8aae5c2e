//! Promise: the radius moves as the theory says when a code is changed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, TieRule};
use ecode::verify::{Control, Method, VerifiedCode, verify};
use proptest::prelude::*;

fn square(n: usize) -> impl Strategy<Value = AllocationMatrix> {
    prop::collection::vec(prop::collection::vec(prop::bool::weighted(0.6), n), n)
        .prop_map(|rows| AllocationMatrix::from_rows(&rows).unwrap())
}

fn margin(g: &AllocationMatrix, ties: TieRule) -> i64 {
    let verdict = verify(g, None, ties, Method::Auto, &Control::default()).unwrap();
    verdict.floor().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn names_of_workers_and_partitions_do_not_matter(
        g in square(9),
        ties in prop::sample::select(TieRule::ALL.to_vec()),
        workers in Just((0..9).collect::<Vec<_>>()).prop_shuffle(),
        partitions in Just((0..9).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let permuted = g.permuted(&workers, &partitions).unwrap();
        prop_assert_eq!(margin(&g, ties), margin(&permuted, ties));
    }

    #[test]
    fn a_worker_that_holds_everything_never_hurts(g in square(9), ties in prop::sample::select(TieRule::ALL.to_vec()), j in 0..9_usize) {
        let filled = AllocationMatrix::from_fn(9, 9, |row, i| row == j || g.holds(row, i)).unwrap();
        prop_assert!(margin(&filled, ties) >= margin(&g, ties));
    }

    #[test]
    fn what_tolerates_b_tolerates_less_and_the_radius_is_where_it_ends(g in square(7), ties in prop::sample::select(TieRule::ALL.to_vec())) {
        let radius = verify(&g, None, ties, Method::Auto, &Control::default()).unwrap().radius();
        prop_assert!(radius.is_determined());
        for b in 0..=7 {
            let verdict = verify(&g, Some(b), ties, Method::Auto, &Control::default()).unwrap();
            let tolerant = verdict.is_tolerant();
            prop_assert_eq!(tolerant, radius.exactly().is_some_and(|radius| b <= radius));
        }
    }

    #[test]
    fn a_verified_code_is_tolerant_and_nothing_else_becomes_one(g in square(7), b in 0..4_usize) {
        let claim = ecode::code::Claim { matrix: g.clone(), b, ties: TieRule::Adversarial };
        let code = VerifiedCode::verify(claim, Method::Auto, &Control::default()).unwrap();
        prop_assert_eq!(code.code().is_some(), margin(&g, TieRule::Adversarial) >= b as i64);
    }
}
