//! Promise: workers that are processes of their own reach the parameters of one process, bit for bit; a worker
//! that hangs or talks nonsense is one Byzantine worker, and nothing that it reports beside its vote matters; beyond
//! the proof the run says so; ranks that differ do not start. Here the processes are threads; tests/mpi.rs does it
//! with `mpirun`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::thread;
use std::time::Duration;

use ecode::code::{Claim, TieRule};
use ecode::construct::{algorithm1, cyclic};
use ecode::train::data::{DataSource, Split};
use ecode::train::transport::{Channel, Link, Message, Patience, channels};
use ecode::train::{
    Aggregator, Attack, ByzantineSet, Config, Lost, MomentumAt, OnExcess, Program, State, TrainError,
    Trainer, TrainingCode,
};
use ecode::verify::{Control, Method, VerifiedCode};

const PATIENCE: Patience = Patience { worker: Duration::from_secs(20), server: Duration::from_secs(60) };

/// For workers that are to be found out.
const SHORT: Patience = Patience { worker: Duration::from_secs(2), server: Duration::from_secs(60) };

fn code(n: usize, b: usize) -> TrainingCode {
    under(TieRule::Abstain, n, b)
}

fn under(ties: TieRule, n: usize, b: usize) -> TrainingCode {
    let claim = Claim { matrix: algorithm1(n, b).unwrap(), b, ties };
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
    trainer.parameters_digest()
}

/// Runs a server and n workers; worker j is run by `worker(j, link)`. Gives the server's end, and the workers'.
fn deployed<T: Send>(
    config: &Config,
    code: &TrainingCode,
    start: Option<State>,
    patience: Patience,
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
    for ties in [TieRule::Adversarial, TieRule::Zero, TieRule::One, TieRule::Abstain] {
        for code in [under(ties, 5, 1), even(5), even(4)] {
            for attack in attacks {
                let config = Config {
                    ties,
                    attack,
                    byzantine: Some(2),
                    byzantine_set: ByzantineSet::RandomPerStep,
                    gradient_noise: 1e-4,
                    ..config()
                };
                let expected = alone(config.clone(), &code).parameters_digest().unwrap();
                let work = |_, link| work(link, config.clone(), &code).unwrap();
                let (served, workers) = deployed(&config, &code, None, PATIENCE, work);
                assert_eq!(served.unwrap().parameters_digest().unwrap(), expected, "{ties:?} {attack:?}");
                assert!(workers.iter().all(|digest| *digest == expected));
            }
        }
    }
}

/// A liar computes what it hides among, and each partition keeps to its shard, in processes as in one.
#[test]
fn attacks_on_gradients_and_shards_are_the_same_in_processes() {
    let code = code(5, 1);
    for attack in Attack::ALL.iter().copied().filter(|attack| attack.makes_gradient()) {
        let config = Config {
            attack,
            split: Split::Dirichlet(0.5),
            byzantine: Some(2),
            byzantine_set: ByzantineSet::RandomPerStep,
            ..config()
        };
        let mut alone = alone(config.clone(), &code);
        let expected = alone.parameters_digest().unwrap();
        assert!(attack == Attack::Mimic || alone.state().totals.wrong > 0, "{attack:?} does no harm");
        let work = |_, link| work(link, config.clone(), &code).unwrap();
        let (served, workers) = deployed(&config, &code, None, PATIENCE, work);
        assert_eq!(served.unwrap().parameters_digest().unwrap(), expected, "{attack:?}");
        assert!(workers.iter().all(|digest| *digest == expected));
    }
}

#[test]
fn a_deployment_goes_on_from_a_saved_state() {
    let code = code(5, 1);
    let expected = alone(config(), &code).parameters_digest().unwrap();
    let mut first = trainer(config(), &code).unwrap();
    for _ in 0..3 {
        first.advance().unwrap();
    }
    let work = |_, link| work(link, config(), &code).unwrap();
    let (served, _) = deployed(&config(), &code, Some(first.snapshot().unwrap()), PATIENCE, work);
    let mut served = served.unwrap();
    assert_eq!(served.parameters_digest().unwrap(), expected);
    // Nobody knows all messages, so nobody counts.
    assert_eq!(served.evaluate().unwrap().wrong_coordinates, None);
    let metrics = served.evaluate().unwrap();
    assert_eq!(served.summary(metrics, &Program::default()).unwrap().wrong, None);
}

/// One worker greets and then hangs, another sends nonsense: two Byzantine workers, and the code tolerates them.
#[test]
fn a_worker_that_hangs_or_talks_nonsense_counts_as_byzantine() {
    let code = code(9, 2);
    let config = Config { byzantine: Some(0), ..config() };
    let expected = alone(config.clone(), &code).parameters_digest().unwrap();
    let worker = |j: usize, link: Channel| match j {
        5 => work(Broken { link, greeted: false, nonsense: Some(0) }, config.clone(), &code).unwrap(),
        7 => work(Broken { link, greeted: false, nonsense: None }, config.clone(), &code).unwrap(),
        _ => work(link, config.clone(), &code).unwrap(),
    };
    let (served, workers) = deployed(&config, &code, None, SHORT, worker);
    let mut served = served.unwrap();
    assert_eq!(served.parameters_digest().unwrap(), expected);
    assert_eq!(served.lost(), [Lost { worker: 7, step: 0 }]);
    // Two of them, together, are what the code was verified for.
    let metrics = served.evaluate().unwrap();
    assert!(metrics.verified && metrics.lost == served.lost());
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

    fn receive(&mut self, wait: Duration, most: usize) -> Option<(usize, Vec<u8>)> {
        let muted = self.greeted && self.nonsense.is_none();
        match self.link.receive(wait, most) {
            // So that its thread ends.
            None if muted => Some((0, Message::Stop(String::new()).to_bytes())),
            message => message,
        }
    }

    fn send(&mut self, to: &[usize], bytes: Vec<u8>) -> Vec<usize> {
        if !std::mem::replace(&mut self.greeted, true) {
            return self.link.send(to, bytes);
        }
        if let Some(kind) = &mut self.nonsense {
            // A vote cut short, no byte at all, another kind of message, a vote that is too long, one that is huge.
            let wrong = [
                bytes[..bytes.len() - 1].to_vec(),
                vec![],
                vec![9; 40],
                [&bytes[..], &[0]].concat(),
                vec![3; 1 << 20],
            ];
            self.link.send(to, wrong[*kind % 5].clone());
            *kind += 1;
        }
        Vec::new()
    }

    fn flush(&mut self, wait: Duration) -> bool {
        self.link.flush(wait)
    }
}

/// A link on which a worker's votes are changed before they travel.
struct Changed<F> {
    link: Channel,
    d: usize,
    change: F,
}

impl<F: FnMut(Message) -> Vec<Message>> Link for Changed<F> {
    fn rank(&self) -> usize {
        self.link.rank()
    }

    fn ranks(&self) -> usize {
        self.link.ranks()
    }

    fn receive(&mut self, wait: Duration, most: usize) -> Option<(usize, Vec<u8>)> {
        self.link.receive(wait, most)
    }

    fn send(&mut self, to: &[usize], bytes: Vec<u8>) -> Vec<usize> {
        let message = Message::from_bytes(&bytes, self.d).unwrap();
        let votes = matches!(message, Message::Vote { .. });
        for message in if votes { (self.change)(message) } else { vec![message] } {
            self.link.send(to, message.to_bytes());
        }
        Vec::new()
    }

    fn flush(&mut self, wait: Duration) -> bool {
        self.link.flush(wait)
    }
}

/// What a worker reports beside its vote: no number, infinite ones, huge ones, and times that are none. The run is
/// the same to the last bit, and so is the loss in the log: most of those who hold a partition say the truth.
#[test]
fn what_a_worker_reports_beside_its_vote_ends_and_bends_nothing() {
    let code = code(5, 1);
    let config = Config { byzantine: Some(0), ..config() };
    let mut alone = alone(config.clone(), &code);
    let expected = (alone.parameters_digest().unwrap(), alone.evaluate().unwrap().train_loss);
    let d = alone.dimension();
    for lie in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e308, -1e308] {
        let worker = |j: usize, link: Channel| {
            if j != 3 {
                return work(link, config.clone(), &code).unwrap();
            }
            let change = move |message| match message {
                Message::Vote { step, losses, vote, .. } => {
                    let losses = vec![lie; losses.len()];
                    vec![Message::Vote { step, gradient_s: lie, losses, vote }]
                }
                other => vec![other],
            };
            work(Changed { link, d, change }, config.clone(), &code).unwrap()
        };
        let (served, _) = deployed(&config, &code, None, PATIENCE, worker);
        let mut served = served.unwrap();
        let metrics = served.evaluate().unwrap();
        assert_eq!((served.parameters_digest().unwrap(), metrics.train_loss), expected, "{lie}");
        assert!(metrics.deployed_s.is_finite() && metrics.deployed_s < 60.0, "{metrics:?}");
        assert!(metrics.verified, "its vote came");
    }
}

/// A flood of losses, of votes for other steps, and of votes twice: one ballot a worker and a step.
#[test]
fn a_worker_that_floods_has_one_vote() {
    let code = code(5, 1);
    let config = Config { byzantine: Some(0), ..config() };
    let mut alone = alone(config.clone(), &code);
    let (expected, d) = (alone.parameters_digest().unwrap(), alone.dimension());
    let worker = |j: usize, link: Channel| {
        if j != 4 {
            return work(link, config.clone(), &code).unwrap();
        }
        let change = move |message| match message {
            Message::Vote { step, gradient_s, losses, vote } => {
                let with = |step, losses| Message::Vote { step, gradient_s, losses, vote: vote.clone() };
                let mut all: Vec<Message> = (1..200).map(|late| with(step + late, losses.clone())).collect();
                all.push(with(step, vec![f64::NAN; 60_000]));
                all.extend((0..200).map(|_| with(step, losses.clone())));
                all
            }
            other => vec![other],
        };
        work(Changed { link, d, change }, config.clone(), &code).unwrap()
    };
    let (served, _) = deployed(&config, &code, None, PATIENCE, worker);
    assert_eq!(served.unwrap().parameters_digest().unwrap(), expected);
}

/// A liar costs two and a worker that hangs one, three together; the code is verified for one liar. The log says from which step on.
#[test]
fn beyond_the_proof_the_run_says_so_or_stops() {
    let code = code(5, 1);
    let config = Config { byzantine: Some(1), byzantine_set: ByzantineSet::List(vec![0]), ..config() };
    let run = |config: &Config| {
        let worker = |j: usize, link: Channel| match j {
            3 => work(Broken { link, greeted: false, nonsense: None }, config.clone(), &code),
            _ => work(link, config.clone(), &code),
        };
        deployed(config, &code, None, SHORT, worker).0
    };
    let mut served = run(&config).unwrap();
    let metrics = served.evaluate().unwrap();
    let why = "from step 0: 1 worker lies and 1 worker sends no vote, the code is verified for 1 \
               liars, or two missing votes in place of each";
    assert_eq!((metrics.verified, metrics.unverified.as_deref()), (false, Some(why)));
    let summary = served.summary(metrics, &Program::default()).unwrap();
    assert_eq!((summary.unverified.as_deref(), &summary.code["verified"]), (Some(why), &false.into()));
    assert_eq!(summary.lost, [Lost { worker: 3, step: 0 }]);

    let stopped = run(&Config { on_excess: OnExcess::Stop, ..config }).err().unwrap();
    assert!(matches!(&stopped, TrainError::Excess(excess) if excess.step == 0), "{stopped}");
}

/// A worker that is given up while it pauses is told to leave when it goes on: it neither votes again nor waits for ever.
#[test]
fn a_worker_that_was_given_up_is_told_to_leave() {
    let code = code(5, 1);
    let config = Config { byzantine: Some(0), ..config() };
    let mut alone = alone(config.clone(), &code);
    let (expected, d) = (alone.parameters_digest().unwrap(), alone.dimension());
    let worker = |j: usize, link: Channel| {
        if j != 3 {
            return work(link, config.clone(), &code).unwrap();
        }
        let change = |message| {
            if matches!(message, Message::Vote { step: 2, .. }) {
                thread::sleep(SHORT.worker + Duration::from_secs(1));
            }
            vec![message]
        };
        work(Changed { link, d, change }, config.clone(), &code).unwrap()
    };
    let (served, workers) = deployed(&config, &code, None, SHORT, worker);
    let mut served = served.unwrap();
    assert_eq!(served.parameters_digest().unwrap(), expected);
    assert_eq!(served.lost(), [Lost { worker: 3, step: 2 }]);
    assert_eq!(workers[3], "dismissed");
}

/// A worker that cannot go on says why, and counts as lost at once.
#[test]
fn a_worker_that_fails_says_why() {
    let code = code(5, 1);
    let config = Config { byzantine: Some(0), ..config() };
    let expected = alone(config.clone(), &code).parameters_digest().unwrap();
    let worker = |j: usize, link: Channel| {
        if j == 2 {
            let mut trainer = trainer(config.clone(), &code).unwrap();
            trainer.connect(Box::new(link), PATIENCE, Control::default()).unwrap();
            trainer.leave("out of\nmemory");
        } else {
            work(link, config.clone(), &code).unwrap();
        }
    };
    let (served, _) = deployed(&config, &code, None, PATIENCE, worker);
    let mut served = served.unwrap();
    assert_eq!(served.parameters_digest().unwrap(), expected);
    assert_eq!(served.lost(), [Lost { worker: 2, step: 0 }]);
    assert_eq!(served.take_remarks(), ["worker 2: out of\\nmemory"]);
}

/// Workers notice a server that is gone; one of them says so.
#[test]
fn a_server_that_is_gone_is_noticed() {
    let code = code(5, 1);
    let patience = Patience { worker: Duration::from_millis(50), server: Duration::from_millis(300) };
    let mut links = channels(6);
    let _silent = links.remove(0);
    for (j, link) in links.into_iter().enumerate() {
        let mut trainer = trainer(config(), &code).unwrap();
        let error = trainer.connect(Box::new(link), patience, Control::default()).unwrap_err();
        assert!(error.to_string().starts_with("the server has said nothing for 0 s: it is gone"), "{error}");
        assert_eq!(matches!(error, TrainError::Transport(_)), j == 0, "{error:?}");
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
