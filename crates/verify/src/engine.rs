//! What an engine is: one technique that finds the smallest margin over all messages.

use super::control::Control;
use super::instance::Instance;
use ecode_core::{AllocationMatrix, Outcome, TieRule};

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
    pub(crate) fn keep_worse(&mut self, outcome: Outcome) {
        let key = |o: &Outcome| (o.margin, o.wrong.len() - o.wrong.count());
        if self.worst.as_ref().is_none_or(|worst| key(&outcome) < key(worst)) {
            self.worst = Some(outcome);
        }
    }

    /// Whether a message was met that b Byzantine workers overturn.
    pub(crate) fn beats(&self, b: usize) -> bool {
        self.worst.as_ref().is_some_and(|worst| worst.margin < b as i64)
    }
}

/// Why an engine does not take a matrix, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsuitable(pub(crate) String);

mod sealed {
    /// Only this crate can name this trait, so only this crate has engines.
    pub trait Sealed {}
}

pub(crate) use sealed::Sealed;

/// One way to find the smallest margin.
///
/// A floor that an engine returns is believed, so the trait is sealed: whoever wants to decide claims in
/// another way needs a proof that is checked (`ProvedSide`, feature `drat`).
///
/// ```compile_fail,E0277
/// use ecode_core::Outcome;
/// use ecode_verify::{Control, Engine, Finding, Goal, Instance, Unsuitable};
/// struct Credulous;
/// impl Engine for Credulous {
///     fn name(&self) -> &'static str {
///         "credulous"
///     }
///     fn suits(&self, _: Instance<'_>) -> Result<(), Unsuitable> {
///         Ok(())
///     }
///     fn examine_from(&self, _: Instance<'_>, _: Goal, _: Option<&Outcome>, _: &Control) -> Finding {
///         Finding { floor: Some(1000), ..Finding::default() }
///     }
/// }
/// ```
pub trait Engine: Sealed + Sync {
    /// The name for `--method`.
    fn name(&self) -> &'static str;

    /// Whether this engine takes the instance at all.
    ///
    /// # Errors
    /// [`Unsuitable`] with the reason.
    fn suits(&self, instance: Instance<'_>) -> Result<(), Unsuitable>;

    /// Looks at all messages of a matrix until the goal is reached or the control says stop.
    fn examine(&self, g: &AllocationMatrix, ties: TieRule, goal: Goal, control: &Control) -> Finding {
        self.examine_from(Instance::new(g, ties), goal, None, control)
    }

    /// The same for any instance, and where a bad message of it is known, from which the engine may `start`.
    fn examine_from(
        &self,
        instance: Instance<'_>,
        goal: Goal,
        start: Option<&Outcome>,
        control: &Control,
    ) -> Finding;
}
