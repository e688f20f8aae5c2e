//! Votes where every worker is a process of its own: each computes its own, and the server sees nothing else.

use std::borrow::Borrow;

use super::plan::{Plan, Row};
use super::round::Shared;
use super::{Decoded, Vote, VoteEngine};
use crate::bits::Bits;
use ecode_core::TieRule;
use ecode_lanes::Instructions;

impl VoteEngine {
    /// The honest vote of worker j alone, as a deployment computes it.
    ///
    /// Rule `adversarial` looks at all messages for the majority that a tied worker opposes; under the other
    /// rules partitions that j does not hold may be empty.
    #[must_use]
    pub fn worker_vote(&self, j: usize, messages: &[Bits]) -> Vote {
        self.vote_over(j, messages, messages)
    }

    /// The vote of worker j over other messages than the true ones, whose majority a tied worker opposes under
    /// rule `adversarial`.
    pub(crate) fn vote_over(&self, j: usize, source: &[Bits], messages: &[Bits]) -> Vote {
        let row = &self.rows[j];
        let d = row.first().map_or_else(|| messages.first().map_or(0, Bits::len), |&i| source[i].len());
        let mut plan = Plan::default();
        let held = plan.inputs(row.iter().map(|&i| &source[i]));
        let opposes = self.ties == TieRule::Adversarial && held.len() % 2 == 0;
        let all = if opposes { plan.inputs(messages) } else { Vec::new() };
        let majority = &mut |plan: &mut Plan<'_>| plan.sum(all.clone(), Vec::new(), self.k / 2 + 1, false).0;
        let sent = self.vote(&mut plan, &mut Shared::default(), &held, majority);
        let Some(bits) = sent.bits else {
            return Vote { bits: Bits::zeros(d), silent: sent.silent.map(|_| Bits::ones(d)) };
        };
        let (bits, silent, _) = plan.run(Instructions::widest(), d, (bits, sent.silent), None);
        Vote { bits, silent }
    }

    /// μ: where a majority of all k messages is negative; a tie is not.
    #[must_use]
    pub fn majority(&self, messages: &[Bits]) -> Bits {
        let mut plan = Plan::default();
        let rows = plan.inputs(messages);
        let majority = plan.sum(rows, Vec::new(), self.k / 2 + 1, false);
        plan.run(Instructions::widest(), messages.first().map_or(0, Bits::len), majority, None).0
    }

    /// The server's decode of d coordinates from the votes that it received; a vote that is missing is silence
    /// everywhere. `wrong` is left at 0, as it sees no message.
    ///
    /// # Panics
    /// When there are not n places for votes, or a vote has not d coordinates.
    #[must_use]
    pub fn decode<V: Borrow<Vote>>(&self, d: usize, votes: &[Option<V>]) -> Decoded {
        let n = self.rows.len();
        assert_eq!(votes.len(), n, "a place a worker");
        let present: Vec<&Vote> = votes.iter().flatten().map(Borrow::borrow).collect();
        assert!(present.iter().all(|vote| vote.bits.len() == d), "votes on d coordinates");
        let mut plan = Plan::default();
        let bits = plan.inputs(present.iter().map(|vote| &vote.bits));
        let silent: Vec<Option<Row>> =
            present.iter().map(|vote| vote.silent.as_ref().map(|silent| plan.input(silent))).collect();
        let heard = |(bits, silent): (Row, &Option<Row>)| match silent {
            Some(silent) => plan.and_not(bits, *silent),
            None => bits,
        };
        let heard: Vec<Row> = bits.into_iter().zip(&silent).map(heard).collect();
        let silent: Vec<Row> = silent.into_iter().flatten().collect();
        let can_tie = present.len() % 2 == 0 || !silent.is_empty();
        let decided = if can_tie {
            // Twice the ones and the silent, against all that may be.
            plan.sum(silent, heard, present.len() + 1, true)
        } else {
            plan.sum(heard, Vec::new(), present.len() / 2 + 1, false)
        };
        let (negative, tied, _) = plan.run(Instructions::widest(), d, decided, None);
        Decoded { negative, tied, wrong: 0 }
    }
}
