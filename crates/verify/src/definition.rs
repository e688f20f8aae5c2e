//! The oracle: definitions taken literally. Slow and obvious, and therefore limited to n ≤ 9 and k ≤ 16.
//!
//! Tolerance is the paper's Proposition 2: every message, every set of b workers, everything that they may send.
//! Where the weight is fixed: every choice of so many columns, every row's vote, entry by entry.
//!
//! # References
//! J. Sohn, D.-J. Han, B. Choi and J. Moon, *Election Coding for Distributed Learning*, NeurIPS 2020: perfect
//! b-Byzantine tolerance, and Proposition 2.

use itertools::Itertools as _;

use super::control::Control;
use super::engine::{Engine, Finding, Goal, Unsuitable};
use super::instance::Instance;
use super::reduce::choices_by_weight;
use ecode_core::{AllocationMatrix, Message, Outcome, TieRule, decode, honest_vote, majority};

/// The engine that enumerates the definition.
pub struct Definition;

const MOST_WORKERS: usize = 9;
const MOST_PARTITIONS: usize = 16;
/// The most choices of a fixed weight.
const MOST_CHOICES: u128 = 1 << 16;

impl super::engine::Sealed for Definition {}

impl Engine for Definition {
    fn name(&self) -> &'static str {
        "definition"
    }

    fn suits(&self, instance: Instance<'_>) -> Result<(), Unsuitable> {
        let g = instance.matrix;
        if let Some(weight) = instance.weight() {
            let choices = choices_by_weight(&vec![1; g.k()], weight)[weight];
            return if choices <= MOST_CHOICES {
                Ok(())
            } else {
                Err(Unsuitable(format!("'definition' tries up to {MOST_CHOICES} choices; here {choices}")))
            };
        }
        if g.n() <= MOST_WORKERS && g.k() <= MOST_PARTITIONS {
            return Ok(());
        }
        Err(Unsuitable(format!(
            "'definition' tries every reply of every Byzantine set, and takes n ≤ {MOST_WORKERS} and \
             k ≤ {MOST_PARTITIONS}; here n = {}, k = {}",
            g.n(),
            g.k()
        )))
    }

    fn examine_from(
        &self,
        instance: Instance<'_>,
        _: Goal,
        _: Option<&Outcome>,
        control: &Control,
    ) -> Finding {
        let (g, ties) = (instance.matrix, instance.ties);
        if let Some(weight) = instance.weight() {
            return won(instance, weight, control);
        }
        let mut finding = Finding::default();
        let mut smallest: Option<(i64, Outcome)> = None;
        control.begin(1 << g.k());
        for bits in 0..1_u32 << g.k() {
            if control.stopped() {
                finding.worst = smallest.map(|(_, outcome)| outcome);
                return finding;
            }
            let chosen = (0..g.k()).filter(|i| bits >> i & 1 == 1);
            let message = Message::from_indices(g.k(), chosen);
            let outcome = Outcome::of(g, ties, &message);
            // Below zero the definition only says "wrong already"; by how much is the outcome's count.
            let margin = match survived(g, ties, &message) {
                -1 => outcome.margin.min(-1),
                survived => survived,
            };
            let key = |margin, outcome: &Outcome| (margin, g.n() - outcome.wrong.count());
            if smallest.as_ref().is_none_or(|(m, o)| key(margin, &outcome) < key(*m, o)) {
                smallest = Some((margin, outcome));
            }
            finding.messages += 1;
            finding.evaluated += 1;
            control.advance(1);
        }
        finding.floor = smallest.as_ref().map(|(margin, _)| *margin);
        finding.worst = smallest.map(|(_, outcome)| outcome);
        finding
    }
}

/// The choice of so many columns that wins the most rows.
fn won(instance: Instance<'_>, weight: usize, control: &Control) -> Finding {
    let g = instance.matrix;
    let mut finding = Finding::default();
    let mut most: Option<(usize, Message)> = None;
    for columns in (0..g.k()).combinations(weight) {
        if control.stopped() {
            finding.worst = most.map(|(_, message)| instance.outcome(&message));
            return finding;
        }
        // Whoever is chosen speaks against the row's truth, all others for it; a tie goes against it.
        let lost = |j: &usize| {
            let votes = g.support(*j).map(|i| columns.contains(&i));
            let lead: i64 = votes.map(|lies| if lies { -1 } else { 1 }).sum();
            lead <= 0
        };
        let rows = (0..g.n()).filter(lost).count();
        if most.as_ref().is_none_or(|(known, _)| rows > *known) {
            most = Some((rows, Message::from_indices(g.k(), columns)));
        }
        finding.messages += 1;
        finding.evaluated += 1;
    }
    finding.floor = most.as_ref().map(|(rows, _)| (g.n() as i64 - 2 * *rows as i64).div_euclid(2));
    finding.worst = most.map(|(_, message)| instance.outcome(&message));
    finding
}

/// Whether some b liars and s further missing votes overturn a message, by the definition alone: every message, every
/// choice of both, everything that the liars may send. Nothing of the theorem on errors and erasures is used
/// (docs/theory/errors.md, Theorem 17). None where `control` said stop before that was known.
///
/// # Errors
/// [`Unsuitable`] for n > 9 or k > 16.
pub fn overturned_with_missing(
    g: &AllocationMatrix,
    ties: TieRule,
    (b, s): (usize, usize),
    control: &Control,
) -> Result<Option<bool>, Unsuitable> {
    Definition.suits(Instance::new(g, ties))?;
    control.begin(1 << g.k());
    for bits in 0..1_u32 << g.k() {
        let message = Message::from_indices(g.k(), (0..g.k()).filter(|i| bits >> i & 1 == 1));
        let honest: Vec<_> = (0..g.n()).map(|j| honest_vote(g, ties, j, &message)).collect();
        for liars in (0..g.n()).combinations(b) {
            if control.stopped() {
                return Ok(None);
            }
            let others: Vec<usize> = (0..g.n()).filter(|j| !liars.contains(j)).collect();
            for missing in others.into_iter().combinations(s) {
                // A liar may be silent, too, under every rule: nobody can make it vote.
                for lies in
                    (0..b).map(|_| [Some(false), Some(true), None].into_iter()).multi_cartesian_product()
                {
                    let mut received = honest.clone();
                    for (&liar, lie) in liars.iter().zip(lies) {
                        received[liar] = lie;
                    }
                    missing.iter().for_each(|&j| received[j] = None);
                    if decode(&received) != majority(&message) {
                        return Ok(Some(true));
                    }
                }
            }
        }
        control.advance(1);
    }
    Ok(Some(false))
}

/// The most Byzantine workers under which this message decodes right whoever they are and whatever
/// they send; −1 when it decodes wrong with none.
fn survived(g: &AllocationMatrix, ties: TieRule, message: &Message) -> i64 {
    let honest: Vec<_> = (0..g.n()).map(|j| honest_vote(g, ties, j, message)).collect();
    let replies: &[Option<bool>] =
        if ties == TieRule::Abstain { &[Some(false), Some(true), None] } else { &[Some(false), Some(true)] };
    for b in 0..=g.n() {
        for liars in (0..g.n()).combinations(b) {
            for lies in (0..b).map(|_| replies.iter().copied()).multi_cartesian_product() {
                let mut received = honest.clone();
                for (&liar, lie) in liars.iter().zip(lies) {
                    received[liar] = lie;
                }
                if decode(&received) != majority(message) {
                    return b as i64 - 1;
                }
            }
        }
    }
    g.n() as i64
}
