//! Inequalities over 0/1 variables in normal form, and sums of them.
//!
//! # What is promised
//! The operations keep every 0/1 solution. Overflow is an error, never a wrong number.
//!
//! `ecode_check` has a file of the same name. They are two on purpose: a mistake in the prover's arithmetic must not be
//! able to hide behind the same mistake in the checker.

use ecode_core::Inequality;

/// A variable x, numbered from 1, or its negation: 2·(x − 1), plus 1 for the negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Literal(u32);

impl Literal {
    pub(super) fn new(variable: usize, positive: bool) -> Self {
        Self(2 * (variable as u32 - 1) + u32::from(!positive))
    }

    pub(super) fn variable(self) -> usize {
        self.0 as usize / 2 + 1
    }

    pub(super) fn positive(self) -> bool {
        self.0 % 2 == 0
    }

    pub(super) fn negated(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// Its place in a list that has one entry a literal.
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

/// A number grew beyond 64 bits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

/// Σ coefficient · literal ≥ degree, coefficients positive, one term a variable, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Normal {
    pub(super) terms: Vec<(i64, Literal)>,
    pub(super) degree: i64,
}

impl Normal {
    /// From terms in any order, coefficients of any sign, variables that may repeat.
    pub(super) fn new(
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
    pub(super) fn of(inequality: &Inequality) -> Result<Self, Overflow> {
        let terms = inequality.terms.iter().map(|&(a, x)| (a, Literal::new(x, true)));
        Self::new(terms, inequality.at_least)
    }

    /// "At least one of these literals".
    pub(super) fn clause(literals: impl IntoIterator<Item = Literal>) -> Self {
        let mut terms: Vec<_> = literals.into_iter().map(|literal| (1, literal)).collect();
        terms.sort_unstable_by_key(|&(_, literal)| literal);
        Self { terms, degree: 1 }
    }

    /// The sum of the coefficients.
    fn sum(&self) -> Result<i64, Overflow> {
        self.terms.iter().try_fold(0_i64, |sum, &(a, _)| sum.checked_add(a)).ok_or(Overflow)
    }

    pub(super) fn plus(&self, other: &Self) -> Result<Self, Overflow> {
        let degree = self.degree.checked_add(other.degree).ok_or(Overflow)?;
        Self::new(self.terms.iter().chain(&other.terms).copied(), degree)
    }

    pub(super) fn times(&self, factor: i64) -> Result<Self, Overflow> {
        let degree = self.degree.checked_mul(factor).ok_or(Overflow)?;
        let terms = self.terms.iter().map(|&(a, literal)| Some((a.checked_mul(factor)?, literal)));
        Self::new(terms.collect::<Option<Vec<_>>>().ok_or(Overflow)?, degree)
    }

    /// How far the largest left-hand side exceeds the degree.
    pub(super) fn slack(&self) -> i64 {
        // `new` has seen that the sum fits; a difference beyond 64 bits counts as the nearest number.
        self.terms.iter().fold(0_i64, |sum, &(a, _)| sum.saturating_add(a)).saturating_sub(self.degree)
    }
}
