//! A small linear program solver: maximise c·z under A·z ≤ b and z ≥ 0, where b ≥ 0.
//!
//! # What is promised
//! Nothing: the multipliers are floating-point numbers, and whoever uses them must check what they give in
//! whole numbers. Dense tableau, largest reduced cost first, right-hand sides shifted a little apart so that
//! it does not go round in circles.

/// The maximiser and the multipliers of the rows.
pub(super) struct Optimum {
    pub(super) value: f64,
    pub(super) point: Vec<f64>,
    pub(super) multipliers: Vec<f64>,
}

/// One row of the program: coefficients by column, and the right-hand side.
pub(super) struct Row {
    pub(super) terms: Vec<(usize, f64)>,
    pub(super) most: f64,
}

const ZERO: f64 = 1e-9;

/// Solves the program; `None` where it takes too many steps, has no optimum, or is stopped.
pub(super) fn maximise(objective: &[f64], rows: &[Row], stopped: &dyn Fn() -> bool) -> Option<Optimum> {
    let (m, n) = (rows.len(), objective.len());
    // The last column is the right-hand side, the last row the reduced costs.
    let width = n + 1;
    let mut table = vec![0.0_f64; (m + 1) * width];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for (i, row) in rows.iter().enumerate() {
        for &(j, a) in &row.terms {
            table[i * width + j] += a;
        }
        // xorshift: the same shifts every time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        table[i * width + n] = row.most + 1e-7 * (1.0 + (state >> 40) as f64 / (1_u64 << 24) as f64);
    }
    table[m * width..m * width + n].copy_from_slice(objective);
    // Labels: a variable below n, or n + i for the slack of row i.
    let mut outside: Vec<usize> = (0..n).collect();
    let mut inside: Vec<usize> = (n..n + m).collect();
    for _ in 0..40 * (m + n) {
        if stopped() {
            return None;
        }
        let costs = &table[m * width..m * width + n];
        let best = costs.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let Some((column, _)) = best.filter(|(_, cost)| **cost > ZERO) else {
            let mut point = vec![0.0; n];
            for (i, &label) in inside.iter().enumerate() {
                if label < n {
                    point[label] = table[i * width + n];
                }
            }
            let mut multipliers = vec![0.0; m];
            for (j, &label) in outside.iter().enumerate() {
                if label >= n {
                    multipliers[label - n] = -table[m * width + j];
                }
            }
            return Some(Optimum { value: -table[m * width + n], point, multipliers });
        };
        let mut leaving: Option<(usize, f64)> = None;
        for i in 0..m {
            let a = table[i * width + column];
            if a > ZERO {
                let ratio = table[i * width + n] / a;
                if leaving.is_none_or(|(_, least)| ratio < least) {
                    leaving = Some((i, ratio));
                }
            }
        }
        let (row, _) = leaving?;
        pivot(&mut table, width, row, column);
        std::mem::swap(&mut outside[column], &mut inside[row]);
    }
    None
}

/// Exchanges the column's variable with the row's.
fn pivot(table: &mut [f64], width: usize, row: usize, column: usize) {
    let inverse = 1.0 / table[row * width + column];
    for (j, entry) in table[row * width..(row + 1) * width].iter_mut().enumerate() {
        *entry = if j == column { inverse } else { *entry * inverse };
    }
    let pivot_row = table[row * width..(row + 1) * width].to_vec();
    for (i, other) in table.chunks_exact_mut(width).enumerate() {
        let factor = other[column];
        if i == row || factor == 0.0 {
            continue;
        }
        for (entry, by) in other.iter_mut().zip(&pivot_row) {
            *entry -= factor * by;
        }
        other[column] = -factor * inverse;
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, maximise};

    fn row(terms: &[(usize, f64)], most: f64) -> Row {
        Row { terms: terms.to_vec(), most }
    }

    #[test]
    fn the_optimum_and_its_multipliers() {
        // max 3x + 2y, x + y ≤ 4, x + 3y ≤ 7, x ≤ 3: (3, 1), 11 = 2·4 + 1·3.
        let rows = [row(&[(0, 1.0), (1, 1.0)], 4.0), row(&[(0, 1.0), (1, 3.0)], 7.0), row(&[(0, 1.0)], 3.0)];
        let Some(best) = maximise(&[3.0, 2.0], &rows, &|| false) else { panic!("bounded") };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-5;
        assert!(near(best.value, 11.0) && near(best.point[0], 3.0) && near(best.point[1], 1.0));
        assert!(best.multipliers.iter().zip([2.0, 0.0, 1.0]).all(|(&a, b)| near(a, b)));
    }

    #[test]
    fn no_optimum_is_said_so() {
        assert!(maximise(&[1.0], &[row(&[(0, -1.0)], 1.0)], &|| false).is_none());
        assert!(maximise(&[1.0], &[row(&[(0, 1.0)], 1.0)], &|| true).is_none());
        let Some(nothing) = maximise(&[-1.0, 0.0], &[], &|| false) else { panic!("zero is best") };
        assert!(nothing.value == 0.0 && nothing.point == [0.0, 0.0]);
    }
}
