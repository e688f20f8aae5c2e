//! Bounds on a side's loss that cost next to nothing, and often are the answer.
//!
//! # How
//! - No choice turns more than every voter that can be turned.
//! - A voter that is turned sees at least `needed` chosen partitions. All voters together see no more than
//!   the `weight` partitions that lie in the most rows give: these sights are a budget, and the voters with
//!   the most units for the fewest sights are paid first.
//!
//! Where a message that was met loses as much, it is the worst.

use super::reduce::Side;

/// A loss that no choice of the side exceeds.
pub(super) fn most_loss(side: &Side) -> usize {
    let mut holding = vec![0_usize; side.classes.len()];
    for voter in &side.voters {
        holding.iter_mut().zip(&voter.holds).for_each(|(holding, &holds)| *holding += usize::from(holds));
    }
    let alike = |(&holding, class): (&usize, &Vec<usize>)| std::iter::repeat_n(holding, class.len());
    let mut holders: Vec<usize> = holding.iter().zip(&side.classes).flat_map(alike).collect();
    holders.sort_unstable_by(|a, b| b.cmp(a));
    let mut sights: usize = holders.iter().take(side.weight).sum();
    let mut voters: Vec<(usize, usize)> =
        side.voters.iter().map(|voter| (voter.needed, voter.units)).collect();
    // The most units a sight first: a/b < c/d where a·d < c·b.
    voters.sort_unstable_by(|(needed, units), (other, more)| (more * needed).cmp(&(units * other)));
    let mut loss = side.constant;
    for (needed, units) in voters {
        if needed > sights {
            // A part of this voter, rounded down.
            return loss + units * sights / needed;
        }
        sights -= needed;
        loss += units;
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reduce::sides;
    use crate::{Control, Engine as _, Exhaustive, Goal};
    use ecode_core::{AllocationMatrix, TieRule};
    use ecode_design::construct::{Bernoulli, bernoulli, full, repetition};

    #[test]
    fn no_message_loses_more_than_the_bound() {
        let mut met = 0;
        for draw in 0..60 {
            let p = [0.1, 0.3, 0.6, 0.9][draw as usize % 4];
            let (n, k) = (7 + draw as usize % 6, 6 + draw as usize % 7);
            let how = Bernoulli { n, k, p, seed: 5, draw, redraw_empty: false, odd_rows: false };
            let Ok(g) = bernoulli(how) else { panic!("sizes are valid") };
            for ties in TieRule::ALL {
                let floor = sides(&g, ties).iter().map(|side| side.margin(most_loss(side))).min();
                let exact = Exhaustive.examine(&g, ties, Goal::Radius, &Control::default()).floor;
                assert!(floor <= exact, "{g:?} {ties}");
                met += usize::from(floor == exact);
            }
        }
        assert!(met > 60, "a bound that is never met is of no use: {met}");
    }

    #[test]
    fn the_bound_is_the_answer_where_every_row_is_full_or_every_worker_can_be_turned() {
        let bound = |g: &AllocationMatrix| most_loss(&sides(g, TieRule::Zero)[0]);
        assert_eq!(full(9, 9).map(|g| bound(&g)).ok(), Some(0));
        // Groups of three: 4 of 9 partitions turn two groups, six workers.
        assert_eq!(repetition(9, 3).map(|g| bound(&g)).ok(), Some(12));
    }
}
