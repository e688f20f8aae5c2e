//! The server's rule with all that it is told.

use super::pre::PreAggregation;
use super::{Aggregator, clipping, coordinate, covariance, geometric, krum, mda, pre};
use crate::random::{Purpose, stream};

/// An aggregator, what is done to the vectors before it, and what it is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The aggregator.
    pub aggregator: Aggregator,
    /// What is done to the vectors before.
    pub pre: PreAggregation,
    /// b, the number of Byzantine workers that both are told of.
    pub declared: usize,
    /// How far, in the Euclidean norm, centered clipping lets one worker move the result.
    pub clip_radius: f32,
}

/// The place of a step in a run, for rules that draw lots or remember.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment<'a> {
    /// The run's seed.
    pub seed: u64,
    /// The step, from 0.
    pub step: u64,
    /// What the rule gave in the step before; empty in the first one.
    pub last: &'a [f32],
}

impl Rule {
    /// A rule without pre-aggregation.
    #[must_use]
    pub fn new(aggregator: Aggregator, declared: usize) -> Self {
        Self { aggregator, pre: PreAggregation::None, declared, clip_radius: 10.0 }
    }

    /// Its name, as schemes of grids have it: `nnm+median`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.pre {
            PreAggregation::None => self.aggregator.name().to_owned(),
            pre => format!("{pre}+{}", self.aggregator.name()),
        }
    }

    /// Whether it is told a number of Byzantine workers.
    #[must_use]
    pub fn takes_declared(&self) -> bool {
        self.aggregator.takes_declared() || self.pre == PreAggregation::Nnm
    }

    /// Why this rule cannot defend n workers against the number that it is told of, where it cannot.
    #[must_use]
    pub fn unfit(&self, n: usize) -> Option<String> {
        let b = self.declared;
        match self.pre {
            PreAggregation::None => self.aggregator.unfit(n, b),
            pre if self.aggregator == Aggregator::Vote => Some(format!(
                "pre-aggregation {pre} mixes gradients; a vote has none: use another aggregator"
            )),
            PreAggregation::Nnm if 2 * b >= n => Some(format!("nnm needs n > 2b, but n = {n}, b = {b}")),
            PreAggregation::Nnm => self.aggregator.unfit(n, b),
            PreAggregation::Bucketing(size) if size == 0 || size > n => {
                Some(format!("bucketing puts {size} of {n} workers into a bucket; expected 1 to {n}"))
            }
            PreAggregation::Bucketing(size) => {
                let buckets = n.div_ceil(size);
                let why = self.aggregator.unfit(buckets, b)?;
                Some(format!("{why} ({n} workers make {buckets} buckets of {size})"))
            }
        }
    }

    /// Joins n vectors of one length. `Vote` counts their signs.
    ///
    /// # Panics
    /// When there is no vector, or [`Self::unfit`] says why not.
    #[must_use]
    pub fn join(&self, vectors: &[&[f32]], moment: &Moment<'_>) -> Vec<f32> {
        assert!(self.unfit(vectors.len()).is_none(), "{:?}", self.unfit(vectors.len()));
        let mixed = match self.pre {
            PreAggregation::None => return self.aggregate(vectors, moment),
            PreAggregation::Nnm => pre::nearest_neighbours(vectors, self.declared),
            PreAggregation::Bucketing(size) => {
                let mut random = stream(moment.seed, Purpose::Aggregation, moment.step, 0);
                pre::buckets(vectors, size, &mut random)
            }
        };
        let mixed: Vec<&[f32]> = mixed.iter().map(Vec::as_slice).collect();
        self.aggregate(&mixed, moment)
    }

    fn aggregate(&self, vectors: &[&[f32]], moment: &Moment<'_>) -> Vec<f32> {
        let b = self.declared;
        match self.aggregator {
            Aggregator::Vote => coordinate::vote(vectors),
            Aggregator::Mean => coordinate::mean(vectors),
            Aggregator::Median => coordinate::median(vectors),
            Aggregator::TrimmedMean => coordinate::trimmed_mean(vectors, b),
            Aggregator::Meamed => coordinate::mean_around_median(vectors, b),
            Aggregator::Krum => krum::krum(vectors, b),
            Aggregator::MultiKrum => krum::multi_krum(vectors, b),
            Aggregator::GeometricMedian => geometric::median(vectors),
            Aggregator::CenteredClipping => clipping::clipped(vectors, moment.last, self.clip_radius),
            Aggregator::Mda => mda::mean(vectors, b),
            Aggregator::Dnc => {
                let mut random = stream(moment.seed, Purpose::Aggregation, moment.step, 1);
                covariance::divide_and_conquer(vectors, b, &mut random)
            }
            Aggregator::Caf => covariance::filtered(vectors, b),
        }
    }
}
