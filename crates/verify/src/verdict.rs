//! What became of a claim, with its evidence.

use std::fmt;
use std::time::{Duration, Instant};

use super::control::Control;
use super::engine::{Engine, Finding, Goal, Unsuitable};
use super::instance::Instance;
use super::method::Method;
use ecode_core::{Counterexample, Outcome, TieRule};

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// For every message and every set of b workers the decode is right.
    Tolerant,
    /// It is not; here is how.
    Refuted(Box<Counterexample>),
    /// Neither was shown before the work had to stop.
    Undecided,
}

/// The largest b that a matrix tolerates, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Radius {
    /// It is this.
    Exactly(usize),
    /// It is at least this; whether it is more was not settled.
    AtLeast(usize),
    /// There is none: some message is decoded wrong even when nobody lies.
    FailsWithoutLiars,
    /// Nothing was settled, not even b = 0.
    Unknown,
}

impl Radius {
    /// The radius that a proven smallest margin stands for.
    #[must_use]
    pub fn of_margin(margin: i64) -> Self {
        usize::try_from(margin).map_or(Self::FailsWithoutLiars, Self::Exactly)
    }

    /// The radius, where there is one and it is known.
    #[must_use]
    pub fn exactly(self) -> Option<usize> {
        match self {
            Self::Exactly(radius) => Some(radius),
            Self::AtLeast(_) | Self::FailsWithoutLiars | Self::Unknown => None,
        }
    }

    /// Whether nothing is left to find out.
    #[must_use]
    pub fn is_determined(self) -> bool {
        matches!(self, Self::Exactly(_) | Self::FailsWithoutLiars)
    }
}

impl fmt::Display for Radius {
    /// `2`, `≥ 2`, `none` or `unknown`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(radius) => write!(f, "{radius}"),
            Self::AtLeast(radius) => write!(f, "≥ {radius}"),
            Self::FailsWithoutLiars => f.write_str("none"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// The answer to a claim, with its evidence. Only this crate makes one.
///
/// ```compile_fail,E0616
/// use ecode_core::{AllocationMatrix, TieRule};
/// use ecode_verify::{Conclusion, Control, Method, verify};
/// let g = AllocationMatrix::from_fn(3, 3, |_, _| true)?;
/// let mut verdict = verify(&g, Some(2), TieRule::Zero, Method::Auto, &Control::default())?;
/// verdict.conclusion = Conclusion::Tolerant;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verdict {
    pub(crate) b: Option<usize>,
    pub(crate) ties: TieRule,
    pub(crate) conclusion: Conclusion,
    pub(crate) floor: Option<i64>,
    pub(crate) worst: Option<Outcome>,
    pub(crate) method: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) messages: u128,
    pub(crate) evaluated: u128,
    pub(crate) elapsed: Duration,
    pub(crate) threads: usize,
}

impl Verdict {
    /// The number of Byzantine workers that the verdict is about: as asked, else the radius (0 where even
    /// that fails); `None` where the radius was asked for and not found.
    #[must_use]
    pub fn b(&self) -> Option<usize> {
        self.b
    }

    /// The tie rule that it is about.
    #[must_use]
    pub fn ties(&self) -> TieRule {
        self.ties
    }

    /// Tolerant, refuted with a counterexample, or undecided.
    #[must_use]
    pub fn conclusion(&self) -> &Conclusion {
        &self.conclusion
    }

    /// Whether the claim was proved.
    #[must_use]
    pub fn is_tolerant(&self) -> bool {
        self.conclusion == Conclusion::Tolerant
    }

    /// Whether the claim was refuted.
    #[must_use]
    pub fn is_refuted(&self) -> bool {
        self.attack().is_some()
    }

    /// Whether neither was shown.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        self.conclusion == Conclusion::Undecided
    }

    /// The counterexample of a refuted claim.
    #[must_use]
    pub fn attack(&self) -> Option<&Counterexample> {
        match &self.conclusion {
            Conclusion::Refuted(attack) => Some(attack),
            Conclusion::Tolerant | Conclusion::Undecided => None,
        }
    }

    /// Every message has at least this margin, where that is proven.
    #[must_use]
    pub fn floor(&self) -> Option<i64> {
        self.floor
    }

    /// The worst message met, with its votes.
    #[must_use]
    pub fn worst(&self) -> Option<&Outcome> {
        self.worst.as_ref()
    }

    /// The worst message, where it is proven that none is worse.
    #[must_use]
    pub fn worst_case(&self) -> Option<&Outcome> {
        self.worst.as_ref().filter(|worst| self.floor == Some(worst.margin))
    }

    /// The engine's name.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Why this engine was chosen, or why nothing was decided.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Messages that the verdict speaks for by enumeration (0 for an engine that does not enumerate).
    #[must_use]
    pub fn messages(&self) -> u128 {
        self.messages
    }

    /// Messages evaluated after merging equal workers and partitions.
    #[must_use]
    pub fn evaluated(&self) -> u128 {
        self.evaluated
    }

    /// Wall time of all of it.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Threads that the work could use.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The radius, as far as it is known. One message is enough to show that there is none.
    #[must_use]
    pub fn radius(&self) -> Radius {
        let margin = self.worst.as_ref().map(|worst| worst.margin);
        match (margin, self.radius_at_least()) {
            (Some(margin), _) if margin < 0 || self.floor == Some(margin) => Radius::of_margin(margin),
            (_, Some(radius)) => Radius::AtLeast(radius),
            (_, None) => Radius::Unknown,
        }
    }

    /// The largest b that is proven to be tolerated.
    #[must_use]
    pub fn radius_at_least(&self) -> Option<usize> {
        self.floor.and_then(|floor| usize::try_from(floor).ok())
    }

    /// The smallest b that is proven not to be tolerated.
    #[must_use]
    pub fn radius_below(&self) -> Option<usize> {
        self.worst.as_ref().map(|worst| usize::try_from(worst.margin + 1).unwrap_or(0))
    }

    /// `tolerant`, `refuted` or `undecided`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.conclusion {
            Conclusion::Tolerant => "tolerant",
            Conclusion::Refuted(_) => "refuted",
            Conclusion::Undecided => "undecided",
        }
    }
}

/// Why there is no verdict at all.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The engine of this name belongs to a feature that was not built.
    #[error("this program was built without the method '{0}'")]
    NotBuilt(Method),
    /// The engine asked for does not take this matrix.
    #[error(transparent)]
    Unsuitable(#[from] Unsuitable),
    /// Two engines contradict each other: a bug in one of them.
    #[error("engines disagree on the smallest margin: {0}")]
    Disagreement(String),
    /// An engine's own evidence does not replay through the definitions: a bug in that engine.
    #[error("'{0}' returned evidence that does not replay; please report this matrix")]
    Replay(&'static str),
}

/// Whether no two verdicts contradict each other: every proven floor is at most every met margin.
pub(crate) fn agree(verdicts: &[Verdict]) -> Result<(), VerifyError> {
    for low in verdicts {
        for high in verdicts {
            if let (Some(floor), Some(worst)) = (low.floor, &high.worst)
                && floor > worst.margin
            {
                return Err(VerifyError::Disagreement(format!(
                    "'{}' proves at least {floor}, '{}' shows {}",
                    low.method, high.method, worst.margin
                )));
            }
        }
    }
    Ok(())
}

/// Runs one engine, replays its evidence and draws the conclusion about `b`, or about the radius.
pub(crate) fn run(
    engine: &dyn Engine,
    instance: Instance<'_>,
    b: Option<usize>,
    goal: Goal,
    control: &Control,
) -> Result<Verdict, VerifyError> {
    let start = Instant::now();
    let finding = engine.examine_from(instance, goal, None, control);
    conclude(engine.name(), instance, b, finding, start.elapsed())
}

/// Replays what was found and draws the conclusion. About choices of a fixed weight there is none to draw.
pub(crate) fn conclude(
    method: &'static str,
    instance: Instance<'_>,
    b: Option<usize>,
    finding: Finding,
    elapsed: Duration,
) -> Result<Verdict, VerifyError> {
    let (g, ties) = (instance.matrix, instance.ties);
    if let Some(worst) = &finding.worst
        && (instance.outcome(&worst.message) != *worst
            || instance.weight().is_some_and(|weight| weight != worst.message.count())
            || finding.floor.is_some_and(|floor| floor > worst.margin))
    {
        return Err(VerifyError::Replay(method));
    }
    let mut verdict = Verdict {
        b,
        ties,
        conclusion: Conclusion::Undecided,
        floor: finding.floor,
        worst: finding.worst,
        method,
        reason: None,
        messages: finding.messages,
        evaluated: finding.evaluated,
        elapsed,
        threads: rayon::current_num_threads(),
    };
    let b = match (b, verdict.radius()) {
        _ if instance.weight().is_some() => return Ok(verdict),
        (Some(b), _) => b,
        (None, Radius::Exactly(radius)) => radius,
        (None, Radius::FailsWithoutLiars) => 0,
        (None, Radius::AtLeast(_) | Radius::Unknown) => return Ok(verdict),
    };
    verdict.b = Some(b);
    if finding.floor.is_some_and(|floor| floor >= b as i64) {
        verdict.conclusion = Conclusion::Tolerant;
    } else if let Some(attack) = verdict.worst.as_ref().and_then(|worst| worst.attack(g, ties, b)) {
        if !attack.replays(g, ties, b) {
            return Err(VerifyError::Replay(method));
        }
        verdict.conclusion = Conclusion::Refuted(Box::new(attack));
    }
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_core::AllocationMatrix;

    /// A verdict of an engine that proves a floor, or shows a message, or both.
    fn verdict(method: &'static str, floor: Option<i64>, shown: Option<i64>) -> Verdict {
        let message = ecode_core::Message::from_indices(1, []);
        let none = ecode_core::Workers::empty(1);
        let outcome = |margin| Outcome {
            message: message.clone(),
            correct: false,
            wrong: none.clone(),
            silent: none.clone(),
            margin,
        };
        Verdict {
            b: None,
            ties: TieRule::Adversarial,
            conclusion: Conclusion::Undecided,
            floor,
            worst: shown.map(outcome),
            method,
            reason: None,
            messages: 0,
            evaluated: 0,
            elapsed: Duration::ZERO,
            threads: 1,
        }
    }

    #[test]
    fn engines_that_contradict_each_other_are_found_out() {
        let agreed =
            [verdict("a", Some(1), Some(1)), verdict("b", None, Some(3)), verdict("c", Some(0), None)];
        assert!(agree(&agreed).is_ok());
        let [a, b, _] = agreed;
        let error = agree(&[b, verdict("d", Some(2), None), a]).map_err(|error| error.to_string());
        let expected = "engines disagree on the smallest margin: 'd' proves at least 2, 'a' shows 1";
        assert_eq!(error, Err(expected.to_owned()));
    }

    /// An engine whose evidence is wrong, in one of two ways.
    struct Liar {
        floor: Option<i64>,
        margin: i64,
    }

    impl crate::engine::Sealed for Liar {}

    impl Engine for Liar {
        fn name(&self) -> &'static str {
            "liar"
        }

        fn suits(&self, _: Instance<'_>) -> Result<(), Unsuitable> {
            Ok(())
        }

        fn examine_from(&self, instance: Instance<'_>, _: Goal, _: Option<&Outcome>, _: &Control) -> Finding {
            let mut worst = instance.outcome(&ecode_core::Message::from_indices(instance.matrix.k(), [0]));
            worst.margin = self.margin;
            Finding { worst: Some(worst), floor: self.floor, ..Finding::default() }
        }
    }

    /// Three full rows on the message {0}: margin 1. Nothing else passes, nor a floor above it.
    #[test]
    fn evidence_that_does_not_replay_is_no_verdict() {
        let Ok(g) = AllocationMatrix::from_fn(3, 3, |_, _| true) else { panic!("3 × 3") };
        let word = |floor, margin| {
            let instance = Instance::new(&g, TieRule::Zero);
            run(&Liar { floor, margin }, instance, Some(2), Goal::Radius, &Control::default())
                .map(|verdict| verdict.word())
                .map_err(|error| error.to_string())
        };
        let caught =
            Err("'liar' returned evidence that does not replay; please report this matrix".to_owned());
        assert_eq!(word(None, 1), Ok("refuted"));
        assert_eq!(word(None, 2), caught);
        assert_eq!(word(None, -5), caught);
        assert_eq!(word(Some(2), 1), caught);
    }
}
