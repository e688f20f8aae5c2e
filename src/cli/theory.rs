//! `ecode bounds --theory`: the paper's lemmas and theorems as numbers.

use anyhow::ensure;
use clap::Args;
use ecode::analysis::theory::{
    Convergence, LocalVoting, byzantine_fraction, decode_error_bound, gaussian_sign_error,
    independent_decode_error, local_error, local_error_bound, mixture, sign_error,
};
use ecode::report::{Markdown, figures, plain, probability};
use serde_json::json;

use super::ending::Ending;
use super::output;

/// What the paper's bounds are evaluated at.
#[derive(Args)]
pub(crate) struct Theory {
    /// The paper's bounds on errors and convergence, beside exact figures
    #[arg(long = "theory")]
    pub(crate) asked: bool,
    /// theory: S = |g|/σ, the signal-to-noise ratio of one partition's gradient
    #[arg(long, requires = "asked", value_name = "S", default_value_t = 1.0)]
    signal_to_noise: f64,
    /// theory: mean partitions per worker of a Bernoulli code, p = r/n
    #[arg(long, requires = "asked", value_name = "R", default_value_t = 3.0)]
    mean_redundancy: f64,
    /// theory: each decode is to be wrong with probability below 1/Δ
    #[arg(long, requires = "asked", value_name = "Δ", default_value_t = 10.0)]
    delta: f64,
    /// theory: f(w0) − f*, in units of the loss
    #[arg(long, requires = "asked", value_name = "F", default_value_t = 1.0)]
    gap: f64,
    /// theory: ‖L‖₁, the sum of the coordinates' smoothness constants
    #[arg(long, requires = "asked", value_name = "L", default_value_t = 1.0)]
    smoothness: f64,
    /// theory: the number of steps T
    #[arg(long, requires = "asked", value_name = "T", default_value_t = 1000)]
    steps: u64,
}

struct Line {
    source: &'static str,
    what: String,
    unit: &'static str,
    /// The paper's bound; none where its assumptions are not met.
    bound: Option<f64>,
    /// What it bounds, exactly, where that is known.
    exact: Option<f64>,
    note: String,
}

impl Theory {
    pub(crate) fn run(&self, n: usize, b: usize, json: bool) -> anyhow::Result<Ending> {
        let Self { signal_to_noise: s, mean_redundancy: r, delta, gap, smoothness, .. } = *self;
        ensure!(n > 0 && n <= 4096, "--n {n}: expected 1 to 4096 workers");
        ensure!(b <= n, "--b {b}: there are only n = {n} workers");
        ensure!(s.is_finite() && s >= 0.0, "--signal-to-noise {s}: expected a number from 0 on");
        ensure!(
            r > 0.0 && r <= n as f64,
            "--mean-redundancy {r}: expected a number above 0 and at most n = {n}"
        );
        ensure!(delta.is_finite() && delta > 1.0, "--delta {delta}: expected a number above 1");
        ensure!(gap.is_finite() && gap >= 0.0, "--gap {gap}: expected a number from 0 on");
        ensure!(
            smoothness.is_finite() && smoothness > 0.0,
            "--smoothness {smoothness}: expected a number above 0"
        );
        ensure!(self.steps > 0, "--steps 0: expected at least 1");
        let lines = self.lines(n, b);
        if json {
            let document = json!({
                "n": n, "b": b, "signal_to_noise": s, "mean_redundancy": r, "delta": delta, "gap": gap,
                "smoothness": smoothness, "steps": self.steps,
                "bounds": lines.iter().map(|line| json!({
                    "source": line.source, "what": line.what, "unit": line.unit, "bound": line.bound,
                    "exact": line.exact, "note": line.note,
                })).collect::<Vec<_>>(),
            });
            output::print(&document.to_string())?;
            return Ok(Ending::Done);
        }
        let mut table = Markdown::new(["source", "what", "unit", "bound", "exact", "note"]);
        for line in lines {
            let number = |value: Option<f64>| match (value, line.unit) {
                (None, _) => "—".to_owned(),
                (Some(value), "probability") if value <= 1.0 => probability(value),
                (Some(value), _) => figures(value, 4),
            };
            let (bound, exact) = (number(line.bound), number(line.exact));
            table.row([line.source.to_owned(), line.what, line.unit.to_owned(), bound, exact, line.note]);
        }
        output::print(&format!(
            "n = {n}, b = {b} (α = {}), S = {}, Bernoulli code with r = {}\n{table}",
            figures(b as f64 / n as f64, 4),
            plain(s),
            plain(r)
        ))?;
        Ok(Ending::Done)
    }

    fn lines(&self, n: usize, b: usize) -> Vec<Line> {
        let Self { signal_to_noise: s, mean_redundancy: r, delta, gap, smoothness, steps, .. } = *self;
        let q = sign_error(s);
        let p = r / n as f64;
        let load = r.round() as usize;
        let vacuous = |bound: f64| if bound >= 1.0 { "1 or more: says nothing" } else { "" };
        let local = local_error_bound(load, s);
        let mut lines = vec![
            Line {
                source: "Lemma C.4",
                what: "one partition's sign is wrong".to_owned(),
                unit: "probability",
                bound: Some(q),
                exact: Some(gaussian_sign_error(s)),
                note: "unimodal symmetric noise; exact: Gaussian noise".to_owned(),
            },
            Line {
                source: "Lemma E.1",
                what: format!("a worker with n_i = {load} partitions is wrong"),
                unit: "probability",
                bound: Some(local),
                exact: Some(local_error(load, q)),
                note: format!("exact: each sign wrong as in Lemma C.4, ties wrong; {}", vacuous(local))
                    .trim_end_matches("; ")
                    .to_owned(),
            },
        ];
        // What Theorem 1 is given: the error of a worker of the Bernoulli code.
        let exact = mixture(n, p, q);
        let voting = LocalVoting::with_probability(n, p);
        let bound = voting.map(|voting| voting.bound(s));
        lines.push(Line {
            source: "Lemma 1",
            what: format!("a worker of a Bernoulli({}) code is wrong", figures(p, 4)),
            unit: "probability",
            bound,
            exact: Some(exact),
            note: match (voting, bound) {
                (Some(voting), Some(bound)) => {
                    format!("p = p* for C = {}; {}", figures(voting.c, 4), vacuous(bound))
                        .trim_end_matches("; ")
                        .to_owned()
                }
                _ => "needs n ≥ 2".to_owned(),
            },
        });
        for (given, u) in
            [("Lemma 1's bound", bound.map_or(0.0, |bound| 1.0 - bound)), ("the exact error", 1.0 - exact)]
        {
            let fraction = byzantine_fraction(n, u, delta);
            lines.push(Line {
                source: "Theorem 1",
                what: format!("largest α for an error below 1/Δ = {:.4}, from {given}", 1.0 / delta),
                unit: "fraction of n",
                bound: fraction,
                exact: None,
                note: match fraction {
                    Some(fraction) => {
                        // α is to be strictly below.
                        let most = (fraction * n as f64).ceil() as usize;
                        format!("b ≤ {}", most.saturating_sub(1))
                    }
                    None => "(D.2) holds for no α: says nothing".to_owned(),
                },
            });
            let error = decode_error_bound(n, b, u);
            lines.push(Line {
                source: "Theorem 1",
                what: format!("decode is not the true sign, b = {b}, from {given}"),
                unit: "probability",
                bound: error,
                exact: (u > 0.0).then(|| independent_decode_error(n, b, u)),
                note: if error.is_some() {
                    "exact: if honest votes were independent, which they are not".to_owned()
                } else {
                    "ε ≤ 0: says nothing".to_owned()
                },
            });
        }
        let convergence = Convergence { gap, smoothness, delta, steps: steps as f64 };
        lines.push(Line {
            source: "Theorem 2",
            what: format!("mean ‖gradient‖₁ over T = {steps} steps"),
            unit: "loss / parameter",
            bound: convergence.gradient_bound(),
            exact: None,
            note: if convergence.gradient_bound().is_some() {
                format!("at the learning rate γ = {} (parameter)", figures(convergence.learning_rate(), 4))
            } else {
                "needs Δ > 2".to_owned()
            },
        });
        lines
    }
}
