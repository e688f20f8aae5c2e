//! Promise: checkers that are drawn in secret, after the vectors were sent, cannot be used by friends; where holders are told
//! beforehand friends lie for ever, and nobody is named.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use ecode_server::reactive::{Adversary, assign};
use ecode_train::data::{Data, DataSource};
use ecode_train::reactive::{Plan, Report, checked_risk};
use ecode_train::{Config, Purpose, Scheme, Trainer, TrainingCode, stream};
use rand_chacha::rand_core::Rng as _;

fn trainer(config: &Config, data: &Data) -> Trainer {
    let plan = Plan::of_sizes(config).unwrap();
    let code = TrainingCode::holders(plan.matrix().unwrap(), plan.b, config.scheme.name());
    Trainer::new(config.clone(), code, data.clone()).unwrap()
}

fn run(trainer: &mut Trainer) -> Report {
    while !trainer.finished() {
        trainer.advance().unwrap();
    }
    trainer.report().unwrap()
}

fn checked(n: usize, b: usize, risk: f64) -> Config {
    Config {
        scheme: Scheme::Checked,
        risk,
        n: Some(n),
        b: Some(b),
        batch: 1,
        steps: Some(100),
        evaluate_every: Some(100),
        ..Config::default()
    }
}

/// (15, 3), three holders, who know each other before they answer: wherever all three are friends, a lie is accepted. That is
/// one partition in 455, in every step, for ever.
#[test]
fn holders_that_are_told_beforehand_lie_for_ever() {
    let (n, b, k, w, steps) = (15, 3, 15, 3, 4000);
    let liars: BTreeSet<usize> = (0..b).collect();
    let mut random = stream(0, Purpose::Assignment, 0, 0);
    let mut accepted = 0_u32;
    for _ in 0..steps {
        let mut present: Vec<usize> = (0..n).collect();
        for place in (1..n).rev() {
            present.swap(place, (random.next_u64() % (place as u64 + 1)) as usize);
        }
        let told = assign(&present, k, w);
        accepted +=
            told.holders.iter().filter(|holders| holders.iter().all(|j| liars.contains(j))).count() as u32;
    }
    let expected = f64::from(steps) * k as f64 / 455.0;
    // Partitions of a step are not independent: a wide berth.
    assert!((f64::from(accepted) - expected).abs() < 0.4 * expected, "{accepted} lies, {expected} expected");
}

/// The same friends in the product: they lie where they outnumber the others among the holders that they know of. The checkers
/// are others, and the liars are named; what was decoded wrong stays within the bound of Theorem 24.
#[test]
fn friends_gain_nothing_by_what_they_know() {
    let data = DataSource::Synthetic.load().unwrap();
    let config = Config { adversary: Adversary::Frame, ..checked(15, 3, 0.04) };
    assert_eq!(Plan::of_sizes(&config).unwrap().checked, 3);
    let (runs, mut wrong, mut named) = (24, 0, 0);
    for seed in 0..runs {
        let mut trainer = trainer(&Config { seed, ..config.clone() }, &data);
        let report = run(&mut trainer);
        wrong += u32::from(trainer.state().totals.wrong > 0);
        named += report.named.len();
    }
    // A run is wrong with a chance of 0.033: 4 of 24 or more, with one of 0.009 where all are as bad as they can be.
    assert!(wrong <= 4, "{wrong} of {runs} runs are wrong");
    assert!(named > runs as usize, "{named} named: those that lied are found");
}

/// A run that goes on from the same state draws other checkers: what friends have seen of the first draw is of no use. n = 5,
/// b = 2, two holders: a run is wrong with a chance of about 1/4, and goes one way or the other.
#[test]
fn a_run_that_goes_on_draws_anew() {
    let data = DataSource::Synthetic.load().unwrap();
    let config = Config { adversary: Adversary::Rare, batch: 1, ..checked(5, 2, 0.44) };
    let state = trainer(&config, &data).snapshot().unwrap();
    let mut ends = BTreeSet::new();
    for _ in 0..80 {
        let mut again = trainer(&config, &data);
        again.restore(state.clone()).unwrap();
        run(&mut again);
        ends.insert(again.state().totals.wrong > 0);
    }
    assert_eq!(ends.len(), 2, "80 times the same draw");
}

/// A checker that lies is named, and the step that it lied about stands.
#[test]
fn a_false_check_undoes_nothing() {
    let data = DataSource::Synthetic.load().unwrap();
    let config = Config { adversary: Adversary::DigestOnly, window: 4, ..checked(31, 8, 0.07) };
    let report = run(&mut trainer(&config, &data));
    assert_eq!(report.steps_redone, 0);
    assert!(!report.named.is_empty(), "{report:?}");
}

/// Checkers are drawn among those who are there: with fewer of them friends meet more often, and the label says so.
#[test]
fn the_label_counts_who_is_there() {
    let data = DataSource::Synthetic.load().unwrap();
    let config = Config { adversary: Adversary::Silent, ..checked(31, 8, 0.07) };
    let mut absent = trainer(&config, &data);
    run(&mut absent);
    let whole = checked_risk(31, 8, Plan::of_sizes(&config).unwrap().checked);
    assert!(absent.risk() > 1.2 * whole, "{} with all there, {} now", whole, absent.risk());
}
