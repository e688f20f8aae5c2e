//! What Byzantine workers do, and which workers they are.

use rand_chacha::rand_core::Rng as _;
use rand_distr::{Distribution as _, StandardNormal};
use serde::{Deserialize, Serialize};

use super::bits::Bits;
use super::names::named;
use super::random::{Purpose, permutation, stream};
use ecode_core::{AllocationMatrix, DomainSet, Domains, Message, TieRule, Workers, honest_vote, majority};

named! {
    /// How a Byzantine worker chooses what it sends. Where workers send gradients instead of votes, x̄ is the
    /// mean of the honest ones, and s the `attack-scale`.
    pub enum Attack {
        /// Nothing: it is honest.
        None = "none",
        /// The opposite of its honest vote; −s times its gradient.
        #[default]
        Reverse = "reverse",
        /// Fair coins; Gaussian noise with s times the root mean square of x̄.
        Random = "random",
        /// Always negative; s times the root mean square of x̄, negated, everywhere.
        Constant = "constant",
        /// The opposite of the true majority; −s·x̄.
        Omniscient = "omniscient",
        /// An honest vote over gradients of flipped labels (class c taken for classes − 1 − c).
        LabelFlip = "label-flip",
        /// A little is enough (Baruch, Baruch and Goldberg, NeurIPS 2019): x̄ less z deviations of the honest
        /// gradients, z as large as hides among them. For gradient aggregators.
        Alie = "alie",
        /// Inner-product manipulation (Xie, Koyejo and Gupta, UAI 2019): −s·x̄ with a small s, 0.5 by default.
        /// For gradient aggregators.
        Ipm = "ipm",
    }
}

/// Which workers are Byzantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ByzantineSet {
    /// The first b. With Algorithm 1 these hold one partition each, and their lies show nothing.
    First,
    /// b at random, the same in every step.
    #[default]
    Random,
    /// b at random, others in every step.
    RandomPerStep,
    /// The b that hurt this matrix most on random messages, found greedily and then by exchanges.
    Worst,
    /// These.
    List(Vec<usize>),
}

/// A description of a Byzantine set that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown Byzantine set '{0}': expected first, random, random-per-step, worst, or workers as in 0,3,7"
)]
pub struct UnknownSet(String);

impl TryFrom<String> for ByzantineSet {
    type Error = UnknownSet;

    fn try_from(text: String) -> Result<Self, UnknownSet> {
        Ok(match text.as_str() {
            "first" => Self::First,
            "random" => Self::Random,
            "random-per-step" => Self::RandomPerStep,
            "worst" => Self::Worst,
            list => {
                let workers: Result<Vec<usize>, _> =
                    list.split(',').map(|part| part.trim().parse()).collect();
                Self::List(workers.map_err(|_| UnknownSet(text))?)
            }
        })
    }
}

impl From<ByzantineSet> for String {
    fn from(set: ByzantineSet) -> Self {
        set.to_string()
    }
}

impl std::fmt::Display for ByzantineSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Random => f.write_str("random"),
            Self::RandomPerStep => f.write_str("random-per-step"),
            Self::Worst => f.write_str("worst"),
            Self::List(workers) => {
                let workers: Vec<String> = workers.iter().map(ToString::to_string).collect();
                f.write_str(&workers.join(","))
            }
        }
    }
}

impl ByzantineSet {
    /// The b Byzantine workers of a step (of the whole run unless the set is `random-per-step`).
    #[must_use]
    pub fn choose(&self, g: &AllocationMatrix, ties: TieRule, b: usize, seed: u64, step: u64) -> Workers {
        let n = g.n();
        let random = |step| {
            let order = permutation(&mut stream(seed, Purpose::ByzantineSet, step, 0), n);
            Workers::from_indices(n, order[..b].iter().map(|&j| j as usize))
        };
        match self {
            Self::First => Workers::from_indices(n, 0..b),
            Self::Random => random(0),
            Self::RandomPerStep => random(step + 1),
            Self::Worst => Workers::from_indices(n, worst(g, ties, &(0..n).collect::<Vec<_>>(), b)),
            Self::List(workers) => Workers::from_indices(n, workers.iter().copied()),
        }
    }

    /// The workers of b failure domains that lie in a whole run: `first`, `random` and `worst` as for workers, a list by the
    /// domains' numbers, in the order in which they are first named.
    ///
    /// # Errors
    /// What is wrong, in a sentence: other domains in every step, a list of others than b domains, or more than there are.
    pub fn choose_domains(
        &self,
        g: &AllocationMatrix,
        ties: TieRule,
        domains: &Domains,
        b: usize,
        seed: u64,
    ) -> Result<DomainSet, String> {
        let all = domains.len();
        if b > all {
            return Err(format!("byzantine is {b}; there are {all} domains"));
        }
        let chosen: Vec<usize> = match self {
            Self::First => (0..b).collect(),
            Self::Random => {
                let order = permutation(&mut stream(seed, Purpose::ByzantineSet, 0, 0), all);
                order[..b].iter().map(|&domain| domain as usize).collect()
            }
            Self::RandomPerStep => {
                return Err(
                    "byzantine-set is random-per-step; with domains the same lie in every step".into()
                );
            }
            Self::Worst => worst(g, ties, domains.of(), b),
            Self::List(list) => list.clone(),
        };
        let different: std::collections::BTreeSet<usize> = chosen.iter().copied().collect();
        let known = different.last().is_none_or(|&last| last < all);
        if different.len() != b || chosen.len() != b || !known {
            return Err(format!(
                "byzantine-set is {self}; expected {b} different domains of 0 to {}",
                all - 1
            ));
        }
        Ok(DomainSet::from_indices(all, chosen))
    }
}

/// Random messages on which sets are compared.
const MESSAGES: usize = 2048;

/// A set of b units whose lies overturn as many of some random messages as greedy choice and exchanges find; among equals
/// the one that leaves the smallest leads. Worker j belongs to unit `units[j]`: itself, or its failure domain.
fn worst(g: &AllocationMatrix, ties: TieRule, units: &[usize], b: usize) -> Vec<usize> {
    let k = g.k();
    let n = units.iter().max().map_or(0, |most| most + 1);
    let mut random = stream(0, Purpose::WorstSet, 0, 0);
    // Each worker's part in the correct answer's lead on a message: +1 right, 0 silent, −1 wrong. A liar moves the lead by what it
    // gave plus one, a unit by what its workers do.
    let parts: Vec<(Vec<i32>, i32)> = (0..MESSAGES)
        .map(|_| {
            let message = Message::from_indices(k, (0..k).filter(|_| random.next_u64() >> 63 == 1));
            let correct = majority(&message);
            let vote =
                |j| honest_vote(g, ties, j, &message).map_or(0, |bit| if bit == correct { 1 } else { -1 });
            let mut parts = vec![0; n];
            let mut lead = -i32::from(correct);
            for (j, &unit) in units.iter().enumerate() {
                let part = vote(j);
                lead += part;
                parts[unit] += part + 1;
            }
            (parts, lead)
        })
        .collect();
    // The smooth count of overturned messages: a lead below zero is one, and near zero nearly one.
    let cost = |leads: &[i32], worker: usize, sign: i32| -> f64 {
        let of = |(place, lead): (usize, &i32)| {
            let lead = f64::from(lead - sign * parts[place].0[worker]);
            if lead < 0.0 { 1.0 } else { 0.5 * (-lead / 2.0).exp() / MESSAGES as f64 }
        };
        leads.iter().enumerate().map(of).sum()
    };
    let shift = |leads: &mut [i32], worker: usize, sign: i32| {
        for (lead, (parts, _)) in leads.iter_mut().zip(&parts) {
            *lead -= sign * parts[worker];
        }
    };
    let mut leads: Vec<i32> = parts.iter().map(|(_, lead)| *lead).collect();
    let mut chosen: Vec<usize> = Vec::new();
    let best_of = |leads: &[i32], chosen: &[usize]| {
        let free = (0..n).filter(|j| !chosen.contains(j)).map(|j| (j, cost(leads, j, 1)));
        free.fold(None, |best: Option<(usize, f64)>, next| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        })
    };
    while chosen.len() < b
        && let Some((worker, _)) = best_of(&leads, &chosen)
    {
        shift(&mut leads, worker, 1);
        chosen.push(worker);
    }
    // Exchanges of one for one while they help, each worker in turn.
    for place in 0..chosen.len() {
        let out = chosen[place];
        let before = cost(&leads, out, 0);
        shift(&mut leads, out, -1);
        let others: Vec<usize> = chosen.iter().copied().filter(|&j| j != out).collect();
        let (back, gain) = best_of(&leads, &others).unwrap_or((out, before));
        let back = if gain > before { back } else { out };
        shift(&mut leads, back, 1);
        chosen[place] = back;
    }
    chosen
}

/// Fair coins of a Byzantine worker in a step.
#[must_use]
pub(super) fn coins(d: usize, seed: u64, step: u64, worker: usize) -> Bits {
    let mut random = stream(seed, Purpose::Attack, step, worker);
    let mut bits = Bits::zeros(d);
    for word in bits.words_mut() {
        *word = random.next_u64();
    }
    bits.clear_padding();
    bits
}

/// What a Byzantine worker knows when workers send gradients.
#[derive(Clone, Copy, Debug)]
pub struct Knowledge<'a> {
    /// The honest workers' gradients.
    pub honest: &'a [&'a [f32]],
    /// n, all workers.
    pub n: usize,
    /// b, the Byzantine ones.
    pub b: usize,
    /// s, how hard to strike.
    pub scale: f32,
}

impl Knowledge<'_> {
    /// Replaces a Byzantine worker's own gradient by what it sends. Nothing changes under `label-flip` and
    /// `none`: the gradient is what it is.
    pub fn corrupt(&self, attack: Attack, seed: u64, step: u64, worker: usize, own: &mut [f32]) {
        let count = self.honest.len().max(1) as f32;
        let mean = |i: usize| self.honest.iter().map(|gradient| gradient[i]).sum::<f32>() / count;
        let size = || {
            let square = |i| f64::from(mean(i)) * f64::from(mean(i));
            let sum: f64 = (0..own.len()).map(square).sum();
            (sum / own.len().max(1) as f64).sqrt() as f32
        };
        match attack {
            Attack::None | Attack::LabelFlip => {}
            Attack::Reverse => own.iter_mut().for_each(|value| *value *= -self.scale),
            Attack::Random => {
                let size = self.scale * size();
                let mut random = stream(seed, Purpose::Attack, step, worker);
                for value in own {
                    let normal: f32 = StandardNormal.sample(&mut random);
                    *value = size * normal;
                }
            }
            Attack::Constant => {
                let size = self.scale * size();
                own.fill(-size);
            }
            Attack::Omniscient | Attack::Ipm => {
                for (i, value) in own.iter_mut().enumerate() {
                    *value = -self.scale * mean(i);
                }
            }
            Attack::Alie => {
                let z = hidden_deviations(self.n, self.b) as f32;
                for (i, value) in own.iter_mut().enumerate() {
                    let centre = mean(i);
                    let variance =
                        self.honest.iter().map(|gradient| (gradient[i] - centre).powi(2)).sum::<f32>()
                            / count;
                    *value = centre - z * variance.sqrt();
                }
            }
        }
    }
}

/// z_max of "a little is enough": Φ(z) = (n − b − s)/(n − b) with s = ⌊n/2⌋ + 1 − b supporters needed.
#[must_use]
pub fn hidden_deviations(n: usize, b: usize) -> f64 {
    let supporters = (n / 2 + 1).saturating_sub(b);
    let honest = n.saturating_sub(b).max(1) as f64;
    let share = ((honest - supporters as f64) / honest).clamp(1e-9, 1.0 - 1e-9);
    // Φ is increasing: halve until the interval is a rounding error.
    let (mut low, mut high) = (-10.0_f64, 10.0_f64);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if 0.5 * libm::erfc(-middle / std::f64::consts::SQRT_2) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_design::construct::algorithm1;

    /// How many of all messages b liars overturn, by trying them all.
    fn overturned(g: &AllocationMatrix, liars: &Workers) -> usize {
        let ties = TieRule::Abstain;
        (0..1_u32 << g.k())
            .filter(|bits| {
                let message = Message::from_indices(g.k(), (0..g.k()).filter(|i| bits >> i & 1 == 1));
                let correct = majority(&message);
                let send =
                    |j| if liars.contains(j) { Some(!correct) } else { honest_vote(g, ties, j, &message) };
                ecode_core::decode(&(0..g.n()).map(send).collect::<Vec<_>>()) != correct
            })
            .count()
    }

    /// Against all sets of four of nine, on Algorithm 1's code for two.
    #[test]
    fn the_worst_set_hurts_about_as_much_as_any() -> Result<(), ecode_design::construct::ConstructError> {
        let g = algorithm1(9, 2)?;
        let sets = itertools::Itertools::combinations(0..9, 4);
        let most = sets.map(|set| overturned(&g, &Workers::from_indices(9, set))).max();
        let found = overturned(&g, &ByzantineSet::Worst.choose(&g, TieRule::Abstain, 4, 0, 0));
        let first = overturned(&g, &ByzantineSet::First.choose(&g, TieRule::Abstain, 4, 0, 0));
        assert!(Some(found) <= most && 20 * found >= 19 * most.unwrap_or(0), "{found} of {most:?}");
        assert!(found > 2 * first, "{found} against {first} of the first four");
        Ok(())
    }

    #[test]
    fn sets_are_read_and_written() {
        for text in ["first", "random", "random-per-step", "worst", "0,3,7"] {
            let set = ByzantineSet::try_from(text.to_owned());
            assert_eq!(set.map(|set| set.to_string()), Ok(text.to_owned()));
        }
        assert!(ByzantineSet::try_from("1,x".to_owned()).is_err());
    }

    #[test]
    fn random_sets_change_with_the_step_only_when_asked()
    -> Result<(), ecode_design::construct::ConstructError> {
        let g = algorithm1(9, 2)?;
        let choose = |set: ByzantineSet, seed, step| set.choose(&g, TieRule::Abstain, 3, seed, step);
        assert_eq!(choose(ByzantineSet::Random, 1, 0), choose(ByzantineSet::Random, 1, 9));
        assert_eq!(choose(ByzantineSet::Random, 1, 0).count(), 3);
        let steps: std::collections::HashSet<_> =
            (0..50).map(|step| choose(ByzantineSet::RandomPerStep, 1, step)).collect();
        assert!(steps.len() > 20);
        Ok(())
    }

    /// The example of the paper that made the attack: 50 workers of which 24 are Byzantine need s = 2.
    #[test]
    fn a_little_is_as_little_as_its_paper_says() {
        // Φ(z) = (26 − 2)/26 = 0.923: z = 1.426.
        assert!((hidden_deviations(50, 24) - 1.426).abs() < 1e-3, "{}", hidden_deviations(50, 24));
    }

    /// What a Byzantine worker sends instead of [5, 7] where the honest ones have these gradients.
    fn sent(attack: Attack, honest: &[&[f32]], n: usize, scale: f32) -> Vec<f32> {
        let mut own = vec![5.0, 7.0];
        let knowledge = Knowledge { honest, n, b: n - honest.len(), scale };
        knowledge.corrupt(attack, 3, 11, n - 1, &mut own);
        own
    }

    /// Three workers of which one lies, by hand: x̄ = (2, −1), of root mean square √2.5, and s = 2.
    #[test]
    fn gradients_are_corrupted_as_the_table_says() {
        let honest: [&[f32]; 2] = [&[1.0, 2.0], &[3.0, -4.0]];
        let of = |attack| sent(attack, &honest, 3, 2.0);
        assert_eq!(of(Attack::None), [5.0, 7.0]);
        assert_eq!(of(Attack::LabelFlip), [5.0, 7.0]);
        assert_eq!(of(Attack::Reverse), [-10.0, -14.0]);
        assert_eq!(of(Attack::Omniscient), [-4.0, 2.0]);
        assert_eq!(sent(Attack::Ipm, &honest, 3, 0.5), [-1.0, 0.5]);
        let size = 2.0 * 2.5_f32.sqrt();
        assert_eq!(of(Attack::Constant), [-size, -size]);
        // The stream of worker 2 in step 11 under seed 3, scaled.
        let mut random = stream(3, Purpose::Attack, 11, 2);
        let normal: [f32; 2] = std::array::from_fn(|_| StandardNormal.sample(&mut random));
        assert_eq!(of(Attack::Random), normal.map(|normal| size * normal));
    }

    /// Five workers of which two lie: one supporter is needed, Φ(z) = 2/3, z = 0.43073. The honest 1, 2, 6 have the
    /// mean 3 and the variance 14/3; those that agree have no variance to hide in.
    #[test]
    fn a_little_is_taken_off_the_mean() {
        let honest: [&[f32]; 3] = [&[1.0, 4.0], &[2.0, 4.0], &[6.0, 4.0]];
        let sent = sent(Attack::Alie, &honest, 5, 1.0);
        assert!((sent[0] - 2.069_53).abs() < 1e-4 && (sent[1] - 4.0).abs() < 1e-6, "{sent:?}");
    }

    /// Coins are fair, differ by worker and step, and leave no bit beyond the last coordinate.
    #[test]
    fn coins_are_fair() {
        let d = 10_007;
        let ones = coins(d, 1, 2, 3).count();
        assert!((4_700..5_300).contains(&ones), "{ones}");
        assert_ne!(coins(d, 1, 2, 3), coins(d, 1, 2, 4));
        assert_ne!(coins(d, 1, 2, 3), coins(d, 1, 3, 3));
        assert_eq!(coins(d, 1, 2, 3).words()[d / 64] >> (d % 64), 0);
    }
}
