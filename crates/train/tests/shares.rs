//! Promise: over gRPC vectors in shares settle what they settle in one process: the same parameters, the same namings, and no trip
//! for a vector that does not come.
#![cfg(feature = "grpc")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecode_server::reactive::Adversary;
use ecode_train::data::{Data, DataSource};
use ecode_train::reactive::{Plan, Report};
use ecode_train::transport::grpc::{Join, Listen, Wait, keys};
use ecode_train::{ByzantineSet, Config, Scheme, Trainer, TrainingCode};
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

/// A server and seven workers over loopback, each a thread.
fn deployed(config: &Config, data: &Data, root: &Path) -> (String, Report) {
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
    std::thread::scope(|scope| {
        for row in 0..7 {
            let (address, keys) = (address.clone(), root.join(format!("worker-{row}")));
            scope.spawn(move || {
                let join = Join { server: address, keys, give_up_after: Duration::from_secs(2) };
                // Who is named is sent away.
                let _ = trainer(config, data).work_for(join, row, Control::default(), &mut |_| {});
            });
        }
        ended(server)
    })
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
