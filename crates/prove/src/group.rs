//! Programs of others: a process group that ends as a whole, and bounded reading of what it wrote.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

/// A program in a process group of its own, so that what it starts, as a script does, ends with it.
pub(crate) struct Group {
    leader: Child,
}

impl Group {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        #[cfg(target_os = "linux")]
        end_with_this_thread(command);
        command.spawn().map(|leader| Self { leader })
    }

    /// Whether the leader has ended. It keeps its number, so that the group's number stays ours.
    pub(crate) fn has_ended(&mut self) -> io::Result<bool> {
        #[cfg(unix)]
        {
            use rustix::process::{WaitId, WaitIdOptions, waitid};
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let Some(leader) = self.number() else { return Ok(true) };
            Ok(waitid(WaitId::Pid(leader), options)?.is_some())
        }
        #[cfg(not(unix))]
        self.leader.try_wait().map(|status| status.is_some())
    }

    #[cfg(unix)]
    fn number(&self) -> Option<rustix::process::Pid> {
        rustix::process::Pid::from_raw(i32::try_from(self.leader.id()).ok()?)
    }

    /// Ends everything that still runs, and says how the leader ended.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        #[cfg(unix)]
        if let Some(group) = self.number() {
            // The leader is in it still, ended or not; what cannot be ended is not ours.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        #[cfg(not(unix))]
        let _ = self.leader.kill();
        self.leader.wait()
    }
}

/// Has the kernel end the program when the thread that starts it ends, by `kill -9` too. That thread waits for it.
/// What the program itself has started is not ended so.
#[cfg(target_os = "linux")]
fn end_with_this_thread(command: &mut Command) {
    use rustix::process::{Signal, set_parent_process_death_signal};
    // SAFETY: between fork and exec there is one system call, and nothing is allocated.
    unsafe {
        std::os::unix::process::CommandExt::pre_exec(command, || {
            set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)
        });
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Once the leader was waited for, its number may be another's.
        if matches!(self.leader.try_wait(), Ok(None)) {
            let _ = self.end();
        }
    }
}

/// Reads a regular file of at most so many bytes: a pipe or a device could be read for ever.
pub(crate) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err("is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most { Err(format!("has more than {} MiB", most >> 20)) } else { Ok(bytes) }
}
