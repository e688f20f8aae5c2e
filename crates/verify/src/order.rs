//! Components of classes and voters, and in which order the classes of one are gone through, so that few voters are
//! open at a time.

use super::control::Control;

/// Classes and voters that are connected: each voter with the classes that it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// In increasing order.
    pub classes: Vec<usize>,
    /// In increasing order.
    pub voters: Vec<usize>,
}

/// The components by their first class, where `holders[class]` lists the voters that hold it. A class that nobody
/// holds is one of its own; a voter that holds nothing is in none.
#[must_use]
pub fn components(holders: &[Vec<usize>], voters: usize) -> Vec<Component> {
    let mut held: Vec<Vec<usize>> = vec![Vec::new(); voters];
    for (class, holders) in holders.iter().enumerate() {
        for &voter in holders {
            held[voter].push(class);
        }
    }
    let (mut found, mut seen) = (vec![false; holders.len()], vec![false; voters]);
    let mut components = Vec::new();
    for start in 0..holders.len() {
        if std::mem::replace(&mut found[start], true) {
            continue;
        }
        let mut component = Component { classes: vec![start], voters: Vec::new() };
        let mut next = 0;
        while let Some(&class) = component.classes.get(next) {
            next += 1;
            for &voter in &holders[class] {
                if std::mem::replace(&mut seen[voter], true) {
                    continue;
                }
                component.voters.push(voter);
                let new = held[voter].iter().filter(|&&class| !std::mem::replace(&mut found[class], true));
                component.classes.extend(new);
            }
        }
        component.classes.sort_unstable();
        component.voters.sort_unstable();
        components.push(component);
    }
    components
}

/// The most classes that are weighed against each other for the next place in the order.
const MOST_CANDIDATES: usize = 256;

/// `None` where the control says stop, else an order of connected classes that keeps few voters open, where `holders[class]` lists the voters that
/// hold it: always the class that opens the fewest voters more than it closes, among those that touch an
/// open voter.
#[must_use]
pub fn narrow_order(holders: &[Vec<usize>], voters: usize, control: &Control) -> Option<Vec<usize>> {
    let classes = holders.len();
    let mut held: Vec<Vec<usize>> = vec![Vec::new(); voters];
    for (class, holders) in holders.iter().enumerate() {
        for &voter in holders {
            held[voter].push(class);
        }
    }
    let mut rest: Vec<usize> = held.iter().map(Vec::len).collect();
    let mut opened = vec![false; voters];
    let mut done = vec![false; classes];
    // Start at an end: the class whose workers hold the fewest classes.
    let start =
        (0..classes).min_by_key(|&class| holders[class].iter().map(|&voter| rest[voter]).sum::<usize>());
    let mut order = Vec::with_capacity(classes);
    let mut candidates: Vec<usize> = Vec::new();
    let mut found = vec![false; classes];
    let mut next = start;
    while let Some(class) = next {
        if control.stopped() {
            return None;
        }
        done[class] = true;
        order.push(class);
        for &voter in &holders[class] {
            rest[voter] -= 1;
            if !opened[voter] {
                opened[voter] = true;
                candidates
                    .extend(held[voter].iter().filter(|&&class| !std::mem::replace(&mut found[class], true)));
            }
        }
        candidates.retain(|&class| !done[class]);
        candidates.sort_unstable();
        let cost = |class: usize| -> i64 {
            let change =
                holders[class].iter().map(|&voter| i64::from(!opened[voter]) - i64::from(rest[voter] == 1));
            change.sum()
        };
        next = candidates.iter().take(MOST_CANDIDATES).copied().min_by_key(|&class| cost(class));
    }
    Some(order)
}
