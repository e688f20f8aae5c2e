//! What a connection sends under a scheme, as far as it was asked for it.

use super::{Shared, Spoken, speaks};
use crate::happening::Happening;
use crate::scheme::{self, Dues, Heard, Partial, Pieced, Rubbish};

impl Shared {
    /// Under a scheme: what a connection sends. `partial` is the vector that it is in the middle of.
    pub(crate) fn hear(
        &self,
        row: usize,
        connection: u64,
        message: Spoken,
        partial: &mut Option<Partial>,
    ) -> Result<(), Rubbish> {
        let (Some(partitions), Some(key)) = (self.settings.partitions, self.keys.get(row).copied().flatten())
        else {
            return Err(Rubbish);
        };
        // A vector comes whole before anything else does.
        if partial.is_some() && !matches!(message, Spoken::Vector(_)) {
            return Err(Rubbish);
        }
        let (header, shares) = {
            let mut inner = self.lock();
            if !speaks(&inner, row, connection) {
                return Ok(());
            }
            let (step, state) = match (&message, &partial) {
                (_, Some(begun)) => (begun.step, begun.state.to_vec()),
                (Spoken::Answer(answer), _) => (answer.step, answer.state.to_vec()),
                (Spoken::Vector(piece), _) => (piece.step, piece.state.to_vec()),
                (Spoken::Refusal(refusal), _) => (refusal.step, Vec::new()),
            };
            let of_step = |same: bool| {
                let mut headers = inner.headers.iter();
                headers.rfind(|(header, _)| header.step == step && (!same || header.state[..] == state))
            };
            // Who is out of date says so.
            let stale = matches!(&message, Spoken::Answer(answer) if answer.digests.is_empty());
            let header = of_step(true).or_else(|| of_step(false)).or(inner.headers.last()).copied();
            if let Some(pulls) = inner.pulls.get_mut(row).filter(|pulls| stale && **pulls == 0) {
                *pulls = 1;
            }
            let (_, dues) = inner.asked.get_mut(row).ok_or(Rubbish)?;
            let owed = match &message {
                Spoken::Answer(answer) => {
                    Dues::take(&mut dues.answers, 1) && Dues::take(&mut dues.digests, answer.digests.len())
                }
                Spoken::Vector(_) => partial.is_some() || Dues::take(&mut dues.vectors, 1),
                Spoken::Refusal(_) => Dues::take(&mut dues.vectors, 1),
            };
            header.filter(|_| owed).ok_or(Rubbish)?
        };
        // What takes time holds nobody back.
        let heard = match message {
            Spoken::Answer(answer) => scheme::answer(answer, &header, partitions, &key)?,
            Spoken::Refusal(refusal) if refusal.step == header.step => {
                Some(Heard::Refusal { partition: refusal.partition as usize })
            }
            Spoken::Refusal(_) => None,
            Spoken::Vector(piece) => {
                let begun = match partial.take() {
                    Some(begun) => begun,
                    None => Partial::begin(&piece, &header, self.settings.dimension.div_ceil(8), shares)?,
                };
                match begun.add(&piece, &header, shares, &key)? {
                    Pieced::More(more) => {
                        *partial = Some(more);
                        None
                    }
                    Pieced::Whole(heard) => Some(heard),
                    Pieced::Useless => None,
                }
            }
        };
        if let Some(heard) = heard {
            self.tell(Happening::Heard { row, of: header, heard });
        }
        Ok(())
    }
}
