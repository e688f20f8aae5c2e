//! Verdicts on the word of nobody: an outside solver's proofs, replayed by the checker, become a floor.
//!
//! # What is promised
//! A [`ProvedSide`] exists only where [`replay_full_drat`] accepted a proof on clauses that were made here, and
//! it remembers what it proves of which matrix. [`conclude_from`] draws the floor from such sides alone, and
//! only where they are all that decide the claim; a message is counted again by the definitions.
//!
//! # The clauses
//! [`Clauses`] of the claim's formula, and for every two partitions with the same column "the lower one is chosen
//! first": exchanging two such partitions changes nobody's vote, so one message stands for all its permutations.

use std::collections::HashMap;
use std::time::Duration;

use super::engine::{Finding, Unsuitable};
use super::instance::Instance;
use super::verdict::conclude;
use super::verdict::{Verdict, VerifyError};
use ecode_check::{ProofError, replay_full_drat};
use ecode_core::{AllocationMatrix, Clauses, Formula, MOST_CLAUSES, Message, TieRule, deciding_sides};

/// That no message of one side has a margin below a number: its proof was replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvedSide {
    digest: String,
    ties: TieRule,
    correct: bool,
    below: i64,
    steps: usize,
}

impl ProvedSide {
    /// The clauses that have a solution exactly where some message with the answer `correct` has a margin
    /// below `below`.
    ///
    /// # Errors
    /// [`Unsuitable`]: there would be more than [`MOST_CLAUSES`].
    pub fn clauses(
        g: &AllocationMatrix,
        ties: TieRule,
        below: i64,
        correct: bool,
    ) -> Result<Clauses, Unsuitable> {
        let formula = Formula::below(g, ties, below, correct);
        small_enough(g, &formula)?;
        let mut clauses = Clauses::of(g, &formula);
        for [first, second] in equal_partitions(g) {
            clauses.add(vec![first as i32 + 1, -(second as i32 + 1)]);
        }
        Ok(clauses)
    }

    /// Whether [`Self::clauses`] exist for every side and every margin that a message can have.
    ///
    /// # Errors
    /// [`Unsuitable`]: there would be more than [`MOST_CLAUSES`].
    pub fn suits(g: &AllocationMatrix, ties: TieRule) -> Result<(), Unsuitable> {
        // The formula grows with the loss that is asked for, at most to that of every worker.
        let least = -(g.n() as i64) / 2;
        let fits = |correct| small_enough(g, &Formula::below(g, ties, least, correct));
        deciding_sides(g, ties).into_iter().try_for_each(fits)
    }

    /// Replays a DRAT proof, text or binary, that [`Self::clauses`] have no solution. Asks `stopped` now and then
    /// whether to end.
    ///
    /// # Errors
    /// The outer error says that there are too many clauses, the inner one which line does not follow.
    pub fn replay(
        g: &AllocationMatrix,
        ties: TieRule,
        below: i64,
        correct: bool,
        proof: &[u8],
        stopped: &dyn Fn() -> bool,
    ) -> Result<Result<Self, ProofError>, Unsuitable> {
        let clauses = Self::clauses(g, ties, below, correct)?;
        let proved = |steps| Self { digest: g.digest(), ties, correct, below, steps };
        Ok(replay_full_drat(&clauses, proof, stopped).map(proved))
    }

    /// How many clauses the proof adds.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }
}

fn small_enough(g: &AllocationMatrix, formula: &Formula) -> Result<(), Unsuitable> {
    let size = Clauses::count(g, formula);
    if size <= MOST_CLAUSES {
        return Ok(());
    }
    Err(Unsuitable(format!("a solver gets formulas of up to {MOST_CLAUSES} clauses; here {size}")))
}

/// Pairs of partitions with the same column, so that all such are in a chain.
fn equal_partitions(g: &AllocationMatrix) -> Vec<[usize; 2]> {
    let mut last: HashMap<Vec<bool>, usize> = HashMap::new();
    let column = |i: usize| (0..g.n()).map(|j| g.holds(j, i)).collect();
    (0..g.k()).filter_map(|i| last.insert(column(i), i).map(|before| [before, i])).collect()
}

/// What an outside solver is to be believed, and what is to be said of it.
#[derive(Clone, Debug, Default)]
pub struct SolverEvidence {
    /// A bad message.
    pub message: Option<Message>,
    /// What was proved of the sides.
    pub proved: Vec<ProvedSide>,
    /// The verdict's reason.
    pub reason: Option<String>,
    /// The verdict's wall time.
    pub elapsed: Duration,
}

/// The verdict that the evidence gives: refuted by the message, tolerant where every deciding side is proved, else
/// undecided. Its method is `solver`.
///
/// # Errors
/// [`VerifyError::Replay`]: the message has a smaller margin than was proved of its side.
///
/// # Panics
/// When the message is not of length k.
pub fn conclude_from(
    g: &AllocationMatrix,
    b: Option<usize>,
    ties: TieRule,
    evidence: SolverEvidence,
) -> Result<Verdict, VerifyError> {
    let digest = g.digest();
    let floor = |correct: bool| {
        let fits = |side: &&ProvedSide| side.digest == digest && side.ties == ties && side.correct == correct;
        evidence.proved.iter().filter(fits).map(|side| side.below).max()
    };
    let floors: Option<Vec<i64>> = deciding_sides(g, ties).into_iter().map(floor).collect();
    let finding = Finding {
        worst: evidence.message.map(|message| ecode_core::Outcome::of(g, ties, &message)),
        floor: floors.and_then(|floors| floors.into_iter().min()),
        ..Finding::default()
    };
    let mut verdict = conclude("solver", Instance::new(g, ties), b, finding, evidence.elapsed)?;
    verdict.reason = evidence.reason;
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three workers that hold the one partition: radius 1, which propagation alone proves.
    #[test]
    fn a_proof_speaks_of_its_matrix_its_ties_and_its_side_only() {
        let full = |n| AllocationMatrix::from_fn(n, 1, |_, _| true);
        let (Ok(g), Ok(other)) = (full(3), full(5)) else { panic!("a matrix") };
        let prove = |g, ties, below| ProvedSide::replay(g, ties, below, false, b"", &|| false);
        let Ok(Ok(side)) = prove(&g, TieRule::Zero, 1) else { panic!("an easy proof") };
        assert!(matches!(prove(&g, TieRule::Zero, 2), Ok(Err(_))), "a message with the margin 1 exists");
        let word = |g, b, ties, proved| {
            conclude_from(g, Some(b), ties, SolverEvidence { proved, ..SolverEvidence::default() })
                .map_or("error", |verdict| verdict.word())
        };
        assert_eq!(word(&g, 1, TieRule::Zero, vec![side.clone()]), "tolerant");
        assert_eq!(word(&g, 2, TieRule::Zero, vec![side.clone()]), "undecided");
        assert_eq!(word(&g, 1, TieRule::One, vec![side.clone()]), "undecided");
        assert_eq!(word(&other, 1, TieRule::Zero, vec![side.clone()]), "undecided");
        assert_eq!(word(&g, 1, TieRule::Zero, vec![]), "undecided");
        let on_the_other_side = ProvedSide { correct: true, ..side };
        assert_eq!(word(&g, 1, TieRule::Zero, vec![on_the_other_side]), "undecided");
    }
}
