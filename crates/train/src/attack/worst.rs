//! The Byzantine set that hurts a matrix most.

use rand_chacha::rand_core::Rng as _;

use crate::random::{Purpose, stream};
use ecode_core::{AllocationMatrix, Message, TieRule, honest_vote, majority};

/// Random messages on which sets are compared.
const MESSAGES: usize = 2048;

/// A set of b units whose lies overturn as many of some random messages as greedy choice and exchanges find; among equals
/// the one that leaves the smallest leads. Worker j belongs to unit `units[j]`: itself, or its failure domain.
pub(super) fn worst(g: &AllocationMatrix, ties: TieRule, units: &[usize], b: usize) -> Vec<usize> {
    let k = g.k();
    let n = units.iter().max().map_or(0, |most| most + 1);
    let mut random = stream(0, Purpose::WorstSet, 0, 0);
    // Each worker's part in the correct answer's lead on a message: +1 right, 0 silent, −1 wrong. A liar moves the lead by what it
    // gave plus one, a unit by what its workers do.
    let parts: Vec<(Vec<i32>, i32)> = (0..MESSAGES)
        .map(|_| {
            let message = Message::from_indices(k, (0..k).filter(|_| random.next_u64() >> 63 == 1));
            let correct = majority(&message);
            let vote =
                |j| honest_vote(g, ties, j, &message).map_or(0, |bit| if bit == correct { 1 } else { -1 });
            let mut parts = vec![0; n];
            let mut lead = -i32::from(correct);
            for (j, &unit) in units.iter().enumerate() {
                let part = vote(j);
                lead += part;
                parts[unit] += part + 1;
            }
            (parts, lead)
        })
        .collect();
    // The smooth count of overturned messages: a lead below zero is one, and near zero nearly one.
    let cost = |leads: &[i32], worker: usize, sign: i32| -> f64 {
        let of = |(place, lead): (usize, &i32)| {
            let lead = f64::from(lead - sign * parts[place].0[worker]);
            if lead < 0.0 { 1.0 } else { 0.5 * (-lead / 2.0).exp() / MESSAGES as f64 }
        };
        leads.iter().enumerate().map(of).sum()
    };
    let shift = |leads: &mut [i32], worker: usize, sign: i32| {
        for (lead, (parts, _)) in leads.iter_mut().zip(&parts) {
            *lead -= sign * parts[worker];
        }
    };
    let mut leads: Vec<i32> = parts.iter().map(|(_, lead)| *lead).collect();
    let mut chosen: Vec<usize> = Vec::new();
    let best_of = |leads: &[i32], chosen: &[usize]| {
        let free = (0..n).filter(|j| !chosen.contains(j)).map(|j| (j, cost(leads, j, 1)));
        free.fold(None, |best: Option<(usize, f64)>, next| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        })
    };
    while chosen.len() < b
        && let Some((worker, _)) = best_of(&leads, &chosen)
    {
        shift(&mut leads, worker, 1);
        chosen.push(worker);
    }
    // Exchanges of one for one while they help, each worker in turn.
    for place in 0..chosen.len() {
        let out = chosen[place];
        let before = cost(&leads, out, 0);
        shift(&mut leads, out, -1);
        let others: Vec<usize> = chosen.iter().copied().filter(|&j| j != out).collect();
        let (back, gain) = best_of(&leads, &others).unwrap_or((out, before));
        let back = if gain > before { back } else { out };
        shift(&mut leads, back, 1);
        chosen[place] = back;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::super::ByzantineSet;
    use super::*;
    use ecode_core::Workers;
    use ecode_design::construct::algorithm1;

    /// How many of all messages b liars overturn, by trying them all.
    fn overturned(g: &AllocationMatrix, liars: &Workers) -> usize {
        let ties = TieRule::Abstain;
        (0..1_u32 << g.k())
            .filter(|bits| {
                let message = Message::from_indices(g.k(), (0..g.k()).filter(|i| bits >> i & 1 == 1));
                let correct = majority(&message);
                let send =
                    |j| if liars.contains(j) { Some(!correct) } else { honest_vote(g, ties, j, &message) };
                ecode_core::decode(&(0..g.n()).map(send).collect::<Vec<_>>()) != correct
            })
            .count()
    }

    /// Against all sets of four of nine, on Algorithm 1's code for two.
    #[test]
    fn the_worst_set_hurts_about_as_much_as_any() -> Result<(), ecode_design::construct::ConstructError> {
        let g = algorithm1(9, 2)?;
        let sets = itertools::Itertools::combinations(0..9, 4);
        let most = sets.map(|set| overturned(&g, &Workers::from_indices(9, set))).max();
        let found = overturned(&g, &ByzantineSet::Worst.choose(&g, TieRule::Abstain, 4, 0, 0));
        let first = overturned(&g, &ByzantineSet::First.choose(&g, TieRule::Abstain, 4, 0, 0));
        assert!(Some(found) <= most && 20 * found >= 19 * most.unwrap_or(0), "{found} of {most:?}");
        assert!(found > 2 * first, "{found} against {first} of the first four");
        Ok(())
    }
}
