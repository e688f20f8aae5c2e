//! How fast the counting kernel is with each set of instructions, beside the reading of its table alone:
//! `cargo run --release -p election-coding-lanes --example speed`. One thread, dense 31 × 31.
#![allow(clippy::print_stdout, reason = "an example prints its figures")]

use std::hint::black_box;
use std::time::Instant;

use ecode_lanes::{Best, Counter, Instructions, Lanes};

/// 31 workers, 9 thresholds, 2^14 patterns: as large as the engine's table for n = 31.
const VOTERS: usize = 31;
const SLOTS: usize = 9;
const BLOCKS: usize = 32;
/// Blocks of a row: groups of patterns end in part-filled blocks, so it is no power of two.
const STRIDE: usize = 37;
const ROUNDS: usize = 180;

fn main() {
    let mut state = 1_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    // The first row is the padding's zeros.
    let mut table = vec![Lanes::ZERO; STRIDE];
    table.extend((0..VOTERS * SLOTS * STRIDE).map(|_| Lanes(std::array::from_fn(|_| random()))));
    let (counter, order) = Counter::new(&[1; VOTERS]);
    let starts = |round: usize| -> Vec<u32> {
        let start = |voter: usize| ((1 + voter * SLOTS + (round + voter) % SLOTS) * STRIDE) as u32;
        order.iter().map(|voter| voter.map_or(0, start)).collect()
    };
    let rounds: Vec<Vec<u32>> = (0..SLOTS).map(starts).collect();
    let messages = (ROUNDS * BLOCKS * Lanes::COUNT) as f64;
    let best_of = |run: &dyn Fn()| {
        let time = |()| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        };
        (0..400).map(|_| time(())).fold(f64::INFINITY, f64::min)
    };
    for instructions in Instructions::ALL.into_iter().rev().filter(|set| set.here()) {
        let seconds = best_of(&|| {
            // Nothing beats what is known, as nearly always.
            let mut best = Best { loss: VOTERS as i64, place: (0, 0) };
            for round in 0..ROUNDS {
                black_box(counter.scan_by(instructions, &table, &rounds[round % SLOTS], BLOCKS, &mut best));
            }
        });
        let reading = best_of(&|| {
            for round in 0..ROUNDS {
                black_box(read(instructions, &table, &rounds[round % SLOTS]));
            }
        });
        let [counted, read] = [seconds, reading].map(|seconds| messages / seconds / 1e9);
        println!("{instructions:?}: {counted:.2}e9 messages/s, reading alone {read:.2}e9");
    }
}

/// Reads every row once, by registers of these instructions, and folds what it reads.
fn read(instructions: Instructions, table: &[Lanes], starts: &[u32]) -> u64 {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has AVX-512F: only what is here is asked for.
        Instructions::Avx512 => unsafe { read_avx512(table, starts) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the same of AVX2.
        Instructions::Avx2 => unsafe { read_avx2(table, starts) },
        _ => fold(table, starts),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn read_avx512(table: &[Lanes], starts: &[u32]) -> u64 {
    fold(table, starts)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn read_avx2(table: &[Lanes], starts: &[u32]) -> u64 {
    fold(table, starts)
}

#[inline(always)]
fn fold(table: &[Lanes], starts: &[u32]) -> u64 {
    let mut sum = Lanes::ZERO;
    for block in 0..BLOCKS {
        for &start in starts {
            sum = sum.map2(table[start as usize + block], |a, b| a ^ b);
        }
    }
    sum.0.iter().fold(0, |all, word| all ^ word)
}
