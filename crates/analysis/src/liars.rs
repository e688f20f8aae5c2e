//! What b liars can do to the votes of honest workers, for every b at once.
//!
//! # Notation
//! Of n honest votes R are for the answer that is asked about, S are silent, the others are against it. The
//! server decodes another answer when 2R + S < n + [the answer is 1] after the lies. The *lead* is
//! 2R + S − n − [the answer is 1]; a liar who takes a right vote lowers it by 2, one who takes a silent
//! vote by 1, one who takes a wrong vote by nothing. The answer is lost when the lead falls below 0.

use super::numbers::LnFactorials;

/// How the votes of n honest workers fall for one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Tally {
    /// Votes for the answer.
    pub(super) right: usize,
    /// Workers that send nothing.
    pub(super) silent: usize,
    /// The answer that is asked about.
    pub(super) answer: bool,
}

impl Tally {
    fn lead(self, n: usize) -> i64 {
        2 * self.right as i64 + self.silent as i64 - n as i64 - i64::from(self.answer)
    }

    /// The smallest number of liars, chosen after the message, that prevents the answer.
    pub(super) fn enough(self, n: usize) -> usize {
        (self.lead(n).div_euclid(2) + 1).max(0) as usize
    }

    /// For b = 0, …, n: the fraction of the sets of b workers that prevent the answer.
    ///
    /// The set grows one worker at a time, uniformly among those outside. The fraction grows by the
    /// probability that the next worker is the one who brings the lead below 0; these are sums of positive
    /// terms, so nothing cancels.
    pub(super) fn sets_that_prevent(self, n: usize, ln: &LnFactorials) -> Vec<f64> {
        let lead = self.lead(n);
        let Ok(lead) = usize::try_from(lead) else { return vec![1.0; n + 1] };
        let (right, silent) = (self.right, self.silent);
        let wrong = n - right - silent;
        let mut fractions = Vec::with_capacity(n + 1);
        let mut sum = 0.0_f64;
        for b in 0..=n {
            fractions.push(sum.min(1.0));
            if b == n {
                break;
            }
            let all = ln.choose(n, b);
            // x right and y silent workers lie, and take 2x + y of the lead: all of it, or all but 1.
            for y in (0..=silent.min(b)).filter(|&y| y <= lead) {
                let x = (lead - y) / 2;
                if x > right || x + y > b || b - x - y > wrong {
                    continue;
                }
                let sets = ln.choose(right, x) + ln.choose(silent, y) + ln.choose(wrong, b - x - y);
                let next = right - x + if (lead - y) % 2 == 0 { silent - y } else { 0 };
                sum += (sets - all).exp() * next as f64 / (n - b) as f64;
            }
        }
        fractions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against every set of workers, one by one.
    #[test]
    fn fractions_count_sets() {
        let n = 9;
        let ln = LnFactorials::up_to(n);
        for right in 0..=n {
            for silent in 0..=n - right {
                for answer in [false, true] {
                    let tally = Tally { right, silent, answer };
                    let mut counts = vec![(0_u32, 0_u32); n + 1];
                    for set in 0_u32..1 << n {
                        let x = i64::from((set & ((1 << right) - 1)).count_ones());
                        let y = i64::from((set >> right & ((1 << silent) - 1)).count_ones());
                        let of_size = &mut counts[set.count_ones() as usize];
                        of_size.0 += u32::from(tally.lead(n) - 2 * x - y < 0);
                        of_size.1 += 1;
                    }
                    for (b, fraction) in tally.sets_that_prevent(n, &ln).into_iter().enumerate() {
                        let expected = f64::from(counts[b].0) / f64::from(counts[b].1);
                        assert!((fraction - expected).abs() < 1e-12, "{tally:?} b = {b}: {fraction}");
                        assert_eq!(counts[b].0 > 0, b >= tally.enough(n), "{tally:?} b = {b}");
                    }
                }
            }
        }
    }
}
