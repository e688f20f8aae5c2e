//! Throughput of the exhaustive engine, in messages per second.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecode::code::TieRule;
use ecode::construct::{Bernoulli, algorithm1, bernoulli};
use ecode::verify::{Control, Method, verify};

fn exhaustive(c: &mut Criterion) {
    let mut group = c.benchmark_group("exhaustive");
    group.sample_size(10);
    let dense =
        |n| bernoulli(Bernoulli { n, k: n, p: 0.5, seed: 1, draw: 0, redraw_empty: false, odd_rows: true });
    for (name, matrix) in [
        ("dense-21", dense(21)),
        ("dense-25", dense(25)),
        ("dense-31", dense(31)),
        ("algorithm1-25-2", algorithm1(25, 2)),
    ] {
        let Ok(matrix) = matrix else { continue };
        let method = Method::Named("exhaustive".to_owned());
        let run = || verify(&matrix, None, TieRule::Adversarial, &method, &Control::default());
        let Ok(verdict) = run() else { continue };
        group.throughput(Throughput::Elements(u64::try_from(verdict.evaluated).unwrap_or(u64::MAX)));
        group.bench_function(name, |bencher| bencher.iter(run));
    }
    group.finish();
}

criterion_group!(benches, exhaustive);
criterion_main!(benches);
