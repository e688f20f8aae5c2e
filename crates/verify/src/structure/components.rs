//! Which classes and voters are connected, however indirectly.

use crate::order::{self, Component};
use crate::reduce::Side;

/// How many choices the components have that must be enumerated, where there are several: what taking them
/// apart costs at most.
pub(crate) fn apart(side: &Side) -> Option<u128> {
    let components = components(side);
    let choices = |component: &Component| {
        let sizes = component.classes.iter().map(|&class| side.classes[class].len());
        sizes.fold(1_u128, |all, size| all.saturating_mul(size as u128 + 1))
    };
    (components.len() > 1).then(|| components.iter().map(choices).fold(0, u128::saturating_add))
}

/// The components that have a voter, by their first class.
pub(super) fn components(side: &Side) -> Vec<Component> {
    let mut holders: Vec<Vec<usize>> = vec![Vec::new(); side.classes.len()];
    for (j, voter) in side.voters.iter().enumerate() {
        let held = holders.iter_mut().zip(&voter.holds).filter(|(_, holds)| **holds);
        held.for_each(|(holders, _)| holders.push(j));
    }
    let mut components = order::components(&holders, side.voters.len());
    components.retain(|component| !component.voters.is_empty());
    components
}
