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
