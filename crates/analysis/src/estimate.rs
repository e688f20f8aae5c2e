//! A probability, or an estimate of one with its interval.

/// A probability, or an estimate of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Estimate {
    /// Exact but for rounding.
    Exact(f64),
    /// From a sample: the value frequency, and an interval that holds the true one with the sample's confidence.
    Sampled {
        /// The value in the sample.
        frequency: f64,
        /// The interval's lower end.
        low: f64,
        /// The interval's upper end.
        high: f64,
    },
}

impl Estimate {
    /// The exact value or the one frequency.
    #[must_use]
    pub fn value(self) -> f64 {
        match self {
            Self::Exact(value) => value,
            Self::Sampled { frequency, .. } => frequency,
        }
    }

    /// The least and the most that it can be.
    #[must_use]
    pub fn ends(self) -> (f64, f64) {
        match self {
            Self::Exact(value) => (value, value),
            Self::Sampled { low, high, .. } => (low, high),
        }
    }

    /// Whether it is exact.
    #[must_use]
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Exact(_))
    }

    /// The larger of two; exact where both are.
    #[must_use]
    pub fn or_larger(self, other: Self) -> Self {
        if let (Self::Exact(a), Self::Exact(b)) = (self, other) {
            return Self::Exact(a.max(b));
        }
        let ((a, b), (c, d)) = (self.ends(), other.ends());
        Self::Sampled { frequency: self.value().max(other.value()), low: a.max(c), high: b.max(d) }
    }
}

/// An interval that holds the mean of a quantity in [0, 1] with probability at least 1 − δ, from the mean
/// `frequency` of `drawn` independent draws: all p with drawn·KL(frequency, p) ≤ ln(2/δ), where
/// KL(a, p) = a·ln(a/p) + (1 − a)·ln((1 − a)/(1 − p)).
///
/// # References
/// W. Hoeffding, "Probability inequalities for sums of bounded random variables", Journal of the American
/// Statistical Association 58 (1963), inequality (2.1): each side misses with probability at most δ/2.
pub(super) fn interval(frequency: f64, drawn: u64, delta: f64) -> (f64, f64) {
    let frequency = frequency.clamp(0.0, 1.0);
    let most = (2.0 / delta).ln() / drawn.max(1) as f64;
    // Where all draws agree the condition reads −ln(1 − p) ≤ most, or −ln(p) ≤ most.
    if frequency <= 0.0 {
        return (0.0, -(-most).exp_m1());
    }
    if frequency >= 1.0 {
        return ((-most).exp(), 1.0);
    }
    let other = 1.0 - frequency;
    let entropy = -(frequency * frequency.ln() + other * other.ln());
    let near = (most / 2.0).sqrt();
    // Both start outside: KL ≥ 2(p − frequency)² (Pinsker), and KL ≥ −H(frequency) − frequency·ln p, where H is the entropy.
    let low = (frequency - near).max((-(most + entropy) / frequency).exp());
    let high = (frequency + near).min(-(-(most + entropy) / other).exp_m1());
    (newton(frequency, low, most), newton(frequency, high, most))
}

/// The p on the side of `outside` with KL(frequency, p) = most. KL is convex in p, so that Newton's method from
/// outside stays outside.
fn newton(frequency: f64, outside: f64, most: f64) -> f64 {
    let other = 1.0 - frequency;
    let mut p = outside;
    for _ in 0..32 {
        let beyond = frequency * (frequency / p).ln() + other * (other / (1.0 - p)).ln() - most;
        let step = beyond * p * (1.0 - p) / (p - frequency);
        // Not a number where p has become frequency: then it is as near as doubles can tell.
        // Also where it is not a number.
        let goes_on = step.abs() > 1e-10 * p.min(1.0 - p);
        if !goes_on {
            break;
        }
        p -= step;
    }
    p.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends satisfy their equation, the closed forms too.
    #[test]
    fn an_interval_ends_where_the_bound_is_met() {
        let kl = |a: f64, p: f64| {
            let part = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a * (a / b).ln() };
            part(a, p) + part(1.0 - a, 1.0 - p)
        };
        for (frequency, drawn) in [(0.0, 10), (0.3, 10), (0.5, 1000), (1e-3, 100_000), (1.0, 10)] {
            let (low, high) = interval(frequency, drawn, 0.05);
            let most = 40_f64.ln() / drawn as f64;
            assert!(low <= frequency && frequency <= high);
            for end in [low, high] {
                let inside = end == 0.0 || end == 1.0;
                assert!(
                    inside || (kl(frequency, end) - most).abs() < 1e-6 * most,
                    "{frequency} {drawn}: {end}"
                );
            }
        }
        assert_eq!(interval(0.0, 10, 0.05).0, 0.0);
    }
}
