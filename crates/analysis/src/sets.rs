//! Byzantine sets that are fixed before the message comes: which are the worst, and how many do harm at all.
//!
//! # What is promised
//! [`Sets::at`] looks at every one of the C(n, b) sets (one of each kind, where workers are alike) and at
//! every message; its figures are exact. Where that is too much work it gives nothing.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::cell::majority_of_weight;
use super::numbers::LnFactorials;
use super::reduce::Reduced;
use ecode_core::{AllocationMatrix, TieRule, Workers};
use ecode_verify::Control;

/// The most workers: a set is one word.
const MOST_WORKERS: usize = 64;
/// The most kinds of sets that are listed: 128 MB.
const MOST_KINDS: u128 = 1 << 22;
/// The most choices of messages that are listed.
const MOST_CHOICES: u128 = 1 << 21;

/// Messages of one weight on which the same workers are above half and tied.
struct Pattern {
    above: u64,
    tied: u64,
    weight: usize,
    /// The part of all messages of this weight.
    part: f64,
}

/// Every way in which the votes can fall, worker by worker.
pub struct Sets {
    n: usize,
    k: usize,
    ties: TieRule,
    patterns: Vec<Pattern>,
    /// Workers that hold the same partitions.
    alike: Vec<Vec<usize>>,
    ln_factorials: LnFactorials,
}

/// The set that is worst at one q, and its probability of an error.
#[derive(Clone, Debug, PartialEq)]
pub struct WorstSet {
    /// The probability that one partition's sign is wrong.
    pub q: f64,
    /// The set; of several equally bad ones the first met.
    pub workers: Workers,
    /// The probability of an error; the larger of both true signs'.
    pub error: f64,
}

/// What the sets of b workers can do.
#[derive(Clone, Debug, PartialEq)]
pub struct SetErrors {
    /// The size of the sets.
    pub b: usize,
    /// How many sets there are: C(n, b).
    pub sets: u128,
    /// How many of them can make the decode of some message wrong.
    pub harmful: u128,
    /// The set that makes the decode of the most messages wrong, and the part of all 2^k messages that this
    /// is; none where no set does.
    pub worst: Option<(Workers, f64)>,
    /// For each q the worst set for a wrong decode.
    pub decode: Vec<WorstSet>,
    /// For each q the worst set for a wrong sign.
    pub sign: Vec<WorstSet>,
}

impl Sets {
    /// Lists the patterns of votes; `None` for more than 64 workers or too many messages, and when the control
    /// says stop.
    #[must_use]
    pub fn new(g: &AllocationMatrix, ties: TieRule, control: &Control) -> Option<Self> {
        let (n, k) = (g.n(), g.k());
        let reduced = Reduced::new(g);
        if n > MOST_WORKERS || reduced.choices() > MOST_CHOICES {
            return None;
        }
        let mut rows: BTreeMap<&[u64], Vec<usize>> = BTreeMap::new();
        for j in 0..n {
            rows.entry(g.row(j)).or_default().push(j);
        }
        let alike: Vec<Vec<usize>> = rows.values().cloned().collect();
        // Each voter of the reduced matrix as a set of workers.
        let with = |wanted: &dyn Fn(usize) -> bool| -> u64 {
            (0..n).filter(|&j| wanted(g.worker_load(j))).fold(0, |set, j| set | 1 << j)
        };
        let (empty, full) = (with(&|load| load == 0), with(&|load| load == k));
        let partial = rows.iter().filter(|(_, workers)| (1..k).contains(&g.worker_load(workers[0])));
        let voters: Vec<u64> =
            partial.map(|(_, workers)| workers.iter().fold(0, |set, &j| set | 1 << j)).collect();
        let ln_factorials = LnFactorials::up_to(k.max(n));
        let mut lister = Lister {
            reduced: &reduced,
            ln_factorials: &ln_factorials,
            voters,
            empty,
            full,
            all: if n == 64 { u64::MAX } else { (1 << n) - 1 },
            seen: vec![0; reduced.voters.len()],
            found: BTreeMap::new(),
            listed: 0,
            control,
        };
        lister.descend(0, 0, 0.0)?;
        let patterns = lister
            .found
            .into_iter()
            .map(|((weight, above, tied), part)| Pattern { above, tied, weight, part })
            .collect();
        Some(Self { n, k, ties, patterns, alike, ln_factorials })
    }

    /// How many kinds of sets of b workers there are.
    fn kinds(&self, b: usize) -> u128 {
        let sizes: Vec<usize> = self.alike.iter().map(Vec::len).collect();
        ecode_verify::reduce::choices_by_weight(&sizes, b)[b]
    }

    /// How many pairs of a set and a pattern of votes [`Sets::at`] looks at; `None` where the sets are too many
    /// to be listed.
    #[must_use]
    pub fn work(&self, b: usize) -> Option<u128> {
        let kinds = self.kinds(b.min(self.n));
        (kinds <= MOST_KINDS).then(|| kinds.saturating_mul(self.patterns.len() as u128))
    }

    /// What the sets of b workers (at most n) can do; `None` when the control says stop.
    #[must_use]
    pub fn at(&self, b: usize, qs: &[f64], control: &Control) -> Option<SetErrors> {
        let b = b.min(self.n);
        let mut kinds = Vec::new();
        list_kinds(&self.alike, b, 0, 0, 1, &mut kinds);
        // [q][τ][weight]: the probability of the messages of this weight.
        let likely = |q: f64| -> [Vec<f64>; 2] {
            let one = |wrong: usize| self.ln_factorials.binomial(self.k, q, wrong);
            [(0..=self.k).map(one).collect(), (0..=self.k).map(|v| one(self.k - v)).collect()]
        };
        let asked = Asked {
            toward: [false, true].map(|answer| self.toward(answer, b)),
            uniform: likely(0.5)[0].clone(),
            likely: qs.iter().map(|&q| likely(q)).collect(),
        };
        let best = kinds
            .par_iter()
            .enumerate()
            .map(|(place, &(set, sets))| {
                if place % 16 == 0 && control.stopped() {
                    return None;
                }
                Some(self.of_set(set, sets, place, &asked))
            })
            .try_reduce_with(|a, b| Some(a.or_worse(b)))??;
        let worst_at = |list: &[(f64, usize)]| -> Vec<WorstSet> {
            qs.iter()
                .zip(list)
                .map(|(&q, &(error, place))| WorstSet {
                    q,
                    workers: self.workers(kinds[place].0),
                    error: error.min(1.0),
                })
                .collect()
        };
        let (most, place) = best.most;
        Some(SetErrors {
            b,
            sets: kinds.iter().map(|&(_, sets)| sets).sum(),
            harmful: best.harmful,
            worst: (most > 0.0).then(|| (self.workers(kinds[place].0), most)),
            decode: worst_at(&best.decode),
            sign: worst_at(&best.sign),
        })
    }

    fn workers(&self, set: u64) -> Workers {
        Workers::from_indices(self.n, (0..self.n).filter(|j| set >> j & 1 == 1))
    }

    /// The patterns on which b liars may keep the server from an answer.
    fn toward(&self, answer: bool, b: usize) -> Toward {
        let all = if self.n == 64 { u64::MAX } else { (1 << self.n) - 1 };
        let mut toward = Toward { lost: vec![0.0; self.k + 1], open: Vec::new() };
        for &Pattern { above, tied, weight, part } in &self.patterns {
            let clear = if answer { above } else { all & !above & !tied };
            let (right, silent) = match (self.ties, answer) {
                (TieRule::Abstain, _) => (clear, tied),
                (TieRule::Zero, false) | (TieRule::One, true) => (clear | tied, 0),
                _ => (clear, 0),
            };
            let votes = 2 * i64::from(right.count_ones()) + i64::from(silent.count_ones());
            let lead = votes - self.n as i64 - i64::from(answer);
            if lead < 0 {
                toward.lost[weight] += part;
            } else if lead < 2 * b as i64 {
                toward.open.push(Open { right, silent, lead: lead as u32, weight, part });
            }
        }
        toward
    }

    /// One set: which messages it beats, and how likely they are.
    fn of_set(&self, set: u64, sets: u128, place: usize, asked: &Asked) -> Best {
        // For each answer, the part of each weight's messages on which the set prevents it.
        let sign = [0, 1].map(|answer: usize| {
            let mut beaten = asked.toward[answer].lost.clone();
            for open in &asked.toward[answer].open {
                let lies = 2 * (open.right & set).count_ones() + (open.silent & set).count_ones();
                if lies > open.lead {
                    beaten[open.weight] += open.part;
                }
            }
            beaten
        });
        let decode: Vec<f64> =
            (0..=self.k).map(|v| sign[usize::from(majority_of_weight(self.k, v))][v]).collect();
        let dot =
            |beaten: &[f64], likely: &[f64]| -> f64 { beaten.iter().zip(likely).map(|(a, b)| a * b).sum() };
        let worst = |of: &dyn Fn(&[Vec<f64>; 2]) -> [f64; 2]| -> Vec<(f64, usize)> {
            let larger = |[a, b]: [f64; 2]| (a.max(b), place);
            asked.likely.iter().map(|likely| larger(of(likely))).collect()
        };
        let harmful = decode.iter().any(|&part| part > 0.0);
        Best {
            harmful: if harmful { sets } else { 0 },
            most: (dot(&decode, &asked.uniform), place),
            decode: worst(&|likely| [dot(&decode, &likely[0]), dot(&decode, &likely[1])]),
            sign: worst(&|likely| [dot(&sign[0], &likely[0]), dot(&sign[1], &likely[1])]),
        }
    }
}

/// What is the same for all sets of one size.
struct Asked {
    /// By answer.
    toward: [Toward; 2],
    /// [q][τ][weight]: the probability of the messages of this weight.
    likely: Vec<[Vec<f64>; 2]>,
    /// The same when all 2^k messages are equally likely.
    uniform: Vec<f64>,
}

/// What the liars do to one answer.
struct Toward {
    /// By weight: the part of the messages that need no liar.
    lost: Vec<f64>,
    /// The messages that some set of this size may beat.
    open: Vec<Open>,
}

/// Messages with the workers that vote for an answer, those that are silent, and what lies must exceed.
struct Open {
    right: u64,
    silent: u64,
    lead: u32,
    weight: usize,
    part: f64,
}

/// The worst of some sets: values with the place of their set.
struct Best {
    harmful: u128,
    most: (f64, usize),
    decode: Vec<(f64, usize)>,
    sign: Vec<(f64, usize)>,
}

/// The larger value; of equal ones the set that comes first, whatever the order of the work.
fn worse(a: (f64, usize), b: (f64, usize)) -> (f64, usize) {
    if b.0 > a.0 || (b.0 >= a.0 && b.1 < a.1) { b } else { a }
}

impl Best {
    fn or_worse(self, other: Self) -> Self {
        let each = |a: Vec<(f64, usize)>, b: Vec<(f64, usize)>| {
            a.into_iter().zip(b).map(|(a, b)| worse(a, b)).collect()
        };
        Self {
            harmful: self.harmful + other.harmful,
            most: worse(self.most, other.most),
            decode: each(self.decode, other.decode),
            sign: each(self.sign, other.sign),
        }
    }
}

/// One set of every kind, with how many sets are of that kind.
fn list_kinds(
    alike: &[Vec<usize>],
    left: usize,
    set: u64,
    place: usize,
    sets: u128,
    kinds: &mut Vec<(u64, u128)>,
) {
    let Some(group) = alike.get(place) else {
        if left == 0 {
            kinds.push((set, sets));
        }
        return;
    };
    let (mut set, mut ways) = (set, 1_u128);
    for count in 0..=group.len().min(left) {
        if count > 0 {
            set |= 1 << group[count - 1];
            ways = ways * (group.len() + 1 - count) as u128 / count as u128;
        }
        list_kinds(alike, left - count, set, place + 1, sets * ways, kinds);
    }
}

/// Lists every choice of counts of the classes, of any weight.
struct Lister<'a> {
    reduced: &'a Reduced,
    ln_factorials: &'a LnFactorials,
    /// The workers of each voter.
    voters: Vec<u64>,
    empty: u64,
    full: u64,
    all: u64,
    /// How many ones each voter sees.
    seen: Vec<usize>,
    /// By weight, workers above half, and workers tied: the part of the weight's messages.
    found: BTreeMap<(usize, u64, u64), f64>,
    listed: u64,
    control: &'a Control,
}

impl Lister<'_> {
    /// `None` when the control says stop.
    fn descend(&mut self, class: usize, weight: usize, ln_messages: f64) -> Option<()> {
        let Some(&size) = self.reduced.sizes.get(class) else {
            self.leaf(weight, ln_messages);
            self.listed += 1;
            return (self.listed % 1024 > 0 || !self.control.stopped()).then_some(());
        };
        let held: Vec<usize> =
            (0..self.seen.len()).filter(|&j| self.reduced.voters[j].holds.contains(&class)).collect();
        for count in 0..=size.min(self.reduced.half() - weight) {
            if count > 0 {
                for &j in &held {
                    self.seen[j] += 1;
                }
            }
            let ways = self.ln_factorials.choose(size, count);
            self.descend(class + 1, weight + count, ln_messages + ways)?;
        }
        let most = size.min(self.reduced.half() - weight);
        for &j in &held {
            self.seen[j] -= most;
        }
        Some(())
    }

    fn leaf(&mut self, weight: usize, ln_messages: f64) {
        let k = self.reduced.k;
        let part = (ln_messages - self.ln_factorials.choose(k, weight)).exp();
        let (mut above, mut tied) = (0, self.empty);
        for (j, voter) in self.reduced.voters.iter().enumerate() {
            match (2 * self.seen[j]).cmp(&voter.load) {
                std::cmp::Ordering::Greater => above |= self.voters[j],
                std::cmp::Ordering::Equal => tied |= self.voters[j],
                std::cmp::Ordering::Less => {}
            }
        }
        if 2 * weight == k {
            tied |= self.full;
        } else {
            // The complement: above and below change places.
            let below = self.all & !above & !tied;
            *self.found.entry((k - weight, below, tied)).or_default() += part;
        }
        *self.found.entry((weight, above, tied)).or_default() += part;
    }
}
