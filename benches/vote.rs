//! A round of votes on ResNet-18's 11,173,962 coordinates, fifteen workers of three partitions each, beside
//! the time that reading its input from memory takes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecode::code::TieRule;
use ecode::construct::{algorithm1, cyclic};
use ecode::train::{Bits, Conduct, VoteEngine};
use rayon::prelude::*;

const D: usize = 11_173_962;

fn messages(k: usize) -> Vec<Bits> {
    (0..k as u64)
        .map(|p| {
            let mut state = p + 1;
            Bits::from_fn(D, |_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 63 == 1
            })
        })
        .collect()
}

fn vote(c: &mut Criterion) {
    let mut group = c.benchmark_group("vote");
    group.sample_size(20);
    let messages = messages(15);
    let bytes: usize = messages.iter().map(|message| 8 * message.words().len()).sum();
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("read-the-messages", |bencher| {
        bencher.iter(|| {
            let sums = messages.iter().map(|message| {
                message
                    .words()
                    .par_chunks(1 << 14)
                    .map(|words| words.iter().fold(0, |a, b| a ^ b))
                    .reduce(|| 0, |a, b| a ^ b)
            });
            black_box(sums.fold(0, |a, b| a ^ b))
        });
    });
    let mut liars = [Conduct::Honest; 15];
    liars[..3].fill(Conduct::Reverse);
    for (name, matrix) in [("cyclic-15-r3", cyclic(15, 3)), ("algorithm1-15-3", algorithm1(15, 3))] {
        let Ok(matrix) = matrix else { continue };
        let engine = VoteEngine::new(&matrix, TieRule::Abstain);
        group.bench_function(name, |bencher| bencher.iter(|| engine.round(&messages, &liars)));
    }
    group.finish();
}

fn pack(c: &mut Criterion) {
    let mut group = c.benchmark_group("pack");
    group.sample_size(20);
    let gradient: Vec<f32> = (0..D).map(|i| (i.wrapping_mul(2_654_435_761) % 2001) as f32 - 1000.0).collect();
    group.throughput(Throughput::Bytes(4 * D as u64));
    group.bench_function("read-the-gradient", |bencher| {
        bencher.iter(|| {
            let bits = |part: &[f32]| part.iter().fold(0, |a, b| a ^ b.to_bits());
            black_box(gradient.par_chunks(1 << 16).map(bits).reduce(|| 0, |a, b| a ^ b))
        });
    });
    let mut bits = Bits::zeros(D);
    group.bench_function("signs", |bencher| bencher.iter(|| bits.repack(black_box(&gradient), false)));
    group.finish();
}

criterion_group!(benches, vote, pack);
criterion_main!(benches);
