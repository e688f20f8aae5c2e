//! Lines of the catalogue of budgeted codes: `budgeted N B REDUNDANCY ROUNDS [MAX_LOAD [Q …]]`.
//!
//! Each line is searched for so many rounds; what a round found is said on standard error.

use std::time::Instant;

use ecode_design::search::{BudgetRequest, BudgetRun};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| args.get(at).map(|text| text.parse::<f64>()).transpose();
    let (n, b) = (number(0)?.ok_or("N")? as usize, number(1)?.ok_or("B")? as usize);
    let redundancy = number(2)?.ok_or("REDUNDANCY")?;
    let rounds = number(3)?.ok_or("ROUNDS")? as u64;
    let max_load = number(4)?.map_or(n, |load| load as usize);
    let qs: Vec<f64> = args.iter().skip(5).map(|q| q.parse()).collect::<Result<_, _>>()?;
    let ones = (redundancy * n as f64 + 1e-9) as usize;
    let request = BudgetRequest { max_load, qs, ..BudgetRequest::new(n, b, ones) };
    let mut run = BudgetRun::new(request, None)?;
    let start = Instant::now();
    for _ in 0..rounds {
        run.advance(&|| false)?;
        let value = run.best().map(|best| best.value);
        eprintln!("round {}: {value:?} after {:.1?}", run.rounds(), start.elapsed());
    }
    println!("{}", run.to_json());
    Ok(())
}
