//! How far the SAT engine reaches with each encoding of cardinalities, 60 seconds a matrix:
//! `cargo bench --bench sat`. A table, not statistics: each run is minutes long.

use std::time::Duration;

use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Bernoulli, algorithm1, bernoulli};
use ecode::verify::{Control, Encoding, Engine as _, Goal, Sat};

const LIMIT: Duration = Duration::from_secs(60);

fn main() {
    let dense =
        |n| bernoulli(Bernoulli { n, k: n, p: 0.5, seed: 1, draw: 0, redraw_empty: false, odd_rows: true });
    // A chain whose rows and columns are shuffled by a multiplication.
    let chain = |n: usize, b| {
        let shuffled = |step: usize| (0..n).map(|i| i * step % n).collect::<Vec<_>>();
        algorithm1(n, b).and_then(|g| Ok(g.permuted(&shuffled(2), &shuffled(4))?))
    };
    println!(
        "| matrix | {} |\n|---{}|",
        solvers().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" | "),
        "|---".repeat(solvers().len())
    );
    for size in [13, 15, 17, 19, 21, 23] {
        row(&format!("dense {size}"), dense(size).ok());
    }
    for size in [21, 25, 31, 41] {
        row(&format!("permuted Algorithm 1 ({size},1)"), chain(size, 1).ok());
    }
}

fn solvers() -> Vec<(&'static str, Sat)> {
    let sat = Sat::default();
    vec![
        ("varisat, sequential counter", Sat { encoding: Encoding::SequentialCounter, ..sat }),
        ("varisat, totalizer", sat),
        #[cfg(feature = "cadical")]
        ("CaDiCaL, totalizer", Sat { library: ecode::verify::Library::Cadical, ..sat }),
    ]
}

fn row(name: &str, g: Option<AllocationMatrix>) {
    let Some(g) = g else { return };
    let cells: Vec<String> = solvers()
        .into_iter()
        .map(|(_, sat)| {
            let start = std::time::Instant::now();
            let control = Control::with_timeout(Some(LIMIT));
            let finding = sat.examine(&g, TieRule::Adversarial, Goal::Radius, &control);
            match finding.floor {
                Some(_) => format!("{:.2} s", start.elapsed().as_secs_f64()),
                None => format!("> {} s", LIMIT.as_secs()),
            }
        })
        .collect();
    println!("| {name} | {} |", cells.join(" | "));
}
