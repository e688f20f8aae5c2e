//! Promise: workers that are right and compute other bits, since they add in another order, are named for nothing: they have a
//! class of their own, compute again before they are named, or lose close disputes; liars among them are named all the same.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeSet;

use ecode_core::{Claim, TieRule};
use ecode_server::reactive::{Adversary, Drift};
use ecode_train::data::{Data, DataSource, Features};
use ecode_train::model::Logistic;
use ecode_train::reactive::{Plan, Report};
use ecode_train::{Attack, ByzantineSet, Classes, Config, OnExcess, Scheme, Trainer, TrainingCode};
use ecode_verify::{Control, Method, Verified, VerifiedCode};

use common::OtherOrder;

/// Numbers as coarse as those of images: at the start many sums cancel, and the order decides their sign.
fn data() -> Data {
    let mut data = DataSource::Synthetic.load().unwrap();
    let Features::Dense { values, .. } = &mut data.train.features else { panic!("images") };
    values.iter_mut().for_each(|value| *value = value.round());
    data
}

/// Nobody lies. The parameters hardly move, so that sums cancel in every step.
fn config(n: usize, b: usize) -> Config {
    Config {
        scheme: Scheme::Reactive,
        n: Some(n),
        b: Some(b),
        attack: Attack::None,
        steps: Some(12),
        batch: 30,
        lr: Some(1e-9),
        audit: true,
        ..Config::default()
    }
}

fn lying(liars: &[usize], config: Config) -> Config {
    Config {
        attack: Attack::Reverse,
        byzantine: Some(liars.len()),
        byzantine_set: ByzantineSet::List(liars.to_vec()),
        ..config
    }
}

/// A trainer in which these workers add in another order.
fn trainer(config: Config, others: &[usize], steady: bool, data: &Data) -> Trainer {
    let plan = Plan::of_sizes(&config).unwrap();
    let code = TrainingCode::holders(plan.matrix().unwrap(), plan.b, config.scheme.name());
    let mut trainer = Trainer::new(config, code, data.clone()).unwrap();
    trainer.compute_apart(others.to_vec(), Box::new(OtherOrder(Box::new(Logistic::new(data)))), steady);
    trainer
}

fn run(trainer: &mut Trainer) -> (Report, String) {
    while !trainer.finished() {
        trainer.advance().unwrap();
    }
    (trainer.report().unwrap(), trainer.parameters_digest().unwrap())
}

fn named(report: &Report) -> BTreeSet<usize> {
    report.named.iter().map(|named| named.worker).collect()
}

#[test]
fn who_adds_in_another_order_now_and_then_is_dismissed() {
    let data = data();
    let expected = run(&mut trainer(config(9, 2), &[], true, &data)).1;
    let (framed, _) = run(&mut trainer(config(9, 2), &[3], false, &data));
    assert_eq!(
        named(&framed),
        BTreeSet::from([3]),
        "the drift is seen, and without the repeat it names an innocent"
    );
    let repeat = Config { drift: Drift::Repeat, ..config(9, 2) };
    let (report, digest) = run(&mut trainer(repeat.clone(), &[3], false, &data));
    assert_eq!(digest, expected);
    assert!(report.named.is_empty(), "{report:?}");
    let dismissed: Vec<usize> = report.dismissed.iter().map(|dismissed| dismissed.worker).collect();
    assert_eq!(dismissed, [3]);
    assert!(report.sentence().contains("Dismissed, not proved to lie: worker 3"), "{}", report.sentence());
    // A liar insists, and is named.
    for adversary in [Adversary::Always, Adversary::Rare, Adversary::Drip, Adversary::Equivocate] {
        let config = Config { adversary, steps: Some(30), ..lying(&[5], repeat.clone()) };
        let honest = Config { attack: Attack::None, ..config.clone() };
        let expected = run(&mut trainer(honest, &[], true, &data)).1;
        let (report, digest) = run(&mut trainer(config, &[3], false, &data));
        assert_eq!(digest, expected, "{adversary:?}");
        assert!(named(&report).is_subset(&BTreeSet::from([5])), "{adversary:?}: {report:?}");
        if adversary == Adversary::Always {
            assert_eq!(named(&report).len(), 1);
        }
    }
}

/// Five machines of one kind and five of another. In one class nothing can be settled, and the run goes on with votes; in two
/// nobody right is named, and two liars, one in each, change nothing.
#[test]
fn two_kinds_of_machines_are_two_classes() {
    let data = data();
    let others = [5, 6, 7, 8, 9];
    let one = Config { on_excess: OnExcess::Code("full".into()), audit: false, ..config(10, 2) };
    let mut mixed = trainer(one, &others, true, &data);
    let claim = Claim { matrix: ecode_design::construct::full(10, 9).unwrap(), b: 4, ties: TieRule::Abstain };
    let Verified::Yes(full) = VerifiedCode::verify(claim, Method::Auto, &Control::default()).unwrap() else {
        panic!("ten full rows tolerate four liars")
    };
    mixed.fall_back_on(TrainingCode::verified(full, "full")).unwrap();
    let (report, _) = run(&mut mixed);
    assert!(report.fell_back.is_some(), "{report:?}");
    let classes = Config { classes: Classes(vec![0, 0, 0, 0, 0, 1, 1, 1, 1, 1]), ..config(10, 2) };
    let (report, expected) = run(&mut trainer(classes.clone(), &others, true, &data));
    assert!(report.named.is_empty() && report.disputes == 0, "{report:?}");
    for adversary in [Adversary::Always, Adversary::Different, Adversary::Helpers] {
        let config = Config { adversary, ..lying(&[1, 7], classes.clone()) };
        let (report, digest) = run(&mut trainer(config, &others, true, &data));
        assert_eq!(digest, expected, "{adversary:?}");
        assert!(named(&report).is_subset(&BTreeSet::from([1, 7])), "{adversary:?}: {report:?}");
        assert!(report.label.starts_with("exact"), "{}", report.label);
    }
}

#[test]
fn close_disputes_suspend_and_name_nobody() {
    let data = data();
    let close = Config { drift: Drift::Close(60), ..config(9, 2) };
    let (plain, expected) = run(&mut trainer(close.clone(), &[], true, &data));
    assert_eq!((plain.close_disputes, plain.extra_trips), (0, 0));
    let (report, digest) = run(&mut trainer(close.clone(), &[3], true, &data));
    assert_eq!(digest, expected);
    assert!(
        report.close_disputes > 0 && report.named.is_empty() && report.dismissed.is_empty(),
        "{report:?}"
    );
    assert!(report.label.starts_with("settled within 60 coordinates (b = 2, named 0"), "{}", report.label);
    // Whose every sign is the other way round is far, and named by the vector that it has to show.
    let mut lied = trainer(lying(&[5], close), &[3], true, &data);
    let (report, digest) = run(&mut lied);
    assert_eq!(digest, expected);
    assert_eq!(named(&report), BTreeSet::from([5]));
    assert!(report.named[0].rule.contains("differs from the accepted one in "), "{report:?}");
    assert!(lied.unverified().is_some_and(|why| why.starts_with("checked, not proved")));
}

#[test]
fn what_cannot_be_settled_by_a_class_is_refused() {
    for (config, expected) in [
        (
            Config { classes: Classes(vec![0; 9]), ..config(10, 2) },
            "classes has 9 numbers; there are 10 workers",
        ),
        (
            Config { classes: Classes(vec![0, 0, 0, 0, 0, 0, 1, 1, 1, 1]), ..config(10, 2) },
            "class 1 has 4 workers; each class needs 5",
        ),
        (
            Config { classes: Classes(vec![0; 10]), window: 3, ..config(10, 2) },
            "classes is for balanced holders",
        ),
    ] {
        let error = Plan::of_sizes(&config).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let config = Config { drift: Drift::Repeat, spare: 1, ..config(9, 2) };
    let plan = Plan::of_sizes(&config).unwrap();
    let code = TrainingCode::holders(plan.matrix().unwrap(), 2, "reactive");
    let error = Trainer::new(config, code, data()).err().unwrap().to_string();
    assert!(error.contains("drift is for scheme reactive"), "{error}");
}
