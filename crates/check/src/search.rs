//! Looks for a message that a count has overlooked. What it finds refutes the count; that it finds nothing proves nothing.

use super::budget::{Budget, Stopped};
use ecode_core::{AllocationMatrix, Formula, Message, Outcome, TieRule, deciding_sides};

/// So many votes are looked at, about a second.
const MOST_VOTES: usize = 1 << 28;

/// A message with a smaller margin, if walks downhill from some messages end at one. A walk exchanges a one and
/// a zero as long as that makes more workers wrong.
pub(crate) fn worse_message(
    g: &AllocationMatrix,
    ties: TieRule,
    margin: i64,
    budget: &Budget,
) -> Result<Option<Outcome>, Stopped> {
    let (n, k) = (g.n(), g.k());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 33) as usize * below) >> 31
    };
    let sides = deciding_sides(g, ties);
    let columns: Vec<Vec<usize>> = (0..k).map(|i| (0..n).filter(|&j| g.holds(j, i)).collect()).collect();
    let mut left = MOST_VOTES;
    loop {
        for &correct in &sides {
            let formula = Formula::below(g, ties, 0, correct);
            // Chosen partitions speak against the answer; a worker gains units where more of its row are chosen.
            let mut order: Vec<usize> = (0..k).collect();
            for i in (1..k).rev() {
                order.swap(i, random(i + 1));
            }
            let mut seen = vec![0_i64; n];
            for &i in &order[..formula.weight] {
                columns[i].iter().for_each(|&j| seen[j] += 1);
            }
            // A worker that is short of its threshold by few partitions counts a little.
            let worth = |seen: i64, needed: i64| {
                if seen >= needed { 1 << 20 } else { (1 << 10) >> (needed - seen).min(10) }
            };
            let value = |seen: &[i64]| -> i64 {
                let turned = formula.turned.iter();
                turned.map(|t| t.units as i64 * worth(seen[t.worker], t.needed as i64)).sum()
            };
            let mut best = value(&seen);
            let mut failed = 0;
            // As many exchanges in a row without gain as there are.
            while failed < formula.weight * (k - formula.weight) && formula.weight > 0 {
                let (a, b) = (random(formula.weight), formula.weight + random(k - formula.weight));
                columns[order[a]].iter().for_each(|&j| seen[j] -= 1);
                columns[order[b]].iter().for_each(|&j| seen[j] += 1);
                let now = value(&seen);
                if now >= best {
                    failed = if now > best { 0 } else { failed + 1 };
                    best = now;
                    order.swap(a, b);
                } else {
                    failed += 1;
                    columns[order[a]].iter().for_each(|&j| seen[j] += 1);
                    columns[order[b]].iter().for_each(|&j| seen[j] -= 1);
                }
                budget.spend(2 * n)?;
                left = left.saturating_sub(2 * n);
                if left == 0 {
                    break;
                }
            }
            let chosen = Message::from_indices(k, order[..formula.weight].iter().copied());
            let message = if correct { chosen.complement() } else { chosen };
            let outcome = Outcome::of(g, ties, &message);
            if outcome.margin < margin {
                return Ok(Some(outcome));
            }
            if left == 0 {
                return Ok(None);
            }
            left = left.saturating_sub(n * k);
        }
    }
}
