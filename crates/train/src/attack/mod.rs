//! What Byzantine workers do, and which workers they are.

mod gradient;
mod random;
mod search;
mod set;
mod sign;
mod worst;

pub use gradient::{Damage, Knowledge, hidden_deviations};
pub(crate) use random::coins;
pub use set::{ByzantineSet, UnknownSet};
pub(crate) use sign::{AttackedStep, mean};

use super::names::named;

named! {
    /// How a Byzantine worker chooses what it sends. Where workers send gradients instead of votes, x̄ is the
    /// mean of the honest ones, and s the `attack-scale`. From `alie` on a vote is the sign of the gradient that the
    /// attack makes.
    pub enum Attack {
        /// Nothing: it is honest.
        None = "none",
        /// The opposite of its honest vote; −s times its gradient.
        #[default]
        Reverse = "reverse",
        /// Fair coins; Gaussian noise with s times the root mean square of x̄.
        Random = "random",
        /// Always negative; s times the root mean square of x̄, negated, everywhere.
        Constant = "constant",
        /// The opposite of the true majority; −s·x̄.
        Omniscient = "omniscient",
        /// An honest vote over gradients of flipped labels (class c taken for classes − 1 − c).
        LabelFlip = "label-flip",
        /// A little is enough (Baruch, Baruch and Goldberg, NeurIPS 2019): x̄ less z deviations of the honest
        /// gradients, z as large as hides among them.
        Alie = "alie",
        /// Inner-product manipulation (Xie, Koyejo and Gupta, UAI 2019): −s·x̄ with a small s, 0.5 by default.
        Ipm = "ipm",
        /// `alie` with the z that does the server's own rule the most harm, by line search.
        OptAlie = "opt-alie",
        /// `ipm` with the s that does the server's own rule the most harm, by line search.
        OptIpm = "opt-ipm",
        /// x̄ less so many deviations that it is no farther from any honest gradient than two of them are from each
        /// other (Shejwalkar and Houmansadr, NDSS 2021).
        MinMax = "min-max",
        /// The same with sums of squared distances instead of the largest one.
        MinSum = "min-sum",
        /// The first honest worker's gradient (Karimireddy, He and Jaggi, ICLR 2022).
        Mimic = "mimic",
        /// Gaussian noise of standard deviation s.
        Gaussian = "gaussian",
    }
}

impl Attack {
    /// Whether a vote under this attack is the sign of the gradient that it makes.
    #[must_use]
    pub fn makes_gradient(self) -> bool {
        match self {
            Self::None
            | Self::Reverse
            | Self::Random
            | Self::Constant
            | Self::Omniscient
            | Self::LabelFlip => false,
            Self::Alie
            | Self::Ipm
            | Self::OptAlie
            | Self::OptIpm
            | Self::MinMax
            | Self::MinSum
            | Self::Mimic
            | Self::Gaussian => true,
        }
    }
}
