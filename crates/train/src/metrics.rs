//! A line of a run's log.
//!
//! # What is promised
//! Whatever a test of the model gives can be written and read back: what is not finite is `null` in JSON.

use serde::{Deserialize, Deserializer, Serialize};

use super::standing::Lost;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Steps done.
    pub step: u64,
    /// Passes over the training set done.
    pub epoch: f64,
    /// Mean loss of the batches since the last line, in nats; none before the first step.
    pub train_loss: Option<f64>,
    /// Mean cross-entropy on the test set, in nats; `null` in JSON, and NaN once read, where it is not finite.
    #[serde(deserialize_with = "finite_or_nan")]
    pub test_loss: f64,
    /// Share of test samples classified right.
    pub test_accuracy: f64,
    /// Area under the curve, for two classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_auc: Option<f64>,
    /// Share of the samples held out for validation that are classified right, where some are held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// Area under the curve on them, for two classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_auc: Option<f64>,
    /// Wrongly decoded coordinates since the last line; none where they are not counted: where nobody knows all
    /// messages, and where the server takes no votes.
    pub wrong_coordinates: Option<u64>,
    /// Bytes to the server since the start.
    pub bytes_up: u64,
    /// Bytes from the server since the start.
    pub bytes_down: u64,
    /// Seconds of training here.
    pub wall_s: f64,
    /// Estimated seconds of a deployment.
    pub deployed_s: f64,
    /// What the heaviest worker has computed since the start: gradients of one partition, one after the other.
    #[serde(default)]
    pub gradients: u64,
    /// Seconds of a thread's processor time that one gradient of a partition takes: the median over the gradients of a
    /// step, of those over the last 101 steps. None before the first step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_s: Option<f64>,
    /// Whether what was proved of the code covers every step so far.
    pub verified: bool,
    /// From which step on it does not, and what is exceeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
    /// The workers that were lost so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
}

fn finite_or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl Metrics {
    /// Whether this is a better model than another, by the metric that tables show: the area under the curve where
    /// there is one, else the accuracy.
    #[must_use]
    pub fn beats(&self, other: &Best) -> bool {
        match (self.test_auc, other.test_auc) {
            (Some(mine), Some(theirs)) => mine > theirs,
            (None, None) => self.test_accuracy > other.test_accuracy,
            (mine, _) => mine.is_some(),
        }
    }

    /// The columns of the table.
    pub(super) const COLUMNS: [&str; 18] = [
        "step",
        "epoch",
        "train_loss",
        "test_loss",
        "test_accuracy",
        "test_auc",
        "wrong_coordinates",
        "bytes_up",
        "bytes_down",
        "wall_s",
        "deployed_s",
        "verified",
        "gradients",
        "unverified",
        "lost",
        "validation_accuracy",
        "validation_auc",
        "gradient_s",
    ];

    /// The values of the columns.
    pub(super) fn fields(&self) -> [String; 18] {
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let lost: Vec<String> =
            self.lost.iter().map(|Lost { worker, step }| format!("{worker} from {step}")).collect();
        [
            self.step.to_string(),
            self.epoch.to_string(),
            optional(self.train_loss),
            self.test_loss.to_string(),
            self.test_accuracy.to_string(),
            optional(self.test_auc),
            self.wrong_coordinates.map_or(String::new(), |wrong| wrong.to_string()),
            self.bytes_up.to_string(),
            self.bytes_down.to_string(),
            self.wall_s.to_string(),
            self.deployed_s.to_string(),
            self.verified.to_string(),
            self.gradients.to_string(),
            self.unverified.clone().unwrap_or_default(),
            lost.join("; "),
            optional(self.validation_accuracy),
            optional(self.validation_auc),
            optional(self.gradient_s),
        ]
    }
}

/// The best test of a run so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The step after which it was.
    pub step: u64,
    /// The share of test samples classified right.
    pub test_accuracy: f64,
    /// The area under the curve, for two classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_auc: Option<f64>,
}

impl From<&Metrics> for Best {
    fn from(metrics: &Metrics) -> Self {
        let Metrics { step, test_accuracy, test_auc, .. } = *metrics;
        Self { step, test_accuracy, test_auc }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: u64, test_accuracy: f64, test_auc: Option<f64>) -> Metrics {
        Metrics {
            step,
            epoch: 0.0,
            train_loss: None,
            test_loss: f64::INFINITY,
            test_accuracy,
            test_auc,
            validation_accuracy: None,
            validation_auc: None,
            wrong_coordinates: None,
            bytes_up: 0,
            bytes_down: 0,
            wall_s: 0.0,
            deployed_s: 0.0,
            gradients: 0,
            gradient_s: None,
            verified: false,
            unverified: None,
            lost: vec![Lost { worker: 3, step: 9 }],
        }
    }

    #[test]
    fn a_loss_that_is_not_finite_can_be_read_back() -> Result<(), serde_json::Error> {
        let text = serde_json::to_string(&line(0, 0.1, None))?;
        assert!(text.contains("\"test_loss\":null"), "{text}");
        let read: Metrics = serde_json::from_str(&text)?;
        assert!(read.test_loss.is_nan() && read.lost == [Lost { worker: 3, step: 9 }]);
        Ok(())
    }

    #[test]
    fn the_best_is_by_the_area_where_there_is_one() {
        let best = Best::from(&line(1, 0.9, Some(0.7)));
        assert!(line(2, 0.8, Some(0.8)).beats(&best) && !line(2, 0.99, Some(0.6)).beats(&best));
        assert!(!line(2, 0.99, None).beats(&best));
        let best = Best::from(&line(1, 0.9, None));
        assert!(line(2, 0.91, None).beats(&best) && !line(2, 0.9, None).beats(&best));
    }
}
