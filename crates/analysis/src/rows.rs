//! The figures of an analysis, as tables show them.

use super::errors::Kind;
use super::estimate::Estimate;
use ecode_core::Workers;

/// The error against the worst set of b workers that is fixed before the message.
#[derive(Clone, Debug, PartialEq)]
pub enum Fixed {
    /// Every set was looked at.
    Exact {
        /// The probability of an error.
        error: f64,
        /// A worst set; none where all sets of this size do the same.
        workers: Option<Workers>,
    },
    /// Not every set was: it lies between the mean over all sets and what an adaptive choice reaches.
    Between {
        /// At least this.
        low: Estimate,
        /// At most this.
        high: Estimate,
    },
}

impl Fixed {
    /// The error, or the most that it can be.
    #[must_use]
    pub fn at_most(&self) -> f64 {
        match self {
            Self::Exact { error, .. } => *error,
            Self::Between { high: Estimate::Sampled { high, .. } | Estimate::Exact(high), .. } => *high,
        }
    }
}

/// The probabilities of an error with b liars. Each is the larger of the two true signs'.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The number of liars.
    pub b: usize,
    /// Liars chosen after the message.
    pub adaptive: Estimate,
    /// The worst liars that are fixed before the message.
    pub fixed: Fixed,
    /// Liars chosen at random.
    pub random: Estimate,
}

/// All errors at one q.
#[derive(Clone, Debug, PartialEq)]
pub struct AtQ {
    /// The probability that one partition's sign is wrong.
    pub q: f64,
    /// The decode is not the majority of the message: rows b = 0, …, n.
    pub decode: Vec<Row>,
    /// The decode is not the true sign: rows b = 0, …, n.
    pub sign: Vec<Row>,
}

impl AtQ {
    /// The rows of one kind.
    #[must_use]
    pub fn rows(&self, kind: Kind) -> &[Row] {
        match kind {
            Kind::Decode => &self.decode,
            Kind::Sign => &self.sign,
        }
    }
}

/// The errors against adaptive liars at one q, for b = 0, …, n; in a sample the values met.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvesAtQ {
    /// The probability that one partition's sign is wrong.
    pub q: f64,
    /// The decode is not the majority of the message.
    pub decode: Vec<f64>,
    /// The decode is not the true sign.
    pub sign: Vec<f64>,
}
