//! Promise: the random numbers are those of docs/randomness.md, whose test vectors anyone can compute.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::{TieRule, Workers};
use ecode::construct::uncoded;
use ecode::train::{ByzantineSet, Purpose, stream};
use rand_chacha::rand_core::Rng as _;

const PURPOSES: [Purpose; 4] = [Purpose::Order, Purpose::Attack, Purpose::ByzantineSet, Purpose::Validation];

/// The numbers of a line before and behind its colon.
fn numbers(line: &str, radix: u32) -> (Vec<u64>, Vec<u64>) {
    let (name, values) = line.split_once(": ").unwrap();
    let read =
        |text: &str, radix| text.split(' ').map(|one| u64::from_str_radix(one, radix).unwrap()).collect();
    (read(name.split_once(' ').unwrap().1, 10), read(values, radix))
}

fn vectors(kind: &str) -> Vec<String> {
    let text = std::fs::read_to_string("docs/randomness.md").unwrap();
    let lines: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with(kind) && line.contains(": "))
        .map(str::to_owned)
        .collect();
    assert!(lines.len() >= 3, "{kind}: {lines:?}");
    lines
}

fn purpose(number: u64) -> Purpose {
    PURPOSES.into_iter().find(|purpose| *purpose as u64 == number).unwrap()
}

#[test]
fn streams_are_those_of_the_page() {
    for line in vectors("stream ") {
        let (name, expected) = numbers(&line, 16);
        let mut random = stream(name[0], purpose(name[1]), name[2], name[3] as usize);
        let drawn: Vec<u64> = expected.iter().map(|_| random.next_u64()).collect();
        assert_eq!(drawn, expected, "{line}");
    }
}

/// The order of the page, drawn here by its rule; and the liars, which the program draws by it.
#[test]
fn permutations_are_those_of_the_page() {
    for line in vectors("permutation ") {
        let (name, expected) = numbers(&line, 10);
        let mut random = stream(name[0], purpose(name[1]), 0, 0);
        let mut order: Vec<u64> = (0..name[2]).collect();
        for place in (1..order.len()).rev() {
            let below = u128::from(random.next_u64()) * (place as u128 + 1) >> 64;
            order.swap(place, below as usize);
        }
        assert_eq!(order, expected, "{line}");
        if purpose(name[1]) == Purpose::ByzantineSet {
            let n = order.len();
            let g = uncoded(n).unwrap();
            for b in 0..=n {
                let liars = ByzantineSet::Random.choose(&g, TieRule::Abstain, b, name[0], 0);
                assert_eq!(liars, Workers::from_indices(n, order[..b].iter().map(|&j| j as usize)));
            }
        }
    }
}
