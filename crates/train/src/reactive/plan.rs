//! Who holds what under a scheme, and how many holders it takes.
//!
//! # What is promised
//! - [`least_holders`] is the smallest number of holders whose [`checked_risk`] is at most the risk that is allowed.
//! - Holders are as many as the scheme needs for the b' that is left; loads differ by at most one.

use ecode_core::AllocationMatrix;
use ecode_server::reactive::{Assignment, Budget, Drift, Roster, assign};

use super::kinds::Hardware;
use super::shares::Cut;
use crate::config::{Config, ConfigError, Referee, Scheme};

/// The size of a scheme and the rules of its run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which scheme.
    pub scheme: Scheme,
    /// Workers.
    pub n: usize,
    /// Workers that may be Byzantine.
    pub b: usize,
    /// Partitions, an odd number.
    pub k: usize,
    /// Holders of a partition beyond those needed.
    pub spare: usize,
    /// With scheme `checked`: the holders of a partition, its primary and its checkers.
    pub checked: usize,
    /// b at any time, or in the whole run.
    pub budget: Budget,
    /// Whether the server computes what cannot be settled.
    pub referee: bool,
    /// How many steps may be open.
    pub window: u64,
    /// Each partition's holders, where a matrix says who they are.
    pub columns: Option<Vec<Vec<usize>>>,
    /// Classes of hardware; none where all workers are of one.
    pub hardware: Option<Hardware>,
    /// How workers that are right may differ.
    pub drift: Drift,
}

/// The chance that a lie stays unseen: that all w − 1 checkers of a committed primary, drawn among n − 1 others, are liars,
/// u = C(b − 1, w − 1)/C(n − 1, w − 1).
pub(crate) fn unseen(n: usize, b: usize, w: usize) -> f64 {
    (0..w - 1).map(|i| (b as f64 - 1.0 - i as f64).max(0.0) / (n as f64 - 1.0 - i as f64).max(1.0)).product()
}

/// The chance that anything at all is decoded wrong in a whole run, however long, where w holders of each partition are
/// drawn in secret after its vector was sent: at most 1 − (1 − u)^b, 0 for w > b.
///
/// ```
/// use ecode_train::reactive::checked_risk;
/// assert_eq!(checked_risk(9, 2, 3), 0.0);
/// assert!((checked_risk(101, 20, 8) - 6.3e-5).abs() < 1e-6);
/// ```
#[must_use]
pub fn checked_risk(n: usize, b: usize, w: usize) -> f64 {
    if b == 0 || w > b { 0.0 } else { whole_run(b, unseen(n, b, w.max(1))) }
}

/// 1 − (1 − u)^b, with its digits where u is small.
pub(crate) fn whole_run(b: usize, u: f64) -> f64 {
    -libm::expm1(b as f64 * libm::log1p(-u))
}

/// The smallest number of holders, at least 2, at which the risk of a whole run is at most `risk`; b + 1 at most.
#[must_use]
pub fn least_holders(n: usize, b: usize, risk: f64) -> usize {
    (2..=b).find(|&w| checked_risk(n, b, w) <= risk).unwrap_or(b + 1).max(2)
}

/// Bytes of a message's header and its worker's name, beside digests and vectors.
pub(crate) const HEADER: usize = 24;

/// Bytes of a digest.
const DIGEST: usize = 32;

fn fail<T>(text: String) -> Result<T, ConfigError> {
    Err(ConfigError(text))
}

impl Plan {
    /// The plan of a configuration that names n and b itself.
    ///
    /// # Errors
    /// [`ConfigError`] where n or b are not said, or the scheme cannot be run with them.
    pub fn of_sizes(config: &Config) -> Result<Self, ConfigError> {
        let scheme = config.scheme.name();
        let (Some(n), Some(b)) = (config.n, config.b) else {
            return fail(format!("scheme {scheme} takes --n and --b, or --code"));
        };
        let k = config.k.unwrap_or(if n % 2 == 0 { n.saturating_sub(1) } else { n });
        Self::new(config, n, b, k, None)
    }

    /// The plan of a configuration whose holders are the columns of a matrix.
    ///
    /// # Errors
    /// [`ConfigError`] where a partition has too few holders, or the scheme cannot be run with the matrix.
    pub fn of_matrix(config: &Config, g: &AllocationMatrix, b: Option<usize>) -> Result<Self, ConfigError> {
        let Some(b) = config.b.or(b) else {
            return fail(format!("scheme {} takes --b where the matrix has none", config.scheme.name()));
        };
        if let Some(k) = config.k.filter(|&k| k != g.k()) {
            return fail(format!("k is {k}; the matrix has {} partitions", g.k()));
        }
        let columns: Vec<Vec<usize>> =
            (0..g.k()).map(|i| (0..g.n()).filter(|&j| g.holds(j, i)).collect()).collect();
        let plan = Self::new(config, g.n(), b, g.k(), Some(columns))?;
        let least = plan.holders(b);
        let light = plan.columns.iter().flatten().enumerate().find(|(_, column)| column.len() < least);
        match light {
            Some((partition, column)) => fail(format!(
                "partition {partition} of the matrix has {} holders; scheme {} needs {least} for b = {b}",
                column.len(),
                config.scheme.name()
            )),
            None => Ok(plan),
        }
    }

    fn new(
        config: &Config,
        n: usize,
        b: usize,
        k: usize,
        columns: Option<Vec<Vec<usize>>>,
    ) -> Result<Self, ConfigError> {
        let scheme = config.scheme;
        let referee = config.referee == Referee::Server;
        // The primary and all that check it must be others.
        let checked = if scheme == Scheme::Checked { least_holders(n.max(2), b, config.risk) } else { 0 };
        let (spare, budget, window) = (config.spare, config.budget, config.window);
        let (classes, drift) = (&config.classes.0, config.drift);
        let hardware = (!classes.is_empty()).then(|| Hardware::new(classes.clone(), k));
        let plan =
            Self { scheme, n, b, k, spare, checked, budget, referee, window, columns, hardware, drift };
        let least = plan.holders(b).max(if referee { b + 1 } else { 2 * b + 1 });
        if n > ecode_core::MAX_SIZE || k > ecode_core::MAX_SIZE {
            return fail(format!("n is {n} and k is {k}; expected at most {}", ecode_core::MAX_SIZE));
        }
        if n < least {
            let why = if plan.holders(b) == least {
                "holders of each partition"
            } else {
                "workers to settle a dispute without a referee"
            };
            return fail(format!(
                "n is {n}; scheme {} needs {least} {why} for b = {b} and spare {spare}",
                scheme.name()
            ));
        }
        if k == 0 || k % 2 == 0 {
            return fail(format!("k is {k}; expected an odd number, so that no majority ties"));
        }
        plan.check_classes()?;
        Ok(plan)
    }

    /// Whether every class of hardware can settle its disputes by itself.
    fn check_classes(&self) -> Result<(), ConfigError> {
        let Some(hardware) = &self.hardware else { return Ok(()) };
        let n = hardware.workers.len();
        if n != self.n {
            return fail(format!("classes has {n} numbers; there are {} workers", self.n));
        }
        if self.columns.is_some() || self.referee || self.window > 1 || self.scheme == Scheme::Checked {
            return fail(
                "classes is for balanced holders (--n) of scheme reactive or one-round, window 1 and no referee".into(),
            );
        }
        let least = self.holders(self.b).max(2 * self.b + 1);
        for class in 0..hardware.count() {
            let members = hardware.members(class).count();
            if members < least {
                return fail(format!(
                    "class {class} has {members} workers; each class needs {least} to settle its disputes, or none of its own"
                ));
            }
        }
        Ok(())
    }

    /// Whether primaries' vectors move the parameters before all digests have come.
    #[must_use]
    pub fn is_optimistic(&self) -> bool {
        self.scheme == Scheme::Checked || self.window > 1
    }

    /// How many holders a partition gets where `left` of the unnamed workers may be faulty.
    #[must_use]
    pub fn holders(&self, left: usize) -> usize {
        match self.scheme {
            Scheme::Vote | Scheme::FileVote | Scheme::Draco | Scheme::Detox | Scheme::ByzShield => 0,
            Scheme::Reactive => (left + 1).max(2) + self.spare,
            Scheme::OneRound => (2 * left + 1).max(2) + self.spare,
            Scheme::Checked => self.checked,
        }
    }

    /// How vectors of d signs are cut into shares in a step, where every holder sends one: with scheme `one-round`, and
    /// with spare holders, since a primary's vector has no spare. It stays so in the step, whoever is named in it.
    pub(crate) fn cut(&self, assignment: &Assignment, left: usize, d: usize) -> Option<Cut> {
        let w = assignment.holders.first().map_or(0, Vec::len);
        // In a window the primary's whole vector goes ahead.
        let threshold = match self.scheme {
            _ if self.window > 1 => return None,
            Scheme::OneRound => w.saturating_sub(left + self.spare),
            Scheme::Reactive if self.spare > 0 => w.saturating_sub(self.spare),
            _ => return None,
        };
        let even = assignment.holders.iter().all(|holders| holders.len() == w);
        even.then_some(Cut { threshold: threshold.max(1), w, length: d.div_ceil(8) })
    }

    /// Bytes that the heaviest worker sends and receives in an undisturbed step, for d coordinates.
    #[must_use]
    pub fn bytes(&self, d: usize) -> (u64, u64) {
        let present: Vec<usize> = (0..self.n).collect();
        let assignment = self.assign(&present, self.b);
        let load = present.iter().map(|&j| assignment.load(j)).max().unwrap_or(0);
        let vectors = self.k.div_ceil(self.n) * d.div_ceil(8);
        let up = match self.cut(&assignment, self.b, d) {
            Some(cut) => load * (cut.share_length() + cut.list_length()),
            None => vectors + DIGEST * load,
        };
        ((HEADER + up) as u64, (HEADER + d.div_ceil(8)) as u64)
    }

    /// The roster at the beginning of a run.
    #[must_use]
    pub fn roster(&self) -> Roster {
        Roster::new(self.n, self.b, self.budget, 2, self.spare)
    }

    /// Who holds what in a step, where `present` are in an order that liars cannot choose. Where a matrix names the
    /// holders, its columns do, and whoever has least to compute stands in for the absent.
    #[must_use]
    pub fn assign(&self, present: &[usize], left: usize) -> Assignment {
        let w = self.holders(left);
        if let Some(hardware) = &self.hardware {
            let mut holders = vec![Vec::new(); self.k];
            for class in 0..hardware.count() {
                let mine: Vec<usize> = (0..self.k).filter(|&i| hardware.partitions[i] == class).collect();
                let members: Vec<usize> =
                    present.iter().copied().filter(|&worker| hardware.workers[worker] == class).collect();
                if members.is_empty() {
                    continue;
                }
                for (list, i) in assign(&members, mine.len(), w).holders.into_iter().zip(mine) {
                    holders[i] = list;
                }
            }
            return Assignment { holders };
        }
        let Some(columns) = &self.columns else { return assign(present, self.k, w) };
        let mut assignment = Assignment {
            holders: columns
                .iter()
                .map(|column| present.iter().copied().filter(|worker| column.contains(worker)).collect())
                .collect(),
        };
        for partition in 0..self.k {
            while assignment.holders[partition].len() < w {
                let absent = |worker: &&usize| !assignment.holders[partition].contains(worker);
                let least = present.iter().filter(absent).min_by_key(|&&worker| assignment.load(worker));
                let Some(&worker) = least else { break };
                assignment.holders[partition].push(worker);
            }
        }
        assignment
    }

    /// The matrix of the first step's holders: what a run folder keeps, and what tables show.
    ///
    /// # Errors
    /// [`ConfigError`] where there is no such matrix.
    pub fn matrix(&self) -> Result<AllocationMatrix, ConfigError> {
        let present: Vec<usize> = (0..self.n).collect();
        let assignment = self.assign(&present, self.b);
        let entry =
            |j, i: usize| assignment.holders.get(i).is_some_and(|holders: &Vec<usize>| holders.contains(&j));
        AllocationMatrix::from_fn(self.n, self.k, entry).map_err(|error| ConfigError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Depths for a risk b·u, as the design's tables have them.
    #[test]
    fn depths_are_those_of_the_table() {
        let depths = |n, b| [1e-2, 1e-4, 1e-6, 1e-9].map(|risk| least_holders(n, b, risk));
        assert_eq!(depths(101, 10), [4, 6, 7, 9]);
        assert_eq!(depths(101, 20), [6, 8, 10, 13]);
        assert_eq!(depths(101, 50), [13, 18, 22, 29]);
        assert_eq!(depths(31, 8), [6, 7, 9, 9]);
        assert_eq!(least_holders(9, 2, 1e-6), 3, "b + 1: exact");
        assert_eq!(least_holders(9, 0, 1e-6), 2);
    }
}
