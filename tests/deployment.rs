//! Promise: workers that are processes of their own reach the parameters of one process, bit for bit; a worker
//! that hangs or talks nonsense is one Byzantine worker; ranks that differ do not start. Here the processes are
//! threads; tests/mpi.rs does it with `mpirun`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::thread;
use std::time::Duration;

use ecode::code::{Claim, TieRule};
use ecode::construct::{algorithm1, cyclic};
use ecode::train::data::DataSource;
use ecode::train::transport::{Channel, Link, Message, channels};
use ecode::train::{
    Aggregator, Attack, ByzantineSet, Config, MomentumAt, State, TrainError, Trainer, TrainingCode,
};
use ecode::verify::{Control, Method, VerifiedCode};

const PATIENCE: Duration = Duration::from_secs(20);

fn code(n: usize, b: usize) -> TrainingCode {
    let claim = Claim { matrix: algorithm1(n, b).unwrap(), b, ties: TieRule::Abstain };
    let code = VerifiedCode::verify(claim, Method::Auto, &Control::default()).unwrap().code().unwrap();
    TrainingCode::verified(code, "algorithm1")
}

fn even(n: usize) -> TrainingCode {
    TrainingCode::unverified(cyclic(n, 2).unwrap(), None, "cyclic")
}

fn config() -> Config {
    Config { steps: Some(8), batch: 8, weight_decay: 0.01, data: DataSource::Synthetic, ..Config::default() }
}

fn trainer(config: Config, code: &TrainingCode) -> Result<Trainer, TrainError> {
    let data = config.data.load().unwrap();
    Trainer::new(config, code.clone(), data)
}

fn alone(config: Config, code: &TrainingCode) -> Trainer {
    let mut trainer = trainer(config, code).unwrap();
    while !trainer.finished() {
        trainer.advance().unwrap();
    }
    trainer
}

/// A worker as it should be.
fn work(link: impl Link + 'static, config: Config, code: &TrainingCode) -> Result<String, TrainError> {
    let mut trainer = trainer(config, code)?;
    trainer.connect(Box::new(link), PATIENCE, Control::default())?;
    while !trainer.finished() {
        match trainer.advance() {
            Err(TrainError::Interrupted) if trainer.dismissed() => return Ok("dismissed".into()),
            advanced => advanced?,
        }
    }
    Ok(trainer.parameters_digest())
}

/// Runs a server and n workers; worker j is run by `worker(j, link)`. Gives the server's end, and the workers'.
fn deployed<T: Send>(
    config: &Config,
    code: &TrainingCode,
    start: Option<State>,
    patience: Duration,
    worker: impl Fn(usize, Channel) -> T + Sync,
) -> (Result<Trainer, TrainError>, Vec<T>) {
    let mut links = channels(code.matrix().n() + 1).into_iter();
    let server = links.next().unwrap();
    thread::scope(|scope| {
        let worker = &worker;
        let workers: Vec<_> =
            links.enumerate().map(|(j, link)| scope.spawn(move || worker(j, link))).collect();
        let served = (|| {
            let mut trainer = trainer(config.clone(), code)?;
            if let Some(state) = start {
                trainer.restore(state)?;
            }
            trainer.connect(Box::new(server), patience, Control::default())?;
            while !trainer.finished() {
                trainer.advance()?;
            }
            Ok(trainer)
        })();
        (served, workers.into_iter().map(|worker| worker.join().unwrap()).collect())
    })
}

#[test]
fn processes_reach_the_parameters_of_one() {
    let attacks = [
        Attack::None,
        Attack::Reverse,
        Attack::Random,
        Attack::Constant,
        Attack::Omniscient,
        Attack::LabelFlip,
    ];
    for code in [code(5, 1), even(5), even(4)] {
        for ties in [TieRule::Adversarial, TieRule::Zero, TieRule::One, TieRule::Abstain] {
            for attack in attacks {
                let config = Config {
                    ties,
                    attack,
                    byzantine: Some(2),
                    byzantine_set: ByzantineSet::RandomPerStep,
                    gradient_noise: 1e-4,
                    ..config()
                };
                let expected = alone(config.clone(), &code).parameters_digest();
                let work = |_, link| work(link, config.clone(), &code).unwrap();
                let (served, workers) = deployed(&config, &code, None, PATIENCE, work);
                assert_eq!(served.unwrap().parameters_digest(), expected, "{ties:?} {attack:?}");
                assert!(workers.iter().all(|digest| *digest == expected));
            }
        }
    }
}

#[test]
fn a_deployment_goes_on_from_a_saved_state() {
    let code = code(5, 1);
    let expected = alone(config(), &code).parameters_digest();
    let mut first = trainer(config(), &code).unwrap();
    for _ in 0..3 {
        first.advance().unwrap();
    }
    let work = |_, link| work(link, config(), &code).unwrap();
    let (served, _) = deployed(&config(), &code, Some(first.snapshot().unwrap()), PATIENCE, work);
    let mut served = served.unwrap();
    assert_eq!(served.parameters_digest(), expected);
    // Nobody knows all messages, so nobody counts.
    assert_eq!(served.evaluate().unwrap().wrong_coordinates, None);
    let metrics = served.evaluate().unwrap();
    assert_eq!(served.summary(metrics).wrong, None);
}

/// One worker greets and then hangs, another sends nonsense: two Byzantine workers, and the code tolerates them.
#[test]
fn a_worker_that_hangs_or_talks_nonsense_counts_as_byzantine() {
    let code = code(9, 2);
    let config = Config { byzantine: Some(0), ..config() };
    let expected = alone(config.clone(), &code).parameters_digest();
    let worker = |j: usize, link: Channel| match j {
        5 => work(Broken { link, greeted: false, nonsense: Some(0) }, config.clone(), &code).unwrap(),
        7 => work(Broken { link, greeted: false, nonsense: None }, config.clone(), &code).unwrap(),
        _ => work(link, config.clone(), &code).unwrap(),
    };
    let (served, workers) = deployed(&config, &code, None, Duration::from_secs(2), worker);
    let served = served.unwrap();
    assert_eq!(served.parameters_digest(), expected);
    assert_eq!(served.lost(), [(7, 0)]);
    assert_eq!(workers.iter().filter(|digest| **digest == expected).count(), 8);
}

/// A link that carries the greeting, and then nonsense in place of votes, or nothing.
struct Broken {
    link: Channel,
    greeted: bool,
    nonsense: Option<usize>,
}

impl Link for Broken {
    fn rank(&self) -> usize {
        self.link.rank()
    }

    fn ranks(&self) -> usize {
        self.link.ranks()
    }

    fn receive(&mut self, wait: Duration) -> Option<(usize, Vec<u8>)> {
        let muted = self.greeted && self.nonsense.is_none();
        match self.link.receive(wait) {
            // So that its thread ends.
            None if muted => Some((0, Message::Stop(String::new()).to_bytes())),
            message => message,
        }
    }

    fn send(&mut self, to: &[usize], bytes: Vec<u8>, wait: Duration) -> Vec<usize> {
        if !std::mem::replace(&mut self.greeted, true) {
            return self.link.send(to, bytes, wait);
        }
        if let Some(kind) = &mut self.nonsense {
            // A vote cut short, no byte at all, another kind of message, a vote that is too long.
            let wrong = [bytes[..bytes.len() - 1].to_vec(), vec![], vec![9; 40], [&bytes[..], &[0]].concat()];
            self.link.send(to, wrong[*kind % 4].clone(), wait);
            *kind += 1;
        }
        Vec::new()
    }
}

#[test]
fn ranks_that_differ_do_not_start() {
    let (code, other) = (code(5, 1), even(5));
    let worker = |j: usize, link| match j {
        2 => work(link, Config { seed: 1, ..config() }, &code),
        3 => work(link, config(), &other),
        _ => work(link, config(), &code),
    };
    let (served, workers) = deployed(&config(), &code, None, PATIENCE, worker);
    let expected = "rank 3 differs from rank 0: it has 'seed = 1', rank 0 has 'seed = 0'";
    assert_eq!(served.err().unwrap().to_string(), expected);
    assert!(workers.into_iter().all(|end| end == Err(TrainError::Dismissed(expected.into()))));

    let worker =
        |j: usize, link| if j == 4 { work(link, config(), &other) } else { work(link, config(), &code) };
    let (served, _) = deployed(&config(), &code, None, PATIENCE, worker);
    let error = served.err().unwrap().to_string();
    assert!(error.starts_with("rank 5 differs from rank 0: it has 'matrix sha256:"), "{error}");
}

#[test]
fn what_only_one_process_can_do_is_refused() {
    let code = code(5, 1);
    for config in [
        Config { audit: true, ..config() },
        Config { momentum_at: MomentumAt::Worker, ..config() },
        Config { aggregator: Aggregator::Median, ..config() },
    ] {
        let link = channels(6).remove(0);
        let refused = trainer(config, &code).unwrap().connect(Box::new(link), PATIENCE, Control::default());
        assert!(matches!(refused, Err(TrainError::Config(_))), "{refused:?}");
    }
    let link = channels(5).remove(0);
    let refused = trainer(config(), &code).unwrap().connect(Box::new(link), PATIENCE, Control::default());
    assert!(refused.unwrap_err().to_string().starts_with("5 processes for 5 workers: "));
}
