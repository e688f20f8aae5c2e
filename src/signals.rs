//! What Ctrl-C and an end by the system do: the first asks the work to stop, and it says what it knows by then;
//! the second ends the program.
//!
//! # What is promised
//! A signal that was ignored when the program started stays ignored: `nohup` and `trap '' INT` mean what they say.

use std::io;

use ecode::verify::Control;

/// The exit code of work that did not finish.
#[cfg(unix)]
const UNDECIDED: i32 = 3;

/// Listens for the signals that end a program, for the rest of the process.
#[cfg(unix)]
pub(crate) fn listen(control: &Control) -> io::Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::flag;

    let listened: Vec<i32> =
        [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !is_ignored(signal)).collect();
    let pressed = Arc::new(AtomicBool::new(false));
    for &signal in &listened {
        // In this order: the first signal finds `pressed` unset, sets it, and the second one ends the program.
        flag::register_conditional_shutdown(signal, UNDECIDED, Arc::clone(&pressed))?;
        flag::register(signal, Arc::clone(&pressed))?;
        flag::register(signal, control.stop_flag())?;
    }
    // A file that may not grow is an error of the write, told with the file's name. A handler, unlike a signal that
    // is ignored, is not handed on to solvers.
    if !is_ignored(SIGXFSZ) {
        flag::register(SIGXFSZ, Arc::default())?;
    }
    Ok(())
}

/// Whether whoever started the program had it ignore this signal.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null pointer leaves the action as it is; the present one is written to `now` where the call
    // succeeds, and read only then.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) == 0
            && now.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Listens for Ctrl-C, for the rest of the process.
#[cfg(not(unix))]
pub(crate) fn listen(control: &Control) -> io::Result<()> {
    use signal_hook::consts::SIGINT;
    signal_hook::flag::register(SIGINT, control.stop_flag()).map(|_| ())
}
