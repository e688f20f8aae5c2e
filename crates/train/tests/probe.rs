//! Promise: under a scheme that compares digests, a worker whose gradients are other bits than the server's, for no fault but
//! another order of sums, is told so before it is asked anything, and is named for nothing.
#![cfg(feature = "grpc")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecode_train::data::{Data, DataSource};
use ecode_train::model::{Learner, Logistic};
use ecode_train::reactive::Plan;
use ecode_train::transport::grpc::{Join, Listen, Wait, keys};
use ecode_train::{Attack, Config, Scheme, TrainError, Trainer, TrainingCode};
use ecode_verify::Control;

use common::OtherOrder;

fn config() -> Config {
    Config {
        scheme: Scheme::Reactive,
        n: Some(5),
        b: Some(1),
        attack: Attack::None,
        steps: Some(20),
        batch: 8,
        ..Config::default()
    }
}

fn trainer(data: &Data, drifts: bool) -> Trainer {
    let code = TrainingCode::holders(Plan::of_sizes(&config()).unwrap().matrix().unwrap(), 1, "reactive");
    let mut computes: Box<dyn Learner> = Box::new(Logistic::new(data));
    if drifts {
        computes = Box::new(OtherOrder(computes));
    }
    Trainer::with_learner(config(), code, data.clone(), computes).unwrap()
}

fn work(data: &Data, address: &str, keys: &Path, drifts: bool) -> Result<(), TrainError> {
    let mut trainer = trainer(data, drifts);
    let row = keys.file_name().unwrap().to_str().unwrap().trim_start_matches("worker-").parse().unwrap();
    let join =
        Join { server: address.to_owned(), keys: keys.to_owned(), give_up_after: Duration::from_secs(60) };
    trainer.work_for(join, row, Control::default(), &mut |_| {})
}

#[test]
fn another_order_of_sums_is_told_before_it_is_asked() {
    let data = DataSource::Synthetic.load().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("keys");
    keys::make(&root, 5).unwrap();
    let said = Arc::new(Mutex::new(Vec::<String>::new()));
    let mut server = trainer(&data, false);
    let listen = Listen {
        address: "127.0.0.1:0".parse().unwrap(),
        keys: root.join("server"),
        wait: Wait::Quorum,
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
        let keys = |row: usize| root.join(format!("worker-{row}"));
        let refused = scope.spawn({
            let (data, address, keys) = (&data, &address, keys(4));
            move || work(data, address, &keys, true)
        });
        let error = refused.join().unwrap().unwrap_err().to_string();
        assert!(error.contains("gradients are other bits than the server's"), "{error}");
        for row in 0..4 {
            let (data, address, keys) = (&data, &address, keys(row));
            scope.spawn(move || work(data, address, &keys, false).unwrap());
        }
        while !server.finished() {
            server.advance().unwrap();
        }
    });
    let report = server.report().unwrap();
    assert!(report.named.is_empty() && report.timeouts == 0, "{report:?}");
    // The parameters of one process.
    let mut alone = trainer(&data, false);
    while !alone.finished() {
        alone.advance().unwrap();
    }
    assert_eq!(server.parameters_digest().unwrap(), alone.parameters_digest().unwrap());
}
