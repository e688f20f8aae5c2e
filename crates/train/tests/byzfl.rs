//! Promise: where the definitions coincide, the aggregators give what ByzFL's give: python/tests/torch/test_byzfl_aggregators.py
//! computes the cases with ByzFL itself.

use std::path::Path;

use ecode_train::{Aggregator, Moment, PreAggregation, Rule};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    byzfl: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    rule: String,
    b: usize,
    vectors: Vec<Vec<f32>>,
    #[serde(default)]
    last: Vec<f32>,
    radius: Option<f32>,
    joined: Vec<f32>,
}

#[test]
fn aggregators_are_those_of_byzfl() -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/aggregators/byzfl.json");
    let Cases { byzfl, cases } = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    assert_eq!(byzfl, "0.0.11");
    let mut names = std::collections::BTreeSet::new();
    for case in cases {
        let (pre, name) = case.rule.split_once('+').unwrap_or(("none", &case.rule));
        let aggregator = Aggregator::ALL.iter().copied().find(|rule| rule.name() == name).ok_or("no rule")?;
        let pre = PreAggregation::try_from(pre.to_owned())?;
        let radius = case.radius.unwrap_or(10.0);
        let rule = Rule { pre, clip_radius: radius, ..Rule::new(aggregator, case.b) };
        let vectors: Vec<&[f32]> = case.vectors.iter().map(Vec::as_slice).collect();
        let joined = rule.join(&vectors, &Moment { last: &case.last, ..Moment::default() });
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5 * b.abs().max(1.0);
        assert!(
            joined.len() == 7 && joined.iter().zip(&case.joined).all(near),
            "{} with n = {}, b = {}: {joined:?}, ByzFL's {:?}",
            rule.name(),
            vectors.len(),
            case.b,
            case.joined
        );
        names.insert(case.rule);
    }
    assert_eq!(names.len(), 13, "{names:?}");
    Ok(())
}
