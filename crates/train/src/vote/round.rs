//! A round of votes where all messages are known: every worker's majority over its partitions, what liars make of
//! theirs, and the server's majority.

use std::collections::HashMap;

use super::plan::{Plan, Row};
use super::{Conduct, Decoded, VoteEngine};
use crate::bits::Bits;
use ecode_core::TieRule;
use ecode_lanes::Instructions;

/// A worker's vote in a plan: nothing for 0 everywhere.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) bits: Option<Row>,
    pub(super) silent: Option<Row>,
}

/// Where the majority of all messages is, for who opposes it.
type Majority<'a> = &'a mut dyn FnMut(&mut Plan<'_>) -> Row;

/// Rows that are made at most once.
#[derive(Default)]
pub(super) struct Shared {
    ones: Option<Row>,
    not_majority: Option<Row>,
    /// By the first worker with equal partitions.
    honest: HashMap<usize, Sent>,
    reversed: HashMap<usize, Sent>,
}

impl Shared {
    fn ones(&mut self, plan: &mut Plan<'_>) -> Row {
        *self.ones.get_or_insert_with(|| plan.ones())
    }

    fn not_majority(&mut self, plan: &mut Plan<'_>, majority: Majority<'_>) -> Row {
        *self.not_majority.get_or_insert_with(|| {
            let majority = majority(plan);
            plan.not(majority)
        })
    }
}

impl VoteEngine {
    /// One whole round: `messages` are the k messages, `conduct` says what each of the n workers does.
    ///
    /// # Panics
    /// When there are not k messages and n workers, or lengths differ.
    #[must_use]
    pub fn round(&self, messages: &[Bits], conduct: &[Conduct<'_>]) -> Decoded {
        self.round_with(Instructions::widest(), messages, conduct)
    }

    /// The same by chosen instructions: for tests, which take all that there are, and for measurements.
    ///
    /// # Panics
    /// As [`Self::round`], and when this processor does not have the instructions.
    #[must_use]
    pub fn round_with(
        &self,
        instructions: Instructions,
        messages: &[Bits],
        conduct: &[Conduct<'_>],
    ) -> Decoded {
        assert_eq!((messages.len(), conduct.len()), (self.k, self.rows.len()), "k messages, n workers");
        let d = messages.first().map_or(0, Bits::len);
        let mut plan = Plan::default();
        let inputs = plan.inputs(messages);
        // What a worker votes over that is not the messages, and what it sends as it is.
        let others: Vec<Vec<Row>> = conduct
            .iter()
            .zip(&self.rows)
            .map(|(conduct, row)| match *conduct {
                Conduct::Instead(other) => plan.inputs(row.iter().map(|&i| &other[i])),
                Conduct::Sends(bits) => plan.inputs([bits]),
                _ => Vec::new(),
            })
            .collect();
        let (majority, _) = plan.sum(inputs.clone(), Vec::new(), self.k / 2 + 1, false);
        let mut shared = Shared::default();
        let sent = |j: usize| {
            let same = self.same[j];
            let held = || self.rows[j].iter().map(|&i| inputs[i]).collect::<Vec<_>>();
            match conduct[j] {
                Conduct::Honest => self.honest(&mut plan, &mut shared, same, &held(), majority),
                Conduct::Reverse => {
                    if let Some(&reversed) = shared.reversed.get(&same) {
                        return reversed;
                    }
                    let honest = self.honest(&mut plan, &mut shared, same, &held(), majority);
                    let reversed = reverse(&mut plan, &mut shared, honest);
                    shared.reversed.insert(same, reversed);
                    reversed
                }
                Conduct::Constant(bit) => Sent { bits: bit.then(|| shared.ones(&mut plan)), silent: None },
                Conduct::Omniscient => {
                    Sent { bits: Some(shared.not_majority(&mut plan, &mut |_| majority)), silent: None }
                }
                Conduct::Sends(_) => Sent { bits: others[j].first().copied(), silent: None },
                Conduct::Instead(_) => self.vote(&mut plan, &mut shared, &others[j], &mut |_| majority),
            }
        };
        let sent: Vec<Sent> = (0..self.rows.len()).map(sent).collect();
        let decided = self.decide(&mut plan, &sent);
        let (negative, tied, wrong) = plan.run(instructions, d, decided, Some(majority));
        Decoded { negative, tied, wrong }
    }

    /// The server's majority of what was sent; a tie where there can be one. A row that is nothing is 0 everywhere.
    fn decide(&self, plan: &mut Plan<'_>, sent: &[Sent]) -> super::plan::Decided {
        let n = sent.len();
        let bits = sent.iter().filter_map(|sent| sent.bits).collect();
        if self.can_tie() {
            // Twice the ones plus the silent exceeds n exactly where the ones outnumber the zeros.
            let silent = sent.iter().filter_map(|sent| sent.silent).collect();
            plan.sum(silent, bits, n + 1, true)
        } else {
            plan.sum(bits, Vec::new(), n / 2 + 1, false)
        }
    }

    /// The honest vote of the workers who hold what worker `same` holds.
    fn honest(
        &self,
        plan: &mut Plan<'_>,
        shared: &mut Shared,
        same: usize,
        held: &[Row],
        majority: Row,
    ) -> Sent {
        if self.holds_all(same) {
            return Sent { bits: Some(majority), silent: None };
        }
        if let Some(&honest) = shared.honest.get(&same) {
            return honest;
        }
        let honest = self.vote(plan, shared, held, &mut |_| majority);
        shared.honest.insert(same, honest);
        honest
    }

    /// A vote over these rows, an honest one where they are the worker's.
    pub(super) fn vote(
        &self,
        plan: &mut Plan<'_>,
        shared: &mut Shared,
        held: &[Row],
        majority: Majority<'_>,
    ) -> Sent {
        let bits = |bits| Sent { bits: Some(bits), silent: None };
        match (self.ties, held.len()) {
            (TieRule::Zero, 0) => Sent::default(),
            (TieRule::One, 0) => bits(shared.ones(plan)),
            (TieRule::Adversarial, 0) => bits(shared.not_majority(plan, majority)),
            (TieRule::Abstain, 0) => Sent { bits: None, silent: Some(shared.ones(plan)) },
            (TieRule::Zero, load) => bits(plan.sum(held.to_vec(), Vec::new(), load / 2 + 1, false).0),
            (TieRule::One, load) => bits(plan.sum(held.to_vec(), Vec::new(), load.div_ceil(2), false).0),
            (TieRule::Adversarial, _) => {
                let (won, tie) = plan.majority(held);
                bits(match tie {
                    None => won,
                    Some(tie) => {
                        let majority = majority(plan);
                        plan.or_and_not(won, tie, majority)
                    }
                })
            }
            (TieRule::Abstain, _) => {
                let (won, silent) = plan.majority(held);
                Sent { bits: Some(won), silent }
            }
        }
    }
}

/// The opposite of a vote; who is silent stays silent.
fn reverse(plan: &mut Plan<'_>, shared: &mut Shared, sent: Sent) -> Sent {
    let bits = match sent.bits {
        Some(bits) => plan.not(bits),
        None => shared.ones(plan),
    };
    let bits = sent.silent.map_or(bits, |silent| plan.and_not(bits, silent));
    Sent { bits: Some(bits), silent: sent.silent }
}
