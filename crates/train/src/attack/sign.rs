//! Attacks on gradients behind the sign: what liars vote whose votes are the signs of the gradients that such an attack makes.
//!
//! A worker's gradient is the mean over its partitions, as where gradients are sent. No such vote does more harm than
//! opposing the true majority (`omniscient`): the server's count grows with every vote for a bit.

use super::Knowledge;
use crate::bits::Bits;
use crate::config::Config;
use crate::vote::{Conduct, VoteEngine};
use ecode_core::Workers;

/// A step in which some lie.
pub(crate) struct AttackedStep<'a> {
    pub(crate) config: &'a Config,
    pub(crate) engine: &'a VoteEngine,
    pub(crate) liars: &'a Workers,
    pub(crate) step: u64,
}

impl AttackedStep<'_> {
    /// Each liar's vote, in the order of the liars. `gradients` are those of all k partitions, `messages` their signs.
    pub(crate) fn votes(&self, gradients: &[Vec<f32>], messages: &[Bits]) -> Vec<Bits> {
        let Self { config, engine, liars, step } = *self;
        let rows = engine.rows();
        let d = gradients.first().map_or(0, Vec::len);
        let honest: Vec<Vec<f32>> = (0..rows.len())
            .filter(|&j| !liars.contains(j) && !rows[j].is_empty())
            .map(|j| mean(&rows[j], gradients, d))
            .collect();
        let honest: Vec<&[f32]> = honest.iter().map(Vec::as_slice).collect();
        let knowledge = Knowledge { honest: &honest, n: rows.len(), b: liars.count(), scale: config.scale() };
        let sign = |j: usize, lie: &[f32]| Bits::pack(lie, config.zero_sign.negative(step, j));
        // How many coordinates the server gets wrong.
        let mut damage = |lie: &[f32]| {
            let bits: Vec<Bits> = liars.indices().map(|j| sign(j, lie)).collect();
            let mut conduct = vec![Conduct::Honest; rows.len()];
            liars.indices().zip(&bits).for_each(|(j, bits)| conduct[j] = Conduct::Sends(bits));
            engine.round(messages, &conduct).wrong as f64
        };
        let common = knowledge.common(config.attack, d, &mut damage);
        let lie = |j: usize| {
            if let Some(lie) = &common {
                return sign(j, lie);
            }
            let mut own = mean(&rows[j], gradients, d);
            knowledge.corrupt(config.attack, config.seed, step, j, &mut own);
            sign(j, &own)
        };
        liars.indices().map(lie).collect()
    }
}

/// The mean gradient over some partitions; zeros where there is none.
pub(crate) fn mean(row: &[usize], gradients: &[Vec<f32>], d: usize) -> Vec<f32> {
    let share = 1.0 / row.len().max(1) as f32;
    let mut mean = vec![0.0; d];
    for &i in row {
        mean.iter_mut().zip(&gradients[i]).for_each(|(mean, value)| *mean += share * value);
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::super::Attack;
    use super::*;
    use ecode_core::AllocationMatrix;
    use ecode_design::construct::{algorithm1, uncoded};
    use rand_chacha::rand_core::Rng as _;

    fn attacked(
        g: &AllocationMatrix,
        gradients: &[Vec<f32>],
        attack: Attack,
        liars: &[usize],
    ) -> (Vec<Bits>, u64) {
        let config = Config { attack, seed: 5, ..Config::default() };
        let engine = VoteEngine::new(g, config.ties);
        let liars = Workers::from_indices(g.n(), liars.iter().copied());
        let messages: Vec<Bits> = gradients.iter().map(|gradient| Bits::pack(gradient, false)).collect();
        let attacked = AttackedStep { config: &config, engine: &engine, liars: &liars, step: 3 };
        let votes = attacked.votes(gradients, &messages);
        let mut conduct = vec![Conduct::Honest; g.n()];
        liars.indices().zip(&votes).for_each(|(j, bits)| conduct[j] = Conduct::Sends(bits));
        let wrong = engine.round(&messages, &conduct).wrong;
        (votes, wrong)
    }

    fn negative(bits: &Bits) -> Vec<bool> {
        (0..bits.len()).map(|i| bits.get(i)).collect()
    }

    /// Five workers with a partition each, of which the last two lie. The honest ones have (1, −1), (2, −2) and (6, −6) …
    #[test]
    fn a_vote_is_the_sign_of_the_attack_s_gradient() -> Result<(), ecode_design::construct::ConstructError> {
        let g = uncoded(5)?;
        let gradients = [vec![1.0, -1.0], vec![2.0, -2.0], vec![6.0, -6.0], vec![9.0, 9.0], vec![9.0, 9.0]];
        let of = |attack| {
            let votes = attacked(&g, &gradients, attack, &[3, 4]).0;
            assert_eq!(votes.len(), 2);
            negative(&votes[0])
        };
        // … of the mean (3, −3), the deviations (2.16, 2.16) and z = 0.43, so that a little less is (2.07, −3.93).
        assert_eq!(of(Attack::Alie), [false, true]);
        assert_eq!(of(Attack::Ipm), [true, false]);
        assert_eq!(of(Attack::Mimic), [false, true]);
        // Three of five have the sign (+, −) whatever two send: no lie does damage, so the search stays at x̄ and at 0.
        assert_eq!(of(Attack::OptAlie), [false, true]);
        // The largest squared distance is 2 · 25, and along (−1, −1) all honest are at one height: their squared distance is
        // 2 · 9 at most, and γ²‖p‖² = 32 leaves 3 − 4 and −3 − 4.
        assert_eq!(of(Attack::MinMax), [true, true]);
        Ok(())
    }

    /// On random gradients, with more liars than the code tolerates, of every attack: what opposes the majority does the most
    /// harm; with as many as it tolerates none does any.
    #[test]
    fn no_attack_does_more_harm_than_opposing_the_majority()
    -> Result<(), ecode_design::construct::ConstructError> {
        let mut random = crate::random::stream(1, crate::random::Purpose::Noise, 0, 0);
        let mut gradients = vec![vec![0.0_f32; 500]; 9];
        for i in 0..500 {
            // Some coordinates on which all but agree, some near a tie.
            let shift = (i % 5) as f32 * 0.2;
            gradients
                .iter_mut()
                .for_each(|g| g[i] = shift + (random.next_u32() >> 8) as f32 / 8_388_608.0 - 1.0);
        }
        let code = algorithm1(9, 2)?;
        let mut harmful = 0;
        for (g, tolerated) in [(&code, 2), (&uncoded(9)?, 0)] {
            let messages: Vec<Bits> = gradients.iter().map(|gradient| Bits::pack(gradient, false)).collect();
            for liars in [&[4, 8][..], &[1, 4, 8], &[0, 2, 4, 5, 8]] {
                let engine = VoteEngine::new(g, ecode_core::TieRule::Abstain);
                let mut conduct = vec![Conduct::Honest; 9];
                liars.iter().for_each(|&j| conduct[j] = Conduct::Omniscient);
                let most = engine.round(&messages, &conduct).wrong;
                for attack in Attack::ALL.iter().copied().filter(|attack| attack.makes_gradient()) {
                    let wrong = attacked(g, &gradients, attack, liars).1;
                    assert!(wrong <= most, "{attack:?}: {wrong} of {most}");
                    assert!(wrong == 0 || liars.len() > tolerated, "{attack:?}: {wrong}");
                    harmful += usize::from(wrong > 0);
                }
            }
        }
        assert!(harmful > 20, "{harmful}");
        Ok(())
    }
}
