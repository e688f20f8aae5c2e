//! Promise: on every coordinate a round of votes is what the definitions say, under every tie rule and
//! whatever the Byzantine workers do.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{AllocationMatrix, Message, TieRule, decode, honest_vote, majority};
use ecode::train::{Bits, Conduct, Instructions, VoteEngine};
use proptest::prelude::*;

/// A matrix of 1 to 20 workers and 1 to 20 partitions, empty rows and all.
fn matrix() -> impl Strategy<Value = AllocationMatrix> {
    (1_usize..=20, 1_usize..=20, any::<u64>(), 1_u64..8).prop_map(|(n, k, seed, density)| {
        let mut state = seed;
        AllocationMatrix::from_fn(n, k, |_, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 61) < density
        })
        .unwrap()
    })
}

/// Pseudo-random bits, d of them.
fn bits(d: usize, seed: u64) -> Bits {
    Bits::from_fn(d, |i| {
        let mixed =
            (seed ^ (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ mixed >> 29).wrapping_mul(0x94d0_49bb_1331_11eb) >> 63 == 1
    })
}

/// The message of one coordinate.
fn column(messages: &[Bits], i: usize) -> Message {
    Message::from_indices(messages.len(), (0..messages.len()).filter(|&p| messages[p].get(i)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_round_is_the_definition(g in matrix(), d in 1_usize..1200, seed: u64, rule in 0_usize..4, kinds: [u8; 20]) {
        let ties = TieRule::ALL[rule];
        let (n, k) = (g.n(), g.k());
        let messages: Vec<Bits> = (0..k).map(|p| bits(d, seed ^ p as u64)).collect();
        let others: Vec<Bits> = (0..k).map(|p| bits(d, !seed ^ p as u64)).collect();
        let sent = bits(d, seed.rotate_left(17));
        let conduct: Vec<Conduct<'_>> = kinds[..n]
            .iter()
            .map(|kind| match kind % 8 {
                0 => Conduct::Reverse,
                1 => Conduct::Constant(kind / 8 % 2 == 0),
                2 => Conduct::Omniscient,
                3 => Conduct::Sends(&sent),
                4 => Conduct::Instead(&others),
                _ => Conduct::Honest,
            })
            .collect();
        let engine = VoteEngine::new(&g, ties);
        let decoded = engine.round(&messages, &conduct);
        for instructions in Instructions::ALL.into_iter().filter(|set| set.here()) {
            prop_assert_eq!(&engine.round_with(instructions, &messages, &conduct), &decoded, "{:?}", instructions);
        }
        let mut wrong = 0;
        for i in 0..d {
            let message = column(&messages, i);
            let mu = majority(&message);
            let received: Vec<Option<bool>> = (0..n)
                .map(|j| match conduct[j] {
                    Conduct::Honest => honest_vote(&g, ties, j, &message),
                    Conduct::Reverse => honest_vote(&g, ties, j, &message).map(|bit| !bit),
                    Conduct::Constant(bit) => Some(bit),
                    Conduct::Omniscient => Some(!mu),
                    Conduct::Sends(bits) => Some(bits.get(i)),
                    // A tied liar under the adversarial rule counts as wrong on the true message.
                    Conduct::Instead(others) => {
                        let other = column(others, i);
                        let tied = 2 * g.ones_seen(j, &other) == g.worker_load(j);
                        if tied && ties == TieRule::Adversarial { Some(!mu) } else { honest_vote(&g, ties, j, &other) }
                    }
                })
                .collect();
            let expected = decode(&received);
            let ones = received.iter().filter(|bit| **bit == Some(true)).count();
            let zeros = received.iter().filter(|bit| **bit == Some(false)).count();
            prop_assert_eq!(decoded.negative.get(i), expected, "coordinate {}", i);
            let sign = match ones.cmp(&zeros) {
                std::cmp::Ordering::Greater => -1.0,
                std::cmp::Ordering::Equal => 0.0,
                std::cmp::Ordering::Less => 1.0,
            };
            prop_assert_eq!(decoded.sign(i).to_bits(), f32::to_bits(sign), "coordinate {}", i);
            wrong += u64::from(expected != mu);
        }
        prop_assert_eq!(decoded.wrong, wrong);
    }

    /// Workers who vote alone, and a server that sees their votes only, come to the same decode.
    #[test]
    fn apart_is_together(g in matrix(), d in 1_usize..700, seed: u64, rule in 0_usize..4) {
        let engine = VoteEngine::new(&g, TieRule::ALL[rule]);
        let messages: Vec<Bits> = (0..g.k()).map(|p| bits(d, seed ^ p as u64)).collect();
        let together = engine.round(&messages, &vec![Conduct::Honest; g.n()]);
        let votes: Vec<_> = (0..g.n()).map(|j| Some(engine.worker_vote(j, &messages))).collect();
        let apart = engine.decode(d, &votes);
        prop_assert_eq!(&apart.negative, &together.negative);
        for i in 0..d {
            prop_assert_eq!(apart.sign(i).to_bits(), together.sign(i).to_bits());
        }
    }
}

proptest! {
    /// A vote that is missing counts for neither side, whichever it is.
    #[test]
    fn a_missing_vote_is_silence(g in matrix(), d in 1_usize..700, seed: u64, rule in 0_usize..4, there: u64) {
        let engine = VoteEngine::new(&g, TieRule::ALL[rule]);
        let messages: Vec<Bits> = (0..g.k()).map(|p| bits(d, seed ^ p as u64)).collect();
        let votes: Vec<_> = (0..g.n())
            .map(|j| (there >> (j % 64) & 1 == 1).then(|| engine.worker_vote(j, &messages)))
            .collect();
        let decoded = engine.decode(d, &votes);
        for i in 0..d {
            let heard = votes.iter().flatten().filter(|vote| !vote.silent.as_ref().is_some_and(|s| s.get(i)));
            let difference: i32 = heard.map(|vote| if vote.bits.get(i) { 1 } else { -1 }).sum();
            prop_assert_eq!(decoded.sign(i), -(difference.signum() as f32), "coordinate {}", i);
        }
    }
}

/// Counts beyond every small number: rows of up to 4096 partitions, 301 workers.
#[test]
fn large_codes_count_right() {
    let g = AllocationMatrix::from_fn(301, 4096, |j, i| i % 301 != j && i <= 14 * j).unwrap();
    let messages: Vec<Bits> = (0..4096).map(|p| bits(300, p)).collect();
    for ties in TieRule::ALL {
        let engine = VoteEngine::new(&g, ties);
        let decoded = engine.round(&messages, &[Conduct::Honest; 301]);
        for instructions in Instructions::ALL.into_iter().filter(|set| set.here()) {
            assert_eq!(
                engine.round_with(instructions, &messages, &[Conduct::Honest; 301]),
                decoded,
                "{instructions:?}"
            );
        }
        for i in (0..300).step_by(23) {
            let message = column(&messages, i);
            let votes: Vec<_> = (0..301).map(|j| honest_vote(&g, ties, j, &message)).collect();
            assert_eq!(decoded.negative.get(i), decode(&votes), "{ties}, coordinate {i}");
        }
    }
}
