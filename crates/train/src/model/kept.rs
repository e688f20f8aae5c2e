//! What stays on a device between steps.

use tch::Tensor;

/// What stays on the device between steps, besides the parameters.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) velocity: Tensor,
    /// Each partition's momentum, where it is kept at the workers.
    pub(super) momentum: Vec<Tensor>,
    /// The round that was decoded and not yet applied.
    pub(super) pending: Option<Pending>,
}

/// A round that was decoded.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) negative: Tensor,
    pub(super) tied: Option<Tensor>,
    pub(super) momentum: Vec<Tensor>,
}
