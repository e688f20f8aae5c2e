//! Budgeted codes: the fewest wrong signs for a price below tolerance.

use std::time::{Duration, Instant};

use ecode::analysis::{Adversary, Kind, Profile, enumerate};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Demand, best_for, blocks, default_partitions};
use ecode::format::MatrixFile;
use ecode::search::{BudgetRequest, BudgetRun, Budgeted, Liars};
use ecode::verify::Control;
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::code::Code;
use crate::errors::bad;
use crate::work;

/// As long a search goes on where neither rounds nor a time are given.
const USUAL: Duration = Duration::from_secs(60);
/// Two exact figures differ by rounding only when they agree to this part.
const ROUNDING: f64 = 1e-8;

/// One probability or several.
#[derive(FromPyObject)]
pub(crate) enum Probabilities {
    One(f64),
    Several(Vec<f64>),
}

/// Looks for the code that decodes the wrong sign least often for a price. It tolerates nothing, or little: its verdict
/// says what.
///
/// Args:
///     n: workers.
///     b: liars that it is to stand as well as it can.
///     redundancy: ones of G per worker, in the mean: gradients that all compute, divided by n.
///     q: the probability that one partition's sign is wrong, above 0 and below 0.5; of several the geometric mean of the
///         errors counts.
///     liars: "adaptive" (those that hurt most on each message), "fixed" (the worst set for the code) or "random".
///     missing: votes that are missing besides, the worst ones.
///     k: partitions; n where n is odd, else n - 1.
///     max_load: the most partitions of a worker.
///     rounds: end after so many rounds: the same rounds find the same, however long they take.
///     time: seconds to look; 60 where `rounds` is not given either. A search that has met its bound ends at once.
///     seed: of the search.
///
/// Returns:
///     The code, without a b: nothing is claimed to be tolerated. `code.construction` says how it was found, with the
///     `errors` at each q, whether they are `exact`, and `lower_bounds`: no code for that price errs less often.
///
/// Raises:
///     EcodeError: no such sizes.
#[pyfunction]
#[pyo3(signature = (n, b, redundancy, *, q=Probabilities::One(0.1), liars="adaptive", missing=0, k=None, max_load=None,
    rounds=None, time=None, seed=1))]
#[pyo3(
    text_signature = "(n, b, redundancy, *, q=0.1, liars='adaptive', missing=0, k=None, max_load=None, rounds=None, \
    time=None, seed=1)"
)]
#[allow(clippy::too_many_arguments, reason = "Python names them")]
pub(crate) fn design_budgeted(
    py: Python<'_>,
    n: usize,
    b: usize,
    redundancy: f64,
    q: Probabilities,
    liars: &str,
    missing: usize,
    k: Option<usize>,
    max_load: Option<usize>,
    rounds: Option<u64>,
    time: Option<f64>,
    seed: u64,
) -> PyResult<Code> {
    let k = k.unwrap_or_else(|| default_partitions(n, b));
    let qs = match q {
        Probabilities::One(q) => vec![q],
        Probabilities::Several(qs) => qs,
    };
    if qs.is_empty() || qs.iter().any(|&q| !(q > 0.0 && q < 0.5)) {
        return Err(bad("q: expected probabilities above 0 and below 0.5"));
    }
    if !(redundancy.is_finite() && redundancy >= 0.0) {
        return Err(bad("redundancy: expected a number, 0 or more"));
    }
    let time = match (time.map(Duration::try_from_secs_f64), rounds) {
        (Some(Ok(time)), _) => time,
        (Some(Err(_)), _) => return Err(bad("time: expected seconds, 0 or more")),
        (None, Some(_)) => Duration::MAX,
        (None, None) => USUAL,
    };
    let request = BudgetRequest {
        k,
        stragglers: missing,
        max_load: max_load.unwrap_or(k),
        qs,
        liars: liars.parse::<Liars>().map_err(bad)?,
        seed,
        // 1.4·15 is 20.999… in doubles.
        ..BudgetRequest::new(n, b, (redundancy * n as f64 + 1e-9) as usize)
    };
    request.check().map_err(bad)?;
    work::run(py, None, move |control| {
        let found = search(&request, rounds, time, control).map_err(bad)?;
        confirm(&found.0, &request, control)?;
        let construction = Some(provenance(&request, redundancy, &found));
        let file = MatrixFile { construction, ..MatrixFile::plain(found.0.matrix) };
        Code::made(file, TieRule::Adversarial, control).map_err(bad)
    })?
}

/// The best that was found, no code's least errors, and the rounds that were done.
type Found = (Budgeted, Vec<f64>, u64);

fn search(
    request: &BudgetRequest,
    rounds: Option<u64>,
    time: Duration,
    control: &Control,
) -> Result<Found, Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let over = || control.stopped() || begun.elapsed() >= time;
    let demand = Demand { k: request.k, max_load: request.max_load, ..Demand::square(request.n, request.b) };
    let tolerant = best_for(&demand, blocks()).ok().flatten().map(|known| known.matrix);
    let listed =
        format!("budget:n={},b={},r={}", request.n, request.b, request.ones as f64 / request.n as f64);
    let listed = listed.parse::<ecode::construct::Specification>().ok();
    let listed = listed.and_then(|listed| listed.build(TieRule::Adversarial, blocks()).ok());
    let fits = |g: &AllocationMatrix| g.k() == request.k && Demand::heaviest(g) <= request.max_load;
    let known: Vec<AllocationMatrix> =
        listed.map(|built| built.matrix).into_iter().chain(tolerant).filter(fits).collect();
    let mut run = BudgetRun::new(request.clone(), &known)?;
    let mut found = run.best().cloned();
    loop {
        let enough = over() || rounds.is_some_and(|rounds| run.rounds() >= rounds);
        if let Some(best) = found.take_if(|_| enough || run.settled()) {
            return Ok((best, run.least().to_vec(), run.rounds()));
        }
        if control.stopped() {
            return Err("stopped before a code was found".into());
        }
        if let Some(better) = run.advance(&over)? {
            found = Some(better);
        }
    }
}

/// Counts the errors once more with what `analyze` counts with, which shares no code with the search.
fn confirm(found: &Budgeted, request: &BudgetRequest, control: &Control) -> PyResult<()> {
    if !(request.is_exact() && request.liars == Liars::Adaptive && request.stragglers == 0) {
        return Ok(());
    }
    let Ok(enumerator) = enumerate(&found.matrix, control) else { return Ok(()) };
    let profile = Profile::exact(&enumerator, TieRule::Adversarial);
    let Ok(counted) = profile.errors(Kind::Sign, Adversary::Adaptive, &request.qs, control) else {
        return Ok(());
    };
    for (own, counted) in found.errors.iter().zip(&counted) {
        let counted = counted.worst().get(request.b).map_or(f64::NAN, |estimate| estimate.value());
        if (own / counted - 1.0).abs() >= ROUNDING {
            let text = format!("please report this: the search counts {own:e}, the analysis {counted:e}");
            return Err(pyo3::exceptions::PyRuntimeError::new_err(text));
        }
    }
    Ok(())
}

/// What a matrix file says under `construction`.
fn provenance(request: &BudgetRequest, redundancy: f64, (found, least, rounds): &Found) -> Value {
    let mut made = request.to_json();
    let more = json!({
        "name": "budget search", "objective": "probability of a wrong sign, geometric mean over q",
        "redundancy": redundancy, "errors": found.errors, "exact": request.is_exact(), "lower_bounds": least,
        "rounds": rounds,
    });
    if let (Value::Object(made), Value::Object(more)) = (&mut made, more) {
        made.extend(more);
    }
    made
}
