//! What is worked out of packed signs, strip by strip: which rows of scratch memory come from which.
//!
//! # How
//! A strip is as many blocks of 512 coordinates as fit the first cache for all rows together. The inputs are copied to
//! the first rows; every step then makes a row of earlier ones; the results are copied out. So the inputs are read from
//! memory once, however many workers vote over them.

use ecode_lanes::{Instructions, Lanes, Threshold, differing};
use rayon::prelude::*;

use crate::bits::{BLOCK, Bits};

/// Blocks that one task takes, rounded to whole strips: 65,536 coordinates, small enough for the cache beside the others.
const TASK: usize = 128;

/// Blocks of scratch memory that the rows of a strip take together, unless there are many rows: 32 KiB.
const SCRATCH: usize = 512;

/// A row of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row(usize);

/// How a row comes from earlier ones.
enum Step {
    /// Where so many of these rows are set, those of the second list counted twice; the next row is where one is missing.
    Sum { ones: Vec<Row>, twos: Vec<Row>, threshold: usize, below: bool },
    /// Ones.
    Ones,
    /// The opposite of a row.
    Not(Row),
    /// The first, and the second where the third is not.
    OrAndNot(Row, Row, Row),
    /// The first where the second is not.
    AndNot(Row, Row),
}

/// Rows, each an input or the result of a step on earlier rows.
#[derive(Default)]
pub(super) struct Plan<'a> {
    inputs: Vec<&'a Bits>,
    steps: Vec<(Row, Step)>,
    rows: usize,
}

/// A row twice: the bits, and where there are none because two sides are equal.
pub(super) type Decided = (Row, Option<Row>);

impl<'a> Plan<'a> {
    /// A row that is read from memory. All inputs come before the first step.
    pub(super) fn input(&mut self, bits: &'a Bits) -> Row {
        assert!(self.steps.is_empty(), "inputs come first");
        self.inputs.push(bits);
        self.next(1)
    }

    /// These, in order.
    pub(super) fn inputs(&mut self, all: impl IntoIterator<Item = &'a Bits>) -> Vec<Row> {
        all.into_iter().map(|bits| self.input(bits)).collect()
    }

    fn next(&mut self, count: usize) -> Row {
        self.rows += count;
        Row(self.rows - count)
    }

    fn step(&mut self, step: Step) -> Row {
        let row = self.next(1);
        self.steps.push((row, step));
        row
    }

    /// Ones everywhere.
    pub(super) fn ones(&mut self) -> Row {
        self.step(Step::Ones)
    }

    /// The opposite of a row.
    pub(super) fn not(&mut self, row: Row) -> Row {
        self.step(Step::Not(row))
    }

    /// `a`, and where `b` is, the opposite of `c`. `a` and `b` are nowhere both.
    pub(super) fn or_and_not(&mut self, a: Row, b: Row, c: Row) -> Row {
        self.step(Step::OrAndNot(a, b, c))
    }

    /// `a` where `b` is not.
    pub(super) fn and_not(&mut self, a: Row, b: Row) -> Row {
        self.step(Step::AndNot(a, b))
    }

    /// Where at least `threshold` of these rows are set, `twos` counted twice, and, if asked for, where it is one less.
    pub(super) fn sum(&mut self, ones: Vec<Row>, twos: Vec<Row>, threshold: usize, below: bool) -> Decided {
        if let ([row], [], 1, false) = (&ones[..], &twos[..], threshold, below) {
            return (*row, None);
        }
        let row = self.next(1 + usize::from(below));
        self.steps.push((row, Step::Sum { ones, twos, threshold, below }));
        (row, below.then_some(Row(row.0 + 1)))
    }

    /// A majority of rows, and where they tie, when their number is even.
    pub(super) fn majority(&mut self, rows: &[Row]) -> Decided {
        self.sum(rows.to_vec(), Vec::new(), rows.len() / 2 + 1, rows.len() % 2 == 0)
    }

    /// Carries it out on d coordinates: the bits of `first`, those of `second`, and on how many coordinates `first`
    /// differs from `truth`.
    ///
    /// # Panics
    /// When an input has not d coordinates.
    pub(super) fn run(
        &self,
        instructions: Instructions,
        d: usize,
        (first, second): Decided,
        truth: Option<Row>,
    ) -> (Bits, Option<Bits>, u64) {
        assert!(self.inputs.iter().all(|input| input.len() == d), "d coordinates each");
        let blocks = (SCRATCH / self.rows.max(1)).clamp(4, 32);
        let strip = Strip { blocks, instructions, steps: self.made(blocks) };
        let (mut negative, mut tied) = (Bits::zeros(d), Bits::zeros(d));
        // Whole strips, so that no task but the last ends within one.
        let task = BLOCK * blocks * (TASK / blocks);
        let tasks = negative.words_mut().par_chunks_mut(task).zip(tied.words_mut().par_chunks_mut(task));
        let wrong = tasks
            .enumerate()
            .map_init(
                || vec![Lanes::ZERO; self.rows * blocks],
                |scratch, (number, (negative, tied))| {
                    let mut wrong = 0;
                    let mut at = number * task;
                    let strips = negative.chunks_mut(BLOCK * blocks).zip(tied.chunks_mut(BLOCK * blocks));
                    for (negative, tied) in strips {
                        let count = negative.len() / BLOCK;
                        for (input, row) in self.inputs.iter().zip(scratch.chunks_mut(blocks)) {
                            let words = &input.words()[at..at + negative.len()];
                            Lanes::words_mut(&mut row[..count]).copy_from_slice(words);
                        }
                        strip.make(scratch, count);
                        let row = |row: Row| &scratch[row.0 * blocks..row.0 * blocks + count];
                        negative.copy_from_slice(Lanes::words(row(first)));
                        if let Some(second) = second {
                            tied.copy_from_slice(Lanes::words(row(second)));
                        }
                        if let Some(truth) = truth {
                            wrong += differing(instructions, row(first), row(truth));
                            // What lies beyond the last coordinate was counted with the rest.
                            let real = d.saturating_sub(64 * at);
                            wrong -= beyond(row(first), row(truth), real);
                        }
                        at += negative.len();
                    }
                    wrong
                },
            )
            .sum();
        negative.clear_padding();
        tied.clear_padding();
        (negative, second.map(|_| tied), wrong)
    }

    /// The steps with the places of their rows in scratch memory.
    fn made(&self, blocks: usize) -> Vec<(usize, Made)> {
        let place = |row: &Row| (row.0 * blocks) as u32;
        let places = |rows: &[Row]| rows.iter().map(place).collect();
        let made = |step: &Step| match step {
            Step::Sum { ones, twos, threshold, below } => {
                Made::Sum(Threshold::new(places(ones), places(twos), *threshold), *below)
            }
            Step::Ones => Made::Ones,
            Step::Not(row) => Made::Not(row.0),
            Step::OrAndNot(a, b, c) => Made::OrAndNot(a.0, b.0, c.0),
            Step::AndNot(a, b) => Made::AndNot(a.0, b.0),
        };
        self.steps.iter().map(|(row, step)| (row.0, made(step))).collect()
    }
}

/// A step as it is carried out.
enum Made {
    Sum(Threshold, bool),
    Ones,
    Not(usize),
    OrAndNot(usize, usize, usize),
    AndNot(usize, usize),
}

/// What is done with each strip.
struct Strip {
    blocks: usize,
    instructions: Instructions,
    steps: Vec<(usize, Made)>,
}

impl Strip {
    /// Makes the rows of `count` blocks, one after the other.
    fn make(&self, scratch: &mut [Lanes], count: usize) {
        for (row, step) in &self.steps {
            let (earlier, rest) = scratch.split_at_mut(row * self.blocks);
            let (to, next) = rest.split_at_mut(self.blocks);
            let to = &mut to[..count];
            let of = |row: usize| &earlier[row * self.blocks..row * self.blocks + count];
            match *step {
                Made::Sum(ref sum, below) => {
                    let below = below.then(|| &mut next[..count]);
                    sum.strip_by(self.instructions, earlier, to, below);
                }
                Made::Ones => to.fill(Lanes([u64::MAX; BLOCK])),
                Made::Not(a) => to.iter_mut().zip(of(a)).for_each(|(to, a)| *to = a.map2(*a, |a, _| !a)),
                Made::AndNot(a, b) => {
                    for ((to, a), b) in to.iter_mut().zip(of(a)).zip(of(b)) {
                        *to = a.map2(*b, |a, b| a & !b);
                    }
                }
                Made::OrAndNot(a, b, c) => {
                    for (((to, a), b), c) in to.iter_mut().zip(of(a)).zip(of(b)).zip(of(c)) {
                        *to = a.or(b.map2(*c, |b, c| b & !c));
                    }
                }
            }
        }
    }
}

/// On how many lanes from `real` on two strips differ.
fn beyond(a: &[Lanes], b: &[Lanes], real: usize) -> u64 {
    let mut count = 0;
    for (place, (a, b)) in a.iter().zip(b).enumerate().skip(real / Lanes::COUNT) {
        for word in 0..BLOCK {
            let first = (place * BLOCK + word) * 64;
            let mask = match real.saturating_sub(first) {
                0 => u64::MAX,
                held @ 1..64 => u64::MAX << held,
                _ => 0,
            };
            count += u64::from(((a.0[word] ^ b.0[word]) & mask).count_ones());
        }
    }
    count
}
