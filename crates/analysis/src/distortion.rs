//! The distortion of a redundancy scheme beyond its worst case: the mean over random sets of liars, how often each
//! number of files is overturned, and the spectral bound of ByzShield.
//!
//! # What is promised
//! [`mean_distortion`] is exact but for the rounding of one division. [`distribution`] counts every set of q liars,
//! in integers of any size. [`Spectrum::bound`] is computed in double precision, and is for comparison: nothing that
//! claims to be proved rests on it.

use std::collections::BTreeMap;
use std::time::Duration;

use num_bigint::BigUint;

use super::numbers::ratio;
use ecode_core::AllocationMatrix;
use ecode_verify::{Assignment, Control, Enumeration, Unsuitable, binomials};

/// The mean number of files that q liars overturn who are drawn at random, all sets alike.
///
/// # Panics
/// When there are fewer than q workers.
#[must_use]
pub fn mean_distortion(g: &AllocationMatrix, liars: usize) -> f64 {
    let n = g.n();
    assert!(liars <= n, "{liars} liars of {n} workers");
    let mut alike: BTreeMap<usize, usize> = BTreeMap::new();
    for copies in g.partition_loads() {
        *alike.entry(copies).or_default() += 1;
    }
    let overturning = |copies: usize| -> BigUint {
        let (own, other) = (binomials(copies), binomials(n - copies));
        let seen = copies.div_ceil(2).max(liars.saturating_sub(n - copies))..=copies.min(liars);
        seen.map(|lies| &own[lies] * &other[liars - lies]).sum()
    };
    let sum: BigUint = alike.into_iter().map(|(copies, files)| overturning(copies) * files).sum();
    ratio(&sum, &binomials(n)[liars])
}

/// How many sets of q liars overturn how many files: files → sets, all above zero. `None` where the control said stop.
///
/// # Errors
/// [`Unsuitable`] where there are more than 2^63 sets after merging equal workers.
pub fn distribution(
    assignment: &Assignment<'_>,
    liars: usize,
    control: &Control,
) -> Result<Option<BTreeMap<usize, BigUint>>, Unsuitable> {
    let all = Enumeration::of(assignment.instance(liars))?;
    control.begin(all.total());
    let mut kept = |_, _: &_| Ok(());
    let counted = all.count(0..all.total(), all.nothing(), control, Duration::MAX, &mut kept);
    // Nothing is saved, so nothing fails.
    let whole = counted.ok().filter(|&(end, _)| end == all.total());
    Ok(whole.map(|(_, count)| assignment.sets_by_files(&count)))
}

/// The spectrum of an assignment in which every worker holds as many files as any other, and every file has as many
/// copies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spectrum {
    /// The second largest singular value of H/√(l·r), H the matrix. The largest is 1.
    pub second: f64,
    workers: usize,
    load: usize,
    copies: usize,
}

/// Above this many workers no spectrum is computed: it takes n³ operations some times.
const MOST_WORKERS: usize = 256;

impl Spectrum {
    /// The spectrum; `None` where loads or copies differ, or the matrix is large.
    #[must_use]
    pub fn of(g: &AllocationMatrix) -> Option<Self> {
        let (loads, copies) = (g.worker_loads(), g.partition_loads());
        let alike = |list: &[usize]| list.windows(2).all(|pair| pair[0] == pair[1]);
        if !alike(&loads) || !alike(&copies) || loads[0] == 0 || !(2..=MOST_WORKERS).contains(&g.n()) {
            return None;
        }
        let shared = |a: usize, b: usize| -> f64 {
            let both = g.row(a).iter().zip(g.row(b)).map(|(a, b)| (a & b).count_ones());
            f64::from(both.sum::<u32>()) / (loads[0] * copies[0]) as f64
        };
        let gram: Vec<Vec<f64>> = (0..g.n()).map(|a| (0..g.n()).map(|b| shared(a, b)).collect()).collect();
        let mut values = eigenvalues(gram);
        values.sort_by(|a, b| b.total_cmp(a));
        let second = values[1].max(0.0).sqrt();
        Some(Self { second, workers: g.n(), load: loads[0], copies: copies[0] })
    }

    /// No q liars overturn more files than this (not rounded down); `None` where one liar alone overturns a file,
    /// of which this bound knows nothing.
    ///
    /// Of the q·l copies that the liars hold, at least one lies in each file that they touch, and at least ⌈r/2⌉ in
    /// each that they overturn. The files that they touch are at least β = q·(l/r)/(σ² + (1 − σ²)·q/n), by Cauchy and
    /// Schwarz, σ being the second singular value. So they overturn at most (q·l − β)/(⌈r/2⌉ − 1) files.
    ///
    /// # References
    /// K. Konstantinidis and A. Ramamoorthy: ByzShield. MLSys 2021.
    #[must_use]
    pub fn bound(&self, liars: usize) -> Option<f64> {
        let beyond_one = self.copies.div_ceil(2) - 1;
        if liars == 0 {
            return Some(0.0);
        }
        let (q, share) = (liars as f64, self.second * self.second);
        let (load, copies) = (self.load as f64, self.copies as f64);
        let touched = q * load / copies / (share + (1.0 - share) * q / self.workers as f64);
        (beyond_one > 0).then(|| (q * load - touched).max(0.0) / beyond_one as f64)
    }
}

/// The eigenvalues of a symmetric matrix, by Jacobi's rotations.
fn eigenvalues(mut a: Vec<Vec<f64>>) -> Vec<f64> {
    let n = a.len();
    for _ in 0..64 {
        let off: f64 = (0..n).flat_map(|p| (0..p).map(move |q| (p, q))).map(|(p, q)| a[p][q] * a[p][q]).sum();
        if off < 1e-28 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q].abs() < 1e-300 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                for row in &mut a {
                    let (x, y) = (row[p], row[q]);
                    (row[p], row[q]) = (cosine * x - sine * y, sine * x + cosine * y);
                }
                for column in 0..n {
                    let (x, y) = (a[p][column], a[q][column]);
                    (a[p][column], a[q][column]) = (cosine * x - sine * y, sine * x + cosine * y);
                }
            }
        }
    }
    (0..n).map(|i| a[i][i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_core::{Workers, overturned};
    use ecode_design::construct::{groups, mols, ramanujan, subsets};
    use ecode_verify::Method;
    use itertools::Itertools as _;

    /// Mean and distribution are those of all sets, counted by the definition.
    #[test]
    fn mean_and_distribution_are_those_of_all_sets() {
        let uneven =
            AllocationMatrix::from_supports(5, &[&[0, 1][..], &[1], &[2, 4], &[3, 1, 2], &[0], &[4, 0]]);
        for g in [groups(9, 3).ok(), mols(3, 2).ok(), subsets(5, 3).ok(), uneven.ok()].into_iter().flatten() {
            let Ok(assignment) = Assignment::new(&g) else { panic!("every file is held") };
            for liars in 0..=g.n() {
                let mut sets: BTreeMap<usize, u32> = BTreeMap::new();
                for chosen in (0..g.n()).combinations(liars) {
                    let chosen = Workers::from_indices(g.n(), chosen);
                    *sets.entry(overturned(&g, &chosen, &Workers::empty(g.n())).count()).or_default() += 1;
                }
                let all: u32 = sets.values().sum();
                let sum: f64 = sets.iter().map(|(&files, &sets)| files as f64 * f64::from(sets)).sum();
                assert!((mean_distortion(&g, liars) - sum / f64::from(all)).abs() < 1e-12, "{g:?} {liars}");
                let counted = distribution(&assignment, liars, &Control::default());
                let expected = sets.into_iter().map(|(files, sets)| (files, BigUint::from(sets))).collect();
                assert_eq!(counted, Ok(Some(expected)), "{g:?} {liars}");
            }
        }
    }

    /// The singular values that the constructions' papers give, and ByzShield's published bounds for 15 workers.
    #[test]
    fn spectra_are_those_of_the_papers() {
        let second = |g: Option<AllocationMatrix>| g.and_then(|g| Spectrum::of(&g)).map(|it| it.second);
        for (l, r) in [(5, 3), (7, 5), (8, 3), (9, 4)] {
            let near =
                second(mols(l, r).ok()).is_some_and(|value| (value - 1.0 / (r as f64).sqrt()).abs() < 1e-12);
            assert!(near, "{l} {r}");
        }
        assert!(second(ramanujan(5, 5).ok()).is_some_and(|value| (value - 0.2_f64.sqrt()).abs() < 1e-12));
        assert!(second(groups(9, 3).ok()).is_some_and(|value| (value - 1.0).abs() < 1e-12));
        let Some(spectrum) = mols(5, 3).ok().and_then(|g| Spectrum::of(&g)) else { panic!("it is regular") };
        let bounds: Vec<String> =
            (2..=7).filter_map(|q| Some(format!("{:.2}", spectrum.bound(q)?))).collect();
        assert_eq!(bounds, ["2.11", "4.29", "6.96", "10.00", "13.33", "16.90"]);
    }

    #[test]
    fn the_spectral_bound_is_one() {
        for g in [mols(5, 3), mols(4, 3), ramanujan(3, 5), ramanujan(3, 3), groups(15, 3), subsets(7, 3)] {
            let Ok(g) = g else { panic!("these exist") };
            let (Some(spectrum), Ok(assignment)) = (Spectrum::of(&g), Assignment::new(&g)) else {
                panic!("regular")
            };
            for liars in 0..=g.n() {
                let exact = assignment.worst(liars, 0, Method::Auto, &Control::default());
                let exact = exact.map_or(usize::MAX, |exact| exact.files);
                assert!(
                    spectrum.bound(liars).is_some_and(|bound| exact as f64 <= bound + 1e-9),
                    "{liars} {g:?}"
                );
            }
        }
    }
}
