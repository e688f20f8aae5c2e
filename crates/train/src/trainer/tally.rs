//! What is counted of a run: bytes, gradients, seconds and wrong coordinates of each step, and the model's tests.

use std::time::Instant;

use super::Trainer;
use super::round::Round;
use crate::aggregate::Aggregator;
use crate::error::TrainError;
use crate::metrics::{Best, Metrics};
use crate::model::Evaluation;

impl Trainer {
    /// Counts a step, once it is done.
    pub(super) fn count(&mut self, round: Round, start: Instant) {
        let n = self.code.matrix().n();
        let (mut up, mut down) = (0, 0);
        for worker in 0..n {
            let bytes = self.bytes_per_step(worker);
            up += bytes.0;
            down += bytes.1;
        }
        let mut heaviest = self.code.matrix().worker_loads().into_iter().max().unwrap_or(0) as u64;
        if let Some((account, ledger)) = round.settled {
            (up, down, heaviest) = (account.bytes_up, account.bytes_down, account.heaviest);
            self.state.ledger = Some(ledger);
        }
        let gradient_s = self.steady.with(round.gradient_s);
        if let Some(momentum) = round.momentum {
            self.state.momentum = momentum;
        }
        let totals = &mut self.state.totals;
        totals.bytes_up += up;
        totals.bytes_down += down;
        totals.wrong += round.wrong.unwrap_or(0);
        totals.wrong_lately += round.wrong.unwrap_or(0);
        totals.uncounted |= round.wrong.is_none();
        if let Some(loss) = round.loss {
            totals.loss_lately += loss;
            totals.steps_lately += 1;
        }
        totals.wall_s += start.elapsed().as_secs_f64();
        totals.gradients += heaviest;
        totals.deployed_s += heaviest as f64 * gradient_s + 8.0 * (up + down) as f64 / self.config.bandwidth;
        self.state.step += 1;
    }

    /// Tests the model and closes the counts since the last time.
    ///
    /// # Errors
    /// [`TrainError::Model`].
    pub fn evaluate(&mut self) -> Result<Metrics, TrainError> {
        self.close_all()?;
        self.sync()?;
        if self.deployment.is_some() {
            let batches = self.calibration();
            let batches: Vec<&[u32]> = batches.iter().map(Vec::as_slice).collect();
            self.learner.recalibrate(&self.state.parameters, &self.data.train, &batches)?;
        }
        let Evaluation { loss, accuracy, auc } =
            self.learner.evaluate(&self.state.parameters, &self.data.test)?;
        let validation = match &self.validation {
            Some(held_out) => Some(self.learner.evaluate(&self.state.parameters, held_out)?),
            None => None,
        };
        let gradient_s = self.steady.median();
        let unverified = self.unverified();
        let votes = self.config.aggregator == Aggregator::Vote && !self.config.scheme.takes_files();
        let counted = self.deployment.is_none() && votes;
        let state = &mut self.state;
        let totals = &mut state.totals;
        let metrics = Metrics {
            step: state.step,
            epoch: state.step as f64 / self.schedule.per_epoch as f64,
            train_loss: (totals.steps_lately > 0).then(|| totals.loss_lately / totals.steps_lately as f64),
            test_loss: loss,
            test_accuracy: accuracy,
            test_auc: auc,
            validation_accuracy: validation.as_ref().map(|held_out| held_out.accuracy),
            validation_auc: validation.and_then(|held_out| held_out.auc),
            wrong_coordinates: counted.then_some(totals.wrong_lately),
            bytes_up: totals.bytes_up,
            bytes_down: totals.bytes_down,
            wall_s: totals.wall_s,
            deployed_s: totals.deployed_s,
            gradients: totals.gradients,
            gradient_s,
            verified: unverified.is_none(),
            unverified,
            lost: state.lost.clone(),
        };
        (totals.wrong_lately, totals.loss_lately, totals.steps_lately) = (0, 0.0, 0);
        if state.best.as_ref().is_none_or(|best| metrics.beats(best)) {
            state.best = Some(Best::from(&metrics));
        }
        Ok(metrics)
    }
}
