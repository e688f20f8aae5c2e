//! Everything that `ecode analyze` says of a code, as plain data for tables, files and pages.
//!
//! # What is promised
//! - The radius is asked of `verify` before anything is drawn. Up to it every figure is exact: no decode is
//!   wrong, and a sign is wrong exactly when more than half of the partitions' signs are.
//! - With more than half of the workers lying every figure is exact too: 1.
//! - Stopped, [`Analysis::of`] ends within a second. It then holds what was known in time
//!   ([`Analysis::complete`]).

use std::time::{Duration, Instant};

use super::cell::majority_of_weight;
use super::enumerator::{Enumerator, Margins, Uncountable, enumerate};
use super::errors::{Adversary, Errors, Kind, Profile, ProfileError};
use super::estimate::Estimate;
use super::grace::Grace;
use super::numbers::LnFactorials;
use super::radius::RadiusBounds;
use super::rows::{AtQ, CurvesAtQ, Fixed, Row};
use super::sample::Sample;
use super::sets::{SetErrors, Sets};
use ecode_core::{AllocationMatrix, Outcome, TieRule};
use ecode_verify::{Control, Request, Shape, VerifyError};

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What a worker does whose own vote ties.
    pub ties: TieRule,
    /// The probabilities with which one partition's sign is wrong.
    pub qs: Vec<f64>,
    /// For these q the error against adaptive liars is wanted too, for curves.
    pub curves: Vec<f64>,
    /// How many messages are drawn where they cannot be counted.
    pub draws: u64,
    /// The seed of those draws.
    pub seed: u64,
    /// Draw even where the messages could be counted.
    pub sample: bool,
    /// The parts that the code is said to be glued of, and the b that it is made for. They are checked.
    pub parts: Option<(Shape, usize)>,
    /// What the analysis may take, where it has an end: it is shared out among the steps. The control's own
    /// end holds besides.
    pub time: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ties: TieRule::Adversarial,
            qs: vec![0.01, 0.05, 0.1, 0.2, 0.3],
            curves: Vec::new(),
            draws: 1_000_000,
            seed: 0,
            sample: false,
            parts: None,
            time: None,
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
    /// What is known of the radius.
    pub radius: RadiusBounds,
    /// The worst message where the radius is known, else a bad one.
    pub worst: Option<Outcome>,
    /// For each q, in the order asked; empty where the work was stopped before.
    pub at: Vec<AtQ>,
    /// For each q that curves were asked for; empty where the work was stopped before.
    pub curves: Vec<CurvesAtQ>,
    /// What fixed sets can do, for those b beyond the radius where all sets were looked at.
    pub sets: Vec<SetErrors>,
    /// Whether everything that was asked is there: nothing was cut short by the control.
    pub complete: bool,
}

/// Why there is no analysis.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
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
        counted: RadiusBounds,
        /// The radius from `verify`.
        verified: RadiusBounds,
    },
}

/// The most pairs of a set and a pattern of votes that are looked at, over all b: seconds.
const MOST_PAIRS: u128 = 1 << 33;
/// So long `verify` is asked for the radius where there is no other end.
const TRIAL_TIME: Duration = Duration::from_secs(30);

impl Analysis {
    /// Asks for the radius, counts the messages, or draws some where there are too many, and computes what was
    /// asked.
    ///
    /// # Errors
    /// [`AnalysisError`]: a q that is no probability, or contradicting results.
    pub fn of(g: &AllocationMatrix, options: &Options, control: &Control) -> Result<Self, AnalysisError> {
        let (start, ties) = (Instant::now(), options.ties);
        if let Some(&q) = options.qs.iter().chain(&options.curves).find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(ProfileError::Probability(q).into());
        }
        let all = options.time.map_or_else(|| control.clone(), |time| control.within(time));
        let control = &all;
        // A third of the time for proving, as much for counting.
        let third = options.time.map(|time| time / 3);
        let trial = || control.within(third.unwrap_or(TRIAL_TIME).min(TRIAL_TIME));
        let mut radius = RadiusBounds::default();
        let mut worst = None;
        let request = Request::new(g).ties(ties);
        if let Some((shape, b)) = &options.parts {
            let verdict = request.b(*b).shape(Some(shape)).decide(&trial())?;
            radius = RadiusBounds::of(&verdict);
            worst = verdict.worst().cloned();
        }
        let counting = third.map_or_else(|| control.clone(), |third| control.within(third));
        let counted = if options.sample { Err(Uncountable::TooMany) } else { enumerate(g, &counting) };
        let mut complete = !matches!(counted, Err(Uncountable::Stopped)) || !counting.stopped();
        // What the theorem has proved need not be proved again.
        if counted.is_ok() || radius.at_least().is_none() {
            let verdict = request.decide(&trial())?;
            let verified = RadiusBounds::of(&verdict).and(radius);
            if let Ok(enumerator) = &counted {
                radius = RadiusBounds::counted(enumerator.radius(ties));
                if radius.contradicts(verified) {
                    return Err(AnalysisError::Contradiction { counted: radius, verified });
                }
            } else {
                radius = verified;
            }
            worst = verdict.worst().cloned();
        }
        let evidence = if let Ok(enumerator) = counted {
            Evidence::Counted(enumerator)
        } else {
            // The last fifth of the time is for the figures.
            let left = options.time.map(|time| (time / 5 * 4).saturating_sub(start.elapsed()));
            let drawing = left.map_or_else(|| control.clone(), |left| control.within(left));
            let sample = Sample::draw(g, options.draws, options.seed, &drawing);
            complete &= !drawing.stopped();
            let found = sample.smallest_margin(ties).map(RadiusBounds::of_message);
            radius = radius.and(found.unwrap_or_default());
            Evidence::Drawn(sample)
        };
        let (profile, margins) = match &evidence {
            Evidence::Counted(enumerator) => {
                (Profile::exact(enumerator, ties), Some(enumerator.margins(ties)))
            }
            Evidence::Drawn(sample) => (Profile::sampled(sample, ties), None),
        };
        let grace = Grace::after(control);
        let mut analysis = Self {
            matrix: g.clone(),
            ties,
            evidence,
            margins,
            radius,
            worst,
            at: Vec::new(),
            curves: Vec::new(),
            sets: Vec::new(),
            complete,
        };
        analysis.complete &= analysis.look_at_sets(&options.qs, control);
        match analysis.figures(&profile, options, &grace) {
            Ok(()) => {}
            Err(ProfileError::Stopped) => analysis.complete = false,
            Err(error) => return Err(error.into()),
        }
        Ok(analysis)
    }

    /// Looks at the sets of b liars, for as many b as that is little work; false where it had to stop.
    fn look_at_sets(&mut self, qs: &[f64], control: &Control) -> bool {
        if !self.is_exact() {
            return true;
        }
        let Some(all) = Sets::new(&self.matrix, self.ties, control) else { return !control.stopped() };
        let mut left = MOST_PAIRS;
        for b in self.radius.first_open()..=self.matrix.n() / 2 {
            let Some(rest) = all.work(b).and_then(|work| left.checked_sub(work)) else { break };
            left = rest;
            let Some(found) = all.at(b, qs, control) else { return false };
            self.sets.push(found);
        }
        true
    }

    fn figures(&mut self, profile: &Profile, options: &Options, grace: &Grace) -> Result<(), ProfileError> {
        let (n, k) = (self.matrix.n(), self.matrix.k());
        let ln = LnFactorials::up_to(k);
        let tolerated = self.radius.first_open();
        // Without a look at the votes: nobody can do anything, or the liars outvote all others.
        let settled = |kind: Kind, q: f64, b: usize| -> Option<f64> {
            if 2 * b > n {
                return Some(1.0);
            }
            let wrong = |sign: bool| -> f64 {
                let wrong = (0..=k).filter(|&v| majority_of_weight(k, v) != sign);
                wrong.map(|v| ln.binomial(k, q, if sign { k - v } else { v })).sum()
            };
            (b < tolerated).then(|| match kind {
                Kind::Decode => 0.0,
                Kind::Sign => wrong(false).max(wrong(true)).min(1.0),
            })
        };
        let estimates = |kind, adversary, qs: &[f64]| -> Result<Vec<Vec<Estimate>>, ProfileError> {
            let errors = profile.errors_until(kind, adversary, qs, tolerated..n / 2 + 1, grace)?;
            let row = |(errors, &q): (Errors, &f64)| -> Vec<Estimate> {
                let exact = [0, n / 2 + 1].map(|b| settled(kind, q, b));
                let exactly =
                    |b: usize| if 2 * b > n { exact[1] } else { exact[0].filter(|_| b < tolerated) };
                let keep = |(b, estimate)| exactly(b).map_or(estimate, Estimate::Exact);
                errors.worst().into_iter().enumerate().map(keep).collect()
            };
            Ok(errors.into_iter().zip(qs).map(row).collect())
        };
        let qs = &options.qs;
        let mut by_kind = Vec::new();
        for kind in [Kind::Decode, Kind::Sign] {
            let adaptive = estimates(kind, Adversary::Adaptive, qs)?;
            let random = estimates(kind, Adversary::Random, qs)?;
            let rows = adaptive.into_iter().zip(random).enumerate().map(|(place, (adaptive, random))| {
                let rows = adaptive.into_iter().zip(random).enumerate();
                rows.map(|(b, (adaptive, random))| self.row(kind, place, b, adaptive, random)).collect()
            });
            by_kind.push(rows.collect::<Vec<Vec<Row>>>());
        }
        let (sign, decode) = (by_kind.pop().unwrap_or_default(), by_kind.pop().unwrap_or_default());
        let at = qs.iter().zip(decode.into_iter().zip(sign));
        self.at = at.map(|(&q, (decode, sign))| AtQ { q, decode, sign }).collect();
        let values = |rows: Vec<Vec<Estimate>>| -> Vec<Vec<f64>> {
            rows.into_iter().map(|row| row.into_iter().map(Estimate::value).collect()).collect()
        };
        let [decode, sign] = [Kind::Decode, Kind::Sign]
            .map(|kind| estimates(kind, Adversary::Adaptive, &options.curves).map(values));
        let curves = options.curves.iter().zip(decode?.into_iter().zip(sign?));
        self.curves = curves.map(|(&q, (decode, sign))| CurvesAtQ { q, decode, sign }).collect();
        Ok(())
    }

    fn row(&self, kind: Kind, place: usize, b: usize, adaptive: Estimate, random: Estimate) -> Row {
        let n = self.matrix.n();
        let of_sets = self.sets.iter().find(|sets| sets.b == b).map(|sets| match kind {
            Kind::Decode => &sets.decode[place],
            Kind::Sign => &sets.sign[place],
        });
        // Up to the radius no set matters; more than half of the workers always win.
        let alike = b < self.radius.first_open() || 2 * b > n;
        let fixed = match (of_sets, adaptive) {
            (Some(worst), _) => Fixed::Exact { error: worst.error, workers: Some(worst.workers.clone()) },
            (None, Estimate::Exact(error)) if alike => Fixed::Exact { error, workers: None },
            (None, _) => Fixed::Between { low: random, high: adaptive },
        };
        Row { b, adaptive, fixed, random }
    }

    /// How the figures came about: `enumeration`, `structure` or `sampling`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match &self.evidence {
            Evidence::Counted(enumerator) => enumerator.how().name(),
            Evidence::Drawn(_) => "sampling",
        }
    }

    /// Whether all messages were counted, so that every figure is exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        matches!(self.evidence, Evidence::Counted(_))
    }
}
