//! All runs behind the tables of a sweep, a line each.

use super::sweeps::values_text;

/// One run of a sweep that has ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SweptRun {
    /// Its folder within the sweep's.
    pub folder: String,
    /// Workers.
    pub n: usize,
    /// The b that the code is made for.
    pub b: usize,
    /// Workers that lie.
    pub byzantine: usize,
    /// Liars that an aggregator is told of which asks for a number.
    pub declared: usize,
    /// The values of the grid's axes.
    pub axes: Vec<(String, String)>,
    /// The code and the aggregator.
    pub scheme: String,
    /// The choice that was tried.
    pub choice: Vec<(String, String)>,
    /// Whether the table rests on it: with what was chosen, and no seed that only tuned.
    pub in_table: bool,
    /// What the liars do.
    pub attack: String,
    /// The seed.
    pub seed: u64,
    /// How the run ended.
    pub status: String,
    /// What the two values are of: `accuracy`, a share, or `auc`.
    pub metric: &'static str,
    /// Of the samples held out for validation, after the last step; none where none are held out.
    pub validation: Option<f64>,
    /// Of the test samples, after the last step.
    pub test: f64,
    /// Whether what was proved of the code covers every step.
    pub verified: bool,
    /// Steps trained.
    pub steps: u64,
    /// Gradients of one partition that the heaviest worker has computed.
    pub gradients: u64,
    /// Seconds of processor time of a thread for one gradient of a partition.
    pub gradient_s: Option<f64>,
    /// Estimated seconds of a deployment.
    pub deployed_s: f64,
    /// Bytes from all workers to the server.
    pub bytes_up: u64,
}

/// The runs as CSV, a header first. Several values in a column stand in quotes.
#[must_use]
pub fn swept_csv(runs: &[SweptRun]) -> String {
    let head = [
        "folder",
        "n",
        "b",
        "byzantine",
        "declared",
        "axes",
        "scheme",
        "choice",
        "in_table",
        "attack",
        "seed",
        "status",
        "metric",
        "validation",
        "test",
        "verified",
        "steps",
        "gradients",
        "gradient_s",
        "deployed_s",
        "bytes_up",
    ];
    let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let mut table = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = table.write_record(head);
    for run in runs {
        let _ = table.write_record([
            run.folder.clone(),
            run.n.to_string(),
            run.b.to_string(),
            run.byzantine.to_string(),
            run.declared.to_string(),
            values_text(&run.axes),
            run.scheme.clone(),
            values_text(&run.choice),
            run.in_table.to_string(),
            run.attack.clone(),
            run.seed.to_string(),
            run.status.clone(),
            run.metric.to_owned(),
            optional(run.validation),
            run.test.to_string(),
            run.verified.to_string(),
            run.steps.to_string(),
            run.gradients.to_string(),
            optional(run.gradient_s),
            run.deployed_s.to_string(),
            run.bytes_up.to_string(),
        ]);
    }
    String::from_utf8(table.into_inner().unwrap_or_default()).unwrap_or_default()
}
