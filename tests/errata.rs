//! Promise: where the paper's supplement errs, the smallest counterexample stands here.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, Message, Outcome, TieRule};
use ecode::verify::{Control, Method, verify};

/// Lemma 2 and Proposition 4 for even n: the inequality holds on every message of weight ⌊n/2⌋, and yet
/// the code decodes wrong with no Byzantine worker at all.
#[test]
fn lemma_2_is_false_for_even_n() {
    let rows: [&[usize]; 4] = [&[0], &[0], &[1, 2, 3], &[1, 2, 3]];
    let g = AllocationMatrix::from_supports(4, &rows).unwrap();
    for bits in 0_u32..16 {
        let message = Message::from_indices(4, (0..4).filter(|i| bits >> i & 1 == 1));
        if message.count() == 2 {
            let wins = (0..4).filter(|&j| 2 * g.ones_seen(j, &message) > g.worker_load(j)).count();
            assert!(wins <= 2, "Lemma 2's inequality at b = 0");
        }
    }
    let outcome = Outcome::of(&g, TieRule::Adversarial, &Message::from_indices(4, [1, 2, 3]));
    assert!(outcome.correct && outcome.wrong.count() == 2 && outcome.margin < 0);
    let verdict = verify(&g, None, TieRule::Adversarial, &Method::All, &Control::default()).unwrap();
    assert_eq!(verdict.radius(), Some(None));
}

/// E.2's "(‖G‖ + 1)/2 + 1 = v" for a row of weight 2v − 1: weight 1 already gives 2 instead of v = 1.
#[test]
fn the_winning_threshold_of_e2_is_v() {
    for v in 1..20_usize {
        let weight = 2 * v - 1;
        let g = AllocationMatrix::from_fn(1, weight, |_, _| true).unwrap();
        let turned = (0..=weight).find(|&ones| {
            let message = Message::from_indices(weight, 0..ones);
            ecode::code::honest_vote(&g, TieRule::Zero, 0, &message) == Some(true)
        });
        assert_eq!(turned, Some(weight.div_ceil(2)));
        assert_eq!(weight.div_ceil(2), v);
    }
}

/// S_v for v = ⌊n/2⌋ + 1 holds the rows of weight 2⌊n/2⌋ + 1, not 2(⌊n/2⌋ − 1) + 1: for n = 3 the full
/// rows, which no message of weight ⌊n/2⌋ turns, and not the dictators, which it does.
#[test]
fn the_last_class_of_e2_holds_the_full_rows() {
    let message = Message::from_indices(3, [0]);
    let g = AllocationMatrix::from_supports(3, &[&[0][..], &[0, 1, 2], &[0, 1, 2]]).unwrap();
    let outcome = Outcome::of(&g, TieRule::Zero, &message);
    assert_eq!(outcome.wrong.indices().collect::<Vec<_>>(), [0]);
}
