//! How many liars a matrix detects where holders compare what they computed, and how the next one escapes.
//!
//! # What is promised
//! A matrix detects b liars, whatever they send, exactly where every partition has b + 1 holders: then a value with b + 1
//! equal answers has an honest one among them, and anything else is seen. With one holder fewer the two [`Worlds`] look
//! the same to a server that computes nothing. Where workers stand in failure domains, liars are counted by their domains, and
//! the holders must stand in b + 1 of them.
//!
//! # References
//! docs/theory/reactive.md, Theorems 18 and 22; docs/theory/domains.md, Theorem 45.

use ecode_core::{AllocationMatrix, DomainSet, Domains, Message, Workers, majority};

/// What a matrix detects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// The most liars that are detected, whatever they send; none where a partition has no holder. Domains, where these are
    /// counted.
    pub radius: Option<usize>,
    /// The most liars that are corrected in one round, where each holder sends a share and the digests. Domains, where these
    /// are counted.
    pub one_round: Option<usize>,
    /// A partition on which the fewest liars can lie unseen.
    pub weakest: usize,
    /// Its holders.
    pub holders: Workers,
    /// The fewest liars that can lie unseen on it.
    pub unseen: Workers,
    /// The domains in which they stand, where domains are counted.
    pub domains: Option<DomainSet>,
    /// How many answers of a partition may be missing.
    pub spare: usize,
}

/// Two runs of a step that look the same to the server and have different answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worlds {
    /// In the first nobody lies; the bits of the partitions.
    pub honest: Message,
    /// In the second the liars answer for the weakest partition as in the first.
    pub lied: Message,
    /// Who lies in the second.
    pub liars: Workers,
    /// The majority in the first.
    pub answer_honest: bool,
    /// The majority in the second.
    pub answer_lied: bool,
}

impl Detection {
    /// What a matrix detects with so many answers missing.
    #[must_use]
    pub fn of(g: &AllocationMatrix, spare: usize) -> Self {
        let loads = g.partition_loads();
        let (weakest, least) =
            loads.iter().copied().enumerate().min_by_key(|&(_, load)| load).unwrap_or_default();
        let radius = least.checked_sub(1 + spare);
        let holders = Workers::from_indices(g.n(), (0..g.n()).filter(|&j| g.holds(j, weakest)));
        // The answers of `spare` holders may be missing; all others lie.
        let unseen = holders.indices().take(holders.count().saturating_sub(spare));
        let unseen = Workers::from_indices(g.n(), unseen);
        let one_round = radius.map(|radius| radius / 2);
        Self { radius, one_round, weakest, holders, unseen, domains: None, spare }
    }

    /// The same where liars are counted by their domains.
    ///
    /// # Panics
    /// When the domains are of other workers.
    #[must_use]
    pub fn in_domains(g: &AllocationMatrix, spare: usize, domains: &Domains) -> Self {
        assert_eq!(domains.n(), g.n(), "domains of the matrix's workers");
        let escape = |i: usize| {
            let mut held = vec![0; domains.len()];
            (0..g.n()).filter(|&j| g.holds(j, i)).for_each(|j| held[domains.of()[j]] += 1);
            let mut left = held.iter().sum::<usize>().saturating_sub(spare);
            let mut order: Vec<usize> = (0..domains.len()).collect();
            order.sort_by_key(|&domain| (std::cmp::Reverse(held[domain]), domain));
            // Those with the most holders, until no more answers are left than may be missing.
            let enough = |&domain: &usize| {
                let lying = left > 0;
                left = left.saturating_sub(held[domain]);
                lying
            };
            DomainSet::from_indices(domains.len(), order.into_iter().take_while(enough))
        };
        let all = (0..g.k()).map(|i| (i, escape(i)));
        let least = all.min_by_key(|(_, lying)| lying.count());
        let (weakest, lying) = least.unwrap_or_else(|| (0, DomainSet::empty(domains.len())));
        let holders = Workers::from_indices(g.n(), (0..g.n()).filter(|&j| g.holds(j, weakest)));
        let unseen = holders.indices().filter(|&j| lying.contains(domains.of()[j]));
        let unseen = Workers::from_indices(g.n(), unseen);
        let radius = lying.count().checked_sub(1);
        let one_round = radius.map(|radius| radius / 2);
        Self { radius, one_round, weakest, holders, unseen, domains: Some(lying), spare }
    }

    /// Two worlds that b liars make look the same; none where b are detected.
    ///
    /// The bits of the other partitions balance, so that the weakest one decides.
    #[must_use]
    pub fn worlds(&self, k: usize, b: usize) -> Option<Worlds> {
        if self.radius.is_some_and(|radius| b <= radius) {
            return None;
        }
        let ones = (0..k).filter(|&i| i != self.weakest).take(k / 2);
        let ones: Vec<usize> = ones.collect();
        let honest = Message::from_indices(k, ones.iter().copied());
        let lied = Message::from_indices(k, ones.iter().copied().chain([self.weakest]));
        let liars = self.unseen.clone();
        let (answer_honest, answer_lied) = (majority(&honest), majority(&lied));
        Some(Worlds { honest, lied, liars, answer_honest, answer_lied })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random_matrices() -> impl Iterator<Item = AllocationMatrix> {
        let mut state = 9_u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        (0..300).filter_map(move |_| {
            let (n, k) = (1 + (next() % 7) as usize, 1 + (next() % 8) as usize);
            let entries: Vec<bool> = (0..n * k).map(|_| next() % 3 > 0).collect();
            AllocationMatrix::from_fn(n, k, |j, i| entries[j * k + i]).ok()
        })
    }

    /// What the server receives in a world: for each worker and partition that it holds, the bit that it answers.
    fn view(
        g: &AllocationMatrix,
        message: &Message,
        liars: &Workers,
        claimed: &Message,
    ) -> Vec<Option<bool>> {
        let answer = |j: usize, i: usize| {
            g.holds(j, i).then(|| if liars.contains(j) { claimed.contains(i) } else { message.contains(i) })
        };
        (0..g.n()).flat_map(|j| (0..g.k()).map(move |i| answer(j, i)).collect::<Vec<_>>()).collect()
    }

    /// Compared with the definition: some b domains hold all holders of a partition but those whose answers are missing.
    #[test]
    fn domains_are_counted_by_the_definition_and_their_worlds_look_the_same() {
        for (case, g) in random_matrices().enumerate() {
            let names: Vec<String> =
                (0..g.n()).map(|j| (j * (case + 1) % (1 + case % 4)).to_string()).collect();
            let domains = Domains::of_workers(&names).unwrap_or_else(|error| panic!("{error}"));
            for spare in 0..2 {
                let hidden = |lying: usize| {
                    (0..g.k()).any(|i| {
                        let honest =
                            (0..g.n()).filter(|&j| g.holds(j, i) && lying >> domains.of()[j] & 1 == 0);
                        honest.count() <= spare
                    })
                };
                let sets = (0..1_usize << domains.len()).filter(|&lying| hidden(lying));
                let fewest = sets.map(|lying| lying.count_ones() as usize).min();
                let detection = Detection::in_domains(&g, spare, &domains);
                assert_eq!(detection.radius, fewest.and_then(|fewest| fewest.checked_sub(1)), "{g:?}");
                let b = detection.radius.map_or(0, |radius| radius + 1);
                let Some(worlds) = detection.worlds(g.k(), b) else { panic!("no worlds for b = {b}") };
                assert!(domains.touched(&worlds.liars).count() <= b);
                let nobody = Workers::empty(g.n());
                let first = view(&g, &worlds.honest, &nobody, &worlds.honest);
                let second = view(&g, &worlds.lied, &worlds.liars, &worlds.honest);
                assert!((0..first.len()).filter(|&place| first[place] != second[place]).count() <= spare);
                if spare == 0 && domains.len() == g.n() {
                    assert_eq!(detection.radius, Detection::of(&g, 0).radius);
                }
            }
        }
    }

    /// The two worlds are built and replayed: the same answers reach the server, and the majorities differ. Only honest
    /// holders of the weakest partition, at most `spare`, could tell, and their answers are missing.
    #[test]
    fn beyond_the_radius_two_worlds_look_the_same() {
        for g in random_matrices() {
            for spare in 0..2 {
                let detection = Detection::of(&g, spare);
                let least = g.partition_loads().into_iter().min().unwrap_or(0);
                assert_eq!(detection.radius, least.checked_sub(1 + spare));
                if let Some(radius) = detection.radius {
                    assert_eq!(detection.worlds(g.k(), radius), None);
                    assert_eq!(detection.one_round, Some(radius / 2));
                }
                let b = detection.radius.map_or(0, |radius| radius + 1);
                let Some(worlds) = detection.worlds(g.k(), b) else { panic!("no worlds for b = {b}") };
                assert!(worlds.liars.count() <= b);
                assert_ne!(worlds.answer_honest, worlds.answer_lied, "k = {}", g.k());
                let nobody = Workers::from_indices(g.n(), []);
                let first = view(&g, &worlds.honest, &nobody, &worlds.honest);
                let second = view(&g, &worlds.lied, &worlds.liars, &worlds.honest);
                let differ: Vec<usize> =
                    (0..first.len()).filter(|&place| first[place] != second[place]).collect();
                assert!(differ.len() <= spare);
                assert!(differ.iter().all(|place| place % g.k() == detection.weakest));
            }
        }
    }
}
