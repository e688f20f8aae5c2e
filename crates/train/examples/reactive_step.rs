//! What one step takes, on one thread: the heaviest worker's gradients, signs and digests (or vote), then the server's
//! checks and decode, for the best known vote code and for b + 1 holders. The model is logistic regression with as many
//! parameters as ResNet-18 has, 11.2 million; votes are of that size. Both ways decode the same signs.
//!
//! `cargo run --release -p election-coding-train --example reactive_step`

use std::sync::Mutex;
use std::time::{Duration, Instant};

use ecode_core::{AllocationMatrix, TieRule};
use ecode_design::construct::{Specification, blocks};
use ecode_server::reactive::Header;
use ecode_train::data::{Data, Features, Samples};
use ecode_train::model::{Job, Learner, learner};
use ecode_train::reactive::Plan;
use ecode_train::{Bits, Config, Device, ModelKind, Scheme, VoteEngine};

/// Samples of a partition in a step.
const EACH: usize = 4;

fn data(partitions: usize, width: usize) -> Data {
    let samples = |count: usize| {
        // Numbers without a pattern that a sum could cancel.
        let value = |i: usize| ((i * 2_654_435_761) % 1999) as f32 / 1000.0 - 1.0;
        let values = (0..count * width).map(value).collect();
        Samples {
            features: Features::Dense { width, values },
            labels: (0..count).map(|i| (i % 10) as u16).collect(),
        }
    };
    Data { train: samples(partitions * EACH), test: samples(1), classes: 10 }
}

/// The signs of some partitions, and what they took.
fn signs(
    learner: &mut dyn Learner,
    parameters: &[f32],
    data: &Data,
    partitions: &[usize],
) -> Result<(Vec<Bits>, Duration), Box<dyn std::error::Error>> {
    let order: Vec<u32> = (0..data.train.len() as u32).collect();
    let jobs: Vec<Job<'_>> = partitions
        .iter()
        .map(|&i| Job { samples: &order[i * EACH..(i + 1) * EACH], crops: &[], flip_labels: false })
        .collect();
    let bits: Vec<Mutex<Bits>> = jobs.iter().map(|_| Mutex::default()).collect();
    let start = Instant::now();
    learner.gradients(parameters, &data.train, &jobs, &|place, gradient| {
        if let Ok(mut bits) = bits[place].lock() {
            *bits = Bits::pack_pieces(gradient, false);
        }
    })?;
    let took = start.elapsed();
    Ok((bits.into_iter().filter_map(|bits| bits.into_inner().ok()).collect(), took))
}

fn heaviest(g: &AllocationMatrix) -> usize {
    (0..g.n()).max_by_key(|&j| g.worker_load(j)).unwrap_or(0)
}

fn compare(n: usize, b: usize, width: usize) -> Result<(), Box<dyn std::error::Error>> {
    let code =
        format!("best:n={n},b={b}").parse::<Specification>()?.build(TieRule::Abstain, blocks())?.matrix;
    let config = Config { scheme: Scheme::Reactive, n: Some(n), b: Some(b), ..Config::default() };
    let held = Plan::of_sizes(&config)?.matrix()?;
    let data = data(n, width);
    let mut learner = learner(ModelKind::Logistic, Device::Cpu, &data)?;
    let parameters = learner.initial(0);
    let all: Vec<usize> = (0..n).collect();
    let (messages, _) = signs(&mut *learner, &parameters, &data, &all)?;

    // The vote code: the heaviest worker's gradients and vote, the server's decode of n votes.
    let engine = VoteEngine::new(&code, TieRule::Abstain);
    let busy = heaviest(&code);
    let own: Vec<usize> = code.support(busy).collect();
    let (_, gradients) = signs(&mut *learner, &parameters, &data, &own)?;
    let start = Instant::now();
    let _ = engine.worker_vote(busy, &messages);
    let vote = start.elapsed();
    let votes: Vec<_> = (0..n).map(|j| Some(engine.worker_vote(j, &messages))).collect();
    let d = messages[0].len();
    let start = Instant::now();
    let decoded = engine.decode(d, &votes);
    let server = start.elapsed();
    let voted = gradients + vote + server;

    // Reactive: b + 1 gradients and digests, the server's check of k vectors and their majority.
    let header = Header { run: [0; 32], step: 0, state: [0; 32] };
    let own: Vec<usize> = held.support(heaviest(&held)).collect();
    let (bits, gradients_reactive) = signs(&mut *learner, &parameters, &data, &own)?;
    let start = Instant::now();
    for (&i, bits) in own.iter().zip(&bits) {
        std::hint::black_box(header.digest(i, &bits.to_bytes()));
    }
    let digests = start.elapsed();
    let vectors: Vec<Vec<u8>> = messages.iter().map(Bits::to_bytes).collect();
    let start = Instant::now();
    for (i, vector) in vectors.iter().enumerate() {
        std::hint::black_box(header.digest(i, vector));
    }
    let majority = engine.majority(&messages);
    let server_reactive = start.elapsed();
    let reactive = gradients_reactive + digests + server_reactive;
    assert_eq!(majority, decoded.negative, "the same decode");

    let ms = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e3);
    println!(
        "| {n}, {b} | {:.2}, {} | {} + {} + {} = {} | {:.2}, {} | {} + {} + {} = {} | {:.2} |",
        code.ones() as f64 / n as f64,
        code.worker_load(heaviest(&code)),
        ms(gradients),
        ms(vote),
        ms(server),
        ms(voted),
        held.ones() as f64 / n as f64,
        own.len(),
        ms(gradients_reactive),
        ms(digests),
        ms(server_reactive),
        ms(reactive),
        reactive.as_secs_f64() / voted.as_secs_f64(),
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    println!(
        "| n, b | code: r, load | gradients + vote + server, ms | reactive: r, load | gradients + digests + server, ms | ratio |"
    );
    println!("|---|---|---|---|---|---|");
    for _ in 0..3 {
        for (n, b) in [(9, 2), (31, 3)] {
            one.install(|| compare(n, b, 1_117_394).map_err(|error| error.to_string()))?;
        }
    }
    Ok(())
}
