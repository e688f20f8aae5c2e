//! Lemma 29 of docs/theory/bounds.md in integers: how often two rows lean to the same side.

use super::super::binomials::Binomials;

/// Everything that is a fraction is kept as a multiple of 2⁻⁴⁰, rounded to the side that keeps a bound true.
pub(super) const FRACTION: u32 = 40;
pub(super) const ONE: i64 = 1 << FRACTION;

/// Weights of loads are multiples of 1/1024.
pub(super) const WEIGHT: i64 = 1024;

/// Two rows, z taken out of both: E χχ′ rounded down and its level-1 part rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) whole: i64,
    pub(super) level1: i64,
}

impl Line {
    /// K rounded down, where the two weights have the product `weights` (in units of 1/1024²).
    pub(super) fn at(self, weights: i64) -> i64 {
        let level1 = i128::from(weights) * i128::from(self.level1);
        self.whole - ceiling(level1, i128::from(WEIGHT * WEIGHT))
    }

    /// K rounded up, for the same: whole and level-1 part are rounded the other way by one unit at most.
    pub(super) fn at_most(self, weights: i64) -> i64 {
        let level1 = i128::from(weights) * i128::from(self.level1 - 1);
        self.whole + 1 - floor(level1, i128::from(WEIGHT * WEIGHT))
    }
}

/// The kernels for n workers and partitions.
pub(super) struct Kernels {
    /// A row with itself, by the size of R∖z.
    pub(super) diagonal: Vec<Line>,
    /// By two odd loads, halved: every way in which two rows can meet that is the least for some weights.
    pairs: Vec<Vec<Vec<Line>>>,
    /// By the size of R∖z, rounded up: how often it is tied.
    pub(super) tied: Vec<i64>,
}

pub(super) fn ceiling(number: i128, by: i128) -> i64 {
    -(-number).div_euclid(by) as i64
}

pub(super) fn floor(number: i128, by: i128) -> i64 {
    number.div_euclid(by) as i64
}

impl Kernels {
    pub(super) fn new(n: usize) -> Self {
        let counts = Counts::new(n - 1);
        let m = n - 1;
        let diagonal = (0..=m).map(|w| counts.line(w, w, w)).collect();
        let pairs = (0..m / 2)
            .map(|half| (0..m / 2).map(|other| counts.lines(2 * half + 1, 2 * other + 1)).collect())
            .collect();
        let tied = (0..=m).map(|w| counts.tied(w)).collect();
        Self { diagonal, pairs, tied }
    }

    /// The least K of two rows of these odd loads, below n, rounded down.
    pub(super) fn pair(&self, w: usize, other: usize, weights: i64) -> i64 {
        self.pairs[w / 2][other / 2].iter().map(|line| line.at(weights)).min().unwrap_or(0)
    }
}

/// Balanced vectors on m points, counted.
struct Counts {
    m: usize,
    binomials: Binomials,
    /// N = C(m, m/2).
    all: i128,
    /// M_w = Σ |v(A)| over all v, for |A| = w.
    sums: Vec<i128>,
}

impl Counts {
    fn new(m: usize) -> Self {
        let binomials = Binomials::up_to(m);
        let of = |n: usize, i: usize| binomials.of(n, i) as i128;
        let sums = (0..=m)
            .map(|w| {
                let ups = w.saturating_sub(m / 2)..=w.min(m / 2);
                ups.map(|i| (2 * i as i128 - w as i128).abs() * of(w, i) * of(m - w, m / 2 - i)).sum()
            })
            .collect();
        Self { m, all: of(m, m / 2), sums, binomials }
    }

    /// N·E χχ′ for sets of these sizes with o common points.
    fn agreement(&self, w: usize, other: usize, o: usize) -> i128 {
        let of = |n: usize, i: usize| self.binomials.of(n, i) as i128;
        let (mine, theirs, rest) = (w - o, other - o, self.m + o - w - other);
        let mut sum = 0;
        for common in 0..=o {
            for i in 0..=mine {
                let side = (2 * (common + i)).cmp(&w) as i128;
                for j in (0..=theirs).filter(|_| side != 0) {
                    let their_side = (2 * (common + j)).cmp(&other) as i128;
                    if let Some(left) = (self.m / 2).checked_sub(common + i + j).filter(|&left| left <= rest)
                    {
                        sum +=
                            side * their_side * of(o, common) * of(mine, i) * of(theirs, j) * of(rest, left);
                    }
                }
            }
        }
        sum
    }

    fn line(&self, w: usize, other: usize, o: usize) -> Line {
        let m = self.m;
        if [w, other].iter().any(|&w| w == 0 || w == m) {
            return Line { whole: 0, level1: 0 };
        }
        let whole = floor(self.agreement(w, other, o) << FRACTION, self.all);
        let cross = (o * m) as i128 - (w * other) as i128;
        let above = (m - 1) as i128 * cross * self.sums[w] * self.sums[other];
        let below = (w * other * (m - w) * (m - other)) as i128 * self.all * self.all;
        Line { whole, level1: ceiling(above << FRACTION, below) }
    }

    /// All lines for two loads, z in the rows or not, but those that another is below for every weight.
    fn lines(&self, w: usize, other: usize) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for (w, other) in [(w, other), (w - 1, other), (w, other - 1), (w - 1, other - 1)] {
            let overlaps = (w + other).saturating_sub(self.m)..=w.min(other);
            lines.extend(overlaps.map(|o| self.line(w, other, o)));
        }
        lines.sort_by_key(|line| (line.whole, -line.level1));
        let mut most = i64::MIN;
        lines.retain(|line| {
            let needed = line.level1 > most;
            most = most.max(line.level1);
            needed
        });
        lines
    }

    fn tied(&self, w: usize) -> i64 {
        if w % 2 == 1 {
            return 0;
        }
        let ways = self.binomials.of(w, w / 2) * self.binomials.of(self.m - w, (self.m - w) / 2);
        ceiling((ways as i128) << FRACTION, self.all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every balanced vector on m points, as signs.
    fn balanced(m: usize) -> Vec<Vec<f64>> {
        let vectors = (0..1_u32 << m).filter(|v| v.count_ones() as usize == m / 2);
        vectors.map(|v| (0..m).map(|i| if v >> i & 1 == 1 { 1.0 } else { -1.0 }).collect()).collect()
    }

    fn mean(values: impl Iterator<Item = f64>, of: usize) -> f64 {
        values.sum::<f64>() / of as f64
    }

    /// χ of a range of points, on every vector.
    fn signs(vectors: &[Vec<f64>], points: std::ops::Range<usize>) -> Vec<f64> {
        let sum = |v: &Vec<f64>| v[points.clone()].iter().sum::<f64>();
        vectors.iter().map(sum).map(|sum| if sum == 0.0 { 0.0 } else { sum.signum() }).collect()
    }

    /// The projection on the span of the coordinates, on every vector: what is left is orthogonal to all of them.
    fn projection(vectors: &[Vec<f64>], signs: &[f64]) -> Vec<f64> {
        let (all, m) = (vectors.len(), vectors[0].len());
        let along = |i: usize| mean(signs.iter().zip(vectors).map(|(sign, v)| sign * v[i]), all);
        let along: Vec<f64> = (0..m).map(along).collect();
        let share = (m - 1) as f64 / m as f64;
        let of = |v: &Vec<f64>| share * v.iter().zip(&along).map(|(v, along)| v * along).sum::<f64>();
        let projected: Vec<f64> = vectors.iter().map(of).collect();
        for i in 0..m {
            let left = signs.iter().zip(&projected).zip(vectors).map(|((sign, p), v)| (sign - p) * v[i]);
            assert!(mean(left, all).abs() < 1e-12);
        }
        projected
    }

    #[test]
    fn kernels_are_means_over_all_balanced_vectors() {
        let mut compared = 0;
        for m in [4, 6, 8, 10] {
            let vectors = balanced(m);
            let counts = Counts::new(m);
            let all = vectors.len();
            for w in 1..m {
                let mine = signs(&vectors, 0..w);
                let tied = mine.iter().filter(|&&sign| sign == 0.0).count() as f64 / all as f64;
                assert!((counts.tied(w) as f64 / ONE as f64 - tied).abs() < 1e-9, "m = {m}, w = {w}");
                let level = projection(&vectors, &mine);
                for other in 1..m {
                    for o in (w + other).saturating_sub(m)..=w.min(other) {
                        let theirs = signs(&vectors, w - o..w - o + other);
                        let product = |a: &[f64], b: &[f64]| mean(a.iter().zip(b).map(|(a, b)| a * b), all);
                        let line = counts.line(w, other, o);
                        let (whole, level1) =
                            (product(&mine, &theirs), product(&level, &projection(&vectors, &theirs)));
                        let near =
                            |number: i64, value: f64| (number as f64 / ONE as f64 - value).abs() < 1e-9;
                        assert!(
                            near(line.whole, whole) && near(line.level1, level1),
                            "m = {m}: {w}, {other}, {o}"
                        );
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 400, "{compared}");
    }
}
