//! What is written down of a step's settlement: namings on the disk, and a line for each dispute and each naming.
//!
//! # What is promised
//! [`Minutes::keep`] returns only when every new naming outlives the machine's next failure: nothing is asked, and b' is not
//! used, before that.

use std::collections::{BTreeMap, BTreeSet};

use ecode_server::reactive::{Ask, Digest, Header, Named, OwnContradictions, Settlement, Signed, certify};

use super::journal::{Journal, Naming, hexadecimal};
use super::settle::Failure;

/// Disputes of a step that are told one by one.
const SHOWN: usize = 3;

/// What is written down of one step.
#[derive(Debug, Default)]
pub(crate) struct Minutes {
    /// b' at the beginning.
    left: usize,
    /// Whose naming is kept: those of this step, and those whom evidence of another step has named before.
    kept: BTreeSet<usize>,
    /// Who was named in this step first.
    named: Vec<Named>,
    /// Helpers of each partition.
    helpers: BTreeMap<usize, usize>,
    /// What workers sent against their own digests.
    pub(crate) own: OwnContradictions,
}

impl Minutes {
    /// Nothing yet, where b' is `left`, and these were named before.
    pub(crate) fn new(left: usize, named: &[usize]) -> Self {
        Self { left, kept: named.iter().copied().collect(), ..Self::default() }
    }

    /// Helpers are asked.
    pub(crate) fn asked(&mut self, asks: &[Ask]) {
        for ask in asks {
            *self.helpers.entry(ask.partition).or_default() += 1;
        }
    }

    /// Keeps new namings before anything is built on them; `left` was b' before them. Returns them.
    pub(crate) fn keep(
        &mut self,
        settlement: &Settlement,
        header: &Header,
        left: usize,
        journal: Option<&mut (dyn Journal + 'static)>,
        signed: Signed<'_>,
    ) -> Result<Vec<Named>, Failure> {
        let named: Vec<Named> =
            settlement.named().filter(|named| !self.kept.contains(&named.worker)).collect();
        if named.is_empty() {
            return Ok(named);
        }
        if let Some(journal) = journal {
            let certificates = certify(settlement, header, self.left, &self.own, signed);
            for named in &named {
                let mut naming = Naming::new(header, left, named.worker, named.evidence);
                naming.certificate = certificates.iter().find(|made| made.worker == named.worker).cloned();
                journal.keep(&naming).map_err(Failure::Journal)?;
            }
        }
        self.kept.extend(named.iter().map(|named| named.worker));
        self.named.extend(&named);
        Ok(named)
    }

    /// A line for each partition on which workers said different things, and one for each naming; and how many such
    /// partitions there were.
    pub(crate) fn remarks(
        &self,
        settlement: &Settlement,
        step: u64,
        partitions: usize,
    ) -> (u64, Vec<String>) {
        let disputed: Vec<(usize, BTreeMap<Digest, Vec<usize>>)> = (0..partitions)
            .map(|partition| (partition, settlement.answers(partition)))
            .filter(|(_, classes)| classes.len() > 1)
            .collect();
        let line = |(partition, classes): &(usize, BTreeMap<Digest, Vec<usize>>)| {
            let classes: Vec<String> = classes
                .iter()
                .map(|(digest, workers)| format!("{} of {}", &hexadecimal(digest)[..8], list(workers)))
                .collect();
            let helpers = match self.helpers.get(partition) {
                None => "no helper was asked".to_owned(),
                Some(1) => "one helper was asked".to_owned(),
                Some(helpers) => format!("{helpers} helpers were asked"),
            };
            format!("step {step}, partition {partition}: digests differ ({}); {helpers}", classes.join(", "))
        };
        let mut lines: Vec<String> = disputed.iter().take(SHOWN).map(line).collect();
        if disputed.len() > SHOWN {
            lines.push(format!("step {step}: digests of {} more partitions differ", disputed.len() - SHOWN));
        }
        let trips = settlement.trips();
        let trips = if trips == 1 { "1 extra trip".to_owned() } else { format!("{trips} extra trips") };
        for named in &self.named {
            let (worker, evidence) = (named.worker, named.evidence);
            lines.push(format!("step {step}: worker {worker} is named ({evidence}); the step took {trips}"));
        }
        for (worker, doubt) in settlement.dismissed() {
            lines.push(format!(
                "step {step}: worker {worker} is asked no more ({doubt}); nothing proves that it lied"
            ));
        }
        for worker in settlement.close() {
            lines.push(format!("step {step}: worker {worker} lost a close dispute, and is suspended for it"));
        }
        (disputed.len() as u64, lines)
    }
}

/// Workers, in words.
fn list(workers: &[usize]) -> String {
    let shown: Vec<String> = workers.iter().map(ToString::to_string).collect();
    format!("{} {}", if workers.len() == 1 { "worker" } else { "workers" }, shown.join(" "))
}
