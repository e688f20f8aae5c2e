//! Which classes and voters are connected, however indirectly.

use std::collections::HashMap;

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

/// Classes and voters that are connected.
pub(super) struct Component {
    pub(super) classes: Vec<usize>,
    pub(super) voters: Vec<usize>,
}

/// The smallest class known to be connected with this one.
pub(super) fn root(parent: &mut [usize], mut class: usize) -> usize {
    while parent[class] != class {
        parent[class] = parent[parent[class]];
        class = parent[class];
    }
    class
}

/// The components that have a voter, by their first class.
pub(super) fn components(side: &Side) -> Vec<Component> {
    let mut parent: Vec<usize> = (0..side.classes.len()).collect();
    let mut anchors = Vec::with_capacity(side.voters.len());
    for voter in &side.voters {
        let mut held = (0..side.classes.len()).filter(|&class| voter.holds[class]);
        let first = held.next();
        anchors.push(first);
        if let Some(first) = first {
            for class in held {
                let (a, b) = (root(&mut parent, first), root(&mut parent, class));
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    let mut place = HashMap::new();
    let mut components: Vec<Component> = Vec::new();
    for class in 0..side.classes.len() {
        let index = *place.entry(root(&mut parent, class)).or_insert_with(|| {
            components.push(Component { classes: Vec::new(), voters: Vec::new() });
            components.len() - 1
        });
        components[index].classes.push(class);
    }
    for (voter, anchor) in anchors.into_iter().enumerate() {
        // A voter needs at least one partition, so it holds one.
        if let Some(anchor) = anchor {
            components[place[&root(&mut parent, anchor)]].voters.push(voter);
        }
    }
    components.retain(|component| !component.voters.is_empty());
    components
}
