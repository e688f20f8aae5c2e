//! Engines side by side: nobody knows beforehand which is fastest on a matrix.
//!
//! # How
//! The first engine works in the caller's threads. The others have one thread each, so that on two cores no
//! engine waits more than twice its own time for the answer that it would have given alone. Whoever
//! reaches the goal stops the rest; all of them look at their control every few milliseconds, and none
//! outlives the call.
//!
//! # What is promised
//! The answer is one engine's own finding. Where a message shows a smaller margin than another engine
//! proved, both are kept in the finding, and the conclusion that is drawn from it is an error.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::control::Control;
use super::engine::{Engine, Finding, Goal, Unsuitable};
use super::instance::Instance;
use super::structure::Structure;
use ecode_core::Outcome;

/// An engine that has a thread of its own.
pub(super) struct Racer(Box<dyn Engine>);

impl Racer {
    pub(super) fn engine(engine: Box<dyn Engine>) -> Self {
        Self(engine)
    }

    /// Dynamic programming over few states, and after a while over many.
    pub(super) fn states() -> Self {
        Self::engine(Box::new(States))
    }

    pub(super) fn name(&self) -> &'static str {
        self.0.name()
    }
}

/// Memory grows only where an engine that needs less had its time.
struct States;

/// The first try: about a second, in less than 100 MB.
const SMALL: Structure = Structure { most_states: 1 << 18, most_bytes: 48 << 20, most_choices: 0 };
/// When the second try begins, as large as the engine alone would be.
const LATER: Duration = Duration::from_secs(20);
/// How often a thread that waits looks up.
const GLANCE: Duration = Duration::from_millis(5);

impl super::engine::Sealed for States {}

impl Engine for States {
    fn name(&self) -> &'static str {
        "structure"
    }

    fn suits(&self, _: Instance<'_>) -> Result<(), Unsuitable> {
        Ok(())
    }

    fn examine_from(
        &self,
        instance: Instance<'_>,
        goal: Goal,
        start: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        let begun = Instant::now();
        let found = SMALL.examine_from(instance, goal, start, control);
        if found.floor.is_some() {
            return found;
        }
        while begun.elapsed() < LATER {
            if control.stopped() {
                return found;
            }
            std::thread::sleep(GLANCE);
        }
        Structure { most_choices: 0, ..Structure::default() }.examine_from(instance, goal, start, control)
    }
}

/// Runs all engines until one reaches the goal, or the control says stop; the name of the engine that did.
pub(super) fn race(
    first: Option<&dyn Engine>,
    others: &[Racer],
    instance: Instance<'_>,
    goal: Goal,
    start: Option<&Outcome>,
    control: &Control,
) -> (Option<&'static str>, Finding) {
    let inner = control.child();
    let result: Mutex<(Option<&'static str>, Finding)> = Mutex::default();
    let finish = |name: &'static str, found: Finding| {
        let decided = found.floor.is_some() || matches!(goal, Goal::Tolerates(b) if found.beats(b));
        let mut result = result.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (winner, best) = &mut *result;
        if decided && winner.is_none() {
            *winner = Some(name);
            let worst = best.worst.take();
            *best = found;
            if let Some(worst) = worst {
                best.keep_worse(worst);
            }
            inner.stop();
        } else if let Some(worst) = found.worst {
            best.keep_worse(worst);
        }
    };
    std::thread::scope(|scope| {
        for racer in others {
            let (finish, quiet) = (&finish, inner.unwatched());
            scope.spawn(move || {
                finish(racer.name(), racer.0.examine_from(instance, goal, start, &quiet));
            });
        }
        if let Some(engine) = first {
            finish(engine.name(), engine.examine_from(instance, goal, start, &inner));
        }
    });
    result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}
