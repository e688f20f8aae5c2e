//! Inequalities over 0/1 variables in normal form, and the operations of cutting planes on them.
//!
//! # What is promised
//! Every operation keeps every 0/1 solution. Overflow is an error, never a wrong number.
//!
//! `ecode_prove` has a file of the same name. They are two on purpose: a mistake in the prover's arithmetic must not be
//! able to hide behind the same mistake here.

use ecode_core::Inequality;

/// A variable x, numbered from 1, or its negation: 2·(x − 1), plus 1 for the negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Literal(u32);

impl Literal {
    pub(crate) fn new(variable: usize, positive: bool) -> Self {
        Self(2 * (variable as u32 - 1) + u32::from(!positive))
    }

    pub(crate) fn variable(self) -> usize {
        self.0 as usize / 2 + 1
    }

    pub(crate) fn positive(self) -> bool {
        self.0 % 2 == 0
    }

    pub(crate) fn negated(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// Its place in a list that has one entry a literal.
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// A number grew beyond 64 bits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

/// Σ coefficient · literal ≥ degree, coefficients positive, one term a variable, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Normal {
    pub(crate) terms: Vec<(i64, Literal)>,
    pub(crate) degree: i64,
}

impl Normal {
    /// From terms in any order, coefficients of any sign, variables that may repeat.
    pub(crate) fn new(
        terms: impl IntoIterator<Item = (i64, Literal)>,
        degree: i64,
    ) -> Result<Self, Overflow> {
        let mut terms: Vec<(i64, Literal)> = terms.into_iter().collect();
        terms.sort_unstable_by_key(|&(_, literal)| literal.variable());
        let mut wide = i128::from(degree);
        let mut normal: Vec<(i64, Literal)> = Vec::with_capacity(terms.len());
        for group in terms.chunk_by(|a, b| a.1.variable() == b.1.variable()) {
            // a·¬x is a − a·x: everything in terms of x first.
            let mut coefficient = 0_i128;
            for &(a, literal) in group {
                let a = i128::from(a);
                if literal.positive() {
                    coefficient += a;
                } else {
                    coefficient -= a;
                    wide -= a;
                }
            }
            let variable = group[0].1.variable();
            if coefficient < 0 {
                wide -= coefficient;
            }
            if coefficient != 0 {
                let a = i64::try_from(coefficient.abs()).map_err(|_| Overflow)?;
                normal.push((a, Literal::new(variable, coefficient > 0)));
            }
        }
        let normal = Self { terms: normal, degree: i64::try_from(wide).map_err(|_| Overflow)? };
        normal.sum().map(|_| normal)
    }

    /// An inequality of the formula.
    pub(crate) fn of(inequality: &Inequality) -> Result<Self, Overflow> {
        let terms = inequality.terms.iter().map(|&(a, x)| (a, Literal::new(x, true)));
        Self::new(terms, inequality.at_least)
    }

    /// Literal ≥ 0, which always holds.
    pub(crate) fn axiom(literal: Literal) -> Self {
        Self { terms: vec![(1, literal)], degree: 0 }
    }

    /// The sum of the coefficients.
    fn sum(&self) -> Result<i64, Overflow> {
        self.terms.iter().try_fold(0_i64, |sum, &(a, _)| sum.checked_add(a)).ok_or(Overflow)
    }

    pub(crate) fn plus(&self, other: &Self) -> Result<Self, Overflow> {
        let degree = self.degree.checked_add(other.degree).ok_or(Overflow)?;
        Self::new(self.terms.iter().chain(&other.terms).copied(), degree)
    }

    pub(crate) fn times(&self, factor: i64) -> Result<Self, Overflow> {
        let degree = self.degree.checked_mul(factor).ok_or(Overflow)?;
        let terms = self.terms.iter().map(|&(a, literal)| Some((a.checked_mul(factor)?, literal)));
        Self::new(terms.collect::<Option<Vec<_>>>().ok_or(Overflow)?, degree)
    }

    /// Divided by a positive number and rounded up.
    pub(crate) fn divided(&self, by: i64) -> Self {
        let up = |a: i64| a.div_euclid(by) + i64::from(a.rem_euclid(by) > 0);
        Self {
            terms: self.terms.iter().map(|&(a, literal)| (up(a), literal)).collect(),
            degree: up(self.degree),
        }
    }

    /// No coefficient needs to exceed the degree.
    pub(crate) fn saturated(&self) -> Self {
        let most = self.degree.max(0);
        let terms = self.terms.iter().map(|&(a, literal)| (a.min(most), literal));
        Self { terms: terms.filter(|&(a, _)| a > 0).collect(), degree: self.degree }
    }

    /// "This does not hold": Σ a·¬l ≥ Σ a − degree + 1.
    pub(crate) fn denied(&self) -> Result<Self, Overflow> {
        let degree = self.sum()?.checked_sub(self.degree).and_then(|d| d.checked_add(1)).ok_or(Overflow)?;
        let terms = self.terms.iter().map(|&(a, literal)| (a, literal.negated())).collect();
        Ok(Self { terms, degree })
    }

    /// With every literal replaced.
    pub(crate) fn replaced(&self, replace: impl Fn(Literal) -> Literal) -> Result<Self, Overflow> {
        Self::new(self.terms.iter().map(|&(a, literal)| (a, replace(literal))), self.degree)
    }

    /// Whether no assignment satisfies it.
    pub(crate) fn is_contradiction(&self) -> bool {
        self.slack() < 0
    }

    /// How far the largest left-hand side exceeds the degree; beyond 64 bits the nearest number. That is at least
    /// the sum of the coefficients then, so that what is left of it after any literals became false is at
    /// least the sum of the others: nothing is ever forced.
    pub(crate) fn slack(&self) -> i64 {
        self.terms.iter().fold(0_i64, |sum, &(a, _)| sum.saturating_add(a)).saturating_sub(self.degree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation keeps every solution, for all 0/1 values of three variables and small random inequalities.
    #[test]
    fn operations_keep_solutions() {
        let mut state = 3_u64;
        let mut random = move |below: i64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as i64 % below
        };
        for _ in 0..3000 {
            let mut draw = || {
                let terms: Vec<_> = (0..4)
                    .map(|_| (random(9) - 4, Literal::new(1 + random(3) as usize, random(2) == 0)))
                    .collect();
                let degree = random(9) - 3;
                (terms.clone(), degree, Normal::new(terms, degree))
            };
            let (terms, degree, a) = draw();
            let (_, _, b) = draw();
            let (Ok(a), Ok(b)) = (a, b) else { panic!("small numbers") };
            let denied = a.denied();
            let derived = [a.plus(&b), a.times(3), Ok(a.divided(2)), Ok(a.divided(3)), Ok(a.saturated())];
            for bits in 0..8_usize {
                let value = |l: Literal| i64::from((bits >> (l.variable() - 1) & 1 == 1) == l.positive());
                let holds = |normal: &Normal| {
                    normal.terms.iter().map(|&(c, l)| c * value(l)).sum::<i64>() >= normal.degree
                };
                let plain = terms.iter().map(|&(c, l)| c * value(l)).sum::<i64>() >= degree;
                assert_eq!(holds(&a), plain);
                assert_eq!(denied.as_ref().is_ok_and(holds), !plain);
                for (which, normal) in derived.iter().enumerate() {
                    let Ok(normal) = normal else { panic!("small numbers") };
                    // The first needs both.
                    assert!(holds(normal) || !plain || (which == 0 && !holds(&b)), "{which}: {a:?} {b:?}");
                }
                assert!(!(plain && a.is_contradiction()));
            }
        }
    }

    #[test]
    fn overflow_is_an_error() {
        let (x, y) = (Literal::new(1, true), Literal::new(2, false));
        assert_eq!(Normal::new([(i64::MAX, x), (1, y)], 0), Err(Overflow));
        assert_eq!(Normal::new([(i64::MIN, x)], 0), Err(Overflow));
        let Ok(large) = Normal::new([(i64::MAX / 2, x)], i64::MAX / 2) else { panic!("it fits") };
        assert_eq!(large.times(3), Err(Overflow));
        assert!(large.plus(&large).is_ok());
        assert_eq!(large.plus(&large).and_then(|sum| sum.plus(&large)), Err(Overflow));
    }
}
