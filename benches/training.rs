//! What a step of ResNet-18 costs beyond its gradients: signs, votes, attacks, decode and the server's step.
//!
//! Everything in one run: a step's time, less the time in which libtorch computes, which a learner around the network
//! measures. `cargo bench --features tch --bench training`, on a machine that does nothing else.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ecode::code::AllocationMatrix;
use ecode::construct::{algorithm1, cyclic};
use ecode::train::data::{Data, Features, ImageShape, Samples};
use ecode::train::model::{Computed, Evaluation, Job, Learner, ModelError, Network, Take};
use ecode::train::{Config, Device, ModelKind, Trainer, TrainingCode};

const STEPS: u64 = 4;

/// Nanoseconds in a network's gradients, and in what is done with them meanwhile on all threads.
#[derive(Default)]
struct Clock {
    gradients: AtomicU64,
    taking: AtomicU64,
}

struct Timed {
    network: Network,
    clock: Arc<Clock>,
}

fn nanoseconds(start: Instant) -> u64 {
    start.elapsed().as_nanos() as u64
}

impl Learner for Timed {
    fn name(&self) -> &'static str {
        self.network.name()
    }

    fn dimension(&self) -> usize {
        self.network.dimension()
    }

    fn initial(&self, seed: u64) -> Vec<f32> {
        self.network.initial(seed)
    }

    fn gradients(
        &mut self,
        parameters: &[f32],
        train: &Samples,
        jobs: &[Job<'_>],
        take: Take<'_>,
    ) -> Result<Vec<Computed>, ModelError> {
        let start = Instant::now();
        let clock = Arc::clone(&self.clock);
        let timed = |place: usize, pieces: &mut [&mut [f32]]| {
            let start = Instant::now();
            take(place, pieces);
            clock.taking.fetch_add(nanoseconds(start), Ordering::Relaxed);
        };
        let losses = self.network.gradients(parameters, train, jobs, &timed);
        self.clock.gradients.fetch_add(nanoseconds(start), Ordering::Relaxed);
        losses
    }

    fn evaluate(&mut self, parameters: &[f32], test: &Samples) -> Result<Evaluation, ModelError> {
        self.network.evaluate(parameters, test)
    }
}

fn images(count: usize) -> Data {
    let shape = ImageShape {
        channels: 3,
        height: 32,
        width: 32,
        mean: vec![0.5; 3],
        deviation: vec![0.25; 3],
        augment: true,
    };
    let samples = |count: usize| Samples {
        labels: (0..count).map(|i| (i % 10) as u16).collect(),
        features: Features::Images {
            shape: shape.clone(),
            pixels: (0..count as u64 * 3072).map(|i| (i.wrapping_mul(0x9E37_79B9) >> 13) as u8).collect(),
        },
    };
    Data { train: samples(count), test: samples(10), classes: 10 }
}

/// Seconds of a step, and of what in it is not libtorch's.
fn measure(matrix: AllocationMatrix, liars: usize, batch: usize) -> (f64, f64) {
    let data = images(matrix.k() * batch);
    let clock = Arc::new(Clock::default());
    let network = Network::new(ModelKind::Resnet18, Device::Cpu, &data).unwrap();
    let config = Config { batch, steps: Some(STEPS + 1), byzantine: Some(liars), ..Config::default() };
    let code = TrainingCode::unverified(matrix, None, "benchmark");
    let learner = Box::new(Timed { network, clock: Arc::clone(&clock) });
    let mut trainer = Trainer::with_learner(config, code, data, learner).unwrap();
    trainer.advance().unwrap();
    clock.gradients.store(0, Ordering::Relaxed);
    clock.taking.store(0, Ordering::Relaxed);
    let start = Instant::now();
    for _ in 0..STEPS {
        trainer.advance().unwrap();
    }
    let (whole, threads) = (nanoseconds(start) as f64, rayon::current_num_threads() as f64);
    let taking = clock.taking.load(Ordering::Relaxed) as f64 / threads;
    let gradients = clock.gradients.load(Ordering::Relaxed) as f64 - taking;
    let step = 1e-9 / STEPS as f64;
    (whole * step, (whole - gradients) * step)
}

fn main() {
    println!("{} threads", rayon::current_num_threads());
    println!("| matrix | B | a step | beyond the gradients | share |\n|---|---|---|---|---|");
    let cases = [
        ("Algorithm 1 (5,1)", algorithm1(5, 1).unwrap(), 1, 24),
        ("cyclic 9, r = 3", cyclic(9, 3).unwrap(), 2, 14),
        ("Algorithm 1 (9,2)", algorithm1(9, 2).unwrap(), 2, 14),
        ("cyclic 15, r = 3", cyclic(15, 3).unwrap(), 3, 16),
    ];
    for (name, matrix, liars, batch) in cases {
        let (step, beyond) = measure(matrix, liars, batch);
        println!(
            "| {name} | {batch} | {step:.2} s | {:.0} ms | {:.1} % |",
            1e3 * beyond,
            100.0 * beyond / step
        );
    }
}
