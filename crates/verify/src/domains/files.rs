//! The worst-case distortion where whole failure domains lie: the most files whose majority q domains overturn.
//!
//! # What is promised
//! The worst set of a [`DomainDistortion`] was counted again by [`overturned`], and every set of q domains that matters was
//! looked at where it is exact. Else `at_most` is what as many workers overturn at most, whoever they are.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::sets::Exchanges;
use crate::control::Control;
use crate::distortion::Assignment;
use ecode_core::{DomainSet, Domains, Workers, overturned};

/// How much q domains overturn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainDistortion {
    /// q.
    pub domains: usize,
    /// How many files the worst set overturns that was met.
    pub files: usize,
    /// Proved: no set of q domains overturns more.
    pub at_most: usize,
    /// The worst set of q domains that was met.
    pub worst: DomainSet,
    /// Sets that were looked at.
    pub sets: u64,
    /// Wall time.
    pub elapsed: Duration,
}

impl DomainDistortion {
    /// Whether no other set of domains overturns more.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.files == self.at_most
    }
}

impl Assignment<'_> {
    /// The most files that q domains overturn. Sets of which an exchange makes a worse one are left out (docs/theory/domains.md).
    ///
    /// ```
    /// use ecode_core::{AllocationMatrix, Domains};
    /// use ecode_verify::{Assignment, Control};
    /// // Six workers in two groups of three; each group shares one file. Two of a group stand in one rack.
    /// let g = AllocationMatrix::from_fn(6, 2, |j, i| j / 3 == i)?;
    /// let racks = Domains::of_workers(&["a", "a", "b", "b", "c", "c"])?;
    /// let worst = Assignment::new(&g)?.worst_of_domains(&racks, 1, &Control::default());
    /// assert_eq!((worst.files, worst.is_exact()), (1, true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// When the domains are of other workers, or fewer than q.
    #[must_use]
    pub fn worst_of_domains(&self, domains: &Domains, q: usize, control: &Control) -> DomainDistortion {
        let g = self.matrix();
        assert_eq!(domains.n(), g.n(), "domains of the matrix's workers");
        assert!(q <= domains.len(), "{q} of {} domains", domains.len());
        let start = Instant::now();
        // For each domain how many copies of each file it holds.
        let mut copies = vec![vec![0_usize; g.k()]; domains.len()];
        for (j, &domain) in domains.of().iter().enumerate() {
            g.support(j).for_each(|i| copies[domain][i] += 1);
        }
        let all = g.partition_loads();
        let (mut worst, mut files, mut sets) = (DomainSet::from_indices(domains.len(), 0..q), None, 0);
        let stopped = Exchanges::of(g, domains).visit(q, &mut |lying| {
            if control.stopped() {
                return ControlFlow::Break(());
            }
            let chosen: Vec<&Vec<usize>> = lying.indices().map(|domain| &copies[domain]).collect();
            let lies = |i: usize| chosen.iter().map(|copies| copies[i]).sum::<usize>();
            let won = (0..g.k()).filter(|&i| 2 * lies(i) >= all[i]).count();
            sets += 1;
            control.advance(1);
            if files.is_none_or(|files| won > files) {
                files = Some(won);
                worst = lying.clone();
            }
            if won == g.k() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let files = overturned(g, &domains.members_of(&worst), &Workers::empty(g.n())).count();
        let unseen = stopped.is_break() && files < g.k();
        let at_most = if unseen { self.bound(domains.largest(q)).max(files) } else { files };
        DomainDistortion { domains: q, files, at_most, worst, sets, elapsed: start.elapsed() }
    }
}
