//! How a claim is decided: what is tried, in which order, and for how long.
//!
//! # The order of `auto`
//! 1. Up to [`AT_ONCE`] messages: all of them.
//! 2. The gluing theorem, where the shape of the code is known.
//! 3. A local search, and bounds that cost nothing. One bad message refutes a claim, and a message as bad as
//!    a bound allows is the worst.
//! 4. A short trial for components and for few states.
//! 5. Up to [`ENUMERABLE`] messages: all of them.
//! 6. Several engines side by side ([`super::race`]); the first that settles the claim answers.
//!
//! A message with a negative margin settles the radius: there is none. How bad it gets is then looked for
//! for [`WORST_CASE`] only, unless [`Request::worst_case`] asks for it.
//!
//! # What is promised
//! Verdict, radius, bounds and the worst message's margin do not depend on the number of threads, nor on which
//! engine is first, unless the work is stopped by the clock. The method, its counts and the time tell of this run.

use std::time::{Duration, Instant};

use super::bound::most_loss;
use super::branch::Branch;
use super::control::Control;
use super::engine::{Engine, Finding, Goal, Unsuitable};
use super::engines::engines;
use super::exhaustive::Exhaustive;
use super::gluing::{Shape, verify_by_gluing};
use super::instance::Instance;
use super::local::LocalSearch;
use super::method::Method;
use super::race::{Racer, race};
use super::reduce::Side;
use super::structure::Structure;
use super::structure::apart;
use super::symmetry::{Symmetry, worthwhile};
use super::verdict::{Verdict, VerifyError};
use super::verdict::{agree, conclude, run};
use ecode_core::{AllocationMatrix, TieRule};

/// So many messages are counted within a millisecond or two.
const AT_ONCE: u128 = 1 << 20;
/// So many messages are counted within a tenth of a second on two cores of 2020, whose AVX2 counts
/// 1.5·10⁹ messages a second and thread (docs/performance.md).
const ENUMERABLE: u128 = 1 << 27;
/// Up to so many messages plain enumeration is faster than branch and bound (docs/performance.md).
const ENUMERATED: u128 = 1 << 31;
/// The same for choices of a fixed weight. Rows of few ones, as redundancy schemes have them, leave branch and bound
/// little to give up: MOLS of 35 workers took it twice the time.
const ENUMERATED_OF_WEIGHT: u128 = 1 << 37;
/// Where components are taken apart, an enumeration of so many choices is worth its minutes.
const APART: u128 = 1 << 36;
/// How long the worst case of a code without a radius is looked for where nobody asked for it.
pub(super) const WORST_CASE: Duration = Duration::from_secs(1);
/// The trial for structure: milliseconds.
const TRIAL: Structure = Structure { most_states: 1 << 13, most_bytes: 16 << 20, most_choices: 1 << 20 };
/// Where no engine takes a matrix, the local search takes some seconds.
const LONG_SEARCH: LocalSearch = LocalSearch { work: 1 << 28 };

/// A question about a matrix, with what is known of it.
///
/// ```
/// use ecode_core::{AllocationMatrix, TieRule};
/// use ecode_verify::{Control, Radius, Request};
/// // Three workers that hold everything: one liar is outvoted, two are not.
/// let g = AllocationMatrix::from_fn(3, 3, |_, _| true)?;
/// let verdict = Request::new(&g).b(2).ties(TieRule::Zero).decide(&Control::default())?;
/// assert!(verdict.is_refuted());
/// assert_eq!(Request::new(&g).decide(&Control::default())?.radius(), Radius::Exactly(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    instance: Instance<'a>,
    b: Option<usize>,
    method: Method,
    shape: Option<&'a Shape>,
    worst_case: bool,
}

impl<'a> Request<'a> {
    /// Asks for the radius under the default tie rule.
    #[must_use]
    pub fn new(matrix: &'a AllocationMatrix) -> Self {
        let instance = Instance::new(matrix, TieRule::default());
        Self { instance, b: None, method: Method::Auto, shape: None, worst_case: false }
    }

    /// Asks how many rows the choices of exactly this many partitions win at most.
    pub(super) fn of_weight(matrix: &'a AllocationMatrix, weight: usize) -> Self {
        let instance = Instance::of_weight(matrix, weight);
        Self { instance, b: None, method: Method::Auto, shape: None, worst_case: true }
    }

    /// Asks whether this many Byzantine workers are tolerated; `None` asks for the radius.
    #[must_use]
    pub fn b(self, b: impl Into<Option<usize>>) -> Self {
        Self { b: b.into(), ..self }
    }

    /// What a worker does whose own vote ties.
    #[must_use]
    pub fn ties(self, ties: TieRule) -> Self {
        Self { instance: Instance::new(self.instance.matrix, ties), ..self }
    }

    /// Who is to answer.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// The shape by which the gluing theorem may prove a claim. It is a hint: every premise is checked on the matrix.
    #[must_use]
    pub fn shape(self, shape: Option<&'a Shape>) -> Self {
        Self { shape, ..self }
    }

    /// Asks also how bad it gets: the smallest margin over all messages, whatever becomes of the claim.
    #[must_use]
    pub fn worst_case(self, worst_case: bool) -> Self {
        Self { worst_case, ..self }
    }

    /// Decides. Without a b the verdict is about the radius, or about b = 0 where even that fails.
    ///
    /// # Errors
    /// [`VerifyError`]: a method that is not built or does not take the matrix, or contradicting engines.
    pub fn decide(&self, control: &Control) -> Result<Verdict, VerifyError> {
        let start = Instant::now();
        let mut verdict = match self.method {
            Method::Auto => self.auto(control),
            Method::All => self.all(control),
            named => {
                let engine = named.engine().ok_or(VerifyError::NotBuilt(named))?;
                engine.suits(self.instance)?;
                self.run(engine.as_ref(), control)
            }
        }?;
        verdict.elapsed = start.elapsed();
        Ok(verdict)
    }

    fn goal(&self) -> Goal {
        match self.b {
            Some(b) if !self.worst_case => Goal::Tolerates(b),
            _ => Goal::Radius,
        }
    }

    fn run(&self, engine: &dyn Engine, control: &Control) -> Result<Verdict, VerifyError> {
        run(engine, self.instance, self.b, self.goal(), control)
    }

    fn conclude(&self, method: &'static str, finding: Finding, why: String) -> Result<Verdict, VerifyError> {
        let mut verdict = conclude(method, self.instance, self.b, finding, Duration::ZERO)?;
        verdict.reason = Some(why);
        Ok(verdict)
    }

    fn auto(&self, control: &Control) -> Result<Verdict, VerifyError> {
        let Instance { matrix: g, ties, .. } = self.instance;
        let sides = self.instance.sides();
        let choices = sides.iter().map(Side::choices).fold(0, u128::saturating_add);
        let merged = format!("{choices} messages after merging equal partitions");
        if choices <= AT_ONCE {
            let mut verdict = self.run(&Exhaustive, control)?;
            verdict.reason = Some(merged);
            return Ok(verdict);
        }
        if let (Some(shape), Some(b), false) = (self.shape, self.b, self.worst_case)
            && let Ok(verdict) = verify_by_gluing(g, shape, b, ties, control)?
        {
            return Ok(verdict);
        }
        let search = LocalSearch::default();
        let local = search.examine_from(self.instance, self.goal(), None, control);
        let refuted = !self.worst_case && self.b.is_some_and(|b| local.beats(b));
        if refuted {
            let why = "a local search met a message that refutes the claim".to_owned();
            return self.conclude(search.name(), local, why);
        }
        if control.stopped() {
            return self.conclude(search.name(), local, "stopped before anything was proved".to_owned());
        }
        let floor = sides.iter().map(|side| side.margin(most_loss(side))).min();
        let worst = local.worst.as_ref().map(|worst| worst.margin);
        if floor.is_some_and(|floor| floor == worst.unwrap_or(i64::MAX) || self.settles(floor)) {
            let why = "by the workers' loads alone no message is worse".to_owned();
            return self.conclude("bound", Finding { floor, ..local }, why);
        }
        // Whether there is a radius is settled by one message; how bad it gets was not asked.
        let worst_unasked = self.b.is_none() && !self.worst_case && local.beats(0);
        let limited = if worst_unasked { control.within(WORST_CASE) } else { control.clone() };
        let mut verdict = self.prove(&sides, choices, &merged, &local, &limited)?;
        if worst_unasked && verdict.floor.is_none() && !control.stopped() {
            verdict.reason =
                Some("a message is decoded wrong without liars; how bad it gets was not asked".to_owned());
        }
        Ok(verdict)
    }

    /// Whether a proven floor is all that was asked for.
    fn settles(&self, floor: i64) -> bool {
        !self.worst_case && self.b.is_some_and(|b| floor >= b as i64)
    }

    /// Looks for a proof that no message is worse than what was met, or bad enough.
    fn prove(
        &self,
        sides: &[Side],
        choices: u128,
        merged: &str,
        local: &Finding,
        control: &Control,
    ) -> Result<Verdict, VerifyError> {
        let (instance, goal) = (self.instance, self.goal());
        let start = local.worst.as_ref();
        let with = |found: Finding| Finding { worst: worse(local, &found), ..found };
        let tried = TRIAL.examine_from(instance, goal, start, control);
        if tried.floor.is_some() {
            let why = "the matrix falls apart into small components".to_owned();
            return self.conclude(TRIAL.name(), with(tried), why);
        }
        let one = |engine: &dyn Engine, why: String| {
            let found = engine.examine_from(instance, goal, start, control);
            self.conclude(engine.name(), with(found), why)
        };
        let fixed = instance.weight().is_some();
        let one_side = |side: &Side| Symmetry.suits(instance).is_ok() && worthwhile(side, control);
        if fixed && choices > ENUMERABLE && sides.iter().all(one_side) {
            return one(&Symmetry, format!("{merged}, and symmetries"));
        }
        if choices <= if fixed { ENUMERATED_OF_WEIGHT } else { ENUMERABLE } {
            return one(&Exhaustive, format!("{merged}, and no small components"));
        }
        let apart = sides.iter().map(apart).try_fold(0_u128, |sum, side| Some(sum.saturating_add(side?)));
        let components = Structure { most_choices: APART, ..TRIAL };
        let first: Option<&dyn Engine> = match apart {
            Some(apart) if apart <= APART && apart < choices >> 2 => Some(&components),
            _ if choices <= ENUMERATED => Some(&Exhaustive),
            _ if Branch.suits(instance).is_ok() => Some(&Branch),
            _ => None,
        };
        #[cfg(feature = "sat")]
        let sat = super::sat::Sat::default().suits(instance).ok();
        #[cfg(feature = "sat")]
        let sat = sat.map(|()| Racer::engine(Box::new(super::sat::Sat::default())));
        #[cfg(not(feature = "sat"))]
        let sat = None;
        let others: Vec<Racer> = std::iter::once(Racer::states()).chain(sat).collect();
        let longer = others.len() == 1 && first.is_none();
        let names: Vec<&str> =
            first.iter().map(|engine| engine.name()).chain(others.iter().map(Racer::name)).collect();
        let all = names.join(", ");
        let (name, mut found) = race(first, &others, instance, goal, start, control);
        if let Goal::Tolerates(b) = goal {
            // Whoever is first says no more than was asked.
            found.floor = found.floor.map(|floor| floor.min(b as i64));
        }
        if found.floor.is_none() && longer && !control.stopped() {
            return one(&LONG_SEARCH, "too large for every engine, and no small components".to_owned());
        }
        self.conclude(name.unwrap_or("auto"), with(found), format!("side by side: {all}; {merged}"))
    }

    /// Every engine that takes the matrix, one after the other.
    fn all(&self, control: &Control) -> Result<Verdict, VerifyError> {
        let engines = engines();
        let able = engines.iter().filter(|engine| engine.suits(self.instance).is_ok());
        let verdicts =
            able.map(|engine| self.run(engine.as_ref(), control)).collect::<Result<Vec<_>, _>>()?;
        agree(&verdicts)?;
        let names: Vec<_> = verdicts.iter().map(|v| format!("{} ({})", v.method, v.word())).collect();
        // The most informative answer: a decided one with the worst case, the fastest of those.
        let best =
            verdicts.into_iter().min_by_key(|v| (v.is_undecided(), v.worst_case().is_none(), v.elapsed));
        let mut best = best.ok_or_else(|| Unsuitable("no engine takes this matrix".to_owned()))?;
        best.reason = Some(format!("engines agree: {}", names.join(", ")));
        Ok(best)
    }
}

/// The worse of two messages; the one that was met first among equals.
fn worse(first: &Finding, found: &Finding) -> Option<ecode_core::Outcome> {
    let mut worst = first.clone();
    if let Some(outcome) = &found.worst {
        worst.keep_worse(outcome.clone());
    }
    worst.worst
}

/// Decides the claim of `b` Byzantine workers, or of the radius when `b` is `None` (the verdict's b is
/// then the radius, or 0 where even b = 0 fails). [`Request`] can say more.
///
/// # Errors
/// [`VerifyError`]: an unsuitable method, or contradicting engines.
pub fn verify(
    g: &AllocationMatrix,
    b: Option<usize>,
    ties: TieRule,
    method: Method,
    control: &Control,
) -> Result<Verdict, VerifyError> {
    Request::new(g).b(b).ties(ties).method(method).decide(control)
}
