//! How the server joins what the workers sent: by vote, or by one of the gradient aggregators that the field compares
//! with, after pre-aggregation or without.
//!
//! # What is promised
//! - The same vectors give the same bits, on any number of threads.
//! - A rule that cannot defend n workers against the number that it is told of is refused: [`Rule::unfit`].
//! - To rules that compare whole vectors, one with a number that is not finite is infinitely far away, and has no part in
//!   a mean while there are enough others.

mod clipping;
mod coordinate;
mod covariance;
mod distances;
mod geometric;
mod krum;
mod mda;
mod pre;
mod rule;
#[cfg(test)]
mod tests;

pub(crate) use distances::Distances;
pub use pre::{PreAggregation, UnknownPreAggregation};
pub use rule::{Moment, Rule};

use crate::names::named;

named! {
    /// The server's rule. All but `vote` take 32 bits a coordinate from each worker. b is the number of Byzantine
    /// workers that the rule is told of.
    pub enum Aggregator {
        /// The majority of sign bits (SignSGD with majority vote).
        #[default]
        Vote = "vote",
        /// The mean of the gradients: no defence at all.
        Mean = "mean",
        /// Each coordinate's median (FGM; Yin et al., ICML 2018).
        Median = "median",
        /// Each coordinate's mean without its b largest and b smallest (Yin et al., ICML 2018).
        TrimmedMean = "trimmed-mean",
        /// The gradient nearest to its n − b − 2 nearest others, for n > 2b + 2 (Blanchard et al., NeurIPS 2017).
        Krum = "krum",
        /// The mean of the n − b gradients with the best scores of Krum, for n > 2b + 2 (Blanchard et al., NeurIPS 2017).
        MultiKrum = "multi-krum",
        /// The vector with the least sum of distances to all (RFA; Pillutla, Kakade and Harchaoui, IEEE TSP 2022).
        GeometricMedian = "geometric-median",
        /// The last step's gradient, moved by the mean of the differences from it, each cut to `clip-radius`
        /// (Karimireddy, He and Jaggi, ICML 2021).
        CenteredClipping = "centered-clipping",
        /// The mean of the n − b gradients with the smallest diameter, for n > 2b (El Mhamdi, Guerraoui and Rouault,
        /// ICLR 2021).
        Mda = "mda",
        /// Each coordinate's mean of the n − b values nearest to its median, for n > 2b (Xie, Koyejo and Gupta, 2018).
        Meamed = "meamed",
        /// The mean without the b gradients that lie farthest along the direction in which all differ most, for n > 2b
        /// (DnC; Shejwalkar and Houmansadr, NDSS 2021).
        Dnc = "dnc",
        /// The mean whose covariance has the smallest largest eigenvalue while outliers lose weight, for n > 2b (CAF;
        /// Allouah, Guerraoui and Stephan, ICML 2025).
        Caf = "caf",
    }
}

/// Subsets that MDA looks at at most.
const MOST_SUBSETS: u128 = 1_000_000;

impl Aggregator {
    /// Whether the rule is told a number of Byzantine workers.
    #[must_use]
    pub fn takes_declared(self) -> bool {
        match self {
            Self::Vote | Self::Mean | Self::Median | Self::GeometricMedian | Self::CenteredClipping => false,
            Self::TrimmedMean
            | Self::Krum
            | Self::MultiKrum
            | Self::Mda
            | Self::Meamed
            | Self::Dnc
            | Self::Caf => true,
        }
    }

    /// Whether the rule starts from what it gave in the step before.
    #[must_use]
    pub fn remembers(self) -> bool {
        self == Self::CenteredClipping
    }

    /// Why this rule cannot defend n workers against b, where it cannot.
    #[must_use]
    pub fn unfit(self, n: usize, b: usize) -> Option<String> {
        let name = self.name();
        match self {
            Self::Krum | Self::MultiKrum if n <= 2 * b + 2 => {
                Some(format!("{name} needs n > 2b + 2, but n = {n}, b = {b}"))
            }
            Self::TrimmedMean | Self::Mda | Self::Meamed | Self::Dnc | Self::Caf if 2 * b >= n => {
                Some(format!("{name} needs n > 2b, but n = {n}, b = {b}"))
            }
            Self::Mda if mda::subsets(n, b) > MOST_SUBSETS => Some(format!(
                "mda compares all sets of n − b workers, {} of them with n = {n}, b = {b}; expected at most {MOST_SUBSETS}",
                mda::subsets(n, b)
            )),
            _ => None,
        }
    }
}
