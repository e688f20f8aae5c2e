//! Time where it matters: what one gradient costs a thread, whatever else the machine does.

use std::collections::VecDeque;
use std::time::Duration;

/// A clock of this thread's own processor time; of wall time where the system has no such clock.
#[derive(Clone, Copy, Debug)]
pub struct ThreadClock(#[cfg(unix)] Duration, #[cfg(not(unix))] std::time::Instant);

impl ThreadClock {
    /// Starts to measure.
    #[must_use]
    pub fn start() -> Self {
        #[cfg(unix)]
        return Self(now());
        #[cfg(not(unix))]
        return Self(std::time::Instant::now());
    }

    /// Seconds of processor time of this thread since the start. To be asked on the thread that started.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        #[cfg(unix)]
        return now().saturating_sub(self.0).as_secs_f64();
        #[cfg(not(unix))]
        return self.0.elapsed().as_secs_f64();
    }
}

#[cfg(unix)]
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// The middle one of some times; of an even number the upper one. None of none.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Steps over which a median is taken.
const WINDOW: usize = 101;

/// The median over the last steps of the seconds that one gradient takes: a step that was disturbed does not count.
#[derive(Clone, Debug, Default)]
pub(super) struct Steady(VecDeque<f64>);

impl Steady {
    /// Takes in a step's seconds, and gives the median with it.
    pub(super) fn with(&mut self, seconds: f64) -> f64 {
        if self.0.len() == WINDOW {
            self.0.pop_front();
        }
        self.0.push_back(seconds);
        self.median().unwrap_or(seconds)
    }

    /// The median so far; none before the first step.
    pub(super) fn median(&self) -> Option<f64> {
        median(self.0.iter().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_step_does_not_count() {
        let mut steady = Steady::default();
        let seen: Vec<f64> = [2.0, 1.0, 90.0, 1.0, 1.0].map(|seconds| steady.with(seconds)).into();
        assert_eq!(seen, [2.0, 2.0, 2.0, 2.0, 1.0]);
        for _ in 0..WINDOW {
            steady.with(3.0);
        }
        assert!((steady.with(3.0) - 3.0).abs() < 1e-12, "old steps are forgotten");
    }

    /// Sleeping costs no processor time.
    #[cfg(unix)]
    #[test]
    fn a_thread_that_sleeps_computes_nothing() {
        let clock = ThreadClock::start();
        std::thread::sleep(Duration::from_millis(60));
        assert!(clock.seconds() < 0.05);
    }
}
