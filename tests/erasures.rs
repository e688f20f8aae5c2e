//! Promise: what docs/theory/errors.md proves about liars and missing votes holds on every matrix of up to three workers
//! and partitions.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, Message, Outcome, TieRule, decode, honest_vote, majority};
use itertools::Itertools as _;

/// What the worst b liars and s missing votes can do to a message.
#[derive(Default)]
struct Worst {
    wrong: bool,
    tied: bool,
}

/// Every set of b liars, everything that they may send, every set of s further votes that are missing.
fn worst(g: &AllocationMatrix, ties: TieRule, message: &Message, b: usize, s: usize) -> Worst {
    let mut worst = Worst::default();
    let honest: Vec<_> = (0..g.n()).map(|j| honest_vote(g, ties, j, message)).collect();
    for liars in (0..g.n()).combinations(b) {
        let others: Vec<usize> = (0..g.n()).filter(|j| !liars.contains(j)).collect();
        for missing in others.into_iter().combinations(s) {
            // A base of three for what each liar sends: 0, 1 or nothing.
            for lies in 0..3_usize.pow(b as u32) {
                let mut received = honest.clone();
                for (place, &liar) in liars.iter().enumerate() {
                    received[liar] = [Some(false), Some(true), None][lies / 3_usize.pow(place as u32) % 3];
                }
                for &j in &missing {
                    received[j] = None;
                }
                worst.wrong |= decode(&received) != majority(message);
                let count = |bit| received.iter().filter(|&&vote| vote == Some(bit)).count();
                worst.tied |= count(true) == count(false);
            }
        }
    }
    worst
}

#[test]
fn twice_the_liars_and_the_missing_votes_against_twice_the_radius() {
    let (mut needed, mut enough) = (0, 0);
    for (n, k) in (1..=3).cartesian_product(1..=3) {
        let messages: Vec<Message> = (0..1_usize << k)
            .map(|bits| Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1)))
            .collect();
        for bits in 0..1_usize << (n * k) {
            let g = AllocationMatrix::from_fn(n, k, |j, i| bits >> (j * k + i) & 1 == 1).unwrap();
            for ties in TieRule::ALL {
                let margins = messages.iter().map(|message| Outcome::of(&g, ties, message).margin);
                let radius = margins.min().unwrap();
                let speaks = ties != TieRule::Abstain || g.all_loads_odd();
                let even = matches!(ties, TieRule::Adversarial | TieRule::Zero) || g.all_loads_odd();
                for (b, s) in (0..=n).cartesian_product(0..=n).filter(|(b, s)| b + s <= n) {
                    let all: Vec<Worst> = messages.iter().map(|m| worst(&g, ties, m, b, s)).collect();
                    let wrong = all.iter().any(|worst| worst.wrong);
                    let context = format!("{g:?}{ties}, b = {b}, s = {s}, smallest margin {radius}");
                    if (2 * b + s) as i64 <= 2 * radius {
                        enough += 1;
                        assert!(!wrong, "(a) {context}");
                        assert!(
                            n % 2 == 0 || !speaks || all.iter().all(|worst| !worst.tied),
                            "(c) {context}"
                        );
                    } else if n % 2 == 1 && k % 2 == 1 && even {
                        needed += 1;
                        assert!(wrong, "(b) {context}");
                    }
                }
            }
        }
    }
    assert!(needed > 1000 && enough > 100, "{needed}, {enough}");
}
