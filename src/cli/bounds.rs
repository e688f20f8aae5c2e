//! `ecode bounds`: what redundancy tolerance costs.

use clap::Args;
use comfy_table::{Table, presets};
use ecode::construct::Algorithm1;
use serde_json::json;

use super::{Ending, output};

/// Lower bound on the redundancy, and what Algorithm 1 needs
#[derive(Args)]
#[command(after_help = "Example:\n  ecode bounds --n 9 --b 2")]
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
}

impl Bounds {
    pub(crate) fn run(self) -> anyhow::Result<Ending> {
        let code = Algorithm1::new(self.n, self.b)?;
        let (n, b) = (self.n, self.b);
        let lower = 2 * b + 1;
        let r = code.ones() as f64 / n as f64;
        if self.json {
            let document = json!({
                "n": n, "b": b,
                "lower_bound": {"redundancy": lower, "ones": n * lower, "source": "docs/theory.md, lower bound"},
                "algorithm1": {"redundancy": r, "ones": code.ones(), "s": code.s, "L": code.l, "source": "Theorem 3 of the paper"},
            });
            output::print(&document.to_string())?;
            return Ok(Ending::Done);
        }
        let mut table = Table::new();
        table
            .load_style(presets::ASCII_MARKDOWN)
            .set_header(["what", "ones", "r", "source"])
            .add_row([
                "lower bound".to_owned(),
                (n * lower).to_string(),
                lower.to_string(),
                "r ≥ 2b+1, docs/theory.md".to_owned(),
            ])
            .add_row([
                format!("Algorithm 1 (s = {}, L = {})", code.s, code.l),
                code.ones().to_string(),
                format!("{r:.4}"),
                "Theorem 3 of the paper".to_owned(),
            ]);
        output::print(&table.to_string())?;
        Ok(Ending::Done)
    }
}
