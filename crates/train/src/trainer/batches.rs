//! Which samples each step takes.
//!
//! # What is promised
//! A batch is a function of the configuration, the training set and the step: nothing has to be kept to go on.

use sha2::{Digest as _, Sha256};

use crate::config::{Config, ConfigError};
use crate::data::Samples;
use crate::random::{Purpose, permutation, stream};
use ecode_core::digest::hexadecimal;

/// The batches of a run.
pub(super) struct Batches {
    seed: u64,
    /// Samples a partition and step.
    each: usize,
    k: usize,
    kind: Kind,
}

enum Kind {
    /// All partitions take from one order, another in every epoch.
    Shuffled { samples: usize, per_epoch: u64, order: Option<(u64, Vec<u32>)> },
    /// Each partition goes through its shard again and again, in another order each time: the orders of the passes in
    /// which it was last.
    Shards { shards: Vec<Vec<u32>>, orders: Vec<Option<(u64, Vec<u32>)>> },
}

impl Batches {
    /// Those of a configuration with k partitions.
    ///
    /// # Errors
    /// [`ConfigError`] where the training set cannot be split so.
    pub(super) fn new(
        config: &Config,
        train: &Samples,
        k: usize,
        per_epoch: u64,
    ) -> Result<Self, ConfigError> {
        let each = config.samples_per_partition();
        let shards = config.split.shards(&train.labels, k, each, config.seed).map_err(ConfigError)?;
        let kind = match shards {
            None => Kind::Shuffled { samples: train.len(), per_epoch, order: None },
            Some(shards) => Kind::Shards { orders: vec![None; k], shards },
        };
        Ok(Self { seed: config.seed, each, k, kind })
    }

    /// A step's samples, those of one partition after those of the other.
    pub(super) fn of(&mut self, step: u64) -> Vec<u32> {
        let Self { seed, each, k, kind } = self;
        match kind {
            Kind::Shuffled { samples, per_epoch, order } => {
                let (epoch, place) = (step / *per_epoch, (step % *per_epoch) as usize);
                if order.as_ref().is_none_or(|(of, _)| *of != epoch) {
                    let mut random = stream(*seed, Purpose::Order, epoch, 0);
                    *order = Some((epoch, permutation(&mut random, *samples)));
                }
                let size = *k * *each;
                order
                    .as_ref()
                    .map_or_else(Vec::new, |(_, order)| order[place * size..(place + 1) * size].to_vec())
            }
            Kind::Shards { shards, orders } => {
                let mut batch = Vec::with_capacity(*k * *each);
                for (partition, (shard, order)) in shards.iter().zip(orders).enumerate() {
                    let first = step * *each as u64;
                    for taken in first..first + *each as u64 {
                        let (pass, place) =
                            (taken / shard.len() as u64, (taken % shard.len() as u64) as usize);
                        if order.as_ref().is_none_or(|(of, _)| *of != pass) {
                            let mut random = stream(*seed, Purpose::Order, pass, 1 + partition);
                            *order = Some((pass, permutation(&mut random, shard.len())));
                        }
                        batch.extend(order.iter().map(|(_, order)| shard[order[place] as usize]));
                    }
                }
                batch
            }
        }
    }

    /// A digest of the shards, where there are any: processes that train together must hold the same.
    pub(super) fn digest(&self) -> Option<String> {
        let Kind::Shards { shards, .. } = &self.kind else { return None };
        let mut digest = Sha256::new();
        for shard in shards {
            digest.update((shard.len() as u64).to_le_bytes());
            shard.iter().for_each(|sample| digest.update(sample.to_le_bytes()));
        }
        Some(format!("sha256:{}", hexadecimal(&digest.finalize())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Features, Split};

    fn train() -> Samples {
        let labels: Vec<u16> = (0..103).map(|i| i % 4).collect();
        Samples { features: Features::Dense { width: 0, values: Vec::new() }, labels }
    }

    fn batches(split: Split) -> Batches {
        let config = Config { split, batch: 5, seed: 7, ..Config::default() };
        Batches::new(&config, &train(), 3, 6).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Each partition takes from its shard only, and every sample of it once in a pass.
    #[test]
    fn a_partition_goes_through_its_shard() {
        let shards = Split::Class.shards(&train().labels, 3, 5, 7).ok().flatten().unwrap_or_default();
        assert_eq!(shards.iter().map(Vec::len).collect::<Vec<_>>(), [35, 34, 34]);
        let mut all = batches(Split::Class);
        let mut taken: Vec<Vec<u32>> = vec![Vec::new(); 3];
        for step in 0..14 {
            for (partition, samples) in all.of(step).chunks(5).enumerate() {
                taken[partition].extend(samples);
            }
        }
        for (shard, taken) in shards.iter().zip(&taken) {
            let passes: Vec<&[u32]> = taken.chunks(shard.len()).collect();
            assert_ne!(passes[0], passes[1], "another order in the next pass");
            for pass in &passes[..2] {
                let mut sorted = pass.to_vec();
                sorted.sort_unstable();
                assert_eq!(sorted, *shard);
            }
        }
    }

    /// Whatever was asked before, a step's batch is the same.
    #[test]
    fn a_batch_is_a_function_of_the_step() {
        for split in
            [Split::Shuffled, Split::Iid, Split::Dirichlet(0.5), Split::Similarity(0.3), Split::Class]
        {
            let mut one = batches(split);
            let in_order: Vec<Vec<u32>> = (0..30).map(|step| one.of(step)).collect();
            assert!(in_order.iter().all(|batch| batch.len() == 15), "{split}");
            for step in [29, 3, 17, 16, 0] {
                assert_eq!(one.of(step), in_order[step as usize], "{split}");
                assert_eq!(batches(split).of(step), in_order[step as usize], "{split}");
            }
        }
        assert_ne!(batches(Split::Iid).digest(), batches(Split::Class).digest());
        assert_eq!(batches(Split::Shuffled).digest(), None);
    }
}
