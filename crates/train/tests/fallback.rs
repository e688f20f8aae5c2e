//! Promise: where a scheme that detects lies cannot go on, the votes of a verified code decode from that very step; the run
//! says so, is called exact only while what was proved covers it, and goes on after an interruption to the same end.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_core::{Claim, TieRule};
use ecode_server::reactive::{Adversary, Budget};
use ecode_train::data::{Data, DataSource};
use ecode_train::reactive::{Journal, Naming, Plan, Report};
use ecode_train::{ByzantineSet, Config, OnExcess, Scheme, TrainError, Trainer, TrainingCode};
use ecode_verify::{Control, Method, Verified, VerifiedCode};

/// A code of n workers and n partitions that tolerates b.
fn code(n: usize, b: usize) -> TrainingCode {
    let matrix = ecode_design::construct::algorithm1(n, b).unwrap();
    let claim = Claim { matrix, b, ties: TieRule::Abstain };
    match VerifiedCode::verify(claim, Method::Auto, &Control::default()).unwrap() {
        Verified::Yes(code) => TrainingCode::verified(code, "algorithm1"),
        Verified::No(verdict) => panic!("{verdict:?}"),
    }
}

fn config(byzantine: usize) -> Config {
    Config {
        scheme: Scheme::Reactive,
        n: Some(9),
        b: Some(2),
        byzantine: Some(byzantine),
        steps: Some(80),
        batch: 8,
        on_excess: OnExcess::Code("algorithm1".into()),
        ..Config::default()
    }
}

fn trainer(config: Config, data: &Data) -> Trainer {
    let plan = Plan::of_sizes(&config).unwrap();
    let holders = TrainingCode::holders(plan.matrix().unwrap(), plan.b, config.scheme.name());
    Trainer::new(config, holders, data.clone()).unwrap()
}

fn with_code(config: Config, b: usize, data: &Data) -> Trainer {
    let mut trainer = trainer(config, data);
    trainer.fall_back_on(code(9, b)).unwrap();
    trainer
}

fn run(trainer: &mut Trainer) -> Report {
    while !trainer.finished() {
        trainer.advance().unwrap();
    }
    trainer.report().unwrap()
}

/// The digest of the parameters where nobody lies.
fn honest(data: &Data) -> String {
    let mut trainer = trainer(Config { on_excess: OnExcess::Warn, ..config(0) }, data);
    run(&mut trainer);
    trainer.parameters_digest().unwrap()
}

/// One liar a step, another each time: six are named, and the three workers that are left cannot settle a dispute for b = 2.
/// The code of radius 4 decodes right with one liar and six missing votes, so that the run stays exact.
#[test]
fn too_few_workers_for_a_dispute_are_enough_for_votes() {
    let data = DataSource::Synthetic.load().unwrap();
    let config = Config { byzantine_set: ByzantineSet::RandomPerStep, audit: true, ..config(1) };
    let mut stopping = trainer(Config { on_excess: OnExcess::Stop, ..config.clone() }, &data);
    let error = std::iter::repeat_with(|| stopping.advance()).find_map(Result::err).unwrap();
    assert!(matches!(error, TrainError::Excess(_)), "{error}");
    let fell_at = stopping.state().step;
    let mut trainer = with_code(config.clone(), 4, &data);
    let report = run(&mut trainer);
    assert_eq!(trainer.parameters_digest().unwrap(), honest(&data));
    assert!(trainer.unverified().is_none(), "{:?}", trainer.unverified());
    let fell = report.fell_back.clone().unwrap();
    assert_eq!((fell.step, fell.b, report.named.len()), (fell_at, 4, 6));
    assert!(fell.why.contains("cannot be settled"), "{}", fell.why);
    let votes = format!("; votes of algorithm1, verified for b = 4, from step {fell_at} on)");
    assert!(
        report.label.starts_with("exact (b = 2, named 6, r ") && report.label.ends_with(&votes),
        "{}",
        report.label
    );
    let told = trainer.take_remarks();
    assert!(told.iter().any(|line| line.contains("the votes of algorithm1 are taken")), "{told:?}");
    // Three workers compute all nine partitions: three gradients for each that counts, in each step of votes.
    let per_step = f64::from(u32::try_from(trainer.account().unwrap().gradients).unwrap()) / 80.0 / 9.0;
    assert!((report.gradients_per_partition - per_step).abs() < 1e-9);
    // With a code of radius 3 the same votes are not covered, and nothing is called exact.
    let mut weak = with_code(Config { audit: false, ..config }, 3, &data);
    assert!(run(&mut weak).label.starts_with("UNVERIFIED; votes of"));
}

/// More liars than the scheme provides for: no step is decoded by what they claim, the code corrects them, and the run is
/// not called exact, since nothing is known of the steps before.
#[test]
fn more_liars_than_promised_are_outvoted_and_said() {
    let data = DataSource::Synthetic.load().unwrap();
    let expected = honest(&data);
    for (adversary, budget, byzantine, b) in [
        (Adversary::Always, Budget::AtOnce, 4, 4),
        (Adversary::Different, Budget::AtOnce, 4, 4),
        (Adversary::VectorOnly, Budget::AtOnce, 3, 3),
        // The third liar of the whole run: two are named, and missing, 2·1 + 2 ≤ 2·2.
        (Adversary::Drip, Budget::Total, 3, 2),
    ] {
        let config = Config { adversary, budget, ..config(byzantine) };
        let mut trainer = with_code(config, b, &data);
        let report = run(&mut trainer);
        let what = format!("{adversary:?}, {byzantine} liars, code for {b}");
        let fell = report.fell_back.as_ref().unwrap();
        assert_eq!(fell.step, if adversary == Adversary::Drip { 59 } else { 0 }, "{what}");
        assert_eq!(trainer.parameters_digest().unwrap(), expected, "{what}");
        assert!(report.label.starts_with("UNVERIFIED"), "{what}: {}", report.label);
        let why = trainer.excess().unwrap();
        assert_eq!(why.step, 0, "{what}: {why}");
    }
}

/// Open steps that cannot be closed are undone, and decoded from votes.
#[test]
fn an_open_window_is_decoded_from_votes() {
    let data = DataSource::Synthetic.load().unwrap();
    let config = Config { window: 5, evaluate_every: Some(80), ..config(4) };
    let mut trainer = with_code(config, 4, &data);
    let report = run(&mut trainer);
    assert_eq!(report.fell_back.unwrap().step, 0);
    assert_eq!(trainer.parameters_digest().unwrap(), honest(&data));
}

#[test]
fn a_run_that_fell_back_goes_on_to_the_same_end() {
    let data = DataSource::Synthetic.load().unwrap();
    let config = Config { adversary: Adversary::Drip, budget: Budget::Total, ..config(3) };
    let mut whole = with_code(config.clone(), 2, &data);
    let report = run(&mut whole);
    for stop in [58, 59, 60, 70] {
        let mut first = with_code(config.clone(), 2, &data);
        (0..stop).for_each(|_| first.advance().unwrap());
        let state = first.snapshot().unwrap();
        let mut second = with_code(config.clone(), 2, &data);
        second.restore(state).unwrap();
        assert_eq!(run(&mut second), report, "stopped after {stop}");
        assert_eq!(second.parameters_digest().unwrap(), whole.parameters_digest().unwrap());
    }
}

/// A journal that is full.
struct Full;

impl Journal for Full {
    fn keep(&mut self, _: &Naming) -> Result<(), String> {
        Err("no space left".into())
    }
}

/// What stops a run for another reason than its workers is no reason to take votes.
#[test]
fn a_naming_that_cannot_be_kept_still_stops_the_run() {
    let data = DataSource::Synthetic.load().unwrap();
    let mut trainer = with_code(config(2), 2, &data);
    trainer.keep_namings(Box::new(Full));
    let error = trainer.advance().unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
    assert!(trainer.report().unwrap().fell_back.is_none());
}

#[test]
fn a_code_that_does_not_fit_is_refused() {
    let data = DataSource::Synthetic.load().unwrap();
    let unverified = TrainingCode::unverified(code(9, 2).matrix().clone(), Some(2), "mine");
    for (code, expected) in [
        (code(7, 2), "the code has 7 workers and 7 partitions; the scheme has 9 and 9"),
        (unverified, "the code is not verified"),
        (code(9, 1), "the code is verified for b = 1; the scheme provides for 2"),
    ] {
        let error = trainer(config(2), &data).fall_back_on(code).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let votes = Config { scheme: Scheme::Vote, n: None, b: None, ..config(2) };
    let error = Trainer::new(votes, code(9, 2), data).err().unwrap().to_string();
    assert!(error.contains("on-excess code:… belongs to the schemes"), "{error}");
}
