//! Promise: over gRPC, too, workers that are right and compute other bits are named for nothing: they have a class of their own,
//! compute again before they are named, or lose close disputes; what comes of it is what comes of it in one process.
#![cfg(feature = "grpc")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::OtherOrder;
use ecode_server::reactive::{Adversary, Drift};
use ecode_train::data::{Data, DataSource, Features, Samples};
use ecode_train::model::{Computed, Evaluation, Job, Learner, Logistic, ModelError, Take};
use ecode_train::reactive::{Plan, Report};
use ecode_train::transport::grpc::{Join, Listen, Wait, keys};
use ecode_train::{Attack, ByzantineSet, Classes, Config, Scheme, Trainer, TrainingCode};
use ecode_verify::Control;

/// A machine that adds in another order now and then: what it computes a second time is right, and so is all before it is told to
/// drift.
struct Wavering {
    right: Box<dyn Learner>,
    other: OtherOrder,
    drifts: Arc<AtomicBool>,
    seen: Vec<(u32, Vec<u32>)>,
}

impl Learner for Wavering {
    fn name(&self) -> &'static str {
        self.right.name()
    }

    fn dimension(&self) -> usize {
        self.right.dimension()
    }

    fn initial(&self, seed: u64) -> Vec<f32> {
        self.right.initial(seed)
    }

    fn gradients(
        &mut self,
        parameters: &[f32],
        train: &Samples,
        jobs: &[Job<'_>],
        take: Take<'_>,
    ) -> Result<Vec<Computed>, ModelError> {
        let job = (parameters[0].to_bits(), jobs[0].samples.to_vec());
        let first = !self.seen.contains(&job);
        self.seen.push(job);
        let learner: &mut dyn Learner =
            if first && self.drifts.load(Ordering::Relaxed) { &mut self.other } else { self.right.as_mut() };
        learner.gradients(parameters, train, jobs, take)
    }

    fn evaluate(&mut self, parameters: &[f32], test: &Samples) -> Result<Evaluation, ModelError> {
        self.right.evaluate(parameters, test)
    }
}

/// Numbers as coarse as those of images: at the start many sums cancel, and the order decides their sign.
fn data() -> Data {
    let mut data = DataSource::Synthetic.load().unwrap();
    let Features::Dense { values, .. } = &mut data.train.features else { panic!("images") };
    values.iter_mut().for_each(|value| *value = value.round());
    data
}

/// The parameters hardly move, so that sums cancel in every step.
fn config(n: usize) -> Config {
    Config {
        scheme: Scheme::Reactive,
        n: Some(n),
        b: Some(2),
        attack: Attack::None,
        steps: Some(12),
        batch: 30,
        lr: Some(1e-9),
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

fn holders(config: &Config) -> TrainingCode {
    let plan = Plan::of_sizes(config).unwrap();
    TrainingCode::holders(plan.matrix().unwrap(), plan.b, config.scheme.name())
}

fn other(data: &Data) -> OtherOrder {
    OtherOrder(Box::new(Logistic::new(data)))
}

fn run(trainer: &mut Trainer) -> (Report, String) {
    while !trainer.finished() {
        trainer.advance().unwrap();
    }
    (trainer.report().unwrap(), trainer.parameters_digest().unwrap())
}

/// One process, in which these workers add in another order.
fn alone(config: &Config, others: &[usize], steady: bool, data: &Data) -> (Report, String) {
    let mut trainer = Trainer::new(config.clone(), holders(config), data.clone()).unwrap();
    trainer.compute_apart(others.to_vec(), Box::new(other(data)), steady);
    run(&mut trainer)
}

/// The same over loopback, where each worker has a connection, keys and a learner of its own. Also what the server said.
fn served(config: &Config, others: &[usize], steady: bool, data: &Data) -> (Report, String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let n = config.n.unwrap();
    keys::make(&folder.path().join("keys"), n).unwrap();
    let code = holders(config);
    let mut server = Trainer::new(config.clone(), code, data.clone()).unwrap();
    let (said, listens) = (Arc::new(Mutex::new(Vec::new())), channel());
    let (heard, told) = (Arc::clone(&said), listens.0);
    let say = move |text: &str| {
        heard.lock().unwrap().push(text.to_owned());
        if let Some(address) = text.strip_prefix("listening on ") {
            let _ = told.send(address.to_owned());
        }
    };
    let listen = Listen {
        address: "127.0.0.1:0".parse().unwrap(),
        keys: folder.path().join("keys/server"),
        wait: Wait::All,
        patience: Duration::from_secs(60),
        quarantine: true,
        status: None,
        block_bytes: 1 << 16,
    };
    server.listen(&listen, String::new(), Control::default(), Box::new(say)).unwrap();
    let address = listens.1.recv().unwrap();
    let end = Control::default();
    let ended = std::thread::scope(|scope| {
        for row in 0..n {
            let join = Join {
                server: address.clone(),
                keys: folder.path().join(format!("keys/worker-{row}")),
                give_up_after: Duration::from_secs(5),
            };
            let end = end.clone();
            scope.spawn(move || {
                let drifts = Arc::new(AtomicBool::new(false));
                let right = || Box::new(Logistic::new(data));
                let learner: Box<dyn Learner> = match (others.contains(&row), steady) {
                    (false, _) => right(),
                    (true, true) => Box::new(other(data)),
                    (true, false) => Box::new(Wavering {
                        right: right(),
                        other: other(data),
                        drifts: Arc::clone(&drifts),
                        seen: Vec::new(),
                    }),
                };
                let mut worker =
                    Trainer::with_learner(config.clone(), holders(config), data.clone(), learner).unwrap();
                let mut say =
                    |text: &str| drifts.store(text.starts_with("works as worker"), Ordering::Relaxed);
                // Who was named is told to go.
                let _ = worker.work_for(join, row, end, &mut say);
            });
        }
        let ended = run(&mut server);
        end.stop();
        ended
    });
    let said = said.lock().unwrap().clone();
    (ended.0, ended.1, said)
}

fn named(report: &Report) -> Vec<usize> {
    report.named.iter().map(|named| named.worker).collect()
}

fn assert_same(theirs: &Report, ours: &Report) {
    let of = |report: &Report| {
        let Report { label, named, dismissed, close_disputes, extra_gradients, extra_trips, .. } =
            report.clone();
        (label, named, dismissed, close_disputes, extra_gradients, extra_trips)
    };
    assert_eq!(of(ours), of(theirs));
}

#[test]
fn who_adds_in_another_order_now_and_then_is_dismissed() {
    let data = data();
    let repeat = Config { drift: Drift::Repeat, ..config(9) };
    let (expected, digest) = alone(&repeat, &[3], false, &data);
    let (report, parameters, said) = served(&repeat, &[3], false, &data);
    assert_same(&expected, &report);
    assert_eq!(parameters, digest);
    assert_eq!(report.dismissed.iter().map(|dismissed| dismissed.worker).collect::<Vec<_>>(), [3]);
    assert!(said.iter().any(|line| line.contains("worker 3 computes partition")), "{said:#?}");
    // A liar insists, and is named.
    let lied = Config { adversary: Adversary::Always, ..lying(&[5], repeat) };
    let (expected, digest) = alone(&lied, &[3], false, &data);
    let (report, parameters, _) = served(&lied, &[3], false, &data);
    assert_same(&expected, &report);
    assert_eq!((parameters, named(&report)), (digest, vec![5]));
}

#[test]
fn two_kinds_of_machines_are_two_classes() {
    let data = data();
    let others = [5, 6, 7, 8, 9];
    let classes = Config { classes: Classes(vec![0, 0, 0, 0, 0, 1, 1, 1, 1, 1]), ..config(10) };
    for config in [classes.clone(), lying(&[1, 7], classes.clone())] {
        let (expected, digest) = alone(&config, &others, true, &data);
        let (report, parameters, _) = served(&config, &others, true, &data);
        assert_same(&expected, &report);
        assert_eq!(parameters, digest);
        assert!(named(&report).iter().all(|worker| [1, 7].contains(worker)));
    }
    // One of the other kind in a class is not asked, and named for nothing.
    let eleven = Config {
        n: Some(11),
        k: Some(9),
        classes: Classes(vec![0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
        ..classes
    };
    let (report, _, said) = served(&eleven, &[0, 6, 7, 8, 9, 10], true, &data);
    assert!(report.named.is_empty() && report.disputes == 0, "{report:?}");
    assert!(said.iter().any(|line| line.contains("worker 0 computes other bits than the others of class 0")));
}

#[test]
fn close_disputes_suspend_and_name_nobody() {
    let data = data();
    let close = Config { drift: Drift::Close(60), ..config(9) };
    for (config, liars) in [(close.clone(), vec![]), (lying(&[5], close), vec![5])] {
        let (expected, digest) = alone(&config, &[3], true, &data);
        let (report, parameters, _) = served(&config, &[3], true, &data);
        assert_same(&expected, &report);
        assert_eq!((parameters, named(&report)), (digest, liars));
        assert!(report.close_disputes > 0);
    }
}
