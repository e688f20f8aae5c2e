//! Sets of liars that an assignment is tried against: all of them, or those that have shown to matter.

use rand_chacha::ChaCha8Rng;

use super::rotation::Rotation;
use crate::search::anneal::below;

/// Above this many sets only a part is kept: those that were met as worst ones, and some that are drawn.
pub(super) const MOST_SETS: usize = 1 << 18;
/// More are never listed.
const MOST_LISTED: usize = 1 << 22;
/// So many are drawn at first, where not all are kept.
const DRAWN: usize = 1 << 12;

/// Sets of q workers, bit j for worker j.
pub(super) struct Pool {
    pub(super) sets: Vec<u64>,
    /// Whether they are all.
    pub(super) complete: bool,
}

impl Pool {
    /// The sets against which assignments are tried that the rotation leaves as they are: of those that it moves into each
    /// other one is enough. `met` are some that have to be among them.
    pub(super) fn new(
        (workers, liars): (usize, usize),
        rotation: Rotation,
        met: &[u64],
        random: &mut ChaCha8Rng,
    ) -> Self {
        let count = (0..liars).try_fold(1_u128, |sets, i| {
            let sets = sets * (workers - i) as u128 / (i + 1) as u128;
            (sets <= 1 << 64).then_some(sets)
        });
        let most = (MOST_SETS * rotation.order()).min(MOST_LISTED) as u128;
        if count.is_some_and(|sets| sets <= most) {
            let mut sets = all(workers, liars);
            sets.retain(|&set| rotation.is_first(set));
            return Self { sets, complete: true };
        }
        let drawn = (0..DRAWN).map(|_| drawn(workers, liars, random));
        let mut sets: Vec<u64> = met.iter().copied().chain(drawn).collect();
        sets.sort_unstable();
        sets.dedup();
        Self { sets, complete: false }
    }

    /// Takes a set up; false where it is there.
    pub(super) fn add(&mut self, set: u64) -> bool {
        let new = !self.sets.contains(&set);
        if new {
            self.sets.push(set);
        }
        new
    }
}

/// Sets that overturn more files than is allowed, as exchanges of one liar for another meet them, from so many beginnings.
pub(super) fn climbed(
    files: &[u64],
    (workers, liars): (usize, usize),
    (half, most): (usize, usize),
    beginnings: usize,
    random: &mut ChaCha8Rng,
) -> Vec<u64> {
    let overturned =
        |set: u64| files.iter().filter(|&&file| (file & set).count_ones() as usize >= half).count();
    let mut met = Vec::new();
    for _ in 0..beginnings {
        let mut set = drawn(workers, liars, random);
        let mut reached = overturned(set);
        loop {
            let inside = (0..workers).filter(|j| set >> j & 1 == 1);
            let exchanges = inside.flat_map(|out| {
                let outside = (0..workers).filter(move |j| set >> j & 1 == 0);
                outside.map(move |into| set ^ (1 << out) ^ (1 << into))
            });
            let best = exchanges.map(|next| (overturned(next), next)).max().filter(|best| best.0 > reached);
            let Some((more, next)) = best else { break };
            (reached, set) = (more, next);
        }
        if reached > most {
            met.push(set);
        }
    }
    met.sort_unstable();
    met.dedup();
    met
}

/// All sets of so many, in increasing order of their words.
fn all(workers: usize, liars: usize) -> Vec<u64> {
    let mut sets = Vec::new();
    let mut set = if liars == 64 { u64::MAX } else { (1_u64 << liars) - 1 };
    loop {
        sets.push(set);
        // The next word with as many ones (Gosper).
        let low = set & set.wrapping_neg();
        let Some(ripple) = set.checked_add(low).filter(|_| low != 0) else { return sets };
        set = ripple | ((set ^ ripple) >> 2) >> low.trailing_zeros();
        if workers < 64 && set >> workers != 0 {
            return sets;
        }
    }
}

/// Any set of so many.
fn drawn(workers: usize, liars: usize, random: &mut ChaCha8Rng) -> u64 {
    let mut set = 0_u64;
    // Floyd: a uniform choice without a list.
    for last in workers - liars..workers {
        let one = 1 << below(random, last + 1);
        set |= if set & one == 0 { one } else { 1 << last };
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng as _;

    #[test]
    fn sets_have_the_size_and_are_all() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let still = |workers| Rotation::all(workers, 1)[0];
        for (workers, liars, sets) in
            [(5, 2, 10), (5, 5, 1), (6, 0, 1), (15, 7, 6435), (64, 1, 64), (64, 64, 1)]
        {
            let pool = Pool::new((workers, liars), still(workers), &[], &mut random);
            assert!(pool.complete && pool.sets.is_sorted_by(|a, b| a < b));
            assert!(pool.sets.iter().all(|set| set.count_ones() as usize == liars));
            assert_eq!(pool.sets.len(), sets);
        }
        // C(15, 6)/5: no set of six goes into itself where cycles have five.
        let fifth = Pool::new((15, 6), Rotation::all(15, 25)[0], &[], &mut random);
        assert_eq!((fifth.complete, fifth.sets.len()), (true, 1001));
        let pool = Pool::new((49, 12), still(49), &[0xfff], &mut random);
        assert!(!pool.complete && pool.sets.contains(&0xfff));
        assert!(pool.sets.iter().all(|set| set.count_ones() == 12 && set >> 49 == 0));
    }

    /// Three groups of two: two liars overturn a file where they are a group, and a climb gets there.
    #[test]
    fn climbs_meet_what_overturns_more() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let files = [0b11, 0b11, 0b11_00, 0b11_0000];
        assert_eq!(climbed(&files, (6, 2), (2, 1), 40, &mut random), [0b11]);
        assert_eq!(climbed(&files, (6, 2), (2, 2), 40, &mut random), [0_u64; 0]);
    }
}
