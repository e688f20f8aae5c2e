//! The worker's side: it greets, votes, and does what the server says.

use std::time::{Duration, Instant};

use super::message::MAX_TEXT;
use super::{GOODBYE, LOOK, Link, Message};
use crate::error::TrainError;
use ecode_core::shown_sentence;
use ecode_verify::Control;

/// How long a worker that was told to stop waits for the server to end the run in order.
const ORDERLY: Duration = Duration::from_secs(10);

/// The server, as a worker sees it.
pub(crate) struct Worker {
    link: Box<dyn Link>,
    /// How long the server may be silent.
    patience: Duration,
    control: Control,
    /// d.
    dimension: usize,
    /// Whether the server has ended the run.
    pub(crate) dismissed: bool,
}

impl Worker {
    pub(crate) fn new(link: Box<dyn Link>, patience: Duration, control: Control, dimension: usize) -> Self {
        Self { link, patience, control, dimension, dismissed: false }
    }

    /// The worker's number, from 0.
    pub(crate) fn index(&self) -> usize {
        self.link.rank() - 1
    }

    /// Sets a message on its way to the server.
    pub(crate) fn tell(&mut self, message: &Message) {
        self.link.send(&[0], message.to_bytes());
    }

    /// Says why this worker cannot go on.
    pub(crate) fn fail(&mut self, why: &str) {
        self.tell(&Message::Failed(shown_sentence(why)));
        self.link.flush(GOODBYE);
    }

    /// The server's next message.
    pub(crate) fn heed(&mut self) -> Result<Message, TrainError> {
        let start = Instant::now();
        let mut stopped: Option<Instant> = None;
        let most = MAX_TEXT.max(16 + 8 * self.dimension);
        loop {
            if let Some((0, bytes)) = self.link.receive(LOOK, most) {
                return Message::from_bytes(&bytes, self.dimension)
                    .ok_or_else(|| TrainError::Transport("the server's message is none".into()));
            }
            // The server ends a run; a worker alone leaves only where the server does not.
            if self.control.stopped() && stopped.get_or_insert_with(Instant::now).elapsed() > ORDERLY {
                return Err(TrainError::Interrupted);
            }
            // One worker says so, not all of them, and the others let it: who leaves first may end all processes.
            let speaks = self.index() == 0;
            let patience = if speaks { self.patience } else { self.patience + GOODBYE };
            if start.elapsed() > patience {
                self.link.give_up(2);
                let seconds = self.patience.as_secs_f64();
                let text = format!(
                    "the server has said nothing for {seconds:.0} s: it is gone, or stopped (--server-timeout waits longer)"
                );
                return Err(if speaks { TrainError::Transport(text) } else { TrainError::Dismissed(text) });
            }
        }
    }
}
