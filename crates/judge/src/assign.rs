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
/// use ecode_judge::assign;
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

/// Gives each of k partitions w workers of w different failure domains, where worker j stands in domain `domains[j]`. None where
/// there are fewer domains. Loads are kept even: whoever has least to do in a domain stands for it, and the domains whose
/// workers have least to do are taken.
///
/// ```
/// use ecode_judge::assign_apart;
/// let hosts = [0, 0, 1, 1, 2, 2];
/// let assignment = assign_apart(&hosts, 9, 2).ok_or("too few hosts")?;
/// assert!(assignment.holders.iter().all(|two| hosts[two[0]] != hosts[two[1]]));
/// assert!((0..6).all(|worker| assignment.load(worker) == 3));
/// assert!(assign_apart(&hosts, 9, 4).is_none());
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn assign_apart(domains: &[usize], k: usize, w: usize) -> Option<Assignment> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); domains.iter().max().map_or(0, |most| most + 1)];
    domains.iter().enumerate().for_each(|(worker, &domain)| members[domain].push(worker));
    members.retain(|members| !members.is_empty());
    if members.len() < w {
        return None;
    }
    let (mut loads, mut vectors) = (vec![0_usize; domains.len()], vec![0_usize; domains.len()]);
    let holders = (0..k).map(|_| {
        // In each domain the one with least to do; of the domains those where that is least, the one with more such first.
        let mut least: Vec<(usize, usize, usize)> = members
            .iter()
            .filter_map(|members| {
                let &worker = members.iter().min_by_key(|&&worker| (loads[worker], worker))?;
                let idle = members.iter().filter(|&&other| loads[other] == loads[worker]).count();
                Some((loads[worker], usize::MAX - idle, worker))
            })
            .collect();
        least.sort_unstable();
        let mut holders: Vec<usize> = least.into_iter().take(w).map(|(_, _, worker)| worker).collect();
        holders.iter().for_each(|&worker| loads[worker] += 1);
        if let Some(first) = (0..holders.len()).min_by_key(|&place| vectors[holders[place]]) {
            vectors[holders[first]] += 1;
            holders.swap(0, first);
        }
        holders
    });
    Some(Assignment { holders: holders.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hosts of equal size, and of sizes that differ: always w different hosts, and loads that differ by at most one where
    /// every host can do its share.
    #[test]
    fn holders_stand_apart_and_loads_are_even() {
        for sizes in [&[2, 2, 2][..], &[8, 8, 8, 8], &[4, 3, 2, 1], &[1, 1, 1, 1, 1], &[3, 3, 2]] {
            let domains: Vec<usize> = sizes
                .iter()
                .enumerate()
                .flat_map(|(domain, &size)| std::iter::repeat_n(domain, size))
                .collect();
            for w in 1..=sizes.len() {
                for k in [1, 7, 31, 63] {
                    let Some(assignment) = assign_apart(&domains, k, w) else { panic!("{sizes:?} {w}") };
                    assert_eq!(assignment.holders.len(), k);
                    for holders in &assignment.holders {
                        let apart: std::collections::BTreeSet<_> =
                            holders.iter().map(|&worker| domains[worker]).collect();
                        assert_eq!((apart.len(), holders.len()), (w, w));
                    }
                    // A host of s workers does at most one of w parts of each partition, and s/n of all where it can.
                    let n = domains.len();
                    let fits = sizes.iter().all(|&size| size * w <= n);
                    let loads: Vec<usize> = (0..n).map(|worker| assignment.load(worker)).collect();
                    let spread = loads.iter().max().unwrap_or(&0) - loads.iter().min().unwrap_or(&0);
                    assert!(!fits || spread <= 1, "{sizes:?}, w {w}, k {k}: {loads:?}");
                }
            }
            assert!(assign_apart(&domains, 3, sizes.len() + 1).is_none());
        }
    }

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
