//! The names of the rules of a settlement.

/// The rules that tests break one by one: each is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// b' + 1 supporters are needed, not b'.
    Support,
    /// More than b' contradictions name, not b'.
    Contradiction,
    /// T1: the focus stays.
    Focus,
    /// T2: short partitions are asked together.
    Together,
    /// T3: vectors outlive the naming of their sender.
    Outlives,
    /// T4: every trip fetches a vector of each class.
    Fetches,
    /// T5: who was silent is not asked again.
    Silence,
}
