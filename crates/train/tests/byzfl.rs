//! Promise: where the definitions coincide, the aggregators give what ByzFL's give: python/tests/torch/test_byzfl_aggregators.py
//! computes the cases with ByzFL itself.

use std::path::Path;

use ecode_train::{Aggregator, Attack, Knowledge, Moment, PreAggregation, Rule};
use serde::Deserialize;

#[derive(Deserialize)]
struct Kept {
    byzfl: String,
    cases: Vec<Case>,
    attacks: Vec<Attacked>,
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

#[derive(Deserialize)]
struct Attacked {
    attack: String,
    rule: Option<String>,
    b: usize,
    honest: Vec<Vec<f32>>,
    sent: Vec<f32>,
}

fn read() -> Result<Kept, Box<dyn std::error::Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/aggregators/byzfl.json");
    let kept: Kept = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    assert_eq!(kept.byzfl, "0.0.11");
    Ok(kept)
}

fn rule(name: &str, b: usize) -> Result<Rule, Box<dyn std::error::Error>> {
    let (pre, name) = name.split_once('+').unwrap_or(("none", name));
    let aggregator = Aggregator::ALL.iter().copied().find(|rule| rule.name() == name).ok_or("no rule")?;
    Ok(Rule { pre: PreAggregation::try_from(pre.to_owned())?, ..Rule::new(aggregator, b) })
}

fn near(ours: &[f32], theirs: &[f32]) -> bool {
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5 * b.abs().max(1.0);
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(near)
}

#[test]
fn aggregators_are_those_of_byzfl() -> Result<(), Box<dyn std::error::Error>> {
    let mut names = std::collections::BTreeSet::new();
    for case in read()?.cases {
        let rule = Rule { clip_radius: case.radius.unwrap_or(10.0), ..rule(&case.rule, case.b)? };
        let vectors: Vec<&[f32]> = case.vectors.iter().map(Vec::as_slice).collect();
        let joined = rule.join(&vectors, &Moment { last: &case.last, ..Moment::default() });
        assert!(
            near(&joined, &case.joined),
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

/// The search among lies of `opt-ipm` too, which asks the server's own rule.
#[test]
fn attacks_are_those_of_byzfl() -> Result<(), Box<dyn std::error::Error>> {
    let mut factors = Vec::new();
    for case in read()?.attacks {
        let honest: Vec<&[f32]> = case.honest.iter().map(Vec::as_slice).collect();
        let d = honest[0].len();
        let attack = Attack::ALL.iter().copied().find(|attack| attack.name() == case.attack);
        let attack = attack.ok_or("no attack")?;
        let scale = if attack == Attack::Ipm { 0.5 } else { 1.0 };
        let knowledge = Knowledge { honest: &honest, n: honest.len() + case.b, b: case.b, scale };
        let rule = rule(case.rule.as_deref().unwrap_or("mean"), case.b)?;
        let mean = Rule::new(Aggregator::Mean, 0).join(&honest, &Moment::default());
        let mut damage = |lie: &[f32]| {
            let all: Vec<&[f32]> = honest.iter().copied().chain(std::iter::repeat_n(lie, case.b)).collect();
            let joined = rule.join(&all, &Moment::default());
            joined.iter().zip(&mean).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
        };
        let sent = knowledge.common(attack, d, &mut damage).ok_or("each sends its own")?;
        assert!(near(&sent, &case.sent), "{} {:?}: {sent:?}, {:?}", case.attack, case.rule, case.sent);
        if attack == Attack::OptIpm {
            factors.push((-sent[0] / mean[0]).to_bits());
        }
    }
    factors.sort_unstable();
    factors.dedup();
    assert!(factors.len() > 3, "the search finds different factors for different rules");
    Ok(())
}
