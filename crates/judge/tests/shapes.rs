//! Promise: one dispute asks as many helpers as it names workers, at most b, whatever its classes are and in whatever order
//! helpers are asked: every course for b up to 5.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_judge::{Assignment, Digest, Next, Settlement};

/// The digest of a story; 0 is the honest one.
fn value(story: usize) -> Digest {
    let mut digest = [9; 32];
    digest[0] = story as u8;
    digest
}

/// All ways in which so many liars can be of one mind or another, as the story of each: 1, then at most one more than before.
fn stories(liars: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..liars {
        all = all
            .into_iter()
            .flat_map(|told: Vec<usize>| {
                let most = told.iter().max().copied().unwrap_or(0);
                (1..=most + 1).map(move |story| [&told[..], &[story]].concat())
            })
            .collect();
    }
    all
}

/// Plays a dispute about one partition with a list of choices; returns how many there were to choose from at each choice, how
/// many helpers were asked and how many workers named. Who tells the same story is the same choice.
fn play(b: usize, told: &[usize], sitting: &[bool], choices: &[usize]) -> (Vec<usize>, usize, usize) {
    let n = 2 * b + 1;
    let story = |worker: usize| told.get(worker).copied().unwrap_or(0);
    // Holders: the liars that sit there, and honest workers up to b + 1.
    let mut holders: Vec<usize> = (0..told.len()).filter(|&liar| sitting[liar]).collect();
    let honest = (told.len()..n).take(b + 1 - holders.len());
    holders.extend(honest);
    let assignment = Assignment { holders: vec![holders.clone()] };
    let present: Vec<usize> = (0..n).collect();
    let mut settlement = Settlement::new(&assignment, &present, b).without_primaries();
    holders.iter().for_each(|&worker| settlement.digest(worker, 0, value(story(worker))));
    for story in 0..=told.len() {
        settlement.rebuilt(0, value(story));
    }
    let mut of = Vec::new();
    loop {
        let mut pick = |list: &[usize]| {
            let mut kinds: Vec<usize> = list.iter().map(|&worker| story(worker)).collect();
            kinds.sort_unstable();
            kinds.dedup();
            let kind = kinds[choices.get(of.len()).copied().unwrap_or(0)];
            of.push(kinds.len());
            list.iter().position(|&worker| story(worker) == kind).unwrap()
        };
        match settlement.next(&mut pick) {
            Next::Trip { asks, fetches } => {
                assert!(fetches.is_empty());
                asks.iter().for_each(|ask| settlement.digest(ask.worker, 0, value(story(ask.worker))));
            }
            Next::Settled(accepted) => {
                assert_eq!(accepted, [value(0)], "b {b}, {told:?}, {sitting:?}, {choices:?}");
                break;
            }
            other => panic!("b {b}, {told:?}, {sitting:?}, {choices:?}: {other:?}"),
        }
    }
    let named: Vec<usize> = settlement.named().map(|named| named.worker).collect();
    assert!(named.iter().all(|&worker| worker < told.len()), "an honest worker is named");
    (of, settlement.helpers(), named.len())
}

#[test]
fn every_shape_of_a_dispute_is_paid_by_whom_it_names() {
    let (mut games, mut worst) = (0, 0);
    for b in 1..=5 {
        for liars in 1..=b {
            for told in stories(liars) {
                for seats in 0..1_u32 << liars {
                    let sitting: Vec<bool> = (0..liars).map(|liar| seats >> liar & 1 == 1).collect();
                    let mut choices: Vec<usize> = Vec::new();
                    loop {
                        let (of, helpers, named) = play(b, &told, &sitting, &choices);
                        games += 1;
                        let what = format!("b {b}, {told:?}, {sitting:?}, {choices:?}");
                        assert!(helpers <= named && named <= b, "{what}: {helpers} helpers, {named} named");
                        worst = worst.max(helpers);
                        // The last choice that can be another one is; what came after it is forgotten.
                        choices.resize(of.len(), 0);
                        while let Some(&last) = choices.last()
                            && last + 1 >= of[choices.len() - 1]
                        {
                            choices.pop();
                        }
                        match choices.last_mut() {
                            Some(last) => *last += 1,
                            None => break,
                        }
                    }
                }
            }
        }
    }
    assert!(games > 5_000, "{games}");
    assert_eq!(worst, 5, "five liars, one after the other");
}
