//! Lemma 27: how many sets win a row when some partitions are taken for certain.

/// C(n, i) for n up to 31, which all fit.
pub(super) struct Choose([[i128; 32]; 32]);

impl Choose {
    pub(super) fn new() -> Self {
        let mut table = [[0; 32]; 32];
        for n in 0..32 {
            table[n][0] = 1;
            for i in 1..=n {
                table[n][i] = table[n - 1][i - 1] + table[n - 1][i];
            }
        }
        Self(table)
    }

    /// 0 where there is nothing to choose.
    pub(super) fn of(&self, n: usize, i: usize) -> i128 {
        self.0[n].get(i).copied().unwrap_or(0)
    }
}

/// For x partitions that are taken: the sets of t − x others, and how many of them win a row of each load.
pub(super) struct Taken {
    pub(super) sets: i128,
    pub(super) wins: Vec<i128>,
    /// `least[i][rows][sum]`: the least Σ wins over so many rows of loads 3 + 2i, 5 + 2i, … to n − 2 with this sum, or
    /// [`NONE`].
    least: Vec<Vec<Vec<i64>>>,
}

/// Larger than any sum of wins.
const NONE: i64 = 1 << 60;

impl Taken {
    /// For sums of loads below `total`.
    pub(super) fn new(n: usize, x: usize, total: usize, choose: &Choose) -> Self {
        let (others, drawn) = (n - x, (n - 1) / 2 - x);
        let wins: Vec<i128> = (0..=n)
            .map(|w| {
                let most = if w <= others { w } else { return 0 };
                let held = w.div_ceil(2)..=most.min(drawn);
                held.map(|i| choose.of(w, i) * choose.of(others - w, drawn - i)).sum()
            })
            .collect();
        let mut nothing = vec![vec![NONE; total]; n + 1];
        nothing[0][0] = 0;
        let mut least = vec![nothing];
        for load in (3..=n - 2).rev().step_by(2) {
            let mut table = least[0].clone();
            for rows in 1..=n {
                for sum in load..total {
                    let with = table[rows - 1][sum - load] + wins[load] as i64;
                    if with < table[rows][sum] {
                        table[rows][sum] = with;
                    }
                }
            }
            least.insert(0, table);
        }
        Self { sets: choose.of(others, drawn), wins, least }
    }

    /// The least Σ wins of rows that are still to come, none lighter than `load`; `None` where there are no such rows.
    pub(super) fn rest(&self, load: usize, rows: usize, sum: usize) -> Option<i128> {
        let least = *self.least.get((load - 3) / 2)?.get(rows)?.get(sum)?;
        (least < NONE).then_some(i128::from(least))
    }
}
