//! From a claim to a verdict. Several engines, one technique a file, answer the same question: what is
//! the smallest margin over all messages? The claim "b-tolerant" holds exactly when it is at least b.
//!
//! # What is promised
//! - A `refuted` verdict holds a counterexample that was replayed through the definitions in
//!   [`ecode_core`] before it was returned.
//! - A `tolerant` verdict comes only from an engine that says it has covered every message.
//! - What is not known is said so: [`Conclusion::Undecided`] carries the bounds found so far.
//! - [`VerifiedCode`] can be made only here.

mod branch;
mod count;
mod definition;
mod exhaustive;
mod gluing;
mod local;
mod order;
pub mod part;
pub mod reduce;
#[cfg(feature = "sat")]
mod sat;
mod structure;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use branch::Branch;
pub use count::{Count, Enumeration};
pub use definition::Definition;
pub use exhaustive::Exhaustive;
pub use gluing::{Part, Premise, Proof, Shape, verify_by_gluing};
pub use local::LocalSearch;
pub use order::narrow_order;
#[cfg(feature = "sat")]
pub use sat::{Library, Sat};
pub use structure::Structure;

pub use ecode_core::Encoding;
use ecode_core::{AllocationMatrix, Claim, Counterexample, Outcome, TieRule};

/// When to stop, and how far the work is. Shared between the engine's threads and whoever watches.
#[derive(Clone, Debug, Default)]
pub struct Control {
    deadline: Option<Instant>,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Control {
    /// A control that stops the work after `timeout`, when there is one.
    #[must_use]
    pub fn with_timeout(timeout: Option<Duration>) -> Self {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Self { deadline, ..Self::default() }
    }

    /// The same control with an end of its own, at most `time` from now.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        let end = Instant::now().checked_add(time);
        let deadline = [self.deadline, end].into_iter().flatten().min();
        Self { deadline, ..self.clone() }
    }

    /// The same end and the same stop, with a progress of its own.
    #[must_use]
    pub fn unwatched(&self) -> Self {
        Self { deadline: self.deadline, stop: Arc::clone(&self.stop), ..Self::default() }
    }

    /// Asks the work to stop; it answers with what it knows by then.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The flag that [`Self::stop`] sets, for who cannot call a function: a signal handler.
    #[must_use]
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Whether the work should end now.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// Messages evaluated so far and in all; (0, 0) where the engine does not count.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Begins a count of `total`.
    pub fn begin(&self, total: u64) {
        self.begin_at(0, total);
    }

    /// Begins a count of `total` of which `done` were counted before.
    pub fn begin_at(&self, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Adds to the count of what is done.
    pub fn advance(&self, messages: u64) {
        self.done.fetch_add(messages, Ordering::Relaxed);
    }
}

/// What is asked of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The smallest margin, hence the radius.
    Radius,
    /// Whether the smallest margin is at least b; an engine may stop as soon as it knows.
    Tolerates(usize),
}

/// What an engine found: the smallest margin lies between `floor` and the margin of `worst`.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The message with the smallest margin that was met; among those, one with the most wrong workers.
    pub worst: Option<Outcome>,
    /// Proven: no message has a smaller margin than this.
    pub floor: Option<i64>,
    /// Messages that the finding speaks for (0 where the engine does not enumerate).
    pub messages: u128,
    /// Messages that were really evaluated, after merging what is alike.
    pub evaluated: u128,
}

impl Finding {
    /// Keeps an outcome where it is worse than what was met.
    fn meet(&mut self, outcome: Outcome) {
        let key = |o: &Outcome| (o.margin, o.wrong.len() - o.wrong.count());
        if self.worst.as_ref().is_none_or(|worst| key(&outcome) < key(worst)) {
            self.worst = Some(outcome);
        }
    }

    /// Whether a message was met that b Byzantine workers overturn.
    fn beats(&self, b: usize) -> bool {
        self.worst.as_ref().is_some_and(|worst| worst.margin < b as i64)
    }
}

/// Why an engine does not take a matrix, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsuitable(pub String);

/// One way to find the smallest margin.
pub trait Engine: Sync {
    /// The name for `--method`.
    fn name(&self) -> &'static str;

    /// Whether this engine takes the matrix at all.
    ///
    /// # Errors
    /// [`Unsuitable`] with the reason.
    fn suits(&self, g: &AllocationMatrix, ties: TieRule) -> Result<(), Unsuitable>;

    /// Works until the goal is reached or the control says stop.
    fn examine(&self, g: &AllocationMatrix, ties: TieRule, goal: Goal, control: &Control) -> Finding;
}

/// Every engine, in the order in which `--method all` runs them.
#[must_use]
pub fn engines() -> Vec<Box<dyn Engine>> {
    vec![
        Box::new(Definition),
        Box::new(Exhaustive),
        Box::new(Branch),
        Box::new(Structure::default()),
        #[cfg(feature = "sat")]
        Box::new(Sat::default()),
        #[cfg(feature = "cadical")]
        Box::new(Sat { library: Library::Cadical, ..Sat::default() }),
    ]
}

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

/// The answer to a claim, with its evidence.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The number of Byzantine workers that the verdict is about.
    pub b: usize,
    /// The tie rule that it is about.
    pub ties: TieRule,
    /// Tolerant, refuted with a counterexample, or undecided.
    pub conclusion: Conclusion,
    /// Every message has at least this margin, where that is proven.
    pub floor: Option<i64>,
    /// The worst message met, with its votes.
    pub worst: Option<Outcome>,
    /// The engine's name.
    pub method: &'static str,
    /// Why this engine was chosen, where it was chosen automatically.
    pub reason: Option<String>,
    /// Messages that the verdict speaks for by enumeration (0 for an engine that does not enumerate).
    pub messages: u128,
    /// Messages evaluated after merging equal workers and partitions.
    pub evaluated: u128,
    /// Wall time.
    pub elapsed: Duration,
    /// Threads that the work could use.
    pub threads: usize,
}

impl Verdict {
    /// The radius where it is determined: `Some(None)` says that G fails already at b = 0, for which one
    /// message is enough.
    #[must_use]
    pub fn radius(&self) -> Option<Option<usize>> {
        let margin = self.worst.as_ref()?.margin;
        (margin < 0 || self.floor == Some(margin)).then(|| usize::try_from(margin).ok())
    }

    /// The worst message, where it is proven that none is worse.
    #[must_use]
    pub fn worst_case(&self) -> Option<&Outcome> {
        self.worst.as_ref().filter(|worst| self.floor == Some(worst.margin))
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
pub enum VerifyError {
    /// No engine has this name.
    #[error("unknown method '{0}': expected auto, all, {names}", names = method_names().join(", "))]
    UnknownMethod(String),
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

/// The names that `--method` takes besides `auto` and `all`.
#[must_use]
pub fn method_names() -> Vec<&'static str> {
    engines().iter().map(|engine| engine.name()).collect()
}

/// Which engine answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The engine that is expected to be fastest.
    #[default]
    Auto,
    /// Every engine that takes the matrix; they must agree.
    All,
    /// One engine by name.
    Named(String),
}

/// Up to this many messages plain enumeration is faster than branch and bound (docs/performance.md).
const ENUMERABLE: u128 = 1 << 31;

/// Enumerations up to this many messages take a millisecond: nothing else is tried before.
const FEW: u128 = 1 << 20;

/// Decides the claim of `b` Byzantine workers, or of the radius when `b` is `None` (the verdict's b is
/// then the radius, or 0 where even b = 0 fails).
///
/// ```
/// use ecode_core::{AllocationMatrix, TieRule};
/// use ecode_verify::{Control, Method, verify};
/// // Three workers that hold everything: one liar is outvoted, two are not.
/// let g = AllocationMatrix::from_fn(3, 3, |_, _| true)?;
/// let verdict = verify(&g, None, TieRule::Adversarial, &Method::Auto, &Control::default())?;
/// assert_eq!(verdict.radius(), Some(Some(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`VerifyError`]: an unknown or unsuitable method, or contradicting engines.
pub fn verify(
    g: &AllocationMatrix,
    b: Option<usize>,
    ties: TieRule,
    method: &Method,
    control: &Control,
) -> Result<Verdict, VerifyError> {
    match method {
        Method::Auto => {
            let choices =
                reduce::sides(g, ties).iter().fold(0_u128, |sum, side| sum.saturating_add(side.choices()));
            #[cfg(feature = "sat")]
            let sat: Option<Box<dyn Engine>> = Some(Box::new(Sat::default()));
            #[cfg(not(feature = "sat"))]
            let sat: Option<Box<dyn Engine>> = None;
            let mut tried = "";
            let mut known = None;
            if choices > FEW {
                if b.is_some() {
                    // One message is enough to refute, and most wrong claims are refuted by many.
                    let mut verdict = run(&LocalSearch::default(), g, b, ties, control)?;
                    if matches!(verdict.conclusion, Conclusion::Refuted(_)) {
                        verdict.reason =
                            Some("a local search met a message that refutes the claim".to_owned());
                        return Ok(verdict);
                    }
                    known = verdict.worst;
                }
                // A trial that costs at most a fraction of the enumeration.
                let full = Structure::default();
                let structure = Structure {
                    most_states: full.most_states.min(choices >> 14),
                    most_choices: full.most_choices.min(choices >> 2),
                };
                let mut verdict = run(&structure, g, b, ties, control)?;
                if verdict.floor.is_some() {
                    verdict.reason = Some("the matrix falls apart into small components".to_owned());
                    return Ok(verdict);
                }
                tried = ", and no small components";
            }
            let (engine, reason): (&dyn Engine, String) = if choices <= ENUMERABLE {
                (&Exhaustive, format!("{choices} messages after merging equal partitions{tried}"))
            } else if Branch.suits(g, ties).is_ok() {
                (&Branch, format!("{choices} messages after merging equal partitions{tried}"))
            } else if let Some(sat) = sat.as_deref().filter(|sat| sat.suits(g, ties).is_ok()) {
                (sat, format!("too many messages for branch and bound{tried}"))
            } else {
                // Nothing takes it: a message that is as bad as can be found, and no floor.
                (&LocalSearch { work: 1 << 28 }, format!("too large for every engine{tried}"))
            };
            let mut verdict = run(engine, g, b, ties, control)?;
            if let Some(known) = known
                && verdict.conclusion == Conclusion::Undecided
                && verdict.worst.as_ref().is_none_or(|worst| known.margin < worst.margin)
            {
                verdict.worst = Some(known);
            }
            verdict.reason = Some(reason);
            Ok(verdict)
        }
        Method::Named(name) => {
            let engines = engines();
            let engine = engines
                .iter()
                .find(|engine| engine.name() == name)
                .ok_or_else(|| VerifyError::UnknownMethod(name.clone()))?;
            engine.suits(g, ties)?;
            run(engine.as_ref(), g, b, ties, control)
        }
        Method::All => {
            let engines = engines();
            let able: Vec<_> = engines.iter().filter(|engine| engine.suits(g, ties).is_ok()).collect();
            let mut verdicts = Vec::new();
            for engine in &able {
                verdicts.push(run(engine.as_ref(), g, b, ties, control)?);
            }
            agree(&verdicts)?;
            // The most informative answer: a decided one with the worst case, the fastest of those.
            let names: Vec<_> = verdicts.iter().map(|v| format!("{} ({})", v.method, v.word())).collect();
            let best = verdicts
                .into_iter()
                .min_by_key(|v| (v.conclusion == Conclusion::Undecided, v.worst_case().is_none(), v.elapsed));
            let mut best = best.ok_or_else(|| Unsuitable("no engine takes this matrix".to_owned()))?;
            best.reason = Some(format!("engines agree: {}", names.join(", ")));
            Ok(best)
        }
    }
}

/// As [`verify`], with an engine that is none of [`engines`].
///
/// # Errors
/// [`VerifyError`]: the engine does not take the matrix, or its evidence does not replay.
pub fn verify_by(
    engine: &dyn Engine,
    g: &AllocationMatrix,
    b: Option<usize>,
    ties: TieRule,
    control: &Control,
) -> Result<Verdict, VerifyError> {
    engine.suits(g, ties)?;
    run(engine, g, b, ties, control)
}

/// Whether no two verdicts contradict each other: every proven floor is at most every met margin.
fn agree(verdicts: &[Verdict]) -> Result<(), VerifyError> {
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

/// Runs one engine, replays its evidence and draws the conclusion.
fn run(
    engine: &dyn Engine,
    g: &AllocationMatrix,
    b: Option<usize>,
    ties: TieRule,
    control: &Control,
) -> Result<Verdict, VerifyError> {
    let start = Instant::now();
    let finding = engine.examine(g, ties, b.map_or(Goal::Radius, Goal::Tolerates), control);
    conclude(engine.name(), g, b, ties, finding, start.elapsed())
}

/// Replays what was found and draws the conclusion.
fn conclude(
    method: &'static str,
    g: &AllocationMatrix,
    b: Option<usize>,
    ties: TieRule,
    finding: Finding,
    elapsed: Duration,
) -> Result<Verdict, VerifyError> {
    if let Some(worst) = &finding.worst
        && (Outcome::of(g, ties, &worst.message) != *worst
            || finding.floor.is_some_and(|floor| floor > worst.margin))
    {
        return Err(VerifyError::Replay(method));
    }
    let mut verdict = Verdict {
        b: 0,
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
    verdict.b = match (b, verdict.radius()) {
        (Some(b), _) => b,
        (None, Some(radius)) => radius.unwrap_or(0),
        (None, None) => return Ok(verdict),
    };
    let b = verdict.b;
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

/// A code whose b-Byzantine tolerance was verified in this process. There is no other way to get one.
///
/// ```compile_fail
/// use ecode_core::{AllocationMatrix, Claim, TieRule};
/// let matrix = AllocationMatrix::from_fn(3, 3, |_, _| true).unwrap();
/// // error[E0451]: the fields are private.
/// let forged = ecode_verify::VerifiedCode { claim: Claim { matrix, b: 1, ties: TieRule::Zero } };
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedCode {
    claim: Claim,
    verdict: Verdict,
}

impl VerifiedCode {
    /// Verifies a claim: the code when it is tolerant, else the verdict that says why not.
    ///
    /// # Errors
    /// The outer error is [`VerifyError`]; the inner one the verdict, refuted or undecided.
    pub fn verify(
        claim: Claim,
        method: &Method,
        control: &Control,
    ) -> Result<Result<Self, Verdict>, VerifyError> {
        let verdict = verify(&claim.matrix, Some(claim.b), claim.ties, method, control)?;
        Ok(match verdict.conclusion {
            Conclusion::Tolerant => Ok(Self { claim, verdict }),
            Conclusion::Refuted(_) | Conclusion::Undecided => Err(verdict),
        })
    }

    /// As [`Self::verify`], by the gluing theorem: for codes that are beyond the engines.
    ///
    /// # Errors
    /// [`VerifyError`]. A premise that does not hold gives `None`.
    pub fn verify_by_gluing(
        claim: Claim,
        shape: &Shape,
        control: &Control,
    ) -> Result<Option<Self>, VerifyError> {
        let verdict = verify_by_gluing(&claim.matrix, shape, claim.b, claim.ties, control)?;
        Ok(verdict
            .ok()
            .filter(|verdict| verdict.conclusion == Conclusion::Tolerant)
            .map(|verdict| Self { claim, verdict }))
    }

    /// The claim that was verified.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The allocation matrix.
    #[must_use]
    pub fn matrix(&self) -> &AllocationMatrix {
        &self.claim.matrix
    }

    /// The verdict that stands for it.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            b: 0,
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

    impl Engine for Liar {
        fn name(&self) -> &'static str {
            "liar"
        }

        fn suits(&self, _: &AllocationMatrix, _: TieRule) -> Result<(), Unsuitable> {
            Ok(())
        }

        fn examine(&self, g: &AllocationMatrix, ties: TieRule, _: Goal, _: &Control) -> Finding {
            let mut worst = Outcome::of(g, ties, &ecode_core::Message::from_indices(g.k(), [0]));
            worst.margin = self.margin;
            Finding { worst: Some(worst), floor: self.floor, ..Finding::default() }
        }
    }

    /// Three full rows on the message {0}: margin 1. Nothing else passes, nor a floor above it.
    #[test]
    fn evidence_that_does_not_replay_is_no_verdict() {
        let Ok(g) = AllocationMatrix::from_fn(3, 3, |_, _| true) else { panic!("3 × 3") };
        let word = |floor, margin| {
            run(&Liar { floor, margin }, &g, Some(2), TieRule::Zero, &Control::default())
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

    #[test]
    fn the_control_counts_and_stops() {
        let control = Control::default();
        control.begin(10);
        control.advance(3);
        control.advance(4);
        assert_eq!((control.progress(), control.stopped()), ((7, 10), false));
        control.begin(5);
        assert_eq!(control.progress(), (0, 5));
        let shared = control.clone();
        shared.stop();
        assert!(control.stopped());
        assert!(Control::with_timeout(Some(Duration::ZERO)).stopped());
        assert!(!Control::with_timeout(Some(Duration::from_secs(3600))).stopped());
    }
}
