//! Which partition learns from which training samples: all from all, or each from a fixed shard of its own.
//!
//! # What is promised
//! A shard is a function of the split, the labels, the number of partitions and the seed. Shards share no sample, and
//! together they are the training set.
//!
//! # References
//! Dirichlet(α) over the partitions for each class: Hsu, Qi and Brown, "Measuring the effects of non-identical data
//! distribution for federated visual classification" (2019), in the form of Li et al., "Federated learning on non-IID data
//! silos" (ICDE 2022), which draws again while a shard is too small. γ-similarity: Karimireddy et al., "SCAFFOLD" (ICML
//! 2020). Both as in ByzFL.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Gamma};
use serde::{Deserialize, Serialize};

use super::super::random::{Purpose, permutation, stream};

/// How the training samples are split over the partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Split {
    /// No shards: in every epoch all samples are shuffled, and each partition takes what comes.
    #[default]
    Shuffled,
    /// Shards of equal sizes, drawn uniformly.
    Iid,
    /// Of each class every partition gets a share drawn from Dirichlet(α): the smaller α, the more they differ.
    Dirichlet(f64),
    /// A share γ of the samples uniformly, the others sorted by class and cut.
    Similarity(f64),
    /// Sorted by class and cut: γ = 0.
    Class,
}

/// A split that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown split '{0}': expected shuffled, iid, dirichlet:ALPHA (0.001 to 1e6), gamma:G (0 to 1) or class"
)]
pub struct UnknownSplit(String);

impl TryFrom<String> for Split {
    type Error = UnknownSplit;

    fn try_from(text: String) -> Result<Self, UnknownSplit> {
        let number = |text: &str| text.parse::<f64>().ok();
        let (name, value) = text.split_once(':').map_or((text.as_str(), None), |(a, b)| (a, Some(number(b))));
        match (name, value) {
            ("shuffled", None) => Ok(Self::Shuffled),
            ("iid", None) => Ok(Self::Iid),
            ("class", None) => Ok(Self::Class),
            ("dirichlet", Some(Some(alpha))) if (1e-3..=1e6).contains(&alpha) => Ok(Self::Dirichlet(alpha)),
            ("gamma", Some(Some(share))) if (0.0..=1.0).contains(&share) => Ok(Self::Similarity(share)),
            _ => Err(UnknownSplit(text)),
        }
    }
}

impl From<Split> for String {
    fn from(split: Split) -> Self {
        split.to_string()
    }
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shuffled => f.write_str("shuffled"),
            Self::Iid => f.write_str("iid"),
            Self::Dirichlet(alpha) => write!(f, "dirichlet:{alpha}"),
            Self::Similarity(share) => write!(f, "gamma:{share}"),
            Self::Class => f.write_str("class"),
        }
    }
}

/// Draws of Dirichlet shares at most, until every shard has a batch.
const DRAWS: usize = 1000;

impl Split {
    /// The sample numbers of each of k shards, in increasing order; none where there are no shards.
    ///
    /// # Errors
    /// Why there are no such shards: no draw of Dirichlet shares gives each partition `least` samples.
    pub fn shards(
        self,
        labels: &[u16],
        k: usize,
        least: usize,
        seed: u64,
    ) -> Result<Option<Vec<Vec<u32>>>, String> {
        let mut random = stream(seed, Purpose::Split, 0, 0);
        let mut shards = match self {
            Self::Shuffled => return Ok(None),
            Self::Iid => cut(&permutation(&mut random, labels.len()), k),
            Self::Similarity(share) => similar(labels, k, share, &mut random),
            Self::Class => similar(labels, k, 0.0, &mut random),
            Self::Dirichlet(alpha) => {
                let mut draws = (0..DRAWS).map(|_| dirichlet(labels, k, alpha, &mut random));
                draws.find(|shards| shards.iter().all(|shard| shard.len() >= least)).ok_or_else(|| {
                    format!(
                        "split {self} gives some of {k} partitions fewer than {least} samples, a batch, in each of {DRAWS} \
                         draws; expected a larger alpha, a smaller batch or fewer partitions"
                    )
                })?
            }
        };
        shards.iter_mut().for_each(|shard| shard.sort_unstable());
        Ok(Some(shards))
    }
}

/// Samples in k parts, of which the first ones have one more where it does not come out even.
fn cut(samples: &[u32], k: usize) -> Vec<Vec<u32>> {
    let (size, more) = (samples.len() / k, samples.len() % k);
    let mut rest = samples;
    (0..k)
        .map(|part| {
            let (first, others) = rest.split_at(size + usize::from(part < more));
            rest = others;
            first.to_vec()
        })
        .collect()
}

/// A share of the samples, drawn and dealt uniformly; the others sorted by class and cut.
fn similar(labels: &[u16], k: usize, share: f64, random: &mut ChaCha8Rng) -> Vec<Vec<u32>> {
    let order = permutation(random, labels.len());
    let (alike, others) = order.split_at((share * order.len() as f64).round() as usize);
    let mut others = others.to_vec();
    others.sort_by_key(|&sample| labels[sample as usize]);
    // One more goes to the first shards of one kind and to the last ones of the other, so that none is left short.
    let mut sorted = cut(&others, k);
    sorted.iter_mut().rev().zip(cut(alike, k)).for_each(|(shard, alike)| shard.extend(alike));
    sorted
}

/// Each class is dealt by shares from Dirichlet(α, …, α).
fn dirichlet(labels: &[u16], k: usize, alpha: f64, random: &mut ChaCha8Rng) -> Vec<Vec<u32>> {
    let order = permutation(random, labels.len());
    let mut shards = vec![Vec::new(); k];
    for class in 0..=labels.iter().copied().max().unwrap_or(0) {
        let members: Vec<u32> =
            order.iter().copied().filter(|&sample| labels[sample as usize] == class).collect();
        let shares = shares(k, alpha, random);
        let (mut first, mut sum) = (0, 0.0);
        for (place, (shard, share)) in shards.iter_mut().zip(&shares).enumerate() {
            sum += share;
            let end = if place + 1 == k { members.len() } else { (sum * members.len() as f64) as usize };
            let end = end.clamp(first, members.len());
            shard.extend(&members[first..end]);
            first = end;
        }
    }
    shards
}

/// One draw of Dirichlet(α, …, α): independent numbers from Gamma(α), divided by their sum.
fn shares(k: usize, alpha: f64, random: &mut ChaCha8Rng) -> Vec<f64> {
    let Ok(gamma) = Gamma::new(alpha, 1.0) else { return vec![1.0 / k as f64; k] };
    loop {
        let draws: Vec<f64> = (0..k).map(|_| gamma.sample(random)).collect();
        let sum: f64 = draws.iter().sum();
        if sum > 0.0 && sum.is_finite() {
            return draws.into_iter().map(|draw| draw / sum).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 60 samples of each of ten classes, in turn.
    fn labels() -> Vec<u16> {
        (0..600).map(|i| i % 10).collect()
    }

    fn made(split: Split, k: usize, seed: u64) -> Vec<Vec<u32>> {
        split.shards(&labels(), k, 8, seed).unwrap_or_else(|why| panic!("{why}")).unwrap_or_default()
    }

    /// How many classes a shard has.
    fn classes(shard: &[u32]) -> usize {
        shard.iter().map(|&sample| sample % 10).collect::<std::collections::BTreeSet<_>>().len()
    }

    const SPLITS: [Split; 5] =
        [Split::Iid, Split::Dirichlet(0.3), Split::Similarity(0.5), Split::Similarity(1.0), Split::Class];

    #[test]
    fn every_sample_is_in_one_shard() {
        for split in SPLITS {
            for k in [1, 7, 9] {
                let shards = made(split, k, 3);
                assert_eq!(shards.len(), k);
                assert!(shards.iter().all(|shard| shard.is_sorted()), "{split}");
                let mut all = shards.concat();
                all.sort_unstable();
                assert!(all.into_iter().eq(0..600), "{split}, k = {k}");
                assert_eq!(shards, made(split, k, 3), "{split}: the seed decides");
                assert!(k == 1 || shards != made(split, k, 4), "{split}: another seed");
            }
        }
        assert_eq!(Split::Shuffled.shards(&labels(), 9, 8, 0), Ok(None));
    }

    /// By class each of ten shards is one class; half of γ leaves 30 of 60 of one class and the others mixed; Dirichlet
    /// shards differ more the smaller α is.
    #[test]
    fn shards_differ_as_the_split_says() {
        assert!(made(Split::Class, 10, 1).iter().all(|shard| shard.len() == 60 && classes(shard) == 1));
        for (class, shard) in made(Split::Similarity(0.5), 10, 1).iter().enumerate() {
            let own = shard.iter().filter(|&&sample| sample % 10 == class as u32).count();
            assert!((15..45).contains(&own) && classes(shard) >= 8, "{own} of {}", shard.len());
        }
        assert!(made(Split::Iid, 10, 1).iter().all(|shard| shard.len() == 60 && classes(shard) >= 8));
        // The share of a shard's most frequent class.
        let skew = |split| {
            let shards = made(split, 10, 1);
            let most = |shard: &Vec<u32>| {
                (0..10).map(|class| shard.iter().filter(|&&sample| sample % 10 == class).count()).max()
            };
            let sum: f64 = shards.iter().map(|s| most(s).unwrap_or(0) as f64 / s.len() as f64).sum();
            sum / 10.0
        };
        let skews = [1000.0, 1.0, 0.1].map(|alpha| skew(Split::Dirichlet(alpha)));
        assert!(skews[0] < 0.2 && skews[0] + 0.1 < skews[1] && skews[1] + 0.15 < skews[2], "{skews:?}");
    }

    #[test]
    fn a_split_that_starves_a_partition_is_refused() {
        let error = Split::Dirichlet(0.001).shards(&labels(), 50, 8, 0);
        assert!(error.is_err_and(|why| why.contains("fewer than 8 samples")));
    }

    #[test]
    fn splits_are_read_and_written() {
        for text in ["shuffled", "iid", "dirichlet:0.1", "gamma:0.5", "gamma:0", "class"] {
            let split = Split::try_from(text.to_owned());
            assert_eq!(split.map(|split| split.to_string()).as_deref(), Ok(text));
        }
        for text in
            ["dirichlet", "dirichlet:0", "dirichlet:x", "dirichlet:inf", "gamma:2", "gamma:nan", "iid:1", ""]
        {
            assert!(Split::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
