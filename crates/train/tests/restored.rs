//! Promise: a run that goes on from any of its states comes to the same parameters, whatever its server remembers and
//! however its data are split, and on any number of threads.

use ecode_train::data::{DataSource, Split};
use ecode_train::{
    Aggregator, Attack, Config, MomentumAt, PreAggregation, State, TrainError, Trainer, TrainingCode,
};

fn trainer(config: &Config) -> Result<Trainer, Box<dyn std::error::Error>> {
    let code = TrainingCode::unverified(ecode_design::construct::uncoded(9)?, None, "uncoded");
    Ok(Trainer::new(config.clone(), code, config.data.load()?)?)
}

fn advance(trainer: &mut Trainer, steps: u64) -> Result<State, TrainError> {
    for _ in 0..steps {
        trainer.advance()?;
    }
    trainer.snapshot()
}

fn variants() -> Vec<Config> {
    let base = Config {
        data: DataSource::Synthetic,
        steps: Some(24),
        batch: 30,
        byzantine: Some(2),
        attack: Attack::Reverse,
        momentum_at: MomentumAt::Worker,
        ..Config::default()
    };
    let rule = |aggregator, pre_aggregation| Config { aggregator, pre_aggregation, ..base.clone() };
    let splits = [Split::Iid, Split::Dirichlet(0.3), Split::Similarity(0.5), Split::Class]
        .map(|split| Config { split, ..base.clone() });
    let mut all = vec![
        base.clone(),
        Config { clip_radius: 0.3, ..rule(Aggregator::CenteredClipping, PreAggregation::None) },
        rule(Aggregator::GeometricMedian, PreAggregation::Bucketing(2)),
        rule(Aggregator::TrimmedMean, PreAggregation::Nnm),
        rule(Aggregator::MultiKrum, PreAggregation::None),
    ];
    all.extend(splits);
    all
}

#[test]
fn a_run_goes_on_from_any_state() -> Result<(), Box<dyn std::error::Error>> {
    let mut seen = Vec::new();
    for config in variants() {
        let mut whole = trainer(&config)?;
        let end = advance(&mut whole, 24)?;
        // 9 · 30 samples a step of 5000: the second pass begins in step 18 or so.
        for stop in [1, 17] {
            let state = advance(&mut trainer(&config)?, stop)?;
            let mut rest = trainer(&config)?;
            rest.restore(state)?;
            let again = advance(&mut rest, 24 - stop)?;
            assert_eq!(again.parameters, end.parameters, "{config:?} from step {stop}");
            assert_eq!(again.joined, end.joined);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build()?;
        let threads = pool.install(|| -> Result<State, String> {
            let mut trainer = trainer(&config).map_err(|error| error.to_string())?;
            advance(&mut trainer, 24).map_err(|error| error.to_string())
        })?;
        assert_eq!(threads.parameters, end.parameters, "{config:?} on three threads");
        assert!(!seen.contains(&end.parameters), "{config:?} changes nothing");
        seen.push(end.parameters);
    }
    Ok(())
}

/// What a rule remembers belongs to the state: without it a run does not go on.
#[test]
fn a_state_without_what_the_rule_remembers_is_refused() -> Result<(), Box<dyn std::error::Error>> {
    let config = &variants()[1];
    let mut state = advance(&mut trainer(config)?, 3)?;
    assert_eq!(state.joined.len(), state.parameters.len());
    state.joined.clear();
    assert!(matches!(trainer(config)?.restore(state), Err(TrainError::Checkpoint(_))));
    Ok(())
}

/// Data that cannot be split so are refused before the first step, and as a check without starting.
#[test]
fn a_split_that_starves_a_partition_is_refused() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config { split: Split::Dirichlet(0.001), batch: 500, ..variants()[0].clone() };
    let error = trainer(&config).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(
        error.contains("split dirichlet:0.001 gives some of 9 partitions fewer than 500 samples"),
        "{error}"
    );
    let code = TrainingCode::unverified(ecode_design::construct::uncoded(9)?, None, "uncoded");
    assert!(ecode_train::check(&config, &code, &config.data.load()?).is_err());
    Ok(())
}
