//! Which sets of b domains are looked at: those that no exchange of a domain for another makes worse.
//!
//! A domain D' *covers* D where D' has every row of D, as often or more often, and some row besides, or the same rows and a
//! lower number. Exchanging D for a D' that covers it never lowers what the lies of a set cost, on any message. So the sets
//! that hold with each domain all that cover it are enough (docs/theory/domains.md, Theorem 42).

use std::cmp::Ordering;
use std::ops::ControlFlow;

use ecode_core::{AllocationMatrix, DomainSet, Domains};

/// Which domain can be exchanged for which.
#[derive(Clone, Debug)]
pub struct Exchanges {
    domains: usize,
    /// All domains, each after those that cover it; the largest first.
    order: Vec<usize>,
    /// For each place in `order`, the places of the domains that cover the one there.
    covering: Vec<Vec<usize>>,
}

impl Exchanges {
    /// Compares the rows of the domains.
    ///
    /// # Panics
    /// When the domains are of other workers.
    #[must_use]
    pub fn of(g: &AllocationMatrix, domains: &Domains) -> Self {
        assert_eq!(domains.n(), g.n(), "domains of the matrix's workers");
        let mut rows: Vec<Vec<&[u64]>> = vec![Vec::new(); domains.len()];
        for (j, &domain) in domains.of().iter().enumerate() {
            rows[domain].push(g.row(j));
        }
        rows.iter_mut().for_each(|rows| rows.sort_unstable());
        let mut order: Vec<usize> = (0..domains.len()).collect();
        // A domain that covers another has more workers, or as many and a lower number.
        order.sort_by_key(|&domain| (std::cmp::Reverse(rows[domain].len()), domain));
        let covering = (0..order.len())
            .map(|place| {
                (0..place).filter(|&other| within(&rows[order[place]], &rows[order[other]])).collect()
            })
            .collect();
        Self { domains: domains.len(), order, covering }
    }

    /// Visits the sets of b domains that are enough, until the visitor breaks off.
    ///
    /// # Errors
    /// What the visitor broke off with.
    pub fn visit<Broken>(
        &self,
        b: usize,
        visitor: &mut dyn FnMut(&DomainSet) -> ControlFlow<Broken>,
    ) -> ControlFlow<Broken> {
        self.extend(&mut Vec::with_capacity(b), 0, b, visitor)
    }

    /// How many sets there are, no more than `most`.
    #[must_use]
    pub fn count(&self, b: usize, most: u64) -> u64 {
        let mut count = 0;
        let _ = self.visit(b, &mut |_| {
            count += 1;
            if count == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        count
    }

    /// Visits the sets that have these places and others from `next` on.
    fn extend<Broken>(
        &self,
        places: &mut Vec<usize>,
        next: usize,
        b: usize,
        visitor: &mut dyn FnMut(&DomainSet) -> ControlFlow<Broken>,
    ) -> ControlFlow<Broken> {
        if places.len() == b {
            let chosen = places.iter().map(|&place| self.order[place]);
            return visitor(&DomainSet::from_indices(self.domains, chosen));
        }
        for place in next..self.order.len() {
            if self.order.len() - place < b - places.len() {
                break;
            }
            // `places` increase, as those that cover do.
            if self.covering[place].iter().all(|cover| places.binary_search(cover).is_ok()) {
                places.push(place);
                self.extend(places, place + 1, b, visitor)?;
                places.pop();
            }
        }
        ControlFlow::Continue(())
    }
}

/// Whether a sorted list has every entry of another, as often or more often.
fn within<T: Ord>(small: &[T], large: &[T]) -> bool {
    let mut large = large.iter();
    small.iter().all(|wanted| {
        large.by_ref().find_map(|found| match found.cmp(wanted) {
            Ordering::Less => None,
            Ordering::Equal => Some(true),
            Ordering::Greater => Some(false),
        }) == Some(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use itertools::Itertools as _;

    fn sets(g: &AllocationMatrix, domains: &Domains, b: usize) -> Vec<Vec<usize>> {
        let mut met = Vec::new();
        let _ = Exchanges::of(g, domains).visit(b, &mut |set| {
            met.push(set.indices().collect());
            ControlFlow::<()>::Continue(())
        });
        met
    }

    #[test]
    fn lists_are_compared_with_their_repetitions() {
        assert!(within(&[1, 1, 3], &[0, 1, 1, 2, 3]));
        assert!(!within(&[1, 1], &[1, 2]));
        assert!(within::<u8>(&[], &[]) && !within(&[4], &[]));
    }

    #[test]
    fn of_domains_with_equal_rows_the_first_are_taken() {
        // Workers hold one partition each; hosts a, b and c hold {0, 1}, d holds {0}, e holds {2}.
        let held = [0, 1, 1, 0, 0, 1, 0, 2];
        let names = ["a", "a", "b", "b", "c", "c", "d", "e"];
        let g = AllocationMatrix::from_fn(8, 3, |j, i| held[j] == i).unwrap_or_else(|e| panic!("{e}"));
        let domains = Domains::of_workers(&names).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(sets(&g, &domains, 0), [[0_usize; 0]]);
        assert_eq!(sets(&g, &domains, 1), [[0], [4]]);
        assert_eq!(sets(&g, &domains, 2), [[0, 1], [0, 4]]);
        assert_eq!(sets(&g, &domains, 4), [[0, 1, 2, 3], [0, 1, 2, 4]]);
        assert_eq!(Exchanges::of(&g, &domains).count(2, 100), 2);
        assert_eq!(Exchanges::of(&g, &domains).count(2, 1), 1);
    }

    /// Where all rows differ, nothing is left out.
    #[test]
    fn domains_that_cannot_be_compared_are_all_taken() {
        let g = AllocationMatrix::from_fn(6, 6, |j, i| i == j).unwrap_or_else(|e| panic!("{e}"));
        let domains = Domains::of_workers(&["a", "a", "b", "b", "c", "d"]).unwrap_or_else(|e| panic!("{e}"));
        for b in 0..=4 {
            let mut met = sets(&g, &domains, b);
            met.sort_unstable();
            assert_eq!(met, (0..4).combinations(b).collect::<Vec<_>>());
        }
    }
}
