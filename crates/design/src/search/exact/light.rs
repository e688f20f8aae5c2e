//! Rows lighter than 3: a code has few of them, and each choice is a search of its own.

/// Rows lighter than 3: how many are empty, and for each partition of S how many hold only it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Light {
    pub(super) empty: usize,
    pub(super) singles: Vec<usize>,
}

/// All ways to have at most t − b light rows, up to the names of partitions.
pub(super) fn cases(n: usize, b: usize) -> Vec<Light> {
    fn split(left: usize, most: usize, parts: &mut Vec<usize>, empty: usize, all: &mut Vec<Light>) {
        all.push(Light { empty, singles: parts.clone() });
        for part in 1..=most.min(left) {
            parts.push(part);
            split(left - part, part, parts, empty, all);
            parts.pop();
        }
    }
    let budget = (n - 1) / 2 - b;
    let mut all = Vec::new();
    for empty in 0..=budget {
        split(budget - empty, budget, &mut Vec::new(), empty, &mut all);
    }
    all
}
