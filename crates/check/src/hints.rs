//! A step with hints: which inequalities, in which order, lead to a conflict once the step's inequality is denied.

use super::budget::{Budget, Stopped};
use super::database::Database;
use super::inequality::Normal;

/// Whether the inequalities of these numbers, each looked at once and in this order, force a conflict from nothing
/// assigned; `None` stands for the denied one.
pub(super) fn conflict(
    known: &Database,
    denied: &Normal,
    hints: &[Option<usize>],
    budget: &Budget,
) -> Result<bool, Stopped> {
    let mut values: Vec<Option<bool>> = vec![None; known.variables()];
    for hint in hints {
        let Some(normal) = hint.map_or(Some(denied), |id| known.get(id)) else { return Ok(false) };
        budget.spend(normal.terms.len() + 1)?;
        let open = normal.terms.iter().filter(|(_, literal)| values[literal.variable() - 1] != Some(!literal.positive()));
        // `Normal::new` has seen that the sum of the coefficients fits.
        let slack = open.fold(0_i64, |sum, &(a, _)| sum.saturating_add(a)).saturating_sub(normal.degree);
        if slack < 0 {
            return Ok(true);
        }
        for &(a, literal) in &normal.terms {
            if a > slack && values[literal.variable() - 1].is_none() {
                values[literal.variable() - 1] = Some(literal.positive());
            }
        }
    }
    Ok(false)
}
