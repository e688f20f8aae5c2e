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
        let method = Method::Exhaustive;
        let run = || verify(&matrix, None, TieRule::Adversarial, method, &Control::default());
        let Ok(verdict) = run() else { continue };
        group.throughput(Throughput::Elements(u64::try_from(verdict.evaluated()).unwrap_or(u64::MAX)));
        group.bench_function(name, |bencher| bencher.iter(run));
    }
    group.finish();
}

/// The least that any kernel of this kind must do for 512 messages of a dense 31 × 31 matrix: read 31
/// vectors from a table of the engine's size, here folded by one ternary operation for every two.
fn limit(c: &mut Criterion) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        let mut group = c.benchmark_group("limit");
        group.sample_size(10);
        // 31 workers, 9 thresholds, 2^14 patterns: as large as the engine's table for n = 31.
        let (voters, slots, blocks) = (31, 9, 32);
        let table = vec![[1_u64; 8]; voters * slots * blocks];
        group.throughput(Throughput::Elements((512 * blocks * slots) as u64));
        group.bench_function("read-31-vectors", |bencher| {
            bencher.iter(|| {
                let mut sum = 0;
                for slot in 0..slots {
                    // SAFETY: the processor was just found to have AVX-512F; all reads are in the table.
                    sum ^= unsafe { fold(&table, voters, slots, slot, blocks) };
                }
                sum
            });
        });
        group.finish();
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = c;
}

/// # Safety
/// The processor has AVX-512F; `table` has voters · slots · blocks entries, and slot < slots.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn fold(table: &[[u64; 8]], voters: usize, slots: usize, slot: usize, blocks: usize) -> i64 {
    use std::arch::x86_64::{
        _mm512_loadu_si512, _mm512_reduce_add_epi64, _mm512_setzero_si512, _mm512_ternarylogic_epi64,
    };
    const XOR: i32 = 0b1001_0110;
    let mut total = 0;
    for block in 0..blocks {
        let mut sum = _mm512_setzero_si512();
        for pair in 0..voters / 2 {
            let at = |voter: usize| (voter * slots + (slot + voter) % slots) * blocks + block;
            // SAFETY: voter < voters and block < blocks, so both places are in the table.
            let (a, b) = unsafe {
                (
                    _mm512_loadu_si512(table.as_ptr().add(at(2 * pair)).cast()),
                    _mm512_loadu_si512(table.as_ptr().add(at(2 * pair + 1)).cast()),
                )
            };
            sum = _mm512_ternarylogic_epi64::<XOR>(sum, a, b);
        }
        total += _mm512_reduce_add_epi64(sum);
    }
    total
}

criterion_group!(benches, exhaustive, limit);
criterion_main!(benches);
