//! Everything that `ecode analyze` says of a code, as plain data for tables, files and pages.

use super::enumerator::{Enumerator, Margins, Uncountable, enumerate};
use super::errors::{Adversary, Estimate, Kind, Profile, ProfileError};
use super::sample::Sample;
use super::sets::{SetErrors, Sets};
use ecode_core::{AllocationMatrix, Outcome, TieRule, Workers};
use ecode_verify::{Control, Engine as _, Goal, LocalSearch, Method, Radius, VerifyError, verify};

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What a worker does whose own vote ties.
    pub ties: TieRule,
    /// The probabilities with which one partition's sign is wrong.
    pub qs: Vec<f64>,
    /// How many messages are drawn where they cannot be counted.
    pub draws: u64,
    /// The seed of those draws.
    pub seed: u64,
    /// Draw even where the messages could be counted.
    pub sample: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ties: TieRule::Adversarial,
            qs: vec![0.01, 0.05, 0.1, 0.2, 0.3],
            draws: 1_000_000,
            seed: 0,
            sample: false,
        }
    }
}

/// What the figures rest on.
#[derive(Clone, Debug)]
pub enum Evidence {
    /// All messages were counted.
    Counted(Enumerator),
    /// Messages were drawn.
    Drawn(Sample),
}

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

/// What a code is worth.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The code.
    pub matrix: AllocationMatrix,
    /// What a worker does whose own vote ties.
    pub ties: TieRule,
    /// What the figures rest on.
    pub evidence: Evidence,
    /// The margin enumerator, where the messages were counted.
    pub margins: Option<Margins>,
    /// The radius, where it is known: `Some(None)` says that the code fails without liars.
    pub radius: Option<Option<usize>>,
    /// The worst message where the radius is known, else a bad one.
    pub worst: Option<Outcome>,
    /// For each q, in the order asked.
    pub at: Vec<AtQ>,
    /// What fixed sets can do, for those b beyond the radius where all sets were looked at.
    pub sets: Vec<SetErrors>,
}

/// Why there is no analysis.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AnalysisError {
    /// What was asked makes no sense.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The engines of `verify` found a contradiction.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The counts and the engines of `verify` contradict each other: a bug in one of them.
    #[error("counting all messages gives the radius {counted}, 'verify' gives {verified}")]
    Contradiction {
        /// The radius from the enumerator.
        counted: String,
        /// The radius from `verify`.
        verified: String,
    },
}

/// The most pairs of a set and a pattern of votes that are looked at, over all b: seconds.
const MOST_PAIRS: u128 = 1 << 33;

impl Analysis {
    /// Counts the messages, or draws some where there are too many or the control says stop, and computes
    /// what was asked.
    ///
    /// # Errors
    /// [`AnalysisError`]: a q that is no probability, or contradicting results.
    pub fn of(g: &AllocationMatrix, options: &Options, control: &Control) -> Result<Self, AnalysisError> {
        let ties = options.ties;
        if let Some(&q) = options.qs.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(ProfileError::Probability(q).into());
        }
        let counted = if options.sample { Err(Uncountable::TooMany) } else { enumerate(g, control) };
        let evidence = match counted {
            Ok(enumerator) => Evidence::Counted(enumerator),
            Err(_) => Evidence::Drawn(Sample::draw(g, options.draws, options.seed, control)),
        };
        let (profile, margins, radius, worst) = match &evidence {
            Evidence::Counted(enumerator) => {
                let counted = enumerator.radius(ties);
                let verdict = verify(g, None, ties, Method::Auto, control)?;
                let verified = verdict.radius();
                let same = counted.map_or(Radius::FailsWithoutLiars, Radius::Exactly);
                if verified.is_determined() && verified != same {
                    let (counted, verified) = (same.to_string(), verified.to_string());
                    return Err(AnalysisError::Contradiction { counted, verified });
                }
                let margins = enumerator.margins(ties);
                (Profile::exact(enumerator, ties), Some(margins), Some(counted), verdict.worst().cloned())
            }
            Evidence::Drawn(sample) => {
                // A bad message, not the worst: to prove one may take for ever.
                let met = LocalSearch::default().examine(g, ties, Goal::Radius, control);
                (Profile::sampled(sample, ties), None, None, met.worst)
            }
        };

        let n = g.n();
        let first = radius.flatten().map_or(0, |radius| radius + 1);
        let mut sets = Vec::new();
        if matches!(evidence, Evidence::Counted(_))
            && let Some(all) = Sets::new(g, ties)
        {
            let mut left = MOST_PAIRS;
            for b in first..=n / 2 {
                let Some(rest) = left.checked_sub(all.work(b)) else { break };
                left = rest;
                let Some(found) = all.at(b, &options.qs, control) else { break };
                sets.push(found);
            }
        }
        let mut at = Vec::new();
        for (place, &q) in options.qs.iter().enumerate() {
            let rows = |kind| -> Result<Vec<Row>, ProfileError> {
                let adaptive = profile.errors(kind, Adversary::Adaptive, q)?.worst();
                let random = profile.errors(kind, Adversary::Random, q)?.worst();
                let row = |(b, (adaptive, random)): (usize, (Estimate, Estimate))| {
                    let of_sets = sets.iter().find(|sets| sets.b == b).map(|sets| match kind {
                        Kind::Decode => &sets.decode[place],
                        Kind::Sign => &sets.sign[place],
                    });
                    // Up to the radius no set matters; more than half of the workers always win.
                    let alike = b < first || 2 * b > n;
                    let fixed = match (of_sets, adaptive) {
                        (Some(worst), _) => {
                            Fixed::Exact { error: worst.error, workers: Some(worst.workers.clone()) }
                        }
                        (None, Estimate::Exact(error)) if alike => Fixed::Exact { error, workers: None },
                        (None, _) => Fixed::Between { low: random, high: adaptive },
                    };
                    Row { b, adaptive, fixed, random }
                };
                Ok(adaptive.into_iter().zip(random).enumerate().map(row).collect())
            };
            at.push(AtQ { q, decode: rows(Kind::Decode)?, sign: rows(Kind::Sign)? });
        }
        Ok(Self { matrix: g.clone(), ties, evidence, margins, radius, worst, at, sets })
    }

    /// The probability of an error against adaptive liars, for each q by b; in a sample the value met. The
    /// larger of the two true signs'; a q outside 0 to 1 is left out.
    #[must_use]
    pub fn adaptive_curves(&self, kind: Kind, qs: &[f64]) -> Vec<Vec<f64>> {
        let profile = match &self.evidence {
            Evidence::Counted(enumerator) => Profile::exact(enumerator, self.ties),
            Evidence::Drawn(sample) => Profile::sampled(sample, self.ties),
        };
        let curve = |&q: &f64| profile.errors(kind, Adversary::Adaptive, q).ok();
        let values = |estimates: Vec<Estimate>| estimates.into_iter().map(Estimate::value).collect();
        qs.iter().filter_map(curve).map(|errors| values(errors.worst())).collect()
    }

    /// How the figures came about: `enumeration`, `structure` or `sampling`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match &self.evidence {
            Evidence::Counted(enumerator) => enumerator.how().name(),
            Evidence::Drawn(_) => "sampling",
        }
    }

    /// Whether the figures are exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        matches!(self.evidence, Evidence::Counted(_))
    }
}
