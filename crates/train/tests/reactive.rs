//! Promise: with reactive redundancy liars within the promise change nothing, bit for bit, whatever they do; nobody honest
//! is named; the cost is b + 1 gradients for each that counts and at most one more a liar; a run that goes on comes to the
//! same end, and a naming that was kept outlives the checkpoint before it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use ecode_core::TieRule;
use ecode_server::reactive::{Adversary, Budget};
use ecode_train::data::{Data, DataSource};
use ecode_train::reactive::{Journal, Naming, Plan};
use ecode_train::{
    Attack, ByzantineSet, Config, MomentumAt, Referee, Scheme, TrainError, Trainer, TrainingCode,
};

fn data() -> Data {
    DataSource::Synthetic.load().unwrap()
}

fn config(n: usize, b: usize) -> Config {
    Config {
        scheme: Scheme::Reactive,
        n: Some(n),
        b: Some(b),
        steps: Some(60),
        batch: 8,
        ..Config::default()
    }
}

fn trainer(config: Config, data: &Data) -> Result<Trainer, TrainError> {
    let plan = Plan::of_sizes(&config)?;
    let code = TrainingCode::holders(plan.matrix()?, plan.b, config.scheme.name());
    Trainer::new(config, code, data.clone())
}

fn refusal(config: Config, data: &Data) -> String {
    trainer(config, data).err().map(|error| error.to_string()).unwrap_or_default()
}

fn run(trainer: &mut Trainer) -> Result<(), TrainError> {
    while !trainer.finished() {
        trainer.advance()?;
    }
    Ok(())
}

/// The digest of an honest run of k uncoded workers: the plain majority of the partitions' signs.
fn honest(k: usize, config: &Config, data: &Data) -> String {
    let code = TrainingCode::unverified(ecode_design::construct::uncoded(k).unwrap(), None, "uncoded");
    let &Config { steps, batch, .. } = config;
    // Where a scheme keeps it.
    let momentum_at = MomentumAt::Server;
    let config = Config { steps, batch, momentum_at, byzantine: Some(0), ..Config::default() };
    let mut trainer = Trainer::new(config, code, data.clone()).unwrap();
    run(&mut trainer).unwrap();
    trainer.parameters_digest().unwrap()
}

#[test]
fn fifteen_adversaries_change_nothing() {
    let data = data();
    for (n, b, k) in [(9, 2, 9), (15, 3, 15), (8, 1, 7)] {
        let expected = honest(k, &config(n, b), &data);
        for scheme in [Scheme::Reactive, Scheme::OneRound] {
            for &adversary in Adversary::ALL {
                for budget in [Budget::AtOnce, Budget::Total] {
                    let config = Config { scheme, adversary, budget, audit: true, ..config(n, b) };
                    let mut trainer = trainer(config, &data).unwrap();
                    run(&mut trainer).unwrap();
                    let what = format!("({n}, {b}), {scheme:?}, {adversary:?}, {budget:?}");
                    assert_eq!(trainer.parameters_digest().unwrap(), expected, "{what}");
                    let report = trainer.report().unwrap();
                    let g = trainer.code().matrix();
                    let liars = ByzantineSet::Random.choose(g, TieRule::Abstain, b, 0, 0);
                    assert!(report.named.iter().all(|named| liars.contains(named.worker)), "{what}");
                    assert!(trainer.excess().is_none() && report.label.starts_with("exact"), "{what}");
                    if report.timeouts == 0 {
                        let (extra, trips) = (report.extra_gradients, report.extra_trips);
                        assert!(
                            extra <= b as u64 && trips <= b as u64,
                            "{what}: {extra} extra, {trips} trips"
                        );
                    }
                    if scheme == Scheme::OneRound {
                        assert_eq!(report.extra_trips, 0, "{what}: one round");
                    }
                }
            }
        }
    }
}

/// The same with three seeds where there are more workers, and where a step without a dispute costs b + 1 gradients exactly.
fn many_workers(sizes: &[(usize, usize)]) {
    let data = data();
    for &(n, b) in sizes {
        for seed in 0..3 {
            let sized = Config { seed, batch: 1, ..config(n, b) };
            let run = |config: Config| {
                let mut trainer = trainer(config, &data).unwrap();
                run(&mut trainer).unwrap();
                (trainer.parameters_digest().unwrap(), trainer.report().unwrap())
            };
            let (expected, report) = run(Config { attack: Attack::None, ..sized.clone() });
            assert_eq!(report.gradients_per_partition.to_bits(), (b as f64 + 1.0).to_bits());
            assert_eq!(report.heaviest_load, b as u64 + 1);
            for &adversary in Adversary::ALL {
                let (digest, report) = run(Config { adversary, audit: true, ..sized.clone() });
                let what = format!("({n}, {b}), {adversary:?}, seed {seed}");
                assert_eq!(digest, expected, "{what}");
                assert!(report.named.len() <= b, "{what}");
                if report.timeouts == 0 {
                    assert!(report.extra_gradients <= b as u64 && report.extra_trips <= b as u64, "{what}");
                    assert!(report.heaviest_load <= b as u64 + 2, "{what}: one dispute at a time");
                }
            }
        }
    }
}

#[test]
fn fifteen_adversaries_of_31_workers_change_nothing() {
    many_workers(&[(31, 3)]);
}

#[test]
#[ignore = "minutes"]
fn fifteen_adversaries_of_all_sizes_change_nothing() {
    many_workers(&[(9, 2), (15, 3), (31, 3), (101, 5)]);
}

/// Whatever liars claim, with and without spare holders.
#[test]
fn every_attack_changes_nothing() {
    let data = data();
    let expected = honest(9, &config(9, 2), &data);
    let attacks = [
        Attack::None,
        Attack::Reverse,
        Attack::Random,
        Attack::Constant,
        Attack::Omniscient,
        Attack::LabelFlip,
    ];
    for attack in attacks {
        for spare in [0, 2] {
            let mut trainer = trainer(Config { attack, spare, ..config(9, 2) }, &data).unwrap();
            run(&mut trainer).unwrap();
            assert_eq!(trainer.parameters_digest().unwrap(), expected, "{attack:?}, spare {spare}");
            let report = trainer.report().unwrap();
            assert_eq!(report.named.len(), if attack == Attack::None { 0 } else { 2 });
            if attack == Attack::None {
                assert!((report.gradients_per_partition - (3 + spare) as f64).abs() < 1e-9, "b + 1 + spare");
                assert_eq!(report.heaviest_load, 3 + spare as u64);
            }
        }
    }
}

/// Liars that are not always the same ones: b at any time.
#[test]
fn the_budget_at_once_holds_for_liars_that_change() {
    let data = data();
    let config =
        Config { byzantine_set: ByzantineSet::RandomPerStep, adversary: Adversary::Rare, ..config(15, 2) };
    let expected = honest(15, &config, &data);
    let mut changing = trainer(config.clone(), &data).unwrap();
    run(&mut changing).unwrap();
    assert_eq!(changing.parameters_digest().unwrap(), expected);
    let refused = refusal(Config { budget: Budget::Total, ..config }, &data);
    assert!(refused.contains("budget total"), "{refused}");
}

#[test]
fn a_run_goes_on_to_the_same_end() {
    let data = data();
    for (scheme, adversary) in [
        (Scheme::Reactive, Adversary::Drip),
        (Scheme::Reactive, Adversary::Silent),
        (Scheme::OneRound, Adversary::Once),
    ] {
        let config = Config { scheme, adversary, budget: Budget::Total, ..config(9, 2) };
        let mut whole = trainer(config.clone(), &data).unwrap();
        run(&mut whole).unwrap();
        let mut first = trainer(config.clone(), &data).unwrap();
        (0..25).for_each(|_| first.advance().unwrap());
        let state = first.snapshot().unwrap();
        let mut second = trainer(config, &data).unwrap();
        second.restore(state).unwrap();
        run(&mut second).unwrap();
        assert_eq!(second.parameters_digest().unwrap(), whole.parameters_digest().unwrap());
        assert_eq!(second.report().unwrap(), whole.report().unwrap(), "accounts and names, too");
    }
}

/// Digests up to so many steps late: a wrong decode is undone, and the end is the same.
#[test]
fn an_open_window_comes_to_the_same_end() {
    let data = data();
    for (n, b) in [(9, 2), (5, 2)] {
        let expected = honest(n, &config(n, b), &data);
        for window in [2, 7] {
            for &adversary in Adversary::ALL {
                let what = format!("({n}, {b}), window {window}, {adversary:?}");
                let config =
                    Config { window, adversary, evaluate_every: Some(40), audit: true, ..config(n, b) };
                let mut trainer = trainer(config, &data).unwrap();
                run(&mut trainer).unwrap();
                assert_eq!(trainer.parameters_digest().unwrap(), expected, "{what}");
                let report = trainer.report().unwrap();
                assert!(report.steps_redone <= b as u64 * window, "{what}: {} redone", report.steps_redone);
                assert!(report.label.starts_with("exact"), "{what}");
                if adversary == Adversary::Always {
                    assert!(report.steps_redone > 0, "{what}: the test sees a wrong decode");
                }
            }
        }
    }
}

/// A run that is stopped while steps are open is saved before the oldest of them, or after all were closed.
#[test]
fn no_open_step_is_saved() {
    let data = data();
    let config = Config { window: 8, adversary: Adversary::Drip, evaluate_every: Some(60), ..config(9, 2) };
    let expected = honest(9, &config, &data);
    for stop in 15..25 {
        let mut first = trainer(config.clone(), &data).unwrap();
        (0..stop).for_each(|_| first.advance().unwrap());
        let state = first.snapshot().unwrap();
        assert!(state.step <= stop);
        let mut second = trainer(config.clone(), &data).unwrap();
        second.restore(state).unwrap();
        run(&mut second).unwrap();
        assert_eq!(second.parameters_digest().unwrap(), expected, "stopped after {stop}");
    }
}

/// With more liars than promised a window that cannot be closed is undone: no step of it is kept.
#[test]
fn a_window_that_cannot_close_is_undone() {
    let data = data();
    let config = Config { byzantine: Some(5), window: 5, evaluate_every: Some(60), ..config(9, 2) };
    let mut trainer = trainer(config, &data).unwrap();
    let error = run(&mut trainer).unwrap_err();
    assert!(matches!(error, TrainError::Excess(_)), "{error}");
    assert_eq!(trainer.state().step, 0);
}

/// Fewer than b + 1 holders, drawn after the vectors were sent. The label says the risk.
#[test]
fn checked_runs_are_right_but_for_the_stated_risk() {
    let data = data();
    // w = 4 of the 9 that b + 1 would be: P[wrong] <= 1 − (1 − C(7,3)/C(30,3))^8 = 0.067.
    let config = Config { scheme: Scheme::Checked, risk: 0.07, window: 4, batch: 2, ..config(31, 8) };
    let mut once = trainer(config, &data).unwrap();
    run(&mut once).unwrap();
    let report = once.report().unwrap();
    assert!(report.label.starts_with("checked (P[wrong] <= 6."), "{}", report.label);
    assert!(once.unverified().is_some_and(|why| why.starts_with("checked, not proved")));
    assert!(report.gradients_per_partition < 5.0 || report.steps_redone > 0, "{report:?}");
    // At a risk that only b + 1 reaches it is exact.
    let config = Config { scheme: Scheme::Checked, risk: 1e-9, ..config_small() };
    let expected = honest(5, &config, &data);
    let mut exact = trainer(config, &data).unwrap();
    run(&mut exact).unwrap();
    assert_eq!(exact.parameters_digest().unwrap(), expected);
    assert!(exact.report().unwrap().label.starts_with("exact") && exact.unverified().is_none());
}

fn config_small() -> Config {
    Config { batch: 4, ..config(5, 2) }
}

/// n = 5, b = 2, two holders: a liar that lies now and then is covered by its friend with chance u = 1/4; once it is named,
/// the friend is alone and always seen. So a run is wrong with chance 1/4, where the bound is 1 − (3/4)² = 0.44. Four
/// standard deviations either way.
#[test]
fn the_risk_is_what_the_theorem_says() {
    let data = data();
    let config = Config {
        scheme: Scheme::Checked,
        risk: 0.44,
        adversary: Adversary::Rare,
        steps: Some(100),
        batch: 1,
        evaluate_every: Some(100),
        ..config_small()
    };
    let (runs, mut wrong) = (200_u32, 0);
    for seed in 0..runs {
        let mut trainer = trainer(Config { seed: seed.into(), ..config.clone() }, &data).unwrap();
        run(&mut trainer).unwrap();
        wrong += u32::from(trainer.state().totals.wrong > 0);
        assert!(trainer.risk() < 0.4376);
    }
    let (share, deviation) = (f64::from(wrong) / f64::from(runs), (0.25 * 0.75 / f64::from(runs)).sqrt());
    assert!((share - 0.25).abs() < 4.0 * deviation, "{wrong} of {runs}");
}

/// A journal in memory, or one that can keep nothing.
#[derive(Clone, Default)]
struct Memory {
    kept: Arc<Mutex<Vec<Naming>>>,
    full: bool,
}

impl Journal for Memory {
    fn keep(&mut self, naming: &Naming) -> Result<(), String> {
        if self.full {
            return Err("no space left".into());
        }
        self.kept.lock().unwrap().push(naming.clone());
        Ok(())
    }
}

/// The process ends after a naming was kept and before any later checkpoint.
#[test]
fn a_kept_naming_outlives_the_checkpoint_before_it() {
    let data = data();
    let config = Config { adversary: Adversary::Drip, budget: Budget::Total, ..config(9, 2) };
    let expected = honest(9, &config, &data);
    let journal = Memory::default();
    let mut first = trainer(config.clone(), &data).unwrap();
    first.keep_namings(Box::new(journal.clone()));
    (0..10).for_each(|_| first.advance().unwrap());
    let state = first.snapshot().unwrap();
    (10..30).for_each(|_| first.advance().unwrap());
    let kept = journal.kept.lock().unwrap().clone();
    assert_eq!(kept.len(), 1, "a liar was named in step 19");
    let mut second = trainer(config.clone(), &data).unwrap();
    second.restore(state).unwrap();
    second.take_namings(&kept);
    let named = |trainer: &Trainer| trainer.report().unwrap().named.len();
    assert_eq!(named(&second), 1, "named before it lies again");
    run(&mut second).unwrap();
    assert_eq!(second.parameters_digest().unwrap(), expected);
    assert_eq!(named(&second), 2);
    // A naming of another run says nothing.
    let mut other = trainer(Config { seed: 1, ..config }, &data).unwrap();
    other.take_namings(&kept);
    assert_eq!(named(&other), 0);
}

/// Nothing is built on a naming that could not be kept: the step is given up.
#[test]
fn a_naming_that_cannot_be_kept_stops_the_step() {
    let mut trainer = trainer(config(9, 2), &data()).unwrap();
    trainer.keep_namings(Box::new(Memory { full: true, ..Memory::default() }));
    let before = trainer.state().clone();
    let error = trainer.advance().unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
    assert_eq!(trainer.state().parameters, before.parameters);
    assert_eq!(trainer.state().ledger, before.ledger);
}

#[test]
fn more_liars_than_promised_are_said_and_stop_the_run() {
    let data = data();
    for adversary in [Adversary::Always, Adversary::Frame, Adversary::Different] {
        let mut trainer = trainer(Config { byzantine: Some(4), adversary, ..config(9, 2) }, &data).unwrap();
        assert!(trainer.excess().is_some(), "as many as lie is told from the start");
        let error = run(&mut trainer).unwrap_err();
        assert!(matches!(error, TrainError::Excess(_)), "{adversary:?}: {error}");
        assert_eq!(trainer.report().unwrap().label, "UNVERIFIED");
    }
}

/// n = b + 1: the server computes what cannot be settled; one silent worker makes that every partition in every step.
#[test]
fn a_referee_makes_b_plus_one_workers_enough() {
    let data = data();
    let config = Config { referee: Referee::Server, byzantine: Some(1), ..config(5, 4) };
    let expected = honest(5, &config, &data);
    for (adversary, least, most) in [(Adversary::Always, 1, 300), (Adversary::Silent, 100, 300)] {
        let mut trainer = trainer(Config { adversary, ..config.clone() }, &data).unwrap();
        run(&mut trainer).unwrap();
        assert_eq!(trainer.parameters_digest().unwrap(), expected);
        let referee = trainer.report().unwrap().referee_gradients;
        assert!((least..=most).contains(&referee), "{adversary:?}: {referee}");
    }
    let refused = refusal(Config { referee: Referee::Nobody, ..config }, &data);
    assert!(refused.contains("needs 9 workers to settle a dispute"), "{refused}");
}

#[test]
fn what_does_not_belong_together_is_refused_in_a_line() {
    let data = data();
    for (config, expected) in [
        (Config { k: Some(8), ..config(9, 2) }, "k is 8; expected an odd number"),
        (config(4, 2), "n is 4; scheme reactive needs 5 workers"),
        (Config { scheme: Scheme::OneRound, window: 3, ..config(9, 2) }, "expected window 1"),
        (
            Config { momentum_at: MomentumAt::Worker, ..config(9, 2) },
            "scheme reactive keeps momentum at the server",
        ),
        (Config { b: None, ..config(9, 2) }, "takes --n and --b"),
        (Config { spare: 7, ..config(9, 2) }, "needs 10 holders of each partition"),
    ] {
        let error = refusal(config, &data);
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains('\n'));
    }
}
