//! What is done to the vectors before they are aggregated: each is mixed with others, so that the honest ones differ less.
//!
//! # References
//! Nearest-neighbour mixing (NNM): Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan, "Fixing by mixing" (AISTATS
//! 2023). Bucketing: Karimireddy, He and Jaggi, "Byzantine-robust learning on heterogeneous datasets via bucketing"
//! (ICLR 2022).

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::distances::{Distances, mean_of, smallest};
use crate::random::permutation;

/// What is done before a gradient aggregator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PreAggregation {
    /// Nothing.
    #[default]
    None,
    /// Each vector becomes the mean of the n − b nearest to it, itself among them; for n > 2b.
    Nnm,
    /// The vectors are put at random into buckets of so many, others in each step, and each bucket gives its mean. A
    /// liar spoils one bucket, so that the aggregator is told of as many.
    Bucketing(usize),
}

/// A pre-aggregation that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown pre-aggregation '{0}': expected none, nnm, or bucketing:SIZE as in bucketing:2")]
pub struct UnknownPreAggregation(String);

impl TryFrom<String> for PreAggregation {
    type Error = UnknownPreAggregation;

    fn try_from(text: String) -> Result<Self, UnknownPreAggregation> {
        match text.as_str() {
            "none" => Ok(Self::None),
            "nnm" => Ok(Self::Nnm),
            "bucketing" => Ok(Self::Bucketing(2)),
            other => match other.strip_prefix("bucketing:").map(str::parse) {
                Some(Ok(size)) if size > 0 => Ok(Self::Bucketing(size)),
                _ => Err(UnknownPreAggregation(text)),
            },
        }
    }
}

impl From<PreAggregation> for String {
    fn from(pre: PreAggregation) -> Self {
        pre.to_string()
    }
}

impl std::fmt::Display for PreAggregation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Nnm => f.write_str("nnm"),
            Self::Bucketing(size) => write!(f, "bucketing:{size}"),
        }
    }
}

/// Each vector's mean with those nearest to it, n − b together; of two that are equally far the first.
pub(super) fn nearest_neighbours(vectors: &[&[f32]], b: usize) -> Vec<Vec<f32>> {
    let distances = Distances::of(vectors);
    let near = |i: usize| smallest(distances.row(i), vectors.len() - b);
    (0..vectors.len()).into_par_iter().map(|i| mean_of(vectors, &near(i))).collect()
}

/// The means of buckets of `size`, drawn at random; the last one holds what is left.
pub(super) fn buckets(vectors: &[&[f32]], size: usize, random: &mut ChaCha8Rng) -> Vec<Vec<f32>> {
    let order: Vec<usize> = permutation(random, vectors.len()).into_iter().map(|i| i as usize).collect();
    order.chunks(size).map(|bucket| mean_of(vectors, bucket)).collect()
}
