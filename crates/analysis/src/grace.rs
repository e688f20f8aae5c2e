//! The end of an analysis: what was counted or drawn in time is still turned into figures.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ecode_verify::Control;

/// A control's end, and a little time from the first look at it that found it stopped.
pub(super) struct Grace<'a> {
    control: &'a Control,
    time: Duration,
    since: OnceLock<Instant>,
}

impl<'a> Grace<'a> {
    /// Long enough for most figures, short enough for who waits.
    const TIME: Duration = Duration::from_millis(500);

    pub(super) fn after(control: &'a Control) -> Self {
        Self { control, time: Self::TIME, since: OnceLock::new() }
    }

    pub(super) fn none(control: &'a Control) -> Self {
        Self { control, time: Duration::ZERO, since: OnceLock::new() }
    }

    /// Whether the work has to end now.
    pub(super) fn over(&self) -> bool {
        self.control.stopped() && self.since.get_or_init(Instant::now).elapsed() >= self.time
    }
}
