//! How fast rounds of votes are on one thread, beside the reading of their input alone:
//! `cargo run --release -p election-coding-train --example votes [REPEATS]`. ResNet-18's 11,173,962 coordinates.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example prints its figures, and may panic")]

use std::hint::black_box;
use std::time::Instant;

use ecode_core::{AllocationMatrix, TieRule};
use ecode_design::construct::{algorithm1, cyclic};
use ecode_train::{Bits, Conduct, Instructions, Vote, VoteEngine};

const D: usize = 11_173_962;

fn messages(k: usize) -> Vec<Bits> {
    let message = |p: u64| {
        let mut state = p + 1;
        Bits::from_fn(D, |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 63 == 1
        })
    };
    (0..k as u64).map(message).collect()
}

/// Folds all words, by wide registers where there are some.
fn read(messages: &[Bits]) -> u64 {
    fn fold(messages: &[Bits]) -> u64 {
        let mut sums = [0_u64; 32];
        for message in messages {
            for words in message.words().as_chunks::<32>().0 {
                for (sum, word) in sums.iter_mut().zip(words) {
                    *sum ^= word;
                }
            }
        }
        sums.iter().fold(0, |all, word| all ^ word)
    }
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide(messages: &[Bits]) -> u64 {
            fold(messages)
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor was just found to have AVX2.
            return unsafe { wide(messages) };
        }
    }
    fold(messages)
}

fn main() {
    let repeats = std::env::args().nth(1).map_or(20, |word| word.parse().unwrap());
    // The least of all: what else runs on the machine only adds.
    let least = |run: &mut dyn FnMut()| {
        let time = |run: &mut dyn FnMut()| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        };
        (0..repeats).map(|_| time(run)).fold(f64::INFINITY, f64::min)
    };
    let codes: [(&str, AllocationMatrix); 4] = [
        ("cyclic (15), load 3", cyclic(15, 3).unwrap()),
        ("Algorithm 1 (15,3)", algorithm1(15, 3).unwrap()),
        ("cyclic (31), load 15", cyclic(31, 15).unwrap()),
        ("Algorithm 1 (51,5)", algorithm1(51, 5).unwrap()),
    ];
    println!("| code | reading, ms | round | by AVX2 | portable | one full worker's vote | decode |");
    println!("|---|---|---|---|---|---|---|");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        for (name, matrix) in codes {
            let messages = messages(matrix.k());
            let engine = VoteEngine::new(&matrix, TieRule::Abstain);
            let mut liars = vec![Conduct::Honest; matrix.n()];
            liars[..3].fill(Conduct::Reverse);
            let heaviest = (0..matrix.n()).max_by_key(|&j| matrix.worker_load(j)).unwrap();
            let reading = least(&mut || {
                black_box(read(&messages));
            });
            let round = least(&mut || {
                black_box(engine.round(&messages, &liars));
            });
            let narrow = [Instructions::Avx2, Instructions::Portable].map(|instructions| {
                if !instructions.here() {
                    return f64::NAN;
                }
                least(&mut || {
                    black_box(engine.round_with(instructions, &messages, &liars));
                })
            });
            let vote = least(&mut || {
                black_box(engine.worker_vote(heaviest, &messages));
            });
            let votes: Vec<Option<Vote>> =
                (0..matrix.n()).map(|j| Some(engine.worker_vote(j, &messages))).collect();
            let decode = least(&mut || {
                black_box(engine.decode(D, &votes));
            });
            println!(
                "| {name} | {reading:.2} | {round:.2} ({:.1}) | {:.2} | {:.2} | {vote:.2} | {decode:.2} |",
                round / reading,
                narrow[0],
                narrow[1]
            );
        }
    });
}
