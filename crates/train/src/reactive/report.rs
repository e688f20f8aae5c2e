//! What a run's summary says of its scheme.

use ecode_server::reactive::Drift;
use serde::{Deserialize, Serialize};

use super::ledger::{FellBack, Ledger};
use super::plan::{Plan, checked_risk, unseen, whole_run};
use crate::config::Scheme;

/// A worker that was named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedWorker {
    /// The worker, from 0.
    pub worker: usize,
    /// The step, from 0.
    pub step: u64,
    /// The rule, in words.
    pub rule: String,
}

/// What a run's summary says of its scheme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The scheme.
    pub scheme: Scheme,
    /// What is promised of the parameters, in short.
    pub label: String,
    /// r, gradients that the workers computed for each one that counts.
    pub gradients_per_partition: f64,
    /// The most gradients that one worker computed in a step.
    pub heaviest_load: u64,
    /// Gradients of helpers, beyond the assignment.
    pub extra_gradients: u64,
    /// Round trips beyond the first of a step.
    pub extra_trips: u64,
    /// Answers that did not come.
    pub timeouts: u64,
    /// Gradients that the server computed.
    pub referee_gradients: u64,
    /// Partitions on which workers said different things.
    pub disputes: u64,
    /// Steps done again since a decode was wrong.
    pub steps_redone: u64,
    /// The named workers.
    pub named: Vec<NamedWorker>,
    /// The workers that are suspended at the end.
    pub suspended: Vec<usize>,
    /// The workers that are asked no more though nothing proves that they lied, with what speaks against them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dismissed: Vec<NamedWorker>,
    /// Workers that lost a close dispute in a step, all together.
    #[serde(default)]
    pub close_disputes: u64,
    /// From when on the votes of a code were taken; none where the scheme settled every step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fell_back: Option<FellBack>,
}

impl Report {
    /// The report before a step; `covered` says whether the scheme's promise held in all steps.
    #[must_use]
    pub fn new(plan: &Plan, ledger: &Ledger, step: u64, covered: bool) -> Self {
        let account = &ledger.account;
        let named: Vec<NamedWorker> = ledger
            .named()
            .map(|(worker, step, evidence)| NamedWorker { worker, step, rule: evidence.to_string() })
            .collect();
        let r = account.gradients as f64 / (step * plan.k as u64).max(1) as f64;
        let votes = ledger.fell_back.as_ref().map_or(String::new(), |FellBack { step, code, b, .. }| {
            format!("; votes of {code}, verified for b = {b}, from step {step} on")
        });
        let label = if !covered {
            format!("UNVERIFIED{votes}")
        } else if let Drift::Close(most) = plan.drift {
            let (b, named) = (plan.b, named.len());
            format!("settled within {most} coordinates (b = {b}, named {named}, r {r:.2}{votes})")
        } else if plan.risk(ledger) > 0.0 {
            format!("checked (P[wrong] <= {:.2e}, named {}, r {r:.2}{votes})", plan.risk(ledger), named.len())
        } else {
            format!("exact (b = {}, named {}, r {r:.2}{votes})", plan.b, named.len())
        };
        Self {
            scheme: plan.scheme,
            label,
            gradients_per_partition: r,
            heaviest_load: account.heaviest,
            extra_gradients: account.extra_gradients,
            extra_trips: account.extra_trips,
            timeouts: account.timeouts,
            referee_gradients: account.referee_gradients,
            disputes: account.disputes,
            steps_redone: account.steps_redone,
            named,
            suspended: ledger.suspended(step).collect(),
            dismissed: ledger
                .dismissed()
                .map(|(worker, step, doubt)| NamedWorker { worker, step, rule: doubt.to_string() })
                .collect(),
            close_disputes: account.close_disputes,
            fell_back: ledger.fell_back.clone(),
        }
    }

    /// What it came to, in two lines.
    #[must_use]
    pub fn sentence(&self) -> String {
        let named: Vec<String> = self
            .named
            .iter()
            .map(|NamedWorker { worker, step, rule }| format!("worker {worker} in step {step} ({rule})"))
            .collect();
        let named = if named.is_empty() { "nobody".to_owned() } else { named.join("; ") };
        let dismissed: Vec<String> = self
            .dismissed
            .iter()
            .map(|NamedWorker { worker, step, rule }| format!(" worker {worker} in step {step} ({rule})"))
            .collect();
        let dismissed = if dismissed.is_empty() {
            String::new()
        } else {
            format!("\nDismissed, not proved to lie:{}.", dismissed.join(";"))
        };
        format!(
            "{}: {}. Gradients for each that counts: {:.2}; heaviest worker: {}; extra gradients: {}; extra trips: {}; timeouts: {}; \
             steps redone: {}; gradients computed by the server: {}.\nNamed: {named}.{dismissed}",
            self.scheme.name(),
            self.label,
            self.gradients_per_partition,
            self.heaviest_load,
            self.extra_gradients,
            self.extra_trips,
            self.timeouts,
            self.steps_redone,
            self.referee_gradients,
        )
    }
}

impl Plan {
    /// The chance that anything at all was decoded wrong, from the draws that there were; 0 where the scheme is exact.
    #[must_use]
    pub fn risk(&self, ledger: &Ledger) -> f64 {
        match self.scheme {
            Scheme::Checked if ledger.unseen > 0.0 => whole_run(self.b, ledger.unseen),
            Scheme::Checked => checked_risk(self.n, self.b, self.checked),
            _ => 0.0,
        }
    }

    /// The chance that a lie stays unseen where so many are present and so many were named.
    pub(crate) fn unseen(&self, present: usize, named: usize) -> f64 {
        unseen(present, self.b.saturating_sub(named).max(1), self.checked)
    }
}
