//! `ecode bounds`: how few ones a tolerant code can have, and how few are known.

use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, ValueHint};
use comfy_table::{Table, presets};
use ecode::code::TieRule;
use ecode::construct::{Algorithm1, Demand, KnownCode, Objective, best_for, blocks, default_partitions};
use ecode::search::{Bound, bounds_on_ones};
use serde_json::json;

use super::bound_certificate;
use super::common::Common;
use super::construct::remark_on_partitions;
use super::demand::report_impossible;
use super::ending::Ending;
use super::output::{self, Documents};
use super::theory::Theory;

/// Lower bounds on the ones of a tolerant code, the best code known, and Algorithm 1
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode bounds --n 9 --b 2\n  ecode bounds --n 64 --b 2\n  ecode bounds --n 15 --k 7 --b 2\n  \
                  ecode bounds --n 21 --b 1 --certificate bound.json    then: ecode check bound.json\n  \
                  ecode bounds --n 15 --b 3 --theory --signal-to-noise 2\n\n\
                  A bound speaks of every code of these sizes, whatever its shape. Exit code 1: proven that there is none."
)]
pub(crate) struct Bounds {
    /// Workers
    #[arg(long)]
    n: usize,
    /// Byzantine workers
    #[arg(long)]
    b: usize,
    /// Data partitions [default: n; n − 1 where n is even]
    #[arg(long, conflicts_with = "asked")]
    k: Option<usize>,
    /// Write evidence for the strongest bound that has some (k = n, odd): `ecode check` works it out again
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "asked")]
    certificate: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    theory: Theory,
}

impl Bounds {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let (n, b) = (self.n, self.b);
        if self.theory.asked {
            return self.theory.run(n, b, self.json);
        }
        let documents =
            Documents::new(&[Documents::json(self.json), ("--certificate", self.certificate.as_deref())])?;
        let k = self.k.unwrap_or_else(|| default_partitions(n, b));
        let reduced = (self.k.is_none() && k != n).then_some(n);
        if let Some(remark) = remark_on_partitions(reduced, "--k").filter(|_| !common.quiet) {
            output::remark!("{remark}");
        }
        let ties = TieRule::Adversarial;
        let demand = Demand { n, k, b, ties, max_load: k, objective: Objective::Ones };
        let bounds = match bounds_on_ones(&demand) {
            Ok(bounds) => bounds,
            Err(error) => return report_impossible(&demand, error, self.json),
        };
        if let Some(path) = &self.certificate {
            ensure!(n == k && n % 2 == 1, "--certificate: for k = n, odd, not for n = {n}, k = {k}");
            bound_certificate::write(n, b, strongest(&bounds), path, common.quiet)?;
        }
        let known = best_for(&demand, blocks())?;
        let paper = (n == k).then(|| Algorithm1::new(n, b)).transpose()?;
        if self.json {
            output::print(&document(&demand, &bounds, known.as_ref(), paper.as_ref()).to_string())?;
        } else {
            documents.report(&table(&demand, &bounds, known.as_ref(), paper.as_ref()))?;
        }
        Ok(Ending::Done)
    }
}

fn strongest(bounds: &[Bound]) -> usize {
    bounds.last().map_or(0, |bound| bound.least)
}

fn document(
    demand: &Demand,
    bounds: &[Bound],
    known: Option<&KnownCode>,
    paper: Option<&Algorithm1>,
) -> serde_json::Value {
    let Demand { n, k, b, .. } = *demand;
    let r = |ones: usize| ones as f64 / n as f64;
    let each: Vec<_> = bounds
        .iter()
        .map(|bound| json!({"name": bound.name, "ones": bound.least, "redundancy": r(bound.least), "source": bound.source}))
        .collect();
    let lower = strongest(bounds);
    let best = known.map(|known| {
        let ones = known.matrix.ones();
        json!({"ones": ones, "redundancy": r(ones), "optimal": ones == lower, "construction": known.to_json()})
    });
    let paper = paper.map(|paper| {
        let (ones, source) = (paper.ones(), "Theorem 3 of the paper");
        json!({"ones": ones, "redundancy": r(ones), "s": paper.s, "L": paper.l, "source": source})
    });
    json!({"n": n, "k": k, "b": b, "lower_bound": lower, "bounds": each, "best": best, "algorithm1": paper})
}

fn table(demand: &Demand, bounds: &[Bound], known: Option<&KnownCode>, paper: Option<&Algorithm1>) -> String {
    let n = demand.n;
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["what", "ones", "r", "source"]);
    let mut add = |what: String, ones: usize, source: &str| {
        table.add_row([what, ones.to_string(), format!("{:.4}", ones as f64 / n as f64), source.to_owned()]);
    };
    for bound in bounds {
        add(format!("lower bound: {}", bound.name), bound.least, bound.source);
    }
    if let Some(known) = known {
        let ones = known.matrix.ones();
        let what = if ones == strongest(bounds) { "best known: minimal" } else { "best known" };
        add(what.to_owned(), ones, &format!("ecode design --construction {}", known.name()));
    }
    if let Some(paper) = paper {
        add(
            format!("Algorithm 1 (s = {}, L = {})", paper.s, paper.l),
            paper.ones(),
            "Theorem 3 of the paper",
        );
    }
    table.to_string()
}
