//! What a deployment asks of a code beside tolerance: its sizes, how much one worker can hold, and what is
//! to be small.

use super::{Best, Block, ConstructError, Kind, Made, best_with, full, parameter, uncoded};
use ecode_core::{AllocationMatrix, MAX_SIZE, TieRule};

/// What is to be as small as possible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objective {
    /// The number of ones: the work of all workers together.
    #[default]
    Ones,
    /// The load of the heaviest worker: the time of a step in which all wait for each other.
    MaxLoad,
    /// The load of the heaviest worker, and among equals the number of ones.
    Lexicographic,
}

/// A code that is asked for: n workers, k partitions, tolerant of b Byzantine workers, no load above
/// `max_load`.
///
/// ```
/// use ecode_design::construct::{Demand, best_for, blocks};
/// // Three workers for each of five partitions outvote one liar, and nobody holds more than one partition.
/// let demand = Demand { k: 5, max_load: 1, ..Demand::square(15, 1) };
/// let code = best_for(&demand, blocks())?.ok_or("none known")?;
/// assert_eq!(code.matrix.ones(), 15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Workers.
    pub n: usize,
    /// Data partitions.
    pub k: usize,
    /// Byzantine workers.
    pub b: usize,
    /// What a worker does whose own vote ties.
    pub ties: TieRule,
    /// The most partitions that a worker can hold; k or more is no limit.
    pub max_load: usize,
    /// What is to be small.
    pub objective: Objective,
}

impl Demand {
    /// As many partitions as workers, the default tie rule, and the fewest ones: what [`super::best`] answers.
    #[must_use]
    pub fn square(n: usize, b: usize) -> Self {
        Self { n, k: n, b, ties: TieRule::Adversarial, max_load: n, objective: Objective::Ones }
    }

    /// Whether a limit is set on the loads.
    #[must_use]
    pub fn limited(&self) -> bool {
        self.max_load < self.k
    }

    /// The load of the heaviest worker.
    #[must_use]
    pub fn heaviest(g: &AllocationMatrix) -> usize {
        (0..g.n()).map(|j| g.worker_load(j)).max().unwrap_or(0)
    }

    /// Whether the sizes and the loads are those asked for. Says nothing about tolerance.
    #[must_use]
    pub fn fits(&self, g: &AllocationMatrix) -> bool {
        (g.n(), g.k()) == (self.n, self.k) && Self::heaviest(g) <= self.max_load
    }

    /// Of two codes the one with the smaller price is better.
    #[must_use]
    pub fn price(&self, g: &AllocationMatrix) -> (usize, usize) {
        match self.objective {
            Objective::Ones => (g.ones(), 0),
            Objective::MaxLoad => (Self::heaviest(g), 0),
            Objective::Lexicographic => (Self::heaviest(g), g.ones()),
        }
    }

    /// The sizes, or what is wrong with them.
    ///
    /// # Errors
    /// When a size is 0 or above 4096, or b > (n − 1)/2, which no code tolerates.
    pub fn check(&self) -> Result<(), ConstructError> {
        let Self { n, k, b, max_load, .. } = *self;
        if !(1..=MAX_SIZE).contains(&n) || !(1..=MAX_SIZE).contains(&k) {
            return parameter(format!("a code has 1 to {MAX_SIZE} workers and partitions, not {n} and {k}"));
        }
        if max_load == 0 {
            return parameter("a worker holds at least one partition".to_owned());
        }
        if b > (n - 1) / 2 {
            let most = (n - 1) / 2;
            return parameter(format!("no code tolerates b = {b} of n = {n} workers: b is at most {most}"));
        }
        Ok(())
    }
}

/// The best code for the demand among all that is known: listed codes of these sizes, for an even k full rows
/// (under `zero`) or every worker its own partition (for b = 0), for an odd k a code with as many workers as partitions, resized. `None` where none keeps the limit.
///
/// **Resizing** (docs/theory/lighter.md): of a code for k workers and k partitions only the number of
/// rows that a message of weight v = (k − 1)/2 can win matters. With (n − 1)/2 − b rounded down = m·v + B and B ≤ v, take every
/// partition alone m times, and beside them the code for (k, v − B), its full rows left out or repeated
/// until there are n.
///
/// # Errors
/// Those of [`Demand::check`].
pub fn best_for(demand: &Demand, blocks: &[Block]) -> Result<Option<Best>, ConstructError> {
    demand.check()?;
    let Demand { n, k, b, .. } = *demand;
    let mut codes = Vec::new();
    if k % 2 == 1 {
        codes.push(if n == k { best_with(n, b, blocks)? } else { resized(n, k, b, blocks)? });
    } else if n == k && b == 0 {
        codes.push(Best { matrix: uncoded(n)?, b, made: Made::Uncoded });
    } else if demand.ties == TieRule::Zero {
        codes.push(Best { matrix: full(n, k)?, b, made: Made::Full });
    }
    let listed = blocks
        .iter()
        .filter(|block| block.kind == Kind::Code && (block.workers, block.points, block.b) == (n, k, b))
        .filter_map(|block| {
            Some(Best { matrix: block.code().ok()?, b, made: Made::Listed(block.found.clone()) })
        });
    codes.extend(listed);
    codes.retain(|code| demand.fits(&code.matrix));
    Ok(codes.into_iter().min_by_key(|code| demand.price(&code.matrix)))
}

fn resized(n: usize, k: usize, b: usize, blocks: &[Block]) -> Result<Best, ConstructError> {
    let (budget, v) = ((n - 1) / 2 - b, (k - 1) / 2);
    if v == 0 {
        return Ok(Best { matrix: full(n, k)?, b, made: Made::Full });
    }
    let copies = budget / v;
    let inner = best_with(k, v - (budget - copies * v), blocks)?;
    let mut rows: Vec<Vec<usize>> = (0..copies * k).map(|j| vec![j % k]).collect();
    let mut more: Vec<Vec<usize>> =
        (0..k).map(|j| inner.matrix.support(j).collect()).filter(|row: &Vec<usize>| row.len() < k).collect();
    more.sort_by_key(Vec::len);
    rows.extend(more);
    rows.resize(n, (0..k).collect());
    Ok(Best { matrix: AllocationMatrix::from_supports(k, &rows)?, b, made: Made::Resized { copies } })
}
