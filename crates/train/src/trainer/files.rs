//! A round in which the server takes a majority for each file and joins those.
//!
//! # What is promised
//! - A file's majority is what its honest holders computed, unless liars hold at least half of its copies: then it is what
//!   they send, and they all send the same. Other lies change nothing.
//! - Honest copies are equal bit for bit, so each file's gradient is computed once here.
//!
//! # References
//! - L. Chen, H. Wang, Z. Charles and D. Papailiopoulos: DRACO. ICML 2018.
//! - S. Rajput, H. Wang, Z. Charles and D. Papailiopoulos: DETOX. NeurIPS 2019.
//! - K. Konstantinidis and A. Ramamoorthy: ByzShield. MLSys 2021.

use std::cell::OnceCell;

use super::Trainer;
use super::round::{Gradients, Round, distance};
use super::update::Update;
use crate::aggregate::Moment;
use crate::attack::{Attack, Knowledge};
use crate::code::TrainingCode;
use crate::config::{Config, ConfigError, MomentumAt};
use crate::model::{Job, ModelError};
use ecode_core::{Workers, overturned};

/// The configuration with what a rule that asks for a number of liars is told: so many files may be wrong.
pub(super) fn told(mut config: Config, code: &TrainingCode) -> Result<Config, ConfigError> {
    let fail = |text: String| Err(ConfigError(text));
    let scheme = config.scheme.name();
    let Some(worst) = code.distortion() else {
        if config.scheme.takes_files() {
            return fail(format!(
                "scheme {scheme} takes a majority for each file; this code is not one of files"
            ));
        }
        return Ok(config);
    };
    if !config.scheme.takes_files() {
        return fail(format!("the code is one of files; scheme is {scheme}"));
    }
    let liars = config.byzantine.unwrap_or(worst.liars);
    if liars != worst.liars {
        return fail(format!("byzantine is {liars}; what liars overturn was determined for {}", worst.liars));
    }
    if config.rule().takes_declared() {
        config.declared_byzantine.get_or_insert(worst.at_most);
    }
    Ok(config)
}

impl Trainer {
    pub(super) fn file_round(
        &mut self,
        jobs: &[Job<'_>],
        flipped: &[usize],
        liars: &Workers,
    ) -> Result<Round, ModelError> {
        let gradients = self.gradients(jobs, flipped)?;
        let g = self.code.matrix();
        let lost: Vec<bool> = if self.config.attack == Attack::None {
            vec![false; g.k()]
        } else {
            let lost = overturned(g, liars, &Workers::empty(g.n()));
            (0..g.k()).map(|file| lost.contains(file)).collect()
        };
        let moment = Moment { seed: self.config.seed, step: self.state.step, last: &self.state.joined };
        let votes = majorities(&self.config, &moment, &gradients, &lost);
        let votes: Vec<&[f32]> = votes.iter().map(Vec::as_slice).collect();
        let joined = self.config.rule().join(&votes, &moment);
        let Gradients { own, loss, gradient_s, .. } = gradients;
        Ok(Round {
            update: Update::Gradient(joined),
            momentum: (self.config.momentum_at == MomentumAt::Worker).then_some(own),
            loss: Some(loss),
            wrong: None,
            gradient_s,
            missing: Vec::new(),
            settled: None,
        })
    }
}

/// Each file's majority, where liars have `lost` us some files. What they know are the other files' gradients.
fn majorities(config: &Config, moment: &Moment<'_>, gradients: &Gradients, lost: &[bool]) -> Vec<Vec<f32>> {
    let Gradients { own, instead, .. } = gradients;
    let wrong: Vec<usize> = (0..own.len()).filter(|&file| lost[file]).collect();
    let mut votes = own.clone();
    if wrong.is_empty() {
        return votes;
    }
    let right: Vec<&[f32]> =
        own.iter().zip(lost).filter(|(_, lost)| !**lost).map(|(own, _)| own.as_slice()).collect();
    // Where no file is right, liars still know what would be.
    let all: Vec<&[f32]> = own.iter().map(Vec::as_slice).collect();
    let honest: &[&[f32]] = if right.is_empty() { &all } else { &right };
    let knowledge = Knowledge { honest, n: own.len(), b: wrong.len(), scale: config.scale() };
    let (d, rule, middle) = (own[0].len(), config.rule(), OnceCell::new());
    let mut damage = |lie: &[f32]| {
        let votes: Vec<&[f32]> =
            all.iter().zip(lost).map(|(own, &lost)| if lost { lie } else { own }).collect();
        distance(&rule.join(&votes, moment), middle.get_or_init(|| knowledge.mean(d)))
    };
    if let Some(lie) = knowledge.common(config.attack, d, &mut damage) {
        wrong.iter().for_each(|&file| votes[file].clone_from(&lie));
    } else if config.attack == Attack::LabelFlip {
        wrong.iter().for_each(|&file| votes[file].clone_from(&instead[file]));
    } else {
        // Liars who hold a file draw its noise together: one worker's would not be a majority.
        for &file in &wrong {
            knowledge.corrupt(config.attack, moment.seed, moment.step, file, &mut votes[file]);
        }
    }
    votes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Scheme;

    /// Three files with the gradients (1, 8), (2, 2) and (6, 5); the last one's majority is lost.
    fn joined(scheme: Scheme, attack: Attack) -> Vec<f32> {
        let gradients = Gradients {
            own: vec![vec![1.0, 8.0], vec![2.0, 2.0], vec![6.0, 5.0]],
            instead: vec![vec![], vec![], vec![40.0, 50.0]],
            loss: 0.0,
            gradient_s: 0.0,
        };
        let (aggregator, pre_aggregation) = scheme.joins().unwrap_or_default();
        let config =
            Config { scheme, attack, aggregator, pre_aggregation, byzantine: Some(2), ..Config::default() };
        let votes = majorities(&config, &Moment::default(), &gradients, &[false, false, true]);
        assert_eq!(votes[..2], gradients.own[..2], "what is not lost is right");
        let votes: Vec<&[f32]> = votes.iter().map(Vec::as_slice).collect();
        config.rule().join(&votes, &Moment::default())
    }

    /// By hand: the lie, then the mean of (1, 8), (2, 2) and it, or each coordinate's median.
    #[test]
    fn majorities_are_joined_as_the_papers_say() {
        // −(6, 5).
        assert_eq!(joined(Scheme::Draco, Attack::Reverse), [-1.0, 5.0 / 3.0]);
        assert_eq!(joined(Scheme::ByzShield, Attack::Reverse), [1.0, 2.0]);
        // −(1.5, 5), the mean of the files that are right.
        assert_eq!(joined(Scheme::Draco, Attack::Omniscient), [0.5, 5.0 / 3.0]);
        assert_eq!(joined(Scheme::ByzShield, Attack::Omniscient), [1.0, 2.0]);
        // (40, 50), the gradient of flipped labels.
        assert_eq!(joined(Scheme::Draco, Attack::LabelFlip), [43.0 / 3.0, 20.0]);
        assert_eq!(joined(Scheme::ByzShield, Attack::LabelFlip), [2.0, 8.0]);
        // (1, 8), the first file that is right.
        assert_eq!(joined(Scheme::ByzShield, Attack::Mimic), [1.0, 8.0]);
    }

    /// Two buckets, of two files and of one: their geometric median lies between their means, and all are drawn anew by
    /// the seed. Where all votes are equal it is that vote.
    #[test]
    fn detox_takes_means_of_buckets_first() {
        let joined = joined(Scheme::Detox, Attack::Mimic);
        // Votes (1, 8), (2, 2), (1, 8): the buckets' means are (1, 8) and (1.5, 5), or (1, 8) and (2, 2).
        let on_the_line = (joined[1] - 8.0 + 6.0 * (joined[0] - 1.0)).abs() < 1e-4;
        assert!(on_the_line && (1.0..=2.0).contains(&joined[0]), "{joined:?}");
    }
}
