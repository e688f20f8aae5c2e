//! A family on all tests of a problem: how often each is exceeded, and what a move would change.

use super::columns::Columns;
use super::problem::{Problem, Row};

/// A family with everything that a move's evaluation needs.
pub(super) struct Evaluation {
    columns: Columns,
    pub(super) rows: Vec<Row>,
    wins: Vec<Vec<u64>>,
    /// allowed − won, a test each.
    slack: Vec<i16>,
    /// Tests that one more win makes worse, and tests that one win fewer makes better.
    tight: Vec<u64>,
    over: Vec<u64>,
    pub(super) excess: i64,
    pub(super) candidate: Vec<u64>,
}

impl Evaluation {
    pub(super) fn new(problem: &Problem, rows: Vec<Row>) -> Self {
        let columns = Columns::new(problem);
        let words = columns.words;
        let mut family = Self {
            columns,
            wins: vec![vec![0; words]; rows.len()],
            rows,
            slack: problem.tests.iter().map(|test| i16::from(test.allowed)).collect(),
            tight: vec![0; words],
            over: vec![0; words],
            excess: 0,
            candidate: vec![0; words],
        };
        for x in 0..family.slack.len() {
            family.mark(x);
        }
        for j in 0..family.rows.len() {
            family.columns.wins(family.rows[j], &mut family.candidate);
            family.take(j, family.rows[j]);
        }
        family
    }

    /// Words of a row's wins.
    pub(super) fn words(&self) -> usize {
        self.columns.words
    }

    fn mark(&mut self, x: usize) {
        let (word, bit) = (x / 64, 1_u64 << (x % 64));
        self.tight[word] = if self.slack[x] <= 0 { self.tight[word] | bit } else { self.tight[word] & !bit };
        self.over[word] = if self.slack[x] < 0 { self.over[word] | bit } else { self.over[word] & !bit };
    }

    /// How much the excess grows when row j becomes `row`, whose wins are left in `candidate`.
    #[inline(always)]
    pub(super) fn growth(&mut self, j: usize, row: Row) -> i64 {
        self.columns.wins(row, &mut self.candidate);
        let mut growth = 0_i64;
        for (((new, old), tight), over) in
            self.candidate.iter().zip(&self.wins[j]).zip(&self.tight).zip(&self.over)
        {
            growth += i64::from((new & !old & tight).count_ones());
            growth -= i64::from((old & !new & over).count_ones());
        }
        growth
    }

    /// How much the excess grows when the rows from `first` on become these, whose wins are left in `new`.
    #[inline(always)]
    pub(super) fn joint_growth(&self, first: usize, rows: &[Row], new: &mut [Vec<u64>]) -> i64 {
        for (row, new) in rows.iter().zip(&mut *new) {
            self.columns.wins(*row, new);
        }
        let pairs = || new.iter().zip(&self.wins[first..]).take(rows.len());
        let mut growth = 0;
        for word in 0..self.columns.words {
            let mut changed = pairs().fold(0, |changed, (new, old)| changed | (new[word] ^ old[word]));
            while changed != 0 {
                let bit = changed.trailing_zeros();
                changed &= changed - 1;
                let more: i16 = pairs()
                    .map(|(new, old)| (new[word] >> bit & 1) as i16 - (old[word] >> bit & 1) as i16)
                    .sum();
                let slack = self.slack[word * 64 + bit as usize];
                growth += i64::from((more - slack).max(0) - (-slack).max(0));
            }
        }
        growth
    }

    /// Makes row j `row`, whose wins are in `candidate`.
    pub(super) fn take(&mut self, j: usize, row: Row) {
        for word in 0..self.candidate.len() {
            let (new, old) = (self.candidate[word], self.wins[j][word]);
            let mut changed = new ^ old;
            while changed != 0 {
                let bit = changed.trailing_zeros() as usize;
                changed &= changed - 1;
                let x = word * 64 + bit;
                if new >> bit & 1 == 1 {
                    self.excess += i64::from(self.slack[x] <= 0);
                    self.slack[x] -= 1;
                } else {
                    self.excess -= i64::from(self.slack[x] < 0);
                    self.slack[x] += 1;
                }
                self.mark(x);
            }
        }
        std::mem::swap(&mut self.wins[j], &mut self.candidate);
        self.rows[j] = row;
    }
}
