//! Promise: libtorch computes on the threads that the program was given, and starts none of its own.
#![cfg(target_os = "linux")]

use ecode::train::data::{Data, Features, ImageShape, Samples};
use ecode::train::{Config, ModelKind, Trainer, TrainingCode};

/// The parameters of this CNN are as many as libtorch divides among threads where it may.
#[test]
fn libtorch_starts_no_thread_of_its_own() -> Result<(), Box<dyn std::error::Error>> {
    let (mean, deviation) = (vec![0.5], vec![0.25]);
    let shape = ImageShape { channels: 1, height: 28, width: 28, mean, deviation, augment: false };
    let labels: Vec<u16> = (0..40).map(|i| i % 10).collect();
    let pixels = (0..40 * 784).map(|i| (i * 7 % 251) as u8).collect();
    let train = Samples { features: Features::Images { shape, pixels }, labels };
    let data = Data { test: train.clone(), train, classes: 10 };
    let count = || std::fs::read_dir("/proc/self/task").map(Iterator::count);

    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    rayon::broadcast(|_| ());
    let before = count()?;
    let code = TrainingCode::unverified(ecode::construct::cyclic(5, 3)?, None, "cyclic");
    let config = Config { model: ModelKind::Cnn, steps: Some(2), batch: 4, ..Config::default() };
    let mut trainer = Trainer::new(config, code, data)?;
    while !trainer.finished() {
        trainer.advance()?;
    }
    trainer.evaluate()?;
    assert_eq!(count()?, before, "threads of the process");
    Ok(())
}
