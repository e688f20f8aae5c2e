//! A server that runs until it has said its last words, and the pages beside it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use ecode_grpc::{Past, Server, Settings};

use super::Listen;
use super::status::{Facts, Status};
use crate::blame::Agreement;
use crate::error::TrainError;

/// A server that runs. Where it is dropped its workers are told that it stops, and why, as far as somebody has said it.
pub(super) struct Running {
    /// None once it has said its last words.
    server: Option<Server>,
    /// What the pages show.
    pub(super) facts: Arc<Mutex<Facts>>,
    _pages: Option<Status>,
    /// What the workers are told when it ends.
    last_words: Option<String>,
}

impl Running {
    /// Starts a server, and the pages where they are asked for; says where it listens.
    pub(super) fn start(
        settings: Settings,
        past: Option<Past>,
        listen: &Listen,
        say: &mut Box<dyn FnMut(&str) + Send>,
    ) -> Result<Self, TrainError> {
        let facts = Facts {
            began: Instant::now(),
            first: settings.step,
            named: Vec::new(),
            agreements: vec![Agreement::default(); settings.rules.n],
            unproved: None,
        };
        let facts = Arc::new(Mutex::new(facts));
        let server = match past {
            None => Server::start(settings, &listen.keys),
            Some(past) => Server::start_with(settings, past, &listen.keys),
        };
        let server = server.map_err(|error| TrainError::Transport(error.to_string()))?;
        let pages = show(listen, &facts, &server, say)?;
        say(&format!("listening on {}", server.address()));
        Ok(Self { server: Some(server), facts, _pages: pages, last_words: None })
    }

    /// The server, until it has ended.
    pub(super) fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// The same, or that it has ended.
    pub(super) fn get(&self) -> Result<&Server, TrainError> {
        self.server().ok_or_else(|| TrainError::Transport("the server has ended".into()))
    }

    /// What the workers are told when it ends.
    pub(super) fn last_words(&mut self, why: String) {
        self.last_words = Some(why);
    }

    /// All steps are done: the workers are told, and the server ends.
    pub(super) fn finish(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop("all steps are done", true);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            let why = self.last_words.take().unwrap_or_else(|| "the server was stopped".into());
            server.stop(&why, false);
        }
    }
}

/// The pages that show how it stands, where they are asked for.
fn show(
    listen: &Listen,
    facts: &Arc<Mutex<Facts>>,
    server: &Server,
    say: &mut dyn FnMut(&str),
) -> Result<Option<Status>, TrainError> {
    let Some(address) = listen.status else { return Ok(None) };
    let pages = Status::show(address, Arc::clone(facts), server.watch(), server.health())
        .map_err(|error| TrainError::Transport(format!("cannot show the status on {address}: {error}")))?;
    say(&format!("status on http://{}/status", pages.address()));
    Ok(Some(pages))
}
