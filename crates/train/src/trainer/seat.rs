//! Who takes part in a step of a scheme that detects lies.

use ecode_server::reactive::Header;

use crate::reactive::Table;

/// Who takes part in a step.
#[derive(Clone)]
pub(super) struct Seat {
    pub(super) header: Header,
    pub(super) table: Table,
    /// The liars that were not named before it.
    pub(super) lying: Vec<usize>,
}
