//! A progress bar around work that may take long.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ecode::verify::Control;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::output;

/// Work shorter than this gets no progress bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs the work, with a progress bar on a terminal once it has taken a second.
pub(crate) fn with_progress<T>(control: &Control, quiet: bool, work: impl FnOnce() -> T) -> T {
    watched(control, quiet, "messages", &Mutex::new(String::new()), work)
}

/// The same where what is counted are no messages.
pub(crate) fn with_unit<T>(control: &Control, quiet: bool, unit: &str, work: impl FnOnce() -> T) -> T {
    watched(control, quiet, unit, &Mutex::new(String::new()), work)
}

/// The same with a text beside the bar that the work may change.
pub(crate) fn with_message<T>(
    control: &Control,
    quiet: bool,
    message: &Mutex<String>,
    work: impl FnOnce() -> T,
) -> T {
    watched(control, quiet, "messages", message, work)
}

fn watched<T>(
    control: &Control,
    quiet: bool,
    unit: &str,
    message: &Mutex<String>,
    work: impl FnOnce() -> T,
) -> T {
    if quiet || !io::stderr().is_terminal() {
        return work();
    }
    let finished = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            let mut bar: Option<ProgressBar> = None;
            while !finished.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(50));
                let (done, total) = control.progress();
                if start.elapsed() < PATIENCE {
                    continue;
                }
                let bar = bar.get_or_insert_with(|| new_bar(total, unit));
                bar.set_length(total);
                bar.set_position(done);
                if let Ok(message) = message.lock() {
                    bar.set_message(message.clone());
                }
                bar.tick();
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        });
        // Also when the work panics: the scope waits for the watcher.
        let _end = Finish(&finished);
        work()
    })
}

/// Says that the work is over when it is dropped.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A bar over things that are done one by one, such as random draws; shown on a terminal once they have taken a second.
pub(crate) struct Draws {
    bar: ProgressBar,
    start: Instant,
}

impl Draws {
    /// Random draws, of which fewer may be enough.
    pub(crate) fn new(draws: u64, quiet: bool) -> Self {
        Self::over(draws, "draw {human_pos} of at most {human_len}", quiet)
    }

    /// So many things; `place` says where the work is.
    pub(crate) fn over(all: u64, place: &str, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::hidden());
        let bar = styled(bar, &format!("{{bar:30}} {place}, {{rate}}, {{eta}} left"));
        let start = Instant::now();
        let shown = all > 1 && !quiet && io::stderr().is_terminal();
        Self { bar: if shown { bar } else { ProgressBar::hidden() }, start }
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
        if self.bar.length().is_some() && self.bar.is_hidden() && self.start.elapsed() >= PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Draws {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn new_bar(total: u64, unit: &str) -> ProgressBar {
    let template = if total == 0 {
        "{spinner} {elapsed} searching {msg}".to_owned()
    } else {
        format!("{{bar:30}} {{percent}}% of {{human_len}} {unit}, {{rate}}, {{eta}} left")
    };
    let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
    styled(bar, &template)
}

/// A hidden bar over work of which a part was done before. Its speed and its time left are those of this process.
pub(crate) fn going_on(done: u64, all: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::hidden());
    bar.set_position(done);
    // The bar takes that for work of this moment, and then forgets how long it took.
    bar.tick();
    bar.reset_eta();
    bar
}

/// A bar with a template, of ASCII characters where the locale has no others.
pub(crate) fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    let Ok(style) = ProgressStyle::with_template(template) else { return bar };
    // As people say speeds: no fractions of a message.
    let style = style.with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
        let rate = state.per_sec();
        let digits = usize::from(rate < 10.0);
        let _ = write!(text, "{rate:.digits$}/s");
    });
    if output::is_plain() {
        bar.with_style(style.progress_chars("#>-").tick_chars("|/-\\ "))
    } else {
        bar.with_style(style)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_before_is_no_speed() {
        let bar = going_on(44_000, 60_000);
        assert_eq!(bar.position(), 44_000);
        assert!(bar.per_sec() < 1.0, "{} a second", bar.per_sec());
    }
}
