//! `ecode ensemble`: what a random code is worth.

use anyhow::ensure;
use clap::Args;
use ecode::analysis::theory::{LocalVoting, local_error, local_error_bound, mixture, sign_error};
use ecode::analysis::{Adversary, DrawError, Ensemble, Kind, MeanErrors, RadiusDraws};
use ecode::code::TieRule;
use ecode::construct::{Bernoulli, bernoulli};
use ecode::report::{Markdown, figures, plain, probability};
use ecode::verify::Control;
use serde_json::{Value, json};

use super::common::Common;
use super::ending::Ending;
use super::{output, values, watch};

/// What a random (Bernoulli) code is worth: radius over draws, exact mean errors, the paper's bounds
#[derive(Args)]
#[command(after_help = "Examples:\n  ecode ensemble --n 15 --mean-redundancy 3\n  \
                        ecode ensemble --n 15 --p 0.5 --draws 10000 --q 0.1,0.2\n\n\
                        The mean errors average over all matrices and messages, and are exact; liars are fixed \
                        before the draw or adaptive (they see the matrix and the message). The radius is counted \
                        over verified draws, with 95% intervals.")]
pub(crate) struct EnsembleCommand {
    /// Workers
    #[arg(long)]
    n: usize,
    /// Data partitions [default: n]
    #[arg(long)]
    k: Option<usize>,
    /// The probability of a one
    #[arg(long, conflicts_with = "mean_redundancy", required_unless_present = "mean_redundancy")]
    p: Option<f64>,
    /// Mean partitions per worker, p = r/k
    #[arg(long, value_name = "R")]
    mean_redundancy: Option<f64>,
    /// Show the mean errors for this number of liars only [default: 0 to 4]
    #[arg(long)]
    b: Option<usize>,
    /// Draws to verify
    #[arg(long, default_value_t = 1000)]
    draws: u64,
    /// The random seed; the draws are those of `design --construction bernoulli`
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Probabilities that one partition's sign is wrong
    #[arg(long, value_name = "Q,…", value_delimiter = ',', default_value = "0.01,0.05,0.1,0.2,0.3")]
    q: Vec<f64>,
    /// Signal-to-noise ratios for the paper's Lemma E.1 and Lemma 1
    #[arg(long, value_name = "S,…", value_delimiter = ',', default_value = "0.5,1,2")]
    signal_to_noise: Vec<f64>,
    /// What a worker does whose own vote ties
    #[arg(long, default_value = "adversarial", value_name = "RULE", value_parser = values::ties())]
    ties: TieRule,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// The most loads that the table of local errors shows.
const LOADS: usize = 12;
/// The largest number of liars that the table of mean errors shows.
const ROWS: usize = 4;

/// What is wrong, who lies, and the mean error for each b.
type Means = [(&'static str, &'static str, Vec<f64>); 4];

struct Findings {
    n: usize,
    k: usize,
    p: f64,
    ensemble: Ensemble,
    /// By q; empty where they were not worked out in time.
    errors: Vec<(f64, Means)>,
    radii: RadiusDraws,
    voting: Option<LocalVoting>,
}

impl EnsembleCommand {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let n = self.n;
        let k = self.k.unwrap_or(n);
        ensure!(k > 0, "--k 0: there must be at least one partition");
        let p = match (self.p, self.mean_redundancy) {
            (Some(p), _) => p,
            (None, Some(r)) => r / k as f64,
            (None, None) => anyhow::bail!("give --p P or --mean-redundancy R"),
        };
        for s in &self.signal_to_noise {
            ensure!(s.is_finite() && *s >= 0.0, "--signal-to-noise {s}: expected a number from 0 on");
        }
        ensure!(self.b.is_none_or(|b| b <= n), "--b: there are only n = {n} workers");
        let ensemble = Ensemble::new(n, k, p)?;
        for q in &self.q {
            ensure!((0.0..=1.0).contains(q), "--q {}: a probability is from 0 to 1", plain(*q));
        }
        let how = Bernoulli { n, k, p, seed: self.seed, draw: 0, redraw_empty: false, odd_rows: false };
        bernoulli(how)?;
        let control = common.control();
        let (errors, radii) = watch::with_unit(&control, common.quiet, "draws", || -> anyhow::Result<_> {
            let errors = self.errors(&ensemble, &control)?;
            let draw = |draw| bernoulli(Bernoulli { draw, ..how });
            let radii =
                RadiusDraws::of(draw, self.draws, self.ties, &control).map_err(|error| match error {
                    DrawError::Verify(error) => super::verify::known(error),
                    error => error.into(),
                })?;
            Ok((errors, radii))
        })?;
        let complete = radii.draws() == self.draws && errors.len() == self.q.len();
        let ending = if complete { Ending::Done } else { Ending::Undecided };
        let voting = LocalVoting::with_probability(k, p);
        let findings = Findings { n, k, p, ensemble, errors, radii, voting };
        if self.json {
            output::print(&self.document(&findings).to_string())?;
        } else {
            output::print(&self.text(&findings))?;
        }
        Ok(ending)
    }

    /// For each q the mean errors; nothing where the control said stop.
    fn errors(&self, ensemble: &Ensemble, control: &Control) -> anyhow::Result<Vec<(f64, Means)>> {
        let Some(means) = MeanErrors::of(ensemble, self.ties, control) else { return Ok(Vec::new()) };
        let at = |&q: &f64| -> anyhow::Result<(f64, Means)> {
            let of = |kind, adversary| -> anyhow::Result<Vec<f64>> {
                let [a, b] = means.errors(kind, adversary, q)?;
                Ok(a.into_iter().zip(b).map(|(a, b)| a.max(b)).collect())
            };
            let means = [
                ("decode", "fixed", of(Kind::Decode, Adversary::Random)?),
                ("decode", "adaptive", of(Kind::Decode, Adversary::Adaptive)?),
                ("sign", "fixed", of(Kind::Sign, Adversary::Random)?),
                ("sign", "adaptive", of(Kind::Sign, Adversary::Adaptive)?),
            ];
            Ok((q, means))
        };
        self.q.iter().map(at).collect()
    }

    fn document(&self, findings: &Findings) -> Value {
        let Findings { n, k, p, ensemble, errors, radii, voting } = findings;
        let part = |hits: u64| {
            let (met, low, high) = radii.part(hits);
            json!({"draws": hits, "estimate": met, "low": low, "high": high})
        };
        let tolerant: Vec<Value> = (0..=n.saturating_sub(1) / 2).map(|b| part(radii.tolerant(b))).collect();
        let errors = errors.iter().map(|(q, means)| {
            let mut at = json!({"q": q});
            for (kind, liars, row) in means {
                at[*kind][*liars] = json!(row);
            }
            at
        });
        let local = self.signal_to_noise.iter().map(|&s| {
            let by_load = (0..=*k).map(|load| {
                json!({
                    "load": load, "probability": ensemble.load(load),
                    "exact": local_error(load, sign_error(s)), "lemma_e1": local_error_bound(load, s),
                })
            });
            json!({
                "signal_to_noise": s, "q": sign_error(s), "mixture": mixture(*k, *p, sign_error(s)),
                "lemma_1": voting.map(|voting| voting.bound(s)), "c": voting.map(|voting| voting.c),
                "by_load": by_load.collect::<Vec<_>>(),
            })
        });
        json!({
            "schema": "ecode/ensemble/1", "n": n, "k": k, "p": p, "ties": self.ties.name(),
            "mean_redundancy": ensemble.mean_redundancy(),
            "expected_empty_workers": ensemble.empty_workers(),
            "some_empty_worker": ensemble.some_empty_worker(),
            "radius": {
                "draws": radii.draws(), "seed": self.seed, "confidence": 0.95,
                "none": part(radii.none), "tolerant": tolerant,
            },
            "errors": errors.collect::<Vec<_>>(),
            "local": local.collect::<Vec<_>>(),
        })
    }

    fn text(&self, findings: &Findings) -> String {
        let Findings { n, k, p, ensemble, .. } = findings;
        let mut text = format!(
            "Bernoulli codes, n = {n}, k = {k}, p = {}: E[r] = {}, {} workers without a partition expected \
             (some with probability {})\n\n",
            figures(*p, 4),
            figures(ensemble.mean_redundancy(), 4),
            figures(ensemble.empty_workers(), 4),
            probability(ensemble.some_empty_worker())
        );
        if findings.radii.draws() > 0 {
            text += &format!(
                "Perfect tolerance in {} verified draws (ties {}), estimated:\n{}\n\n",
                findings.radii.draws(),
                self.ties,
                findings.radius_table()
            );
        }
        if !findings.errors.is_empty() {
            text +=
                &format!("Mean over all matrices and messages, exact:\n{}\n\n", findings.error_table(self.b));
        }
        let c = findings
            .voting
            .map_or(String::new(), |voting| format!(" (p = p* for C = {})", figures(voting.c, 4)));
        text += &format!(
            "A worker's own error, where each partition's sign is wrong as often as the signal-to-noise ratio S \
             allows (Lemma C.4); a tie counts as wrong{c}:\n{}",
            findings.local_table(&self.signal_to_noise)
        );
        text
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl Findings {
    fn radius_table(&self) -> Markdown {
        let mut table = Markdown::new(words(&["b", "draws that tolerate b", "probability", "95% interval"]));
        for b in 0..=self.radii.by_radius.len().min(self.n / 2) {
            let hits = self.radii.tolerant(b);
            let (met, low, high) = self.radii.part(hits);
            table.row([
                b.to_string(),
                hits.to_string(),
                format!("~{}", probability(met)),
                format!("{} to {}", probability(low), probability(high)),
            ]);
        }
        table
    }

    fn error_table(&self, only: Option<usize>) -> Markdown {
        let qs = self.errors.iter().map(|(q, _)| format!("q = {}", plain(*q)));
        let mut table = Markdown::new(words(&["error", "b", "liars"]).into_iter().chain(qs));
        let Some((_, first)) = self.errors.first() else { return table };
        for (place, (error, liars, _)) in first.iter().enumerate() {
            let bs = only.map_or(0..=(self.n / 2).min(ROWS), |b| b..=b);
            for b in bs {
                let cells = self.errors.iter().map(|(_, means)| probability(means[place].2[b]));
                let start = [format!("wrong {error}"), b.to_string(), (*liars).to_owned()];
                table.row(start.into_iter().chain(cells));
            }
        }
        table
    }

    fn local_table(&self, signal_to_noise: &[f64]) -> Markdown {
        let mut header = words(&["load n_i", "P[n_i]"]);
        for s in signal_to_noise {
            header.push(format!("S = {}, exact", plain(*s)));
            header.push("Lemma E.1".to_owned());
        }
        let mut table = Markdown::new(header);
        for load in 0..=self.k.min(LOADS) {
            let cells = signal_to_noise.iter().flat_map(|&s| {
                [local_error(load, sign_error(s)), local_error_bound(load, s)].map(probability)
            });
            table.row([load.to_string(), probability(self.ensemble.load(load))].into_iter().chain(cells));
        }
        let cells = signal_to_noise.iter().flat_map(|&s| {
            let told = match self.voting.map(|voting| voting.bound(s)) {
                Some(bound) if bound >= 1.0 => format!("Lemma 1: {}, says nothing", figures(bound, 4)),
                Some(bound) => format!("Lemma 1: {}", probability(bound)),
                None => "Lemma 1 needs k ≥ 2".to_owned(),
            };
            [probability(mixture(self.k, self.p, sign_error(s))), told]
        });
        table.row(words(&["all", "1"]).into_iter().chain(cells));
        table
    }
}
