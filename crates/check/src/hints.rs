//! A step with hints: which inequalities, in which order, lead to a conflict once the step's inequality is denied.

use super::inequality::Normal;

/// What the inequalities that were looked at, each once and in their order, force from nothing assigned.
pub(super) struct Forced {
    values: Vec<Option<bool>>,
}

impl Forced {
    pub(super) fn new(variables: usize) -> Self {
        Self { values: vec![None; variables] }
    }

    /// Looks at one more; whether it cannot hold.
    pub(super) fn refutes(&mut self, normal: &Normal) -> bool {
        let values = &mut self.values;
        let open = normal
            .terms
            .iter()
            .filter(|(_, literal)| values[literal.variable() - 1] != Some(!literal.positive()));
        // `Normal::new` has seen that the sum of the coefficients fits; a slack beyond 64 bits forces nothing.
        let slack = open.fold(0_i64, |sum, &(a, _)| sum.saturating_add(a)).saturating_sub(normal.degree);
        for (_, literal) in normal.terms.iter().filter(|&&(a, _)| a > slack) {
            values[literal.variable() - 1].get_or_insert(literal.positive());
        }
        slack < 0
    }
}

#[cfg(test)]
mod tests {
    use ecode_core::Inequality;

    use super::*;

    /// Σ coefficient · variable ≥ `at_least`, normalized.
    fn normal(terms: &[(i64, usize)], at_least: i64) -> Normal {
        let normal = Normal::of(&Inequality { terms: terms.to_vec(), at_least });
        normal.unwrap_or_else(|_| unreachable!("small numbers"))
    }

    /// A literal is forced where the sum of the others is below the degree, and not where it just reaches it.
    #[test]
    fn only_what_is_needed_is_forced() {
        let mut forced = Forced::new(3);
        // Either of the two does.
        assert!(!forced.refutes(&normal(&[(1, 1), (1, 2)], 1)));
        assert_eq!(forced.values, [None, None, None]);
        // 2·x₁ + x₂ + x₃ ≥ 2: x₂ and x₃ together do.
        assert!(!forced.refutes(&normal(&[(2, 1), (1, 2), (1, 3)], 2)));
        assert_eq!(forced.values, [None, None, None]);
        // 2·x₁ + x₂ + x₃ ≥ 3: without x₁ there are 2.
        assert!(!forced.refutes(&normal(&[(2, 1), (1, 2), (1, 3)], 3)));
        assert_eq!(forced.values, [Some(true), None, None]);
        // −x₁ − x₂ ≥ −1: x₁ holds, so x₂ does not. An inequality that holds in one way only is no conflict.
        assert!(!forced.refutes(&normal(&[(-1, 1), (-1, 2)], -1)));
        assert_eq!(forced.values, [Some(true), Some(false), None]);
        assert!(forced.refutes(&normal(&[(1, 2)], 1)));
    }
}
