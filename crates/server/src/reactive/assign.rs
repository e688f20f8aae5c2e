//! Which workers hold which partitions in a step.

/// Each partition's holders; the first sends the vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// `holders[i]`: the workers of partition i, different ones, the primary first.
    pub holders: Vec<Vec<usize>>,
}

impl Assignment {
    /// How many partitions a worker holds.
    #[must_use]
    pub fn load(&self, worker: usize) -> usize {
        self.holders.iter().filter(|holders| holders.contains(&worker)).count()
    }
}

/// Gives each of k partitions w of the present workers (all of them where there are fewer). The heaviest load is
/// ⌈k·w/m⌉ for m present workers, the least possible; vectors are spread as evenly as the holders allow.
///
/// `present` says in which order they are taken: a fresh random order a step keeps liars from choosing their
/// partners.
///
/// ```
/// use ecode_server::reactive::assign;
/// let assignment = assign(&[4, 2, 0, 1, 3], 7, 3);
/// assert!((0..5).all(|worker| assignment.load(worker) <= 5));
/// ```
#[must_use]
pub fn assign(present: &[usize], k: usize, w: usize) -> Assignment {
    let m = present.len();
    let w = w.min(m);
    let mut vectors = vec![0_usize; m];
    let holders = (0..k).map(|i| {
        // The w places after those of the partition before: places are used equally often.
        let mut places: Vec<usize> = (0..w).map(|c| (i * w + c) % m).collect();
        if let Some(first) = (0..w).min_by_key(|&c| vectors[places[c]]) {
            vectors[places[first]] += 1;
            places.swap(0, first);
        }
        places.into_iter().map(|place| present[place]).collect()
    });
    Assignment { holders: holders.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_balanced_for_any_number_of_present_workers() {
        for m in 1..20 {
            let present: Vec<usize> = (0..m).rev().collect();
            for k in 1..25 {
                for w in 1..=m {
                    let assignment = assign(&present, k, w);
                    let loads: Vec<usize> = (0..m).map(|j| assignment.load(j)).collect();
                    assert_eq!(loads.iter().max(), Some(&(k * w).div_ceil(m)), "m {m}, k {k}, w {w}");
                    assert_eq!(loads.iter().sum::<usize>(), k * w);
                    for holders in &assignment.holders {
                        let different: std::collections::BTreeSet<_> = holders.iter().collect();
                        assert_eq!(different.len(), w, "a worker counts once");
                    }
                }
            }
        }
    }

    #[test]
    fn with_as_many_partitions_as_workers_each_sends_about_one_vector() {
        for n in 1..40 {
            let present: Vec<usize> = (0..n).collect();
            for w in 1..=n.min(7) {
                let mut vectors = vec![0; n];
                for holders in assign(&present, n, w).holders {
                    vectors[holders[0]] += 1;
                }
                assert!(vectors.iter().all(|&count| count <= 2), "n {n}, w {w}: {vectors:?}");
            }
        }
    }
}
