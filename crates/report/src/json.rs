//! `ecode/analysis/1`.

use serde_json::{Value, json};

use ecode_analysis::{Analysis, AtQ, Estimate, Evidence, Fixed, Row};

/// Twelve significant digits: what the sums are good for, and the same on every machine.
fn figure(p: f64) -> Value {
    json!(format!("{p:.11e}").parse::<f64>().unwrap_or(p))
}

fn estimate(estimate: Estimate) -> Value {
    match estimate {
        Estimate::Exact(p) => figure(p),
        Estimate::Sampled { frequency, low, high } => {
            json!({"estimate": figure(frequency), "low": figure(low), "high": figure(high)})
        }
    }
}

fn row(row: &Row) -> Value {
    let fixed = match &row.fixed {
        Fixed::Exact { error, workers: Some(workers) } => {
            json!({"error": figure(*error), "workers": workers.indices().collect::<Vec<_>>()})
        }
        Fixed::Exact { error, workers: None } => json!({"error": figure(*error)}),
        Fixed::Between { low, high } => json!({"at_least": estimate(*low), "at_most": estimate(*high)}),
    };
    json!({"b": row.b, "random": estimate(row.random), "fixed": fixed, "adaptive": estimate(row.adaptive)})
}

/// The document that `ecode analyze --json` prints. Counts are decimal strings: they may need more than 64
/// bits.
#[must_use]
pub fn analysis_json(analysis: &Analysis, coordinates: Option<u64>) -> Value {
    let (g, radius) = (&analysis.matrix, analysis.radius.radius());
    let mut document = json!({
        "schema": "ecode/analysis/1",
        "digest": g.digest(),
        "n": g.n(),
        "k": g.k(),
        "ties": analysis.ties.name(),
        "method": analysis.method(),
        "exact": analysis.is_exact(),
        "radius": radius.exactly(),
        "radius_known": radius.is_determined(),
        "complete": analysis.complete,
    });
    if !radius.is_determined() {
        document["radius_at_least"] = json!(analysis.radius.at_least());
        document["radius_below"] = json!(analysis.radius.below());
    }
    if let (Evidence::Counted(enumerator), Some(margins)) = (&analysis.evidence, &analysis.margins) {
        let wrong = margins.wrong.iter().enumerate().flat_map(|(weight, row)| {
            row.iter().map(move |(&(wrong, silent), count)| json!([weight, wrong, silent, count.to_string()]))
        });
        let votes = (0..=g.k()).flat_map(|weight| {
            enumerator
                .cells(weight)
                .map(move |(cell, count)| json!([weight, cell.above, cell.tied, count.to_string()]))
        });
        let by_margin = margins.margins.iter().map(|(margin, count)| json!([margin, count.to_string()]));
        document["enumerator"] = json!({
            "columns": ["weight", "wrong", "silent", "messages"],
            "rows": wrong.collect::<Vec<_>>(),
        });
        document["votes"] = json!({
            "columns": ["weight", "above_half", "tied", "messages"],
            "rows": votes.collect::<Vec<_>>(),
        });
        document["margins"] =
            json!({"columns": ["margin", "messages"], "rows": by_margin.collect::<Vec<_>>()});
    }
    if let Evidence::Drawn(sample) = &analysis.evidence {
        let drawn: Vec<u64> = (0..=g.k() / 2).map(|v| sample.drawn(v)).collect();
        document["sample"] = json!({
            "drawn_by_weight": drawn,
            "confidence": ecode_analysis::Sample::CONFIDENCE,
            "smallest_margin_met": sample.smallest_margin(analysis.ties),
        });
    }
    let errors = analysis.at.iter().map(|AtQ { q, decode, sign }| {
        let mut at = json!({
            "q": q,
            "decode": decode.iter().map(row).collect::<Vec<_>>(),
            "sign": sign.iter().map(row).collect::<Vec<_>>(),
        });
        if let Some(d) = coordinates {
            let expected = sign.iter().map(|row| figure(row.adaptive.value() * d as f64));
            at["expected_wrong_signs"] = json!(expected.collect::<Vec<_>>());
        }
        at
    });
    document["errors"] = errors.collect();
    if let Some(d) = coordinates {
        document["coordinates"] = json!(d);
    }
    let sets = analysis.sets.iter().map(|sets| {
        let (workers, part) = match &sets.worst {
            Some((workers, part)) => (json!(workers.indices().collect::<Vec<_>>()), figure(*part)),
            None => (Value::Null, json!(0.0)),
        };
        json!({
            "b": sets.b, "sets": sets.sets.to_string(), "harmful": sets.harmful.to_string(),
            "worst": workers, "beats_of_all_messages": part,
        })
    });
    document["sets"] = sets.collect();
    document
}
