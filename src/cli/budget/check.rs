//! The error of a budgeted code once more, by what `ecode analyze` counts with, which shares no code with the search.

use anyhow::ensure;
use ecode::analysis::{Adversary, Estimate, Kind, Profile, Sample, Sets, Uncountable, enumerate};
use ecode::code::TieRule;
use ecode::search::{BudgetRequest, Budgeted, Liars};
use ecode::verify::Control;

use crate::cli::ending::Contradiction;

/// So many messages are drawn where they cannot be counted.
const DRAWS: u64 = 4_000_000;
/// Two exact figures differ by rounding only when they agree to this part.
const ROUNDING: f64 = 1e-8;

/// Whether what will be found can be confirmed, where the search itself only samples.
pub(super) fn confirmable(request: &BudgetRequest) -> anyhow::Result<()> {
    let simple =
        request.liars == Liars::Adaptive || (request.liars == Liars::Random && request.stragglers == 0);
    ensure!(
        request.is_exact() || simple,
        "k = {} partitions have too many messages to count: only adaptive liars are provided for, or random ones without stragglers",
        request.k
    );
    Ok(())
}

/// The errors at each q: exact, or intervals from messages that the search has not seen.
pub(super) fn confirmed(
    found: &Budgeted,
    request: &BudgetRequest,
    control: &Control,
) -> anyhow::Result<Vec<Estimate>> {
    let own: Vec<Estimate> = found.errors.iter().map(|&error| Estimate::Exact(error)).collect();
    let counted = match by_analysis(found, request, control)? {
        Some(counted) => counted,
        // Not provided for, or no time; the search has counted all messages itself.
        None if request.is_exact() => return Ok(own),
        None => return Ok(found.errors.iter().map(|&error| unknown(error)).collect()),
    };
    for (own, counted) in found.errors.iter().zip(&counted) {
        let alike = match counted {
            Estimate::Exact(counted) => (own / counted - 1.0).abs() < ROUNDING || !request.is_exact(),
            Estimate::Sampled { .. } => true,
        };
        if !alike {
            let counted = counted.value();
            return Err(Contradiction(format!(
                "the search counts a wrong sign with probability {own:e}, the analysis {counted:e}"
            ))
            .into());
        }
    }
    Ok(counted)
}

/// Nothing but that it is a probability.
fn unknown(frequency: f64) -> Estimate {
    Estimate::Sampled { frequency, low: 0.0, high: 1.0 }
}

/// What the analysis says; none where it has no answer to this, or no time.
fn by_analysis(
    found: &Budgeted,
    request: &BudgetRequest,
    control: &Control,
) -> anyhow::Result<Option<Vec<Estimate>>> {
    let BudgetRequest { n, b, stragglers, ref qs, liars, .. } = *request;
    let (g, ties) = (&found.matrix, TieRule::Adversarial);
    let (adversary, b) = match liars {
        // So many liars among n need as many wrong workers as b of them with votes missing.
        Liars::Adaptive => (Adversary::Adaptive, n.div_ceil(2) - ((n - stragglers).div_ceil(2) - b)),
        Liars::Random if stragglers == 0 => (Adversary::Random, b),
        Liars::Fixed if stragglers == 0 => {
            let sets = Sets::new(g, ties, control).and_then(|sets| sets.at(b, qs, control));
            return Ok(sets.map(|sets| sets.sign.iter().map(|worst| Estimate::Exact(worst.error)).collect()));
        }
        _ => return Ok(None),
    };
    let profile = match enumerate(g, control) {
        Ok(enumerator) => Profile::exact(&enumerator, ties),
        Err(Uncountable::Stopped) => return Ok(None),
        Err(_) if request.is_exact() => return Ok(None),
        Err(_) => Profile::sampled(&Sample::draw(g, DRAWS, request.seed, control), ties),
    };
    let errors = match profile.errors(Kind::Sign, adversary, qs, control) {
        Ok(errors) => errors,
        Err(_) if control.stopped() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(errors.iter().map(|errors| errors.worst()[b]).collect()))
}
