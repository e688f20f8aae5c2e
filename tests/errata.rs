//! Promise: where the paper's supplement errs, the smallest counterexample stands here.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, Message, Outcome, TieRule, honest_vote};
use ecode::construct::{Algorithm1, algorithm1};
use ecode::verify::{Control, Method, Radius, verify};
use itertools::Itertools as _;

fn messages_of_weight(k: usize, weight: usize) -> impl Iterator<Item = Message> {
    (0..k).combinations(weight).map(move |ones| Message::from_indices(k, ones))
}

/// What Lemma 2 takes for the radius: ⌊n/2⌋ less the most workers that vote 1 on weight ⌊k/2⌋.
fn lemma_2_radius(g: &AllocationMatrix) -> Option<usize> {
    let votes_1 =
        |m: &Message| (0..g.n()).filter(|&j| honest_vote(g, TieRule::Zero, j, m) == Some(true)).count();
    (g.n() / 2).checked_sub(messages_of_weight(g.k(), g.k() / 2).map(|m| votes_1(&m)).max().unwrap())
}

fn radius(g: &AllocationMatrix) -> Option<usize> {
    let radius = verify(g, None, TieRule::Zero, Method::Auto, &Control::default()).unwrap().radius();
    assert!(radius.is_determined());
    radius.exactly()
}

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
    let verdict = verify(&g, None, TieRule::Adversarial, Method::All, &Control::default()).unwrap();
    assert_eq!(verdict.radius(), Radius::FailsWithoutLiars);
}

/// With n = k the counterexample is the smallest one, and up to names the only one of its size; with k ≠ n
/// two workers that share the only partition are enough.
#[test]
fn the_counterexample_to_lemma_2_is_the_smallest() {
    let odd_rows = |k: usize| (0..1_usize << k).filter(|row| row.count_ones() % 2 == 1);
    let mut wrong = Vec::new();
    for n in [2, 4] {
        for rows in odd_rows(n).combinations_with_replacement(n) {
            let g = AllocationMatrix::from_fn(n, n, |j, i| rows[j] >> i & 1 == 1).unwrap();
            if lemma_2_radius(&g) != radius(&g) {
                assert_eq!((lemma_2_radius(&g), radius(&g)), (Some(0), None));
                wrong.push(rows);
            }
        }
    }
    // One partition held by two workers, its complement by the other two.
    assert_eq!(wrong, [[1, 1, 14, 14], [2, 2, 13, 13], [4, 4, 11, 11], [7, 7, 8, 8]]);
    let shared = AllocationMatrix::from_fn(2, 1, |_, _| true).unwrap();
    assert_eq!((lemma_2_radius(&shared), radius(&shared)), (Some(1), Some(0)));
}

/// E.2's "(‖G‖ + 1)/2 + 1 = v" for a row of weight 2v − 1: weight 1 already gives 2 instead of v = 1.
#[test]
fn the_winning_threshold_of_e2_is_v() {
    for v in 1..20_usize {
        let weight = 2 * v - 1;
        let g = AllocationMatrix::from_fn(1, weight, |_, _| true).unwrap();
        let turned = (0..=weight).find(|&ones| {
            let message = Message::from_indices(weight, 0..ones);
            honest_vote(&g, TieRule::Zero, 0, &message) == Some(true)
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

/// Which chain rows of Algorithm 1 a message turns; chain rows and places are 1, 2, … as in the paper.
fn turned_chain_rows(code: Algorithm1, message: &[bool]) -> Vec<usize> {
    let Algorithm1 { b, s, l, .. } = code;
    let place = |row: usize, i: usize| s + (row - 1) * (b + 1) + i;
    (1..=l).filter(|&row| (1..=2 * b + 1).filter(|&i| message[place(row, i) - 1]).count() > b).collect()
}

fn bits(n: usize, ones: &[usize]) -> Vec<bool> {
    (0..n).map(|i| ones.contains(&i)).collect()
}

fn ones(message: &[bool]) -> Vec<usize> {
    (0..message.len()).filter(|&i| message[i]).collect()
}

/// D.3's closed form gives v*_0 = 1, and holds that 1 ≥ b; every message has at least b ones outside the
/// dictators' partitions, and one has no more.
#[test]
fn v_star_at_zero_is_b() {
    let code = Algorithm1::new(5, 2).unwrap();
    let outside = |m: &Message| m.indices().filter(|&i| i >= code.s).count();
    assert_eq!(messages_of_weight(5, 2).map(|m| outside(&m)).min(), Some(2));
}

/// D.3 minimises over the messages that turn q ≤ L chain rows; for b = (n − 1)/2 and q = L = 1 there is none.
#[test]
fn v_star_of_the_longest_row_does_not_exist() {
    let code = Algorithm1::new(3, 1).unwrap();
    assert_eq!((code.s, code.l, algorithm1(3, 1).unwrap().worker_loads()), (0, 1, vec![3, 3, 3]));
    for i in 0..3 {
        assert!(turned_chain_rows(code, &bits(3, &[i])).is_empty());
    }
}

/// (D.16) is meant to make the turned rows consecutive, but forbids gaps of one row only.
#[test]
fn d16_lets_wide_gaps_pass() {
    let code = Algorithm1::new(15, 1).unwrap();
    let (first, last) = ([6, 7], [12, 13]);
    let message = bits(15, &[0, 1, 2, first[0], first[1], last[0], last[1]]);
    let turned = turned_chain_rows(code, &message);
    assert_eq!(turned, [1, 4]);
    assert!(turned.iter().all(|row| !turned.contains(&(row + 2)) || turned.contains(&(row + 1))));
    // Four rows are needed for such a gap, and no smaller n has a chain that long.
    assert!((3..15).step_by(2).all(|n| (1..=(n - 1) / 2).all(|b| Algorithm1::new(n, b).unwrap().l < 4)));
}

/// Algorithm 2 of the supplement, line by line.
fn algorithm_2(code: Algorithm1, m: &[bool]) -> Vec<bool> {
    let Algorithm1 { b, s, .. } = code;
    let mut result = m.to_vec();
    for row in turned_chain_rows(code, m) {
        let middle = s + row * (b + 1);
        if m[middle - 1] {
            let zero = (1..=2 * b + 1).map(|i| s + (row - 1) * (b + 1) + i).find(|&place| !m[place - 1]);
            let filled = zero.unwrap_or_else(|| (1..=s).find(|&place| !m[place - 1]).unwrap());
            result[filled - 1] = true;
            result[middle - 1] = false;
        }
    }
    result
}

/// Property 1 of Algorithm 2, "the weight stays": two rows fill the same place, because line 6 reads m and
/// not m'. Each row has one zero only, so no other choice is open to it.
#[test]
fn algorithm_2_loses_a_one() {
    let code = Algorithm1::new(9, 1).unwrap();
    assert_eq!(ones(&algorithm_2(code, &bits(9, &[3, 4, 6, 7]))), [3, 5, 7]);
}

/// Properties 2 and 3 of Algorithm 2: the turned rows stay, and their middle places end as 0. The place
/// that row 1 fills is shared with row 2, which is turned by it and has its middle set.
#[test]
fn algorithm_2_turns_another_row() {
    let code = Algorithm1::new(7, 1).unwrap();
    let before = bits(7, &[2, 3, 5]);
    let after = algorithm_2(code, &before);
    assert_eq!(ones(&after), [2, 4, 5]);
    assert_eq!((turned_chain_rows(code, &before), turned_chain_rows(code, &after)), (vec![1], vec![1, 2]));
    assert!(after[code.s + 2 * 2 - 1]);
}

/// D.1 takes the votes of honest workers for independent. With full rows, n = k = 3, they are one vote.
#[test]
fn honest_votes_are_not_independent() {
    let g = AllocationMatrix::from_fn(3, 3, |_, _| true).unwrap();
    let wrong = 0.1_f64;
    let mut all_wrong = 0.0;
    for message in (0..=3).flat_map(|weight| messages_of_weight(3, weight)) {
        // The true gradient is positive: a one is a partition whose sign is wrong.
        let probability = wrong.powi(message.count() as i32) * (1.0 - wrong).powi(3 - message.count() as i32);
        if (0..3).all(|j| honest_vote(&g, TieRule::Zero, j, &message) == Some(true)) {
            all_wrong += probability;
        }
    }
    let one_wrong = 3.0 * wrong.powi(2) - 2.0 * wrong.powi(3);
    assert!((all_wrong - one_wrong).abs() < 1e-12 && all_wrong > 100.0 * one_wrong.powi(3));
}
