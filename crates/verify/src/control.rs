//! When the work ends, and how far it is: one value that engines, watchers and signal handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When to stop, and how far the work is. Shared between the engine's threads and whoever watches.
#[derive(Clone, Debug, Default)]
pub struct Control {
    deadline: Option<Instant>,
    stop: Arc<AtomicBool>,
    /// The stops of those that this control is a child of.
    outer: Vec<Arc<AtomicBool>>,
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
        Self { done: Arc::default(), total: Arc::default(), ..self.clone() }
    }

    /// A control that stops when this one does, and that can be stopped without stopping this one.
    #[must_use]
    pub fn child(&self) -> Self {
        let mut outer = self.outer.clone();
        outer.push(Arc::clone(&self.stop));
        Self { stop: Arc::default(), outer, ..self.clone() }
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
        self.stop.load(Ordering::Relaxed)
            || self.outer.iter().any(|stop| stop.load(Ordering::Relaxed))
            || self.deadline.is_some_and(|end| Instant::now() >= end)
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

#[cfg(test)]
mod tests {
    use super::*;

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
        let outer = Control::default();
        let (first, second) = (outer.child(), outer.child().unwatched().child());
        first.stop();
        assert_eq!((first.stopped(), second.stopped(), outer.stopped()), (true, false, false));
        outer.stop();
        assert!(second.stopped());
        assert!(!Control::with_timeout(Some(Duration::from_secs(3600))).stopped());
    }
}
