//! Promise: how many failure domains a message survives, and which partitions liars overturn, are what trying everything says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_core::{
    AllocationMatrix, Domains, Message, Outcome, TieRule, Workers, decode, honest_vote, majority, overturned,
};

/// Whether the message is decoded right whatever these liars send.
fn survives(g: &AllocationMatrix, ties: TieRule, message: &Message, liars: &[usize]) -> bool {
    let words = if ties == TieRule::Abstain { 3_usize } else { 2 };
    (0..words.pow(liars.len() as u32)).all(|choice| {
        let word = |place: usize| [Some(false), Some(true), None][choice / words.pow(place as u32) % words];
        let sent: Vec<Option<bool>> = (0..g.n())
            .map(|j| match liars.iter().position(|&liar| liar == j) {
                Some(place) => word(place),
                None => honest_vote(g, ties, j, message),
            })
            .collect();
        decode(&sent) == majority(message)
    })
}

/// The most domains that a message survives, whichever they are; −1 where it is decoded wrong with none.
fn margin(g: &AllocationMatrix, ties: TieRule, message: &Message, domains: &[usize]) -> i64 {
    let count = domains.iter().max().unwrap() + 1;
    let survived = |b: u32| {
        (0..1_u32 << count).filter(|set| set.count_ones() == b).all(|set| {
            let liars: Vec<usize> = (0..g.n()).filter(|&j| set >> domains[j] & 1 == 1).collect();
            survives(g, ties, message, &liars)
        })
    };
    (0..=count as u32).take_while(|&b| survived(b)).count() as i64 - 1
}

#[test]
fn a_message_survives_as_many_domains_as_trying_them_says() {
    let names = ["a", "b", "c", "d"];
    for shape in [&[0, 0, 1][..], &[0, 1, 1], &[0, 1, 2], &[0, 1, 0, 2], &[0, 1, 1, 1]] {
        let (n, k) = (shape.len(), 2);
        let domains = Domains::of_workers(&shape.iter().map(|&at| names[at]).collect::<Vec<_>>()).unwrap();
        assert_eq!(domains.of(), shape);
        for entries in 0..1_u32 << (n * k) {
            let g = AllocationMatrix::from_fn(n, k, |j, i| entries >> (j * k + i) & 1 == 1).unwrap();
            for ties in TieRule::ALL {
                for bits in 0..1_u32 << k {
                    let message = Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1));
                    let outcome = Outcome::of(&g, ties, &message);
                    let expected = margin(&g, ties, &message, shape);
                    let found = domains.margin(&outcome);
                    assert_eq!(found, expected, "{g:?} {ties} {message} {shape:?}");
                    let most = domains.len();
                    let attack = domains.attack(&g, ties, &outcome, most);
                    assert_eq!(attack.is_some(), expected < most as i64);
                    if let Some(attack) = attack {
                        let fewest = usize::try_from(expected + 1).unwrap();
                        assert!(attack.replays(&g, ties, &domains, fewest));
                        assert!(fewest == 0 || !attack.replays(&g, ties, &domains, fewest - 1));
                        assert!(domains.attack(&g, ties, &outcome, fewest).is_some());
                    }
                }
            }
        }
    }
}

#[test]
fn the_largest_domains_are_told_in_words() {
    let domains = Domains::of_workers(&["a", "b", "b", "b", "c", "c"]).unwrap();
    assert_eq!((domains.largest(1), domains.largest(2), domains.largest(9)), (3, 5, 6));
    assert_eq!(domains.names_by_worker(), ["a", "b", "b", "b", "c", "c"]);
    assert_eq!(domains.largest_in_words(1), "the largest domain has 3");
    assert_eq!(domains.largest_in_words(2), "the 2 largest domains have 5");
}

/// A partition is overturned where no more of its copies that are there are honest than lie.
#[test]
fn overturned_partitions_are_counted_by_their_copies() {
    for entries in 0..1_u32 << 6 {
        let g = AllocationMatrix::from_fn(3, 2, |j, i| entries >> (j * 2 + i) & 1 == 1).unwrap();
        for roles in 0..27_usize {
            let role = |j: usize| roles / 3_usize.pow(j as u32) % 3;
            let of = |what: usize| Workers::from_indices(3, (0..3).filter(|&j| role(j) == what));
            let found = overturned(&g, &of(1), &of(2));
            for i in 0..2 {
                let copies = |what: usize| (0..3).filter(|&j| g.holds(j, i) && role(j) == what).count();
                assert_eq!(found.contains(i), copies(1) >= copies(0), "{g:?} {roles} {i}");
            }
        }
    }
}
