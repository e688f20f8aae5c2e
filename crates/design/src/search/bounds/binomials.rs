//! Binomial coefficients.

/// C(n, i) for n up to a limit.
pub(in crate::search) struct Binomials(Vec<Vec<u128>>);

impl Binomials {
    pub(in crate::search) fn up_to(n: usize) -> Self {
        let mut rows: Vec<Vec<u128>> = vec![vec![1]];
        for m in 1..=n {
            let last = &rows[m - 1];
            let row = (0..=m).map(|i| if i == 0 || i == m { 1 } else { last[i - 1] + last[i] }).collect();
            rows.push(row);
        }
        Self(rows)
    }

    /// 0 outside the triangle.
    pub(in crate::search) fn of(&self, n: usize, i: usize) -> u128 {
        self.0[n].get(i).copied().unwrap_or(0)
    }
}

/// C(n, i), or `usize::MAX` where that is larger.
pub(in crate::search) fn choose(n: usize, i: usize) -> usize {
    // Each product is C(n, j + 1) times j + 1; what does not fit stays at the most.
    (0..i.min(n - i))
        .try_fold(1_usize, |product, j| Some(product.checked_mul(n - j)? / (j + 1)))
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_ways_to_count_agree() {
        let table = Binomials::up_to(60);
        for n in 0..=60 {
            for i in 0..=n {
                assert_eq!(choose(n, i) as u128, table.of(n, i), "C({n}, {i})");
            }
        }
        assert_eq!((table.of(5, 6), choose(4096, 2048)), (0, usize::MAX));
    }
}
