//! The paper's Bernoulli codes: every entry is 1 with probability p, independently.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use serde_json::json;

use super::construction::{CLAIM, Construction, PARTITIONS, WORKERS};
use super::error::{ConstructError, refuse};
use super::parameter::{Domain, Fallback, Parameter};
use ecode_core::{AllocationMatrix, MAX_SIZE};

const ANY: Domain = Domain::Whole { least: 0, most: u64::MAX };
const OFF: Fallback = Fallback::Value("false");

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "bernoulli",
    summary: "Every entry is 1 with probability p, independently",
    source: "Sohn, Han, Choi and Moon, NeurIPS 2020, section 3.1",
    parameters: &[
        WORKERS,
        CLAIM,
        PARTITIONS,
        Parameter::new("p", Domain::Positive { most: 1.0 }, "the probability of a one")
            .or(Fallback::Derived("mean-redundancy/k")),
        Parameter {
            short: Some("r"),
            ..Parameter::new(
                "mean-redundancy",
                Domain::Positive { most: MAX_SIZE as f64 },
                "mean partitions per worker, p = mean-redundancy/k",
            )
        }
        .or(Fallback::Derived("p says it")),
        Parameter::new("seed", ANY, "the random seed").or(Fallback::Value("0")),
        Parameter::new("draw", ANY, "which draw under this seed").or(Fallback::Value("0")),
        Parameter::new("redraw-empty", Domain::Switch, "draw an empty row again").or(OFF),
        Parameter::new("odd-rows", Domain::Switch, "flip one entry of every row of even weight").or(OFF),
    ],
    example: "n=9,b=2,mean-redundancy=2.5,seed=3",
    build: |arguments, _, _| {
        let (n, k) = (arguments.needed("n")?, arguments.partitions()?);
        let p = match (arguments.real("p"), arguments.real("mean-redundancy")) {
            (Some(p), None) => p,
            (None, Some(r)) => r / k as f64,
            _ => {
                return refuse(
                    "bernoulli needs either p or mean-redundancy (p = mean-redundancy/k)".to_owned(),
                );
            }
        };
        let how = Bernoulli {
            n,
            k,
            p,
            seed: arguments.seed("seed"),
            draw: arguments.seed("draw"),
            redraw_empty: arguments.switch("redraw-empty"),
            odd_rows: arguments.switch("odd-rows"),
        };
        let made = arguments.provenance(&[
            ("n", json!(n)),
            ("k", json!(k)),
            ("p", json!(p)),
            ("seed", json!(how.seed)),
            ("draw", json!(how.draw)),
            ("redraw-empty", json!(how.redraw_empty)),
            ("odd-rows", json!(how.odd_rows)),
        ]);
        Ok((bernoulli(how)?, made))
    },
};

/// How a Bernoulli code is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bernoulli {
    /// Workers.
    pub n: usize,
    /// Partitions.
    pub k: usize,
    /// The probability of a one, in (0, 1].
    pub p: f64,
    /// Which draw: the same seed and draw give the same matrix on every machine.
    pub seed: u64,
    /// The number of the draw under this seed, from 0.
    pub draw: u64,
    /// Draw an empty row again until it holds a partition.
    pub redraw_empty: bool,
    /// Flip one random entry of every row of even weight.
    pub odd_rows: bool,
}

/// Draws a Bernoulli code (the paper's section 3.1; ChaCha8 stream `draw` of key `seed`).
///
/// # Errors
/// When p is not in (0, 1], or n or k is no size of a matrix.
///
/// # References
/// - J. Sohn, D.-J. Han, B. Choi and J. Moon: Election coding for distributed learning: protecting SignSGD against
///   Byzantine attacks. NeurIPS 2020, section 3.1.
pub fn bernoulli(how: Bernoulli) -> Result<AllocationMatrix, ConstructError> {
    let Bernoulli { n, k, p, .. } = how;
    if !(p > 0.0 && p <= 1.0) {
        return refuse(format!("the probability of a one must be above 0 and at most 1, but p = {p}"));
    }
    // Sizes are checked before memory is asked for.
    AllocationMatrix::from_fn(n, 1, |_, _| false)?;
    AllocationMatrix::from_fn(1, k, |_, _| false)?;
    let mut random = ChaCha8Rng::seed_from_u64(how.seed);
    random.set_stream(how.draw);
    // A uniform 53-bit fraction below p: exact for p = 1.
    let mut one = || ((random.next_u64() >> 11) as f64) < p * (1_u64 << 53) as f64;
    let mut rows: Vec<Vec<bool>> = Vec::with_capacity(n);
    for _ in 0..n {
        let mut row: Vec<bool> = (0..k).map(|_| one()).collect();
        while how.redraw_empty && !row.contains(&true) {
            row = (0..k).map(|_| one()).collect();
        }
        rows.push(row);
    }
    if how.odd_rows {
        for row in &mut rows {
            if row.iter().filter(|&&held| held).count() % 2 == 0 {
                let place = ((u128::from(random.next_u64()) * k as u128) >> 64) as usize;
                row[place] = !row[place];
            }
        }
    }
    Ok(AllocationMatrix::from_rows(&rows)?)
}
