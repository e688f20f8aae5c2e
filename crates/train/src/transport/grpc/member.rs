//! A worker that brings a model of its own: votes out, decodes in.
//!
//! # What is promised
//! - Decodes come in the order of the steps, each once; which steps a worker has done is what it says itself.
//! - A connection that is lost is made anew, and what was missed comes first. A model that cannot catch up is an error.

use std::time::Duration;

use ecode_grpc::{Account, Greeting};
use ecode_verify::Control;

use super::peer::News;
use super::{Join, Peer};
use crate::bits::Bits;
use crate::error::TrainError;
use crate::transport::LOOK;
use crate::vote::{Decoded, Vote};

/// A step that was decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The decode.
    pub decoded: Decoded,
    /// How it came about, as the server says.
    pub account: Account,
}

/// A worker of a [`VoteServer`](super::VoteServer).
pub struct Member {
    peer: Peer<'static>,
}

impl Member {
    /// A worker whose model is before step `have.0` of run `have.1` (0 of none), by a matrix of this digest, with votes on
    /// d coordinates. It connects when it is first asked something. What happens is told to `say`.
    #[must_use]
    pub fn new(
        join: Join,
        version: String,
        matrix: String,
        d: usize,
        have: (u64, u64),
        say: Box<dyn FnMut(&str) + Send>,
    ) -> Self {
        let greeting = Greeting { version, matrix, have, ..Greeting::default() };
        Self { peer: Peer::new(join, greeting, d, Control::default(), say).bringing() }
    }

    /// The server's run; 0 before there was a connection.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.peer.welcome().run
    }

    /// A step that was decided without this worker, where it was: the first call connects.
    ///
    /// # Errors
    /// [`TrainError::Transport`], [`TrainError::Interrupted`].
    pub fn decided(&mut self, step: u64, control: &Control) -> Result<Option<Settled>, TrainError> {
        self.peer.controlled(control);
        loop {
            // What the server had decided when it let this worker in is on its way.
            let sure = self.peer.is_connected() && step < self.peer.welcome().step;
            match self.peer.next(step, if sure { LOOK } else { Duration::ZERO })? {
                Some(news) => {
                    if let Some(settled) = self.settled(news)? {
                        return Ok(Some(settled));
                    }
                }
                None if sure || !self.peer.is_connected() => {}
                None => return Ok(None),
            }
        }
    }

    /// Votes in a step and waits for its decode, which may come without the vote.
    ///
    /// # Errors
    /// [`TrainError::Transport`], [`TrainError::Interrupted`].
    pub fn vote(&mut self, step: u64, bits: Bits, control: &Control) -> Result<Settled, TrainError> {
        self.peer.controlled(control);
        let vote = Vote { bits, silent: None };
        loop {
            // The first news is that there is a connection, which says how votes are cut.
            let mut news = self.peer.next(step, Duration::ZERO)?;
            if news.is_none() {
                news = self.peer.vote(step, &vote, &[], 0.0)?;
            }
            while news.is_none() && self.peer.is_connected() {
                news = self.peer.next(step, LOOK)?;
            }
            if let Some(news) = news
                && let Some(settled) = self.settled(news)?
            {
                return Ok(settled);
            }
        }
    }

    fn settled(&mut self, news: News) -> Result<Option<Settled>, TrainError> {
        match news {
            News::Decoded(decoded, _) => {
                Ok(Some(Settled { decoded, account: self.peer.take_account().unwrap_or_default() }))
            }
            News::Done => Err(TrainError::Dismissed("the server has done all its steps, and ended".into())),
            News::Again => Ok(None),
            News::State { .. } | News::Task(_) | News::Back(_) => {
                Err(TrainError::Transport("the server does not keep to the protocol".into()))
            }
        }
    }
}
