//! Promise: over gRPC vectors in shares settle what they settle in one process: the same parameters, the same namings, and no trip
//! for a vector that does not come. At b = 2 a worker of one round sends at most 1.7 votes a partition that it is sent for.
#![cfg(feature = "grpc")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecode_server::reactive::Adversary;
use ecode_train::data::{Data, DataSource, Features, Samples};
use ecode_train::reactive::{Plan, Report};
use ecode_train::transport::grpc::{Join, Listen, Wait, keys};
use ecode_train::{Attack, ByzantineSet, Config, Scheme, Trainer, TrainingCode};
use ecode_verify::Control;

fn config(scheme: Scheme, spare: usize, adversary: Adversary) -> Config {
    Config {
        scheme,
        spare,
        adversary,
        n: Some(7),
        b: Some(2),
        byzantine_set: ByzantineSet::List(vec![2, 5]),
        steps: Some(12),
        batch: 8,
        ..Config::default()
    }
}

fn trainer(config: &Config, data: &Data) -> Trainer {
    let plan = Plan::of_sizes(config).unwrap();
    let code = TrainingCode::holders(plan.matrix().unwrap(), plan.b, config.scheme.name());
    Trainer::new(config.clone(), code, data.clone()).unwrap()
}

fn ended(mut trainer: Trainer) -> (String, Report) {
    while !trainer.finished() {
        trainer.advance().unwrap();
    }
    (trainer.parameters_digest().unwrap(), trainer.report().unwrap())
}

/// A way to a server that counts what passes upwards.
fn counted(server: String, up: &Arc<AtomicU64>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let up = Arc::clone(up);
    let carry = |mut from: TcpStream, mut to: TcpStream, count: Option<Arc<AtomicU64>>| {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read) = from.read(&mut bytes)
            && read > 0
        {
            if let Some(count) = &count {
                count.fetch_add(read as u64, Ordering::Relaxed);
            }
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
    };
    std::thread::spawn(move || {
        for worker in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&server) else { continue };
            let (above, below) = (server.try_clone().unwrap(), worker.try_clone().unwrap());
            let up = Arc::clone(&up);
            std::thread::spawn(move || carry(worker, server, Some(up)));
            std::thread::spawn(move || carry(above, below, None));
        }
    });
    address
}

/// A server and its workers over loopback, each a thread.
fn deployed(config: &Config, data: &Data, root: &Path) -> (String, Report) {
    let (digest, report, _) = measured(config, data, root);
    (digest, report)
}

/// The same, and what the workers sent, as it passed over the wire: encrypted, with all heads.
fn measured(config: &Config, data: &Data, root: &Path) -> (String, Report, u64) {
    let said = Arc::new(Mutex::new(Vec::<String>::new()));
    let mut server = trainer(config, data);
    let listen = Listen {
        address: "127.0.0.1:0".parse().unwrap(),
        keys: root.join("server"),
        wait: Wait::All,
        patience: Duration::from_secs(60),
        quarantine: false,
        status: None,
        block_bytes: 1 << 20,
    };
    let hears = Arc::clone(&said);
    let say = Box::new(move |text: &str| hears.lock().unwrap().push(text.to_owned()));
    server.listen(&listen, String::new(), Control::default(), say).unwrap();
    let address = said.lock().unwrap()[0].trim_start_matches("listening on ").to_owned();
    let up = Arc::new(AtomicU64::new(0));
    let address = counted(address, &up);
    let (digest, report) = std::thread::scope(|scope| {
        for row in 0..config.n.unwrap() {
            let (address, keys) = (address.clone(), root.join(format!("worker-{row}")));
            scope.spawn(move || {
                let join = Join { server: address, keys, give_up_after: Duration::from_secs(2) };
                // Who is named is sent away.
                let _ = trainer(config, data).work_for(join, row, Control::default(), &mut |_| {});
            });
        }
        ended(server)
    });
    (digest, report, up.load(Ordering::Relaxed))
}

/// Five workers, b = 2, a million coordinates. One round: each holds all five partitions, and sends five shares of 5/3 of a fifth of
/// them, with the lists. A plain vote is one vector a worker.
#[test]
fn one_round_sends_at_most_1_7_votes() {
    let width = 100_000;
    let samples = |count: usize| Samples {
        features: Features::Dense {
            width,
            values: (0..count * width).map(|i| ((i * 2_654_435_761) % 1999) as f32 / 1000.0 - 1.0).collect(),
        },
        labels: (0..count).map(|i| (i % 10) as u16).collect(),
    };
    let data = Data { train: samples(20), test: samples(1), classes: 10 };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("keys");
    keys::make(&root, 5).unwrap();
    let steps = 8;
    let config = Config {
        n: Some(5),
        steps: Some(steps),
        batch: 2,
        attack: Attack::None,
        byzantine_set: ByzantineSet::Random,
        ..config(Scheme::OneRound, 0, Adversary::Honest)
    };
    let mut alone = trainer(&config, &data);
    let votes = 5 * steps * alone.dimension().div_ceil(8) as u64;
    while !alone.finished() {
        alone.advance().unwrap();
    }
    let counted = alone.account().unwrap().bytes_up;
    assert!(counted as f64 <= 1.7 * votes as f64, "{counted} bytes, {votes} for votes");
    assert!(counted as f64 >= 5.0 / 3.0 * votes as f64, "five shares of a third of a vector each");
    let (planned, _) = alone.plan().unwrap().bytes(alone.dimension());
    // The plan's figure leaves out the digest that is announced of each partition.
    assert_eq!(counted, (planned + 5 * 32) * 5 * steps, "what the plan says that the heaviest worker sends");
    let (digest, report, sent) = measured(&config, &data, &root);
    assert_eq!(digest, alone.parameters_digest().unwrap());
    assert_eq!((report.extra_trips, report.timeouts), (0, 0));
    assert!(sent as f64 <= 1.7 * votes as f64, "{sent} bytes over the wire, {votes} for votes");
    assert!(sent >= counted);
}

#[test]
fn shares_come_to_what_one_process_comes_to() {
    let data = DataSource::Synthetic.load().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("keys");
    keys::make(&root, 7).unwrap();
    for (scheme, spare, adversary, named) in [
        (Scheme::OneRound, 0, Adversary::Always, 2),
        (Scheme::OneRound, 0, Adversary::VectorOnly, 2),
        (Scheme::OneRound, 0, Adversary::DigestOnly, 2),
        (Scheme::Reactive, 2, Adversary::Always, 2),
        (Scheme::Reactive, 2, Adversary::VectorOnly, 2),
        (Scheme::Reactive, 1, Adversary::Honest, 0),
    ] {
        let what = format!("{scheme:?}, spare {spare}, {adversary:?}");
        let config = config(scheme, spare, adversary);
        let (expected, alone) = ended(trainer(&config, &data));
        let (digest, report) = deployed(&config, &data, &root);
        assert_eq!(digest, expected, "{what}");
        assert_eq!(report.named, alone.named, "{what}");
        assert_eq!(report.named.len(), named, "{what}");
        assert_eq!((report.extra_trips, report.label), (alone.extra_trips, alone.label), "{what}");
        if scheme == Scheme::OneRound {
            assert_eq!(report.extra_trips, 0, "{what}");
        }
    }
}
