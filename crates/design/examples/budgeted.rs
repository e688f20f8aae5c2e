//! Lines of the catalogue of budgeted codes: `budgeted N ROUNDS [B [REDUNDANCY]]`, for every b and every redundancy of
//! the catalogue where they are not given.

use std::time::Instant;

use ecode_design::search::{BudgetEntry, BudgetRequest, BudgetRun, budget_catalogue, q_range};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let whole = |at: usize| args.get(at).map(|text| text.parse::<usize>()).transpose();
    let (n, rounds) = (whole(0)?.ok_or("N")?, whole(1)?.ok_or("ROUNDS")?);
    let bs = whole(2)?.map_or((1..=(n - 1) / 2).collect(), |b| vec![b]);
    let redundancy = args.get(3).map(|text| text.parse::<f64>()).transpose()?;
    let redundancies = redundancy.map_or(vec![1.4, 2.0, 2.5, 3.0, 4.0, 5.0], |redundancy| vec![redundancy]);
    for b in bs {
        // More ones are worth no less: a search goes on from the code before, and from the catalogue.
        let mut before: Option<BudgetEntry> = None;
        for &redundancy in &redundancies {
            let start = Instant::now();
            let ones = (redundancy * n as f64 + 1e-9) as usize;
            let request = BudgetRequest { qs: q_range(0.05, 0.2), ..BudgetRequest::new(n, b, ones) };
            let kept = budget_catalogue().iter().filter(|entry| entry.b == b);
            let known: Vec<_> = before.iter().chain(kept).map(|entry| entry.matrix.clone()).collect();
            let mut run = BudgetRun::new(request.clone(), &known)?;
            for _ in 0..rounds {
                run.advance(&|| false)?;
            }
            let best = run.best().ok_or("nothing found")?;
            let entry = BudgetEntry::new(&request, redundancy, best, run.rounds());
            println!("{}", entry.to_line());
            eprintln!("{n} {b} {redundancy}: {:.3e} in {:.1?}", entry.value(), start.elapsed());
            before = Some(entry);
        }
    }
    Ok(())
}
