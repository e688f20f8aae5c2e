//! The best that a component can do, for each number of partitions spent on it.

/// What x partitions of a component can do.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    pub(super) loss: usize,
    /// How many of each of the component's classes; x in all, or fewer.
    pub(super) counts: Vec<u16>,
}

/// The best choice for each number of partitions spent; the losses never fall.
pub(super) struct Profile {
    pub(super) choices: Vec<Choice>,
    pub(super) evaluated: u128,
}

impl Profile {
    /// Fills in what more spending cannot improve.
    pub(super) fn rise(&mut self) {
        for x in 1..self.choices.len() {
            if self.choices[x].loss < self.choices[x - 1].loss {
                self.choices[x] = self.choices[x - 1].clone();
            }
        }
    }
}
