//! Narrows a dispute over one result to one stage of its computation before a referee computes anything.
//!
//! A computation is a list of *stages* in the order in which they are computed, the layers of a forward and of a backward pass
//! for instance. Each stage is a function of earlier stages' outputs and of what everybody has: parameters, data, random
//! numbers. A worker's *trace* has a digest of each stage's output, and what the worker announced is a digest of its trace. Where
//! workers differ, their traces agree up to some stage: the referee computes that one stage, from the inputs on which they agree.
//!
//! # What is promised
//! - Nobody is blamed whose trace follows from itself, so nobody honest: an honest trace has, at every stage, what the stage
//!   makes of the trace's own earlier outputs, and that is all that the referee compares.
//! - Each stage that is computed blames somebody, since two workers differ in it: at most as many stages are computed as there are
//!   workers to blame.
//! - What is left agrees in every stage. Where b + 1 workers gave traces, an honest one is among them, and what is left is right.
//!
//! # References
//! docs/theory/reactive.md, "A dispute is narrowed to a stage". Narrowing a dispute between parties who committed to every state of a computation: Canetti, Riva,
//! Rothblum, *Practical delegation of computation using multiple servers* (CCS 2011); for training and its operators:
//! *Verde* (arXiv:2502.19405).

use std::collections::BTreeMap;

use crate::Digest;

/// Why a worker is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Its trace is not that of the digest that it announced, or has another number of stages.
    Trace,
    /// It sent an output of this stage that is not that of its trace.
    Output(usize),
    /// Its output of this stage does not follow from its own earlier outputs.
    Stage(usize),
}

/// What a referee is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inquiry {
    /// Compute one stage, and say its digest by [`Dispute::computed`]. `workers` all have the same digests of earlier outputs
    /// ([`Dispute::output`]): any of them can send those that the stage needs.
    Compute {
        /// The stage.
        stage: usize,
        /// Who can be asked for the inputs.
        workers: Vec<usize>,
    },
    /// All that are left say the same. Right where an honest worker gave a trace.
    Settled {
        /// The digest that they announced.
        digest: Digest,
        /// Who they are.
        workers: Vec<usize>,
    },
    /// Nobody is left.
    Nobody,
}

/// A dispute over one result.
///
/// ```
/// use ecode_judge::{Blame, Dispute, Header, Inquiry};
/// let header = Header { run: [1; 32], step: 7, state: [2; 32] };
/// // Stage s adds s to its input; the trace has the digests of 1, 2, 4, 7. One worker adds wrong at stage 2.
/// let trace = |values: [u8; 4]| values.map(|value| header.digest(0, &[value])).to_vec();
/// let announced = |trace: &[[u8; 32]]| header.digest(0, trace.as_flattened());
/// let (right, wrong) = (trace([1, 2, 4, 7]), trace([1, 2, 5, 8]));
/// let mut dispute = Dispute::new(4, announced);
/// dispute.trace(0, announced(&wrong), wrong);
/// dispute.trace(1, announced(&right), right.clone());
/// assert_eq!(dispute.next(), Inquiry::Compute { stage: 2, workers: vec![0, 1] });
/// dispute.computed(2, header.digest(0, &[2 + 2]));
/// assert_eq!(dispute.next(), Inquiry::Settled { digest: announced(&right), workers: vec![1] });
/// assert_eq!(dispute.blamed().collect::<Vec<_>>(), [(0, Blame::Stage(2))]);
/// ```
pub struct Dispute<F> {
    stages: usize,
    root: F,
    traces: BTreeMap<usize, Vec<Digest>>,
    blamed: BTreeMap<usize, Blame>,
    computed: usize,
}

impl<F: Fn(&[Digest]) -> Digest> Dispute<F> {
    /// A dispute over a computation of so many stages; `root` makes of a trace the digest that is announced.
    pub fn new(stages: usize, root: F) -> Self {
        Self { stages, root, traces: BTreeMap::new(), blamed: BTreeMap::new(), computed: 0 }
    }

    /// A worker has shown the trace of what it announced. A second trace of a worker is dropped.
    pub fn trace(&mut self, worker: usize, announced: Digest, trace: Vec<Digest>) {
        if self.traces.contains_key(&worker) || self.blamed.contains_key(&worker) {
            return;
        }
        if trace.len() != self.stages || (self.root)(&trace) != announced {
            self.blamed.insert(worker, Blame::Trace);
        } else {
            self.traces.insert(worker, trace);
        }
    }

    /// What is to be done.
    #[must_use]
    pub fn next(&self) -> Inquiry {
        let workers: Vec<usize> = self.traces.keys().copied().collect();
        let Some(first) = self.traces.values().next() else { return Inquiry::Nobody };
        match self.parting() {
            Some(stage) => Inquiry::Compute { stage, workers },
            None => Inquiry::Settled { digest: (self.root)(first), workers },
        }
    }

    /// The first stage in which those that are left differ.
    fn parting(&self) -> Option<usize> {
        let first = self.traces.values().next()?;
        (0..self.stages).find(|&stage| self.traces.values().any(|trace| trace[stage] != first[stage]))
    }

    /// The digest that a worker has of a stage's output.
    #[must_use]
    pub fn output(&self, worker: usize, stage: usize) -> Option<Digest> {
        self.traces.get(&worker)?.get(stage).copied()
    }

    /// A worker has sent the output of a stage, and this is the digest of what came. Returns whether it is that of its trace.
    pub fn sent(&mut self, worker: usize, stage: usize, digest: Digest) -> bool {
        let right = self.output(worker, stage) == Some(digest);
        if !right && self.traces.remove(&worker).is_some() {
            self.blamed.insert(worker, Blame::Output(stage));
        }
        right
    }

    /// The referee has computed the stage that [`Self::next`] asked for, from the agreed inputs. Another stage's digest changes
    /// nothing.
    pub fn computed(&mut self, stage: usize, digest: Digest) {
        if self.parting() != Some(stage) {
            return;
        }
        self.computed += 1;
        let (traces, blamed) = (&mut self.traces, &mut self.blamed);
        traces.retain(|&worker, trace| {
            let right = trace[stage] == digest;
            if !right {
                blamed.insert(worker, Blame::Stage(stage));
            }
            right
        });
    }

    /// Who is to blame, and why.
    pub fn blamed(&self) -> impl Iterator<Item = (usize, Blame)> + '_ {
        self.blamed.iter().map(|(&worker, &blame)| (worker, blame))
    }

    /// How many stages the referee has computed.
    #[must_use]
    pub fn stages_computed(&self) -> usize {
        self.computed
    }
}
