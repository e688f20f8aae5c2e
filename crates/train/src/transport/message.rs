//! Messages as bytes: everything little-endian, votes as packed bits.
//!
//! # What is promised
//! Any bytes are read without a panic and without more memory than a small multiple of their number: what is no
//! message is none.

use crate::bits::Bits;
use crate::vote::{Decoded, Vote};

/// Bytes of a vote beside its bits: kind, flags, number of losses (2), nothing (4), step (8), seconds (8);
/// then 8 for each loss.
pub const VOTE_HEADER: usize = 24;

/// The longest text that a rank says, in bytes.
pub(crate) const MAX_TEXT: usize = 1 << 16;

/// What ranks tell each other.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A worker is there, and this is what it holds: one line each for version, matrix, configuration, data.
    Hello(String),
    /// The server lets training start from this state.
    Start {
        /// Steps done.
        step: u64,
        /// The d parameters.
        parameters: Vec<f32>,
        /// The server's momentum, d numbers.
        velocity: Vec<f32>,
    },
    /// A worker's vote.
    Vote {
        /// The step, from 0.
        step: u64,
        /// Seconds that one gradient took.
        gradient_s: f64,
        /// The loss of each partition of the worker's row, in the row's order.
        losses: Vec<f64>,
        /// Its vote: ⌈d/8⌉ bytes, twice where it can be silent.
        vote: Vote,
    },
    /// The server's decode: ⌈d/8⌉ bytes, twice where it can tie.
    Decode {
        /// The step, from 0.
        step: u64,
        /// The mean loss as the workers report it; NaN where they report none.
        loss: f64,
        /// What all apply.
        decoded: Decoded,
    },
    /// The server ends it, and says why.
    Stop(String),
    /// A worker cannot go on, and says why.
    Failed(String),
}

impl Message {
    /// The bytes that travel.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let head = |kind: u8, second: bool, count: usize| {
            let count = (count as u16).to_le_bytes();
            [kind, u8::from(second), count[0], count[1], 0, 0, 0, 0]
        };
        match self {
            Self::Hello(text) => {
                bytes.extend(head(1, false, 0));
                bytes.extend(text.as_bytes());
            }
            Self::Start { step, parameters, velocity } => {
                bytes.extend(head(2, false, 0));
                bytes.extend(step.to_le_bytes());
                bytes.extend(parameters.iter().chain(velocity).flat_map(|value| value.to_le_bytes()));
            }
            Self::Vote { step, gradient_s, losses, vote } => {
                bytes.extend(head(3, vote.silent.is_some(), losses.len()));
                bytes.extend(step.to_le_bytes());
                bytes.extend(gradient_s.to_le_bytes());
                bytes.extend(losses.iter().flat_map(|loss| loss.to_le_bytes()));
                bytes.extend(vote.bits.to_bytes());
                bytes.extend(vote.silent.iter().flat_map(Bits::to_bytes));
            }
            Self::Decode { step, loss, decoded } => {
                bytes.extend(head(4, decoded.tied.is_some(), 0));
                bytes.extend(step.to_le_bytes());
                bytes.extend(loss.to_le_bytes());
                bytes.extend(decoded.negative.to_bytes());
                bytes.extend(decoded.tied.iter().flat_map(Bits::to_bytes));
            }
            Self::Stop(text) => {
                bytes.extend(head(5, false, 0));
                bytes.extend(text.as_bytes());
            }
            Self::Failed(text) => {
                bytes.extend(head(6, false, 0));
                bytes.extend(text.as_bytes());
            }
        }
        bytes
    }

    /// The message of some bytes, where d is the number of parameters; none where they are no message.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], d: usize) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        let second = match head[1] {
            0 => false,
            1 => true,
            _ => return None,
        };
        let planes = |rest: &[u8]| -> Option<(Bits, Option<Bits>)> {
            let size = d.div_ceil(8);
            let first = Bits::from_bytes(d, rest.get(..size)?)?;
            let other = if second { Some(Bits::from_bytes(d, &rest[size..])?) } else { None };
            (rest.len() == size * (1 + usize::from(second))).then_some((first, other))
        };
        let text = |rest: &[u8]| String::from_utf8(rest.to_vec()).ok();
        Some(match head[0] {
            1 => Self::Hello(text(rest)?),
            2 => {
                let (step, rest) = rest.split_first_chunk()?;
                if rest.len() != 8 * d {
                    return None;
                }
                let mut parameters: Vec<f32> =
                    rest.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
                let velocity = parameters.split_off(d);
                Self::Start { step: u64::from_le_bytes(*step), parameters, velocity }
            }
            3 => {
                let (step, rest) = rest.split_first_chunk()?;
                let (seconds, rest) = rest.split_first_chunk()?;
                let count = usize::from(u16::from_le_bytes([head[2], head[3]]));
                let (losses, rest) = rest.split_at_checked(8 * count)?;
                let losses = losses.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes));
                let (bits, silent) = planes(rest)?;
                Self::Vote {
                    step: u64::from_le_bytes(*step),
                    gradient_s: f64::from_le_bytes(*seconds),
                    losses: losses.collect(),
                    vote: Vote { bits, silent },
                }
            }
            4 => {
                let (step, rest) = rest.split_first_chunk()?;
                let (loss, rest) = rest.split_first_chunk()?;
                let (negative, tied) = planes(rest)?;
                Self::Decode {
                    step: u64::from_le_bytes(*step),
                    loss: f64::from_le_bytes(*loss),
                    decoded: Decoded { negative, tied, wrong: 0 },
                }
            }
            5 => Self::Stop(text(rest)?),
            6 => Self::Failed(text(rest)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn messages_survive_the_journey_and_cut_ones_do_not(
            signs in prop::collection::vec(any::<bool>(), 1..100),
            second: bool,
            step: u64,
            number in -1e9_f64..1e9,
            cut in 0_usize..40,
        ) {
            let d = signs.len();
            let bits = Bits::from_fn(d, |i| signs[i]);
            let other = second.then(|| Bits::from_fn(d, |i| !signs[i]));
            let floats: Vec<f32> = signs.iter().map(|&sign| if sign { number as f32 } else { 0.5 }).collect();
            let vote = Vote { bits: bits.clone(), silent: other.clone() };
            let decoded = Decoded { negative: bits, tied: other, wrong: 0 };
            let losses = vec![number, 1.0];
            let vote_message = Message::Vote { step, gradient_s: number, losses, vote };
            prop_assert_eq!(
                vote_message.to_bytes().len(),
                VOTE_HEADER + 2 * 8 + d.div_ceil(8) * (1 + usize::from(second))
            );
            for message in [
                Message::Start { step, parameters: floats.clone(), velocity: floats },
                vote_message,
                Message::Decode { step, loss: number, decoded },
            ] {
                let bytes = message.to_bytes();
                prop_assert_eq!(Message::from_bytes(&bytes, d), Some(message));
                let shorter = bytes.len().saturating_sub(cut + 1);
                prop_assert_eq!(Message::from_bytes(&bytes[..shorter], d), None);
                prop_assert_eq!(Message::from_bytes(&[&bytes[..], &[0]].concat(), d), None);
            }
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0_u8..8, d in 1_usize..99) {
            let _ = Message::from_bytes(&bytes, d);
            let _ = Message::from_bytes(&[&[kind, 1][..], &bytes[..]].concat(), d);
        }
    }
}
