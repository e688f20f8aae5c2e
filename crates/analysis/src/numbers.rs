//! Binomial probabilities in double precision, and big integers as logarithms.

use num_bigint::BigUint;

/// ln 0!, ln 1!, …: added up with a correction, so that each is right to a few units in the last place.
#[derive(Clone, Debug)]
pub(super) struct LnFactorials(Vec<f64>);

impl LnFactorials {
    pub(super) fn up_to(most: usize) -> Self {
        let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
        let mut list = vec![0.0];
        for i in 1..=most {
            let term = (i as f64).ln() - lost;
            let next = sum + term;
            lost = (next - sum) - term;
            sum = next;
            list.push(sum);
        }
        Self(list)
    }

    /// ln C(n, x); −∞ where x > n.
    pub(super) fn choose(&self, n: usize, x: usize) -> f64 {
        if x > n { f64::NEG_INFINITY } else { self.0[n] - self.0[x] - self.0[n - x] }
    }

    /// P[Binomial(n, p) = x].
    pub(super) fn binomial(&self, n: usize, p: f64, x: usize) -> f64 {
        if x > n { 0.0 } else { (self.choose(n, x) + power(p, x) + power(1.0 - p, n - x)).exp() }
    }
}

/// x·ln p, and 0 for x = 0 whatever p is.
fn power(p: f64, x: usize) -> f64 {
    if x == 0 { 0.0 } else { x as f64 * p.ln() }
}

/// ln of a positive integer of any size; −∞ for 0.
#[cfg(test)]
pub(super) fn ln(number: &BigUint) -> f64 {
    let shift = number.bits().saturating_sub(64);
    let head = (number >> shift).to_u64_digits().first().copied().unwrap_or(0);
    (head as f64).ln() + shift as f64 * std::f64::consts::LN_2
}

/// `part`/`whole` for integers of any size.
pub(super) fn ratio(part: &BigUint, whole: &BigUint) -> f64 {
    // 64 significant bits of each, and the difference of their exponents.
    let head = |number: &BigUint| {
        let shift = number.bits().saturating_sub(64);
        ((number >> shift).to_u64_digits().first().copied().unwrap_or(0) as f64, shift as i64)
    };
    let ((p, up), (w, down)) = (head(part), head(whole));
    if p == 0.0 { 0.0 } else { p / w * 2_f64.powi((up - down).clamp(-2000, 2000) as i32) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_verify::binomials;

    #[test]
    #[allow(clippy::float_cmp, reason = "powers of two are exact")]
    fn binomials_and_their_logarithms() {
        let ln_factorials = LnFactorials::up_to(4096);
        for n in [0, 1, 5, 63, 200, 4096] {
            for (x, exact) in binomials(n).iter().chain([&BigUint::ZERO]).enumerate() {
                let (near, ln) = (ln_factorials.choose(n, x), ln(exact));
                let same = near.is_infinite() && ln.is_infinite();
                assert!(same || (near - ln).abs() < 1e-11 * ln.max(1.0), "C({n}, {x}): {near} {ln}");
            }
        }
        let sum: f64 = (0..=4096).map(|x| ln_factorials.binomial(4096, 0.3, x)).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        assert_eq!((ln_factorials.binomial(5, 0.0, 0), ln_factorials.binomial(5, 1.0, 5)), (1.0, 1.0));
        let (one, huge) = (BigUint::from(1_u32), BigUint::from(1_u32) << 3000_u32);
        assert_eq!(ratio(&(&one << 1_u32), &(&one << 3_u32)), 0.25);
        assert_eq!(ratio(&huge, &(&huge << 1_u32)), 0.5);
        assert_eq!(ratio(&one, &huge), 0.0);
    }
}
