//! The paper's bounds as functions, and beside each the exact quantity that it bounds.
//!
//! Numbers are those of the paper and its supplement. S is the signal-to-noise ratio |g|/σ of one
//! partition's gradient in one coordinate; a probability has no unit. Where an assumption is not met the
//! functions say so instead of giving a number; where a bound exceeds 1 it is given as it is, and says
//! nothing. Where a square or a product has no room in a double, the limit is given.
//!
//! # References
//! J. Sohn, D.-J. Han, B. Choi, J. Moon, "Election coding for distributed learning: protecting SignSGD against
//! Byzantine attacks", NeurIPS 2020: Lemma 1, Theorems 1 and 2, and the supplement's Lemmas C.4 and E.1 and
//! sections D and E.

use super::numbers::LnFactorials;

/// Lemma C.4: the most that P[sign of a stochastic gradient is wrong] can be for unimodal symmetric noise.
/// Domain: S ≥ 0.
///
/// ```
/// // Uniform noise attains it for S ≤ 2/√3.
/// assert!((ecode_analysis::theory::sign_error(1.0) - (0.5 - 1.0 / 12_f64.sqrt())).abs() < 1e-15);
/// ```
#[must_use]
pub fn sign_error(s: f64) -> f64 {
    if s > 2.0 / 3_f64.sqrt() { 2.0 / (9.0 * s * s) } else { 0.5 - s / (2.0 * 3_f64.sqrt()) }
}

/// The same probability when the noise is Gaussian: Φ(−S).
#[must_use]
pub fn gaussian_sign_error(s: f64) -> f64 {
    libm::erfc(s / std::f64::consts::SQRT_2) / 2.0
}

/// S²/(2(S²+ 4)), the exponent of Lemma E.1 for one partition; 1/2 in the limit of large S.
fn exponent(s: f64) -> f64 {
    1.0 / (2.0 * (1.0 + 4.0 / (s * s)))
}

/// Lemma E.1: the most that the error of a worker with `load` partitions can be.
#[must_use]
pub fn local_error_bound(load: usize, s: f64) -> f64 {
    (-(load as f64) * exponent(s)).exp()
}

/// Exactly q_{k|n_i}: the probability that at least half of `load` signs are wrong, each with probability q.
/// As in the paper's section E.3 a tie counts as an error, and so does the vote over nothing.
#[must_use]
pub fn local_error(load: usize, q: f64) -> f64 {
    let ln = LnFactorials::up_to(load);
    let tail: f64 = (load.div_ceil(2)..=load).map(|wrong| ln.binomial(load, q, wrong)).sum();
    tail.min(1.0)
}

/// Exactly q_k of a Bernoulli(p) code with k partitions: the local error, averaged over n_i ~ Binomial(k, p).
#[must_use]
pub fn mixture(k: usize, p: f64, q: f64) -> f64 {
    let ln = LnFactorials::up_to(k);
    (0..=k).map(|load| ln.binomial(k, p, load) * local_error(load, q)).sum::<f64>().min(1.0)
}

/// Lemma 1: Bernoulli codes with p = p* = 2√(C·ln n / n).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalVoting {
    /// The number of partitions, the paper's n.
    pub k: usize,
    /// The constant C > 0.
    pub c: f64,
    /// p*, the probability of a one.
    pub p: f64,
}

impl LocalVoting {
    /// The p* of a constant C; `None` unless k ≥ 2, C > 0 and p* ≤ 1.
    #[must_use]
    pub fn with_constant(k: usize, c: f64) -> Option<Self> {
        let p = 2.0 * (c * (k as f64).ln() / k as f64).sqrt();
        (k >= 2 && c > 0.0 && p <= 1.0 + 1e-12).then_some(Self { k, c, p: p.min(1.0) })
    }

    /// The constant C whose p* this is; `None` unless k ≥ 2 and 0 < p ≤ 1.
    #[must_use]
    pub fn with_probability(k: usize, p: f64) -> Option<Self> {
        let c = p * p * k as f64 / (4.0 * (k as f64).ln());
        (k >= 2 && p > 0.0 && p <= 1.0).then_some(Self { k, c, p })
    }

    /// The bound on a worker's error: 2/n^{2C} + exp(−√(C·n·ln n)·S²/(2(S²+4))), the last sum in the proof of
    /// Lemma 1 (section E.1).
    #[must_use]
    pub fn bound(self, s: f64) -> f64 {
        let n = self.k as f64;
        2.0 * (-2.0 * self.c * n.ln()).exp() + (-(self.c * n * n.ln()).sqrt() * exponent(s)).exp()
    }
}

/// Theorem 1, its condition (D.4) solved for α: below this fraction of Byzantine workers the paper has the
/// decode's error below 1/Δ, where every worker is right with probability at least u. `None` where even
/// α = 0 does not satisfy it. Domain: n ≥ 1, 0 < u ≤ 1, Δ > 1.
///
/// The paper's proof takes the honest votes for independent, which workers with common partitions are not
/// (docs/theory/errata.md).
#[must_use]
pub fn byzantine_fraction(n: usize, u: f64, delta: f64) -> Option<f64> {
    let noise = (delta.ln() / n as f64).sqrt();
    let alpha = 1.0 - (noise + (noise * noise + 4.0 * u).sqrt()).powi(2) / (8.0 * u * u);
    (u > 0.0 && delta > 1.0 && alpha > 0.0).then_some(alpha)
}

/// Theorem 1 the other way round: the infimum of the 1/Δ that (D.2) allows for b of n workers, which is
/// exp(−2ε²(n − b)) with ε = u − n/(2(n − b)). `None` where ε ≤ 0, when the paper says nothing.
#[must_use]
pub fn decode_error_bound(n: usize, b: usize, u: f64) -> Option<f64> {
    let honest = n.checked_sub(b).filter(|&honest| honest > 0)? as f64;
    let epsilon = u - n as f64 / (2.0 * honest);
    (epsilon > 0.0).then(|| (-2.0 * epsilon * epsilon * honest).exp())
}

/// What Theorem 1 bounds, under its own assumption: P[at most n/2 of n − b *independent* votes are right].
#[must_use]
pub fn independent_decode_error(n: usize, b: usize, u: f64) -> f64 {
    let honest = n.saturating_sub(b);
    let ln = LnFactorials::up_to(honest);
    let tail: f64 = (0..=(n / 2).min(honest)).map(|right| ln.binomial(honest, u, right)).sum();
    tail.min(1.0)
}

/// Theorem 2: how fast the gradient goes to zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convergence {
    /// f(w₀) − f*, in units of the loss; ≥ 0.
    pub gap: f64,
    /// ‖L‖₁, the sum of the coordinates' smoothness constants (loss over squared parameter); > 0.
    pub smoothness: f64,
    /// Each decode is wrong with probability below 1/Δ; Δ > 2.
    pub delta: f64,
    /// The number of steps T ≥ 1.
    pub steps: f64,
}

impl Convergence {
    /// The bound on (1/T)·Σ E‖g(w_t)‖₁, in units of the loss over the parameter: (3/2)·√(‖L‖₁·(f(w₀) − f*)/T)
    /// / (1 − 2/Δ). `None` outside the domain; Δ ≤ 2 is outside.
    #[must_use]
    pub fn gradient_bound(self) -> Option<f64> {
        let Self { gap, smoothness, delta, steps } = self;
        let inside = gap >= 0.0 && smoothness > 0.0 && delta > 2.0 && steps >= 1.0;
        // Root by root: a product of large factors has no room in a double.
        inside.then(|| 1.5 * smoothness.sqrt() * gap.sqrt() / steps.sqrt() / (1.0 - 2.0 / delta))
    }

    /// The learning rate that the theorem asks for: γ = √((f(w₀) − f*)/(‖L‖₁·T)), in units of the parameter.
    #[must_use]
    pub fn learning_rate(self) -> f64 {
        self.gap.sqrt() / self.smoothness.sqrt() / self.steps.sqrt()
    }
}
