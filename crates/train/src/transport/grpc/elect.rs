//! Votes of a code, taken by the server of a scheme once the scheme cannot go on.

use std::collections::BTreeMap;

use ecode_grpc::{Heard, Task};
use ecode_server::reactive::Header;
use ecode_server::{Action, Election, Event, Rules};

use super::commit::Rehearsal;
use super::panel::{News, Panel};
use crate::bits::Bits;
use crate::error::TrainError;
use crate::state::State;
use crate::transport::LOOK;
use crate::vote::Vote;

/// Who votes in a step, over what.
pub(crate) struct Electorate<'a> {
    pub(crate) header: Header,
    pub(crate) rules: Rules,
    /// Who has no vote.
    pub(crate) named: &'a [usize],
    /// The partitions of each row.
    pub(crate) rows: &'a [Vec<usize>],
    /// Whether a row can be silent on a coordinate.
    pub(crate) silent: &'a dyn Fn(usize) -> bool,
    pub(crate) rehearsal: Rehearsal,
    /// The state before the step.
    pub(crate) state: &'a State,
}

impl Panel {
    /// Each row's vote in a step; none where it did not come in time.
    pub(crate) fn elect(&mut self, electorate: &Electorate<'_>) -> Result<Vec<Option<Vote>>, TrainError> {
        let &Electorate { header, rules, state, .. } = electorate;
        self.early.clear();
        self.server()?.convene(header, None);
        let rules = Rules { wait: self.wait, patience: self.patience, ..rules };
        let mut election = self.votes.take().unwrap_or_else(|| Election::new(rules, header.step));
        let closed = self.elect_with(electorate, &mut election, state);
        self.votes = Some(election);
        closed
    }

    fn elect_with(
        &mut self,
        electorate: &Electorate<'_>,
        election: &mut Election<Vote>,
        state: &State,
    ) -> Result<Vec<Option<Vote>>, TrainError> {
        let &Electorate { header, named, .. } = electorate;
        for &row in named {
            election.handle(self.begun.elapsed(), Event::Named { row });
        }
        election.handle(self.begun.elapsed(), Event::Begun);
        let mut asked: BTreeMap<usize, std::time::Duration> = BTreeMap::new();
        let mut planes: BTreeMap<(usize, usize), Bits> = BTreeMap::new();
        loop {
            let there: Vec<(usize, std::time::Duration)> =
                self.there.iter().map(|(&row, &since)| (row, since)).collect();
            for (row, since) in there.into_iter().filter(|(row, _)| !named.contains(row)) {
                if asked.insert(row, since) != Some(since) {
                    // A connection has one number as long as it is the same.
                    let connection = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
                    let joined = election.rows()[row].connection != Some(connection);
                    if joined {
                        let event = Event::Joined { row, connection };
                        if let Some(votes) = closed(election.handle(self.begun.elapsed(), event)) {
                            return Ok(votes);
                        }
                    }
                    self.ask_vote(electorate, row)?;
                }
            }
            let now = self.begun.elapsed();
            let wait = election.wake().map_or(LOOK, |wake| wake.saturating_sub(now));
            if let Some(votes) = closed(election.handle(now, Event::Tick)) {
                return Ok(votes);
            }
            let mut actions = Vec::new();
            match self.hear(wait, state, &header.state)? {
                Some(News::Heard(row, of, Heard::Vector { bytes, of: signed, share: None }))
                    if of == header =>
                {
                    let plane = signed.partition.checked_sub(self.partitions());
                    let (Some(plane @ (0 | 1)), Some(bits)) =
                        (plane, Bits::from_bytes(state.parameters.len(), &bytes))
                    else {
                        continue;
                    };
                    planes.entry((row, plane)).or_insert(bits);
                    let silent = (electorate.silent)(row);
                    if silent && !planes.contains_key(&(row, 1)) {
                        continue;
                    }
                    let Some(bits) = planes.get(&(row, 0)).cloned() else { continue };
                    let silent = if silent { planes.get(&(row, 1)).cloned() } else { None };
                    let bits = match &silent {
                        // Who is silent says nothing.
                        Some(silent) => {
                            Bits::from_words(bits.len(), |i| bits.words()[i] & !silent.words()[i])
                        }
                        None => bits,
                    };
                    if let Some(connection) = election.rows()[row].connection {
                        let vote = Vote { bits, silent };
                        let event = Event::Voted { row, connection, step: header.step, block: 0, vote };
                        actions.extend(election.handle(self.begun.elapsed(), event));
                    }
                }
                Some(News::Gone(row)) => {
                    if let Some(connection) = election.rows()[row].connection {
                        asked.remove(&row);
                        actions
                            .extend(election.handle(self.begun.elapsed(), Event::Left { row, connection }));
                    }
                }
                _ => {}
            }
            if let Some(votes) = closed(actions) {
                return Ok(votes);
            }
        }
    }

    /// Asks a row for its vote.
    fn ask_vote(&mut self, electorate: &Electorate<'_>, row: usize) -> Result<(), TrainError> {
        let Header { run, step, state } = electorate.header;
        let rehearsal = electorate.rehearsal.as_ref().filter(|(_, liars)| liars.contains(&row)).cloned();
        let row_of = electorate.rows.get(row).cloned();
        // Who is not there any more says so.
        let _ = self.server()?.ask(row, Task { step, run, state, row: row_of, rehearsal, ..Task::default() });
        Ok(())
    }
}

/// The votes of the step, where it was closed.
fn closed(actions: Vec<Action<Vote>>) -> Option<Vec<Option<Vote>>> {
    actions.into_iter().find_map(|action| match action {
        Action::Close { votes, .. } => Some(votes),
        _ => None,
    })
}
