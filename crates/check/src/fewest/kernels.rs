//! Lemma 29: two rows on the balanced vectors, in multiples of 2⁻⁴⁸.

use super::wins::Choose;

pub(super) const BITS: u32 = 48;
pub(super) const ONE: i128 = 1 << BITS;

/// Rounded down.
pub(super) fn down(above: i128, below: i128) -> i128 {
    above.div_euclid(below)
}

/// Rounded up.
pub(super) fn up(above: i128, below: i128) -> i128 {
    -down(-above, below)
}

/// The m = n − 1 partitions that are not z.
pub(super) struct Kernels {
    m: usize,
    choose: Choose,
    /// N.
    vectors: i128,
    /// M_w for every w.
    absolute: Vec<i128>,
    /// E χχ′ rounded down, and the product of the projections rounded up: by both sizes and the overlap.
    table: Vec<Vec<Vec<(i128, i128)>>>,
}

impl Kernels {
    pub(super) fn new(n: usize) -> Self {
        let (m, choose) = (n - 1, Choose::new());
        let half = m / 2;
        let absolute = (0..=m)
            .map(|w| {
                let each =
                    |i: usize| (2 * i).abs_diff(w) as i128 * choose.of(w, i) * choose.of(m - w, half - i);
                (0..=w.min(half)).map(each).sum()
            })
            .collect();
        let vectors = choose.of(m, half);
        let mut kernels = Self { m, choose, vectors, absolute, table: Vec::new() };
        kernels.table = (0..=m)
            .map(|a| {
                (0..=m)
                    .map(|c| {
                        (0..=a.min(c)).map(|o| (kernels.whole(a, c, o), kernels.level(a, c, o))).collect()
                    })
                    .collect()
            })
            .collect();
        kernels
    }

    fn exists(&self, a: usize, c: usize, o: usize) -> bool {
        o <= a.min(c) && a + c <= self.m + o
    }

    fn whole(&self, a: usize, c: usize, o: usize) -> i128 {
        if !self.exists(a, c, o) || a % self.m == 0 || c % self.m == 0 {
            return 0;
        }
        let sign = |plus: usize, size: usize| (2 * plus).cmp(&size) as i128;
        let (only_a, only_c, rest) = (a - o, c - o, self.m + o - a - c);
        let mut sum = 0;
        for plus_a in 0..=a {
            for shared in plus_a.saturating_sub(only_a)..=plus_a.min(o) {
                let ways_a = self.choose.of(o, shared) * self.choose.of(only_a, plus_a - shared);
                for plus in 0..=only_c {
                    let Some(left) = (self.m / 2).checked_sub(plus_a + plus) else { break };
                    let ways = ways_a * self.choose.of(only_c, plus) * self.choose.of(rest, left);
                    sum += sign(plus_a, a) * sign(shared + plus, c) * ways;
                }
            }
        }
        down(sum * ONE, self.vectors)
    }

    fn level(&self, a: usize, c: usize, o: usize) -> i128 {
        let m = self.m;
        if !self.exists(a, c, o) || a % m == 0 || c % m == 0 {
            return 0;
        }
        let cross = (m * o) as i128 - (a * c) as i128;
        let above = (m - 1) as i128 * cross * self.absolute[a] * self.absolute[c];
        let below = (a * c * (m - a) * (m - c)) as i128 * self.vectors * self.vectors;
        up(above * ONE, below)
    }

    /// K for two sets of these sizes, rounded down; `weights` is the product of the weights, in 1/2²⁰.
    fn at(&self, a: usize, c: usize, o: usize, weights: i128) -> i128 {
        let (whole, level) = self.table[a][c][o];
        whole - up(level * weights, 1 << 20)
    }

    /// η for a set of this size, rounded down.
    pub(super) fn itself(&self, size: usize, weights: i128) -> i128 {
        self.at(size, size, size, weights)
    }

    /// η rounded up.
    pub(super) fn itself_at_most(&self, size: usize, weights: i128) -> i128 {
        let (whole, level) = self.table[size][size][size];
        whole + 1 - down((level - 1) * weights, 1 << 20)
    }

    /// κ of two loads, rounded down.
    pub(super) fn least(&self, w: usize, v: usize, weights: i128) -> i128 {
        let sizes = [(w, v), (w - 1, v), (w, v - 1), (w - 1, v - 1)];
        let all = sizes.into_iter().flat_map(|(a, c)| {
            (0..=a.min(c)).filter(move |&o| self.exists(a, c, o)).map(move |o| self.at(a, c, o, weights))
        });
        all.min().unwrap_or(0)
    }

    /// τ of a set of this even size, rounded up.
    pub(super) fn tied(&self, size: usize) -> i128 {
        let ways = self.choose.of(size, size / 2) * self.choose.of(self.m - size, (self.m - size) / 2);
        up(ways * ONE, self.vectors)
    }
}
