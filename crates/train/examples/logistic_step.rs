//! What a gradient of logistic regression takes on one thread, beside the way before, which converted every pixel twice:
//! `cargo run -p election-coding-train --example logistic_step [mnist:DIR]`. Without data: made-up images of
//! which a fifth of the pixels is not black, as in MNIST. Both give the same bits.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example prints its figures, and may panic")]

use std::time::Instant;

use ecode_train::data::{Crop, Data, DataSource, Features, ImageShape, Samples};
use ecode_train::model::{Job, Learner as _, Logistic};

const CLASSES: usize = 10;

/// Images of 28 × 28.
fn made_up() -> Data {
    let shape = ImageShape {
        channels: 1,
        height: 28,
        width: 28,
        mean: vec![0.0],
        deviation: vec![1.0],
        augment: false,
    };
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let mut pixel = || if next() % 5 == 0 { (next() >> 8) as u8 } else { 0 };
    let pixels = (0..8000 * 784).map(|_| pixel()).collect();
    let labels = (0..8000).map(|i| (i % CLASSES) as u16).collect();
    let train = Samples { features: Features::Images { shape, pixels }, labels };
    Data { test: train.clone(), train, classes: CLASSES }
}

/// The way before: a row of numbers for the pass forward, and another for the pass back.
fn before(parameters: &[f32], data: &Samples, samples: &[u32], gradient: &mut [f32]) {
    let width = data.width();
    let mut row = vec![0.0; width];
    let mut logits = [0.0_f32; CLASSES];
    let visit = |sample: usize, row: &mut [f32], each: &mut dyn FnMut(usize, f32)| {
        data.write_row(sample, Crop::default(), row);
        for (index, &value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            each(index, value);
        }
        each(width, 1.0);
    };
    for &sample in samples {
        let sample = sample as usize;
        logits.fill(0.0);
        visit(sample, &mut row, &mut |index, value| {
            let weights = &parameters[index * CLASSES..(index + 1) * CLASSES];
            logits.iter_mut().zip(weights).for_each(|(logit, weight)| *logit += value * weight);
        });
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0_f32;
        for logit in &mut logits {
            *logit = (*logit - largest).exp();
            sum += *logit;
        }
        logits.iter_mut().for_each(|logit| *logit /= sum);
        logits[usize::from(data.labels[sample])] -= 1.0;
        visit(sample, &mut row, &mut |index, value| {
            let slopes = &mut gradient[index * CLASSES..(index + 1) * CLASSES];
            slopes.iter_mut().zip(&logits).for_each(|(slope, derivative)| *slope += value * derivative);
        });
    }
    let scale = 1.0 / samples.len() as f32;
    gradient.iter_mut().for_each(|slope| *slope *= scale);
}

fn main() {
    let data = std::env::args()
        .nth(1)
        .map_or_else(made_up, |spec| spec.parse::<DataSource>().unwrap().load().unwrap());
    let mut model = Logistic::new(&data);
    let parameters: Vec<f32> =
        (0..model.dimension()).map(|i| ((i * 37) % 101) as f32 / 500.0 - 0.1).collect();
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    for batch in [8, 32, 128] {
        let samples: Vec<u32> = (0..batch).map(|i| (i * 61 % data.train.len()) as u32).collect();
        let (mut old, mut new) = (Vec::new(), Vec::new());
        let (mut one, mut other) = (f64::INFINITY, f64::INFINITY);
        // In turns, the least of each: what else runs on the machine only adds.
        for _ in 0..400 {
            let start = Instant::now();
            let mut gradient = vec![0.0; model.dimension()];
            before(&parameters, &data.train, &samples, &mut gradient);
            one = one.min(start.elapsed().as_secs_f64());
            old = gradient;
            let start = Instant::now();
            let job = Job { samples: &samples, crops: &[], flip_labels: false };
            let taken = std::sync::Mutex::new(Vec::new());
            let take = |_: usize, gradient: &mut [&mut [f32]]| *taken.lock().unwrap() = gradient.concat();
            model.gradients(&parameters, &data.train, &[job], &take).unwrap();
            other = other.min(start.elapsed().as_secs_f64());
            new = taken.into_inner().unwrap();
        }
        assert!(old.iter().map(|value| value.to_bits()).eq(new.iter().map(|value| value.to_bits())));
        let ratio = one / other;
        println!(
            "{batch:>4} samples: before {:>7.1} µs, now {:>7.1} µs: {ratio:.1} times faster",
            1e6 * one,
            1e6 * other
        );
    }
}
