//! A round under a scheme that detects lies: holders compute, digests are settled, and the exact majority is decoded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ecode_server::reactive::{Assignment, Content, Drift};
use rand_chacha::ChaCha8Rng;

use super::Trainer;
use super::open::Open;
use super::round::{Round, Signs};
use super::seat::Seat;
use super::update::Update;
use crate::attack::Attack;
use crate::bits::Bits;
use crate::config::{Config, ConfigError};
use crate::error::TrainError;
use crate::model::{Job, Learner};
use crate::random::{Purpose, below, stream};
use crate::reactive::{
    Account, Course, Crowd, Failure, Identity, Journal, Ledger, Lies, Naming, OtherBits, Others, Plan,
    Report, Table, settle,
};
use crate::standing::Excess;
use crate::vote::Decoded;
use ecode_core::Workers;

/// What a trainer has for its scheme.
pub(super) struct Detection {
    pub(super) plan: Plan,
    pub(super) journal: Option<Box<dyn Journal>>,
    /// What is to be told of the steps since this was asked last.
    pub(super) remarks: Vec<String>,
    /// The steps whose digests are still on the way, the oldest first.
    pub(super) open: VecDeque<Open>,
    /// The same with workers that are processes of their own.
    #[cfg(feature = "grpc")]
    pub(super) pending: VecDeque<super::pending::Pending>,
    /// Whether a naming could not be kept: nothing is built on what is forgotten.
    pub(super) forgetful: bool,
    /// Simulated workers of another kind of machine.
    pub(super) others: Option<Others>,
}

impl Detection {
    /// The scheme of a configuration; none with votes.
    pub(super) fn of(
        config: &Config,
        trainer: &crate::code::TrainingCode,
    ) -> Result<Option<Self>, ConfigError> {
        if !config.scheme.detects() {
            return Ok(None);
        }
        let plan = match config.n {
            Some(_) => Plan::of_sizes(config)?,
            None => Plan::of_matrix(config, trainer.matrix(), trainer.b())?,
        };
        Ok(Some(Self {
            plan,
            journal: None,
            remarks: Vec::new(),
            open: VecDeque::new(),
            #[cfg(feature = "grpc")]
            pending: VecDeque::new(),
            forgetful: false,
            others: None,
        }))
    }
}

impl Detection {
    /// How many steps are open.
    pub(super) fn open_steps(&self) -> usize {
        #[cfg(feature = "grpc")]
        return self.open.len() + self.pending.len();
        #[cfg(not(feature = "grpc"))]
        self.open.len()
    }
}

impl Trainer {
    /// The ledger of a run at its start; none with votes.
    pub(super) fn ledger(&self) -> Option<Ledger> {
        let plan = &self.detection.as_ref()?.plan;
        // What a run does not depend on is no part of what it is.
        let config = self.shared_config();
        let identity = Identity {
            matrix: &self.code.matrix().digest(),
            config: &config.to_toml(),
            data: &self.data_identity(),
            dimension: self.dimension(),
        };
        Some(Ledger::new(plan, &identity, &self.state.parameters, &self.state.velocity))
    }

    /// Keeps namings in a journal from now on.
    pub fn keep_namings(&mut self, journal: Box<dyn Journal>) {
        if let Some(detection) = &mut self.detection {
            detection.journal = Some(journal);
        }
    }

    /// Names again whom a journal has named, for a run that goes on from before that. Namings of other runs, and of
    /// workers that there are not, say nothing.
    pub fn take_namings(&mut self, namings: &[Naming]) {
        if let Some(ledger) = &mut self.state.ledger {
            namings.iter().for_each(|naming| ledger.take(naming));
        }
    }

    /// What a scheme has cost so far; none with votes.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        self.state.ledger.as_ref().map(|ledger| &ledger.account)
    }

    /// The chance that anything at all was decoded wrong so far, by the scheme's theorem; 0 where it is exact.
    #[must_use]
    pub fn risk(&self) -> f64 {
        match (self.plan(), &self.state.ledger) {
            (Some(plan), Some(ledger)) => plan.risk(ledger),
            _ => 0.0,
        }
    }

    /// Why what was proved does not cover the run so far; none where it does.
    #[must_use]
    pub fn unverified(&self) -> Option<String> {
        match (&self.state.excess, self.risk()) {
            (Some(excess), _) => Some(format!("from step {}: {}", excess.step, excess.why)),
            (None, _) if self.plan().is_some_and(|plan| matches!(plan.drift, Drift::Close(_))) => Some(
                "checked, not proved: each partition's vector is that of a right worker, which may differ from another's"
                    .to_owned(),
            ),
            (None, risk) if risk > 0.0 => Some(format!(
                "checked, not proved: the chance that anything is decoded wrong is at most {risk:.2e}"
            )),
            _ => None,
        }
    }

    /// What the scheme has come to so far; none with votes.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        let (plan, ledger) = (self.plan()?, self.state.ledger.as_ref()?);
        Some(Report::new(plan, ledger, self.state.step, self.state.excess.is_none()))
    }

    /// Bytes that the heaviest worker sends and receives in an undisturbed step; none with votes.
    pub(super) fn scheme_bytes(&self) -> Option<(u64, u64)> {
        Some(self.plan()?.bytes(self.dimension()))
    }

    /// The scheme's plan; none with votes.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.detection.as_ref().map(|detection| &detection.plan)
    }

    /// Settles the step whose signs are these; with a window, or checkers, later.
    pub(super) fn scheme_round(
        &mut self,
        mut signs: Signs,
        other: Option<Vec<Bits>>,
        liars: &Workers,
    ) -> Result<Round, TrainError> {
        let other = other.and_then(|vectors| self.other_bits(vectors, &mut signs.messages));
        if let Some(fallback) = self.fallen() {
            return fallback.round(self, signs, other, liars);
        }
        let Signs { messages, instead, loss, gradient_s, .. } = signs;
        let mut lies = lies(&self.config, &self.engine, self.state.step, messages, instead);
        lies.other = other;
        let Some(Detection { plan, .. }) = &self.detection else {
            return Err(TrainError::Checkpoint("has no scheme".into()));
        };
        let optimistic = plan.is_optimistic();
        let (step, truth) = (lies.step, self.engine.majority(&lies.honest));
        let (vectors, account, mut ledger) = if optimistic {
            let (vectors, ledger) = self.commit(lies, liars)?;
            // What an open step has cost is counted when it closes.
            (vectors, Account { heaviest: ledger.account.heaviest.max(1), ..Account::default() }, ledger)
        } else {
            let seat = self.seat(liars)?;
            let (course, ledger) = self.settle(&lies, &seat, BTreeMap::new(), &[])?;
            (course.vectors, course.account, ledger)
        };
        let negative = self.engine.majority(&vectors);
        let wrong = negative.differing(&truth);
        ledger.advance(step, &negative.to_bytes());
        let mut counted = wrong;
        if optimistic && let Some(open) = self.detection.as_mut().and_then(|with| with.open.back_mut()) {
            // What is wrong with an open step is counted when it closes.
            (open.wrong, counted) = (wrong, 0);
        }
        Ok(Round {
            update: Update::Signs(Decoded { negative, tied: None, wrong: counted }),
            momentum: None,
            loss: Some(loss),
            wrong: Some(counted),
            gradient_s,
            missing: Vec::new(),
            settled: Some((account, ledger)),
        })
    }

    /// Simulates workers of another kind of machine: right, and with the bits of this learner. `steady` says whether they
    /// compute the same bits again when they are asked; else they compute those of the others then.
    pub fn compute_apart(&mut self, workers: Vec<usize>, learner: Box<dyn Learner>, steady: bool) {
        if let Some(detection) = &mut self.detection {
            detection.others = Some(Others { workers, learner, steady });
        }
    }

    /// The signs of a step's partitions as those workers compute them.
    pub(super) fn other_signs(&mut self, jobs: &[Job<'_>]) -> Result<Option<Vec<Bits>>, TrainError> {
        let Some(mut others) = self.detection.as_mut().and_then(|detection| detection.others.take()) else {
            return Ok(None);
        };
        std::mem::swap(&mut self.learner, &mut others.learner);
        let signs = self.signs(jobs, &[]);
        std::mem::swap(&mut self.learner, &mut others.learner);
        if let Some(detection) = &mut self.detection {
            detection.others = Some(others);
        }
        Ok(Some(signs?.messages))
    }

    /// Each partition's honest vector is that of its class; what is left is the other one.
    fn other_bits(&self, mut vectors: Vec<Bits>, messages: &mut [Bits]) -> Option<OtherBits> {
        let detection = self.detection.as_ref()?;
        let Others { workers, steady, .. } = detection.others.as_ref()?;
        let theirs = |partition: usize| {
            detection.plan.hardware.as_ref().is_some_and(|hardware| {
                hardware.members(hardware.partitions[partition]).all(|member| workers.contains(&member))
            })
        };
        let theirs: Vec<bool> = (0..vectors.len()).map(theirs).collect();
        for (partition, vector) in vectors.iter_mut().enumerate().filter(|(partition, _)| theirs[*partition])
        {
            std::mem::swap(vector, &mut messages[partition]);
        }
        Some(OtherBits { workers: workers.clone(), vectors, theirs, steady: *steady })
    }

    /// Who takes part in the next step, and who lies in it.
    pub(super) fn seat(&self, liars: &Workers) -> Result<Seat, TrainError> {
        self.seat_of(liars, None)
    }

    /// The same where only these workers are there.
    pub(super) fn seat_of(&self, liars: &Workers, there: Option<&[usize]>) -> Result<Seat, TrainError> {
        let step = self.state.step;
        let (Some(detection), Some(ledger)) = (&self.detection, &self.state.ledger) else {
            return Err(TrainError::Checkpoint("holds no ledger of the scheme".into()));
        };
        let plan = &detection.plan;
        let roster = plan.roster().resume(ledger.records.clone());
        let mut random = stream(self.config.seed, Purpose::Assignment, step, 0);
        let takes_part = |worker: &usize| ledger.records[*worker].takes_part();
        let all: Vec<usize> = (0..plan.n).filter(takes_part).collect();
        let connected = |worker: &usize| there.is_none_or(|there| there.contains(worker));
        let there: Vec<usize> = all.iter().copied().filter(connected).collect();
        let mut present = match &plan.hardware {
            None => roster.present(step, there),
            // Each class settles its own disputes.
            Some(hardware) => (0..hardware.count())
                .flat_map(|class| {
                    let members = there.iter().copied().filter(|&worker| hardware.workers[worker] == class);
                    roster.present(step, members)
                })
                .collect(),
        };
        for place in (1..present.len()).rev() {
            present.swap(place, below(&mut random, place + 1));
        }
        let Some(left) = roster.left() else {
            let why = format!("{} workers are named, the scheme provides for {}", roster.named(), plan.b);
            return Err(TrainError::Excess(Excess { step, why }));
        };
        let asleep = all.iter().copied().filter(|worker| !present.contains(worker)).collect();
        let assignment = plan.assign(&present, left);
        let lying: Vec<usize> = match self.config.attack {
            Attack::None => Vec::new(),
            _ => liars.indices().filter(|worker| all.contains(worker)).collect(),
        };
        let cut = plan.cut(&assignment, left, self.dimension());
        let table = Table {
            present,
            asleep,
            assignment,
            left,
            cut,
            referee: plan.referee,
            trusted: BTreeMap::new(),
            committed: Vec::new(),
            silent: Vec::new(),
            hardware: plan.hardware.clone(),
            drift: plan.drift,
            retired: Vec::new(),
        };
        Ok(Seat { header: ledger.header(step), table, lying })
    }

    /// Settles a step of the present or of the past. Returns how it went, and the ledger with what it has shown.
    pub(super) fn settle(
        &mut self,
        lies: &Lies,
        seat: &Seat,
        trusted: BTreeMap<usize, Content>,
        committed: &[Content],
    ) -> Result<(Course, Ledger), TrainError> {
        let Self { detection, state, config, .. } = self;
        let (Some(detection), Some(ledger)) = (detection, &state.ledger) else {
            return Err(TrainError::Checkpoint("holds no ledger of the scheme".into()));
        };
        let step = seat.header.step;
        let mut roster = detection.plan.roster().resume(ledger.records.clone());
        let assignment = &seat.table.assignment;
        let mut crowd = Crowd::new(lies, seat.header, config.adversary, &seat.lying, &assignment.holders);
        if let Some(cut) = seat.table.cut {
            crowd = crowd.cut(cut);
        }
        let table = Table { trusted, committed: committed.to_vec(), ..seat.table_now(ledger) };
        let mut random = stream(config.seed, Purpose::Assignment, step, 1);
        let mut pick = |list: &[usize]| first_of_least(list, assignment, &mut random);
        let journal = detection.journal.as_deref_mut();
        let course = match settle(table, &mut crowd, &roster, &mut pick, journal) {
            Ok(course) => course,
            Err(failure) => {
                let excess = Excess { step, why: failure.to_string() };
                // Where too many lie, earlier steps may be wrong, too: nothing of the run is proved any more.
                detection.forgetful |= matches!(failure, Failure::Journal(_));
                if matches!(failure, Failure::Excess(_)) {
                    state.excess.get_or_insert_with(|| excess.clone());
                }
                return Err(TrainError::Excess(excess));
            }
        };
        let asked = course.settlement.asked().into_iter().chain(course.settlement.silents());
        roster.note(step, asked.collect::<BTreeSet<_>>(), &course.settlement);
        detection.remarks.extend(course.remarks.iter().cloned());
        let mut ledger = ledger.clone();
        ledger.records = roster.records().to_vec();
        ledger.account.add(&course.account);
        Ok((course, ledger))
    }

    /// What disputes and namings there were since this was asked last.
    pub(super) fn take_disputes(&mut self) -> Vec<String> {
        self.detection.as_mut().map(|detection| std::mem::take(&mut detection.remarks)).unwrap_or_default()
    }
}

/// One of those that compute least, at random; the list is sorted by load.
pub(super) fn first_of_least(list: &[usize], assignment: &Assignment, random: &mut ChaCha8Rng) -> usize {
    let load = list.first().map_or(0, |&worker| assignment.load(worker));
    let equal = list.iter().take_while(|&&worker| assignment.load(worker) == load).count();
    below(random, equal.max(1))
}

/// The vectors of a step, honest and lied.
pub(super) fn lies(
    config: &Config,
    engine: &crate::vote::VoteEngine,
    step: u64,
    honest: Vec<Bits>,
    instead: Vec<Bits>,
) -> Lies {
    let opposite = (config.attack == Attack::Omniscient).then(|| {
        let majority = engine.majority(&honest);
        Bits::from_words(majority.len(), |i| !majority.words()[i])
    });
    Lies { honest, instead, opposite, attack: config.attack, seed: config.seed, step, other: None }
}
