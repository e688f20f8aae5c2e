//! `ecode bounds`: how few ones a tolerant code can have, and how few are known.

use clap::Args;
use comfy_table::{Table, presets};
use ecode::construct::{Algorithm1, best};
use ecode::search::bounds;
use serde_json::json;

use super::theory::Theory;
use super::{Ending, output};

/// Lower bounds on the ones of a tolerant code, the best code known, and Algorithm 1
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode bounds --n 9 --b 2\n  ecode bounds --n 15 --b 3 --theory --signal-to-noise 2\n\n\
                        A bound speaks of every code with as many partitions as workers, whatever its shape."
)]
pub(crate) struct Bounds {
    /// Workers (and partitions); odd
    #[arg(long)]
    n: usize,
    /// Byzantine workers
    #[arg(long)]
    b: usize,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    theory: Theory,
}

impl Bounds {
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        let (n, b) = (self.n, self.b);
        if self.theory.asked {
            return self.theory.run(n, b, self.json);
        }
        let known = best(n, b)?;
        let paper = Algorithm1::new(n, b)?;
        let bounds = bounds(n, b)?;
        let r = |ones: usize| ones as f64 / n as f64;
        let (ones, lower) = (known.matrix.ones(), bounds.last().map_or(0, |bound| bound.ones));
        if self.json {
            let each: Vec<_> = bounds
                .iter()
                .map(|bound| json!({"name": bound.name, "ones": bound.ones, "redundancy": r(bound.ones), "source": bound.source}))
                .collect();
            let document = json!({
                "n": n, "b": b,
                "lower_bound": lower,
                "bounds": each,
                "best": {"ones": ones, "redundancy": r(ones), "optimal": ones == lower, "construction": known.to_json()},
                "algorithm1": {"ones": paper.ones(), "redundancy": r(paper.ones()), "s": paper.s, "L": paper.l, "source": "Theorem 3 of the paper"},
            });
            output::print(&document.to_string())?;
            return Ok(Ending::Done);
        }
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(["what", "ones", "r", "source"]);
        let mut add = |what: String, ones: usize, source: &str| {
            table.add_row([what, ones.to_string(), format!("{:.4}", r(ones)), source.to_owned()]);
        };
        for bound in &bounds {
            add(format!("lower bound: {}", bound.name), bound.ones, bound.source);
        }
        let best = if ones == lower { "best known: minimal" } else { "best known" };
        add(best.to_owned(), ones, &format!("ecode design --construction {}", known.name()));
        add(
            format!("Algorithm 1 (s = {}, L = {})", paper.s, paper.l),
            paper.ones(),
            "Theorem 3 of the paper",
        );
        output::print(&table.to_string())?;
        Ok(Ending::Done)
    }
}
