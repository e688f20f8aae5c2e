//! The oracle for failure domains: the definition taken literally, and nothing of the theorems.

use itertools::Itertools as _;

use crate::control::Control;
use crate::definition::Definition;
use crate::engine::{Engine as _, Unsuitable};
use crate::instance::Instance;
use ecode_core::{AllocationMatrix, Domains, Message, TieRule, decode, honest_vote, majority};

/// What came of trying everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Some b domains overturn this message.
    Overturned(Message),
    /// Every message, every set of b domains and everything that their workers may send was tried: none does.
    Never,
    /// The control said stop before that was known.
    Stopped,
}

/// Whether some b domains overturn a message, by the definition alone: every message, every set of b domains, every reply of
/// each of their workers, silence included under every rule, since nobody can make a worker vote.
///
/// # Errors
/// [`Unsuitable`] for n > 9 or k > 16.
///
/// # Panics
/// When the domains are of other workers, or fewer than b.
pub fn overturned_by_domains(
    g: &AllocationMatrix,
    ties: TieRule,
    domains: &Domains,
    b: usize,
    control: &Control,
) -> Result<Tried, Unsuitable> {
    assert_eq!(domains.n(), g.n(), "domains of the matrix's workers");
    assert!(b <= domains.len(), "{b} of {} domains", domains.len());
    Definition.suits(Instance::new(g, ties))?;
    control.begin(1 << g.k());
    for bits in 0..1_u32 << g.k() {
        let message = Message::from_indices(g.k(), (0..g.k()).filter(|i| bits >> i & 1 == 1));
        let honest: Vec<_> = (0..g.n()).map(|j| honest_vote(g, ties, j, &message)).collect();
        let correct = majority(&message);
        for lying in (0..domains.len()).combinations(b) {
            if control.stopped() {
                return Ok(Tried::Stopped);
            }
            let liars: Vec<usize> = (0..g.n()).filter(|&j| lying.contains(&domains.of()[j])).collect();
            let mut received = honest.clone();
            // One reply of each liar after the other: a number with a digit of base 3 for each.
            for replies in 0..3_u32.pow(liars.len() as u32) {
                let mut left = replies;
                for &liar in &liars {
                    received[liar] = [Some(!correct), None, Some(correct)][left as usize % 3];
                    left /= 3;
                }
                if decode(&received) != correct {
                    return Ok(Tried::Overturned(message));
                }
            }
        }
        control.advance(1);
    }
    Ok(Tried::Never)
}
