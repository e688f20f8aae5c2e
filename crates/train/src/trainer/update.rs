//! The server's step: what a decode does to the parameters.

use rayon::prelude::*;

use crate::state::State;
use crate::vote::Decoded;

/// Coordinates that one task moves.
const CHUNK: usize = 1 << 15;

/// The direction of a step, and the partitions' new momentum where it is kept at the workers.
pub(super) enum Update {
    /// Signs.
    Signs(Decoded),
    /// What an aggregator of gradients gave.
    Gradient(Vec<f32>),
    /// What the learner keeps where it computes.
    Resident,
}

impl Update {
    /// Moves the parameters: velocity ← η·velocity + direction + decay·parameter, parameter ← parameter −
    /// γ·velocity.
    pub(super) fn apply(&self, state: &mut State, lr: f32, eta: f32, decay: f32) {
        let parts = state.parameters.par_chunks_mut(CHUNK);
        parts.zip(state.velocity.par_chunks_mut(CHUNK)).enumerate().for_each(
            |(part, (parameters, velocity))| {
                let mut direction = [0.0; 64];
                let words = parameters.chunks_mut(64).zip(velocity.chunks_mut(64));
                for (word, (parameters, velocity)) in words.enumerate() {
                    self.write(part * CHUNK + 64 * word, &mut direction);
                    for ((parameter, velocity), &sign) in parameters.iter_mut().zip(velocity).zip(&direction)
                    {
                        *velocity = eta * *velocity + sign + decay * *parameter;
                        *parameter -= lr * *velocity;
                    }
                }
            },
        );
    }

    /// The direction on the 64 coordinates from `first` on, a multiple of 64.
    #[inline]
    fn write(&self, first: usize, direction: &mut [f32; 64]) {
        match self {
            Self::Signs(decoded) => {
                let negative = decoded.negative.words()[first / 64];
                let tied = decoded.tied.as_ref().map_or(0, |tied| tied.words()[first / 64]);
                for (i, sign) in direction.iter_mut().enumerate() {
                    let size = 1 - (tied >> i & 1) as i32;
                    *sign = (size - 2 * (negative >> i & 1) as i32) as f32;
                }
            }
            Self::Gradient(gradient) => {
                let rest = &gradient[first..gradient.len().min(first + 64)];
                direction[..rest.len()].copy_from_slice(rest);
            }
            Self::Resident => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::Bits;

    fn state() -> State {
        State {
            step: 0,
            parameters: vec![1.0, -2.0, 4.0],
            velocity: vec![0.5, 0.0, -1.0],
            momentum: Vec::new(),
            joined: Vec::new(),
            model: Vec::new(),
            totals: crate::state::Totals::default(),
            best: None,
            excess: None,
            lost: Vec::new(),
            ledger: None,
            named: Vec::new(),
        }
    }

    /// By hand, with γ = 0.5, η = 0.5, decay 0.25: signs −, +, and a tie.
    #[test]
    fn a_step_is_the_formula() {
        let negative = Bits::from_fn(3, |i| i == 0);
        let tied = Some(Bits::from_fn(3, |i| i == 2));
        let mut voted = state();
        Update::Signs(Decoded { negative, tied, wrong: 0 }).apply(&mut voted, 0.5, 0.5, 0.25);
        // 0.25 − 1 + 0.25, 0 + 1 − 0.5, −0.5 + 0 + 1.
        assert_eq!(voted.velocity, [-0.5, 0.5, 0.5]);
        assert_eq!(voted.parameters, [1.25, -2.25, 3.75]);
        let mut joined = state();
        Update::Gradient(vec![2.0, -4.0, 0.0]).apply(&mut joined, 0.5, 0.0, 0.0);
        assert_eq!((joined.velocity, joined.parameters), (vec![2.0, -4.0, 0.0], vec![0.0, 0.0, 4.0]));
    }
}
