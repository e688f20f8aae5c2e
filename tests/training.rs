//! Promise: with a code that tolerates them, Byzantine workers change nothing, bit for bit; the same
//! configuration gives the same parameters on any number of threads; and what is not verified is refused or
//! says so.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use assert_cmd::Command;
use ecode::code::{Claim, TieRule};
use ecode::construct::{algorithm1, uncoded};
use ecode::train::data::{DataSource, Split};
use ecode::train::{
    Aggregator, Attack, ByzantineSet, Config, MomentumAt, OnExcess, PreAggregation, TrainError, Trainer,
    TrainingCode, ZeroSign,
};
use ecode::verify::{Control, Method, VerifiedCode};

fn code(n: usize, b: usize) -> TrainingCode {
    let claim = Claim { matrix: algorithm1(n, b).unwrap(), b, ties: TieRule::Abstain };
    let code = VerifiedCode::verify(claim, Method::Auto, &Control::default()).unwrap().code().unwrap();
    TrainingCode::verified(code, "algorithm1")
}

fn config() -> Config {
    Config { steps: Some(30), batch: 16, data: DataSource::Synthetic, ..Config::default() }
}

fn trained(config: Config, code: TrainingCode) -> Result<Trainer, TrainError> {
    let data = config.data.load().unwrap();
    let mut trainer = Trainer::new(config, code, data)?;
    while !trainer.finished() {
        trainer.advance()?;
    }
    Ok(trainer)
}

fn digest(config: Config) -> String {
    trained(config, code(9, 2)).unwrap().parameters_digest().unwrap()
}

#[test]
fn tolerated_liars_change_nothing() {
    let honest = digest(Config { byzantine: Some(0), ..config() });
    let attacks = [Attack::Reverse, Attack::Random, Attack::Constant, Attack::Omniscient, Attack::LabelFlip];
    let sets = [
        ByzantineSet::First,
        ByzantineSet::Random,
        ByzantineSet::RandomPerStep,
        ByzantineSet::Worst,
        ByzantineSet::List(vec![4, 8]),
    ];
    for attack in attacks {
        for byzantine_set in sets.clone() {
            let lied = Config { attack, byzantine_set: byzantine_set.clone(), audit: true, ..config() };
            assert_eq!(digest(lied), honest, "{attack:?}, {byzantine_set}");
        }
    }
    for attack in Attack::ALL.iter().copied().filter(|attack| attack.makes_gradient()) {
        let byzantine_set = ByzantineSet::RandomPerStep;
        assert_eq!(digest(Config { attack, byzantine_set, audit: true, ..config() }), honest, "{attack:?}");
    }
}

/// Beyond the radius, too: with the same gradients no attack turns more coordinates wrong than opposing the majority.
#[test]
fn no_attack_on_a_vote_is_stronger_than_omniscient() {
    for (code, split) in
        [(code(9, 2), Split::Shuffled), (code(9, 2), Split::Class), (code(5, 0), Split::Shuffled)]
    {
        for byzantine in [3, 4] {
            let wrong = |attack| {
                let config = Config { attack, split, byzantine: Some(byzantine), steps: Some(1), ..config() };
                trained(config, code.clone()).unwrap().state().totals.wrong
            };
            let most = wrong(Attack::Omniscient);
            let all: Vec<u64> = Attack::ALL.iter().map(|&attack| wrong(attack)).collect();
            assert!(most > 0 && all.iter().all(|&wrong| wrong <= most), "{all:?} of {most}");
            assert!(all.iter().filter(|&&wrong| wrong > 0).count() > 4, "{all:?}");
        }
    }
}

#[test]
fn liars_beyond_the_radius_are_found_out_by_the_audit() {
    let beyond = Config { byzantine: Some(5), attack: Attack::Omniscient, audit: true, ..config() };
    let error = trained(beyond, code(9, 2)).err().unwrap().to_string();
    assert!(error.starts_with("audit: in step 0 the decode is wrong on 650 of 650 coordinates"), "{error}");
    assert!(error.ends_with("the code is verified for 2"), "{error}");
}

#[test]
fn every_option_trains_and_any_number_of_threads_gives_the_same_parameters() {
    let base = config();
    let variants = [
        base.clone(),
        Config { momentum_at: MomentumAt::Worker, ..base.clone() },
        Config { gradient_noise: 1e-3, ..base.clone() },
        Config { weight_decay: 0.1, ..base.clone() },
        Config { zero_sign: ZeroSign::Positive, batch_reduction: 0.5, ..base.clone() },
        Config { attack: Attack::LabelFlip, byzantine: Some(4), ..base.clone() },
        Config { aggregator: Aggregator::Median, ..base.clone() },
        Config { aggregator: Aggregator::Krum, attack: Attack::Ipm, ..base.clone() },
        Config { aggregator: Aggregator::TrimmedMean, attack: Attack::Alie, ..base.clone() },
        Config { aggregator: Aggregator::Mean, attack: Attack::Random, ..base.clone() },
        Config { aggregator: Aggregator::CenteredClipping, clip_radius: 0.1, ..base.clone() },
        Config {
            aggregator: Aggregator::Median,
            pre_aggregation: PreAggregation::Bucketing(3),
            ..base.clone()
        },
        Config { attack: Attack::MinMax, aggregator: Aggregator::MultiKrum, ..base.clone() },
        Config { attack: Attack::OptIpm, aggregator: Aggregator::TrimmedMean, ..base.clone() },
        Config { attack: Attack::OptAlie, byzantine: Some(4), ..base.clone() },
        Config { split: Split::Dirichlet(0.5), ..base.clone() },
        Config { seed: 1, ..base.clone() },
    ];
    let mut seen = Vec::new();
    for variant in variants {
        let [one, three] = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| digest(variant.clone()))
        });
        assert_eq!(one, three, "{variant:?}");
        assert!(!seen.contains(&one), "{variant:?} changes nothing");
        seen.push(one);
    }
}

/// One step of three workers who hold everything: the parameters are what the table of attacks says.
#[test]
fn votes_are_corrupted_as_the_table_says() {
    let all = || TrainingCode::unverified(ecode::construct::full(3, 3).unwrap(), None, "full");
    let of = |attack, byzantine| {
        let lr = Some(0.5);
        let config = Config { attack, byzantine: Some(byzantine), steps: Some(1), lr, ..config() };
        trained(config, all()).unwrap().state().parameters.clone()
    };
    let honest = of(Attack::Reverse, 0);
    assert!(honest.contains(&0.5) && honest.contains(&-0.5), "both signs occur");
    let opposite: Vec<f32> = honest.iter().map(|value| -value).collect();
    assert_eq!(of(Attack::None, 3), honest);
    assert_eq!(of(Attack::Reverse, 1), honest);
    assert_eq!(of(Attack::Reverse, 2), opposite);
    assert_eq!(of(Attack::Omniscient, 2), opposite);
    // Always negative: a step of −1 adds the learning rate.
    assert_eq!(of(Attack::Constant, 2), vec![0.5; honest.len()]);
    let coins = of(Attack::Random, 3);
    assert!(coins != honest && coins != opposite && coins.iter().all(|value| value.abs() == 0.5));
    // Flipped labels: what honest workers reach on data whose class c is (classes − 1 − c).
    let mut data = DataSource::Synthetic.load().unwrap();
    let last = data.classes as u16 - 1;
    data.train.labels.iter_mut().for_each(|label| *label = last - *label);
    let config = Config { byzantine: Some(0), steps: Some(1), lr: Some(0.5), ..config() };
    let mut flipped = Trainer::new(config, all(), data).unwrap();
    flipped.advance().unwrap();
    assert_ne!(flipped.state().parameters, honest);
    assert_eq!(of(Attack::LabelFlip, 2), flipped.state().parameters);
    assert_eq!(of(Attack::LabelFlip, 1), honest);
}

/// With a deviation of the number that a rule is told of from the number that there is.
#[test]
fn what_an_aggregator_is_told_may_differ_from_what_there_is() {
    let of = |declared| {
        let aggregator = Aggregator::TrimmedMean;
        let config = Config { aggregator, declared_byzantine: declared, byzantine: Some(2), ..config() };
        trained(config, code(9, 2)).unwrap().parameters_digest().unwrap()
    };
    assert_eq!(of(None), of(Some(2)));
    assert_ne!(of(None), of(Some(4)));
}

/// After an error the state is that before the step, also with momentum at the workers.
#[test]
fn an_error_leaves_the_state_before_the_step() {
    let mut failed = 0;
    for momentum_at in [MomentumAt::Server, MomentumAt::Worker] {
        let diverges = Config {
            aggregator: Aggregator::Mean,
            attack: Attack::Ipm,
            attack_scale: Some(1e38),
            lr: Some(1e37),
            momentum_at,
            ..config()
        };
        let wrong = Config {
            attack: Attack::Omniscient,
            byzantine: Some(5),
            byzantine_set: ByzantineSet::RandomPerStep,
            audit: true,
            momentum_at,
            ..config()
        };
        for config in [diverges, wrong] {
            let data = config.data.load().unwrap();
            let mut trainer = Trainer::new(config, code(9, 2), data).unwrap();
            loop {
                let before = trainer.snapshot().unwrap();
                match trainer.advance() {
                    Ok(()) => assert!(!trainer.finished(), "it fails some day"),
                    Err(error) => {
                        assert!(
                            matches!(error, TrainError::Diverged { .. } | TrainError::Audit { .. }),
                            "{error}"
                        );
                        // NaN is not NaN: compared as text.
                        assert_eq!(format!("{:?}", trainer.snapshot().unwrap()), format!("{before:?}"));
                        failed += 1;
                        break;
                    }
                }
            }
        }
    }
    assert_eq!(failed, 4);
}

/// A run is verified while its liars are no more than the code was verified for, its rule is the vote, and the code
/// was verified at all. What is not counted is not called zero.
#[test]
fn a_run_is_called_verified_only_where_the_proof_covers_it() {
    let label = |config: Config, code: TrainingCode| {
        let metrics = trained(config, code).unwrap().evaluate().unwrap();
        assert_eq!(metrics.verified, metrics.unverified.is_none());
        (metrics.unverified.unwrap_or_default(), metrics.wrong_coordinates)
    };
    let lie = |byzantine| Config { byzantine: Some(byzantine), ..config() };
    assert_eq!(label(lie(2), code(9, 2)), (String::new(), Some(0)));
    let (why, wrong) = label(lie(4), code(9, 2));
    assert_eq!(why, "from step 0: 4 workers lie, the code is verified for 2");
    assert!(wrong > Some(0));
    // Who is called Byzantine and attacks with nothing is honest.
    assert_eq!(label(Config { attack: Attack::None, ..lie(4) }, code(9, 2)).0, "");
    let (why, wrong) = label(Config { aggregator: Aggregator::Median, ..lie(1) }, code(9, 2));
    assert_eq!((why.as_str(), wrong), ("from step 0: nothing is proved of the aggregator median", None));
    let unverified = TrainingCode::unverified(algorithm1(9, 2).unwrap(), Some(2), "mine");
    assert_eq!(label(lie(0), unverified).0, "from step 0: the code is not verified");
}

#[test]
fn beyond_the_proof_a_run_may_be_told_not_to_start() {
    let stop = |byzantine| Config { byzantine: Some(byzantine), on_excess: OnExcess::Stop, ..config() };
    assert!(trained(stop(2), code(9, 2)).is_ok());
    let error = trained(stop(3), code(9, 2)).err().unwrap().to_string();
    assert_eq!(error, "on-excess is stop: 3 workers lie, the code is verified for 2");
}

/// What was verified under one tie rule says nothing of another.
#[test]
fn another_tie_rule_than_the_verified_one_is_refused() {
    for ties in [TieRule::Adversarial, TieRule::Zero, TieRule::One] {
        let error = trained(Config { ties, ..config() }, code(9, 2)).err().unwrap().to_string();
        assert!(
            error.starts_with(&format!("ties is {ties}, but the code was verified under the rule abstain"))
        );
    }
}

/// An honest run learns: from one in ten to most.
#[test]
fn training_learns() {
    let long = Config { steps: Some(200), lr: Some(1e-3), ..config() };
    let mut trainer = trained(long, code(9, 2)).unwrap();
    let metrics = trainer.evaluate().unwrap();
    assert!(metrics.test_accuracy > 0.8, "{metrics:?}");
    assert!(metrics.test_loss < 1.0 && metrics.wrong_coordinates == Some(0) && metrics.verified);
    // 650 signs are 82 bytes; nine workers, 200 steps.
    assert_eq!((metrics.bytes_up, metrics.bytes_down), (9 * 200 * 82, 9 * 200 * 82));
    let floats = Config { aggregator: Aggregator::Mean, byzantine: Some(0), ..config() };
    assert_eq!(trained(floats, code(9, 2)).unwrap().evaluate().unwrap().bytes_up, 9 * 30 * 4 * 650);
}

/// Uncoded, half as many liars as honest workers leave their mark; the code's users do not see them.
#[test]
fn uncoded_runs_decode_wrong_where_coded_ones_do_not() {
    let claim = Claim { matrix: uncoded(9).unwrap(), b: 0, ties: TieRule::Abstain };
    let uncoded = VerifiedCode::verify(claim, Method::Auto, &Control::default()).unwrap().code().unwrap();
    let lied = || Config { byzantine: Some(2), ..config() };
    let wrong = |code| trained(lied(), code).unwrap().evaluate().unwrap().wrong_coordinates.unwrap();
    assert_eq!(wrong(code(9, 2)), 0);
    assert!(wrong(TrainingCode::verified(uncoded, "uncoded")) > 100);
}

fn ecode(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("ecode").unwrap().current_dir(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_unverified_code_is_refused_or_labelled_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let all = ["train", "--steps", "20", "--batch", "8", "--code", "bernoulli:n=9,b=2,r=2"];
        ecode(folder.path(), &[&all, arguments].concat())
    };
    let (status, out, error) = run(&["--run", "refused"]);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(error.contains("is not verified: it does not tolerate its b = 2"), "{error}");
    assert!(error.contains("--allow-unverified") && error.lines().count() == 1, "{error}");
    assert!(!folder.path().join("refused").exists());

    let (status, out, error) = run(&["--run", "allowed", "--allow-unverified"]);
    assert_eq!(status, Some(0), "{error}");
    assert!(out.contains("UNVERIFIED"), "{out}");
    let lines = error.lines().filter(|line| line.starts_with("step"));
    assert!(lines.clone().count() > 1 && lines.clone().all(|line| line.ends_with("UNVERIFIED")), "{error}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join("allowed").join(name)).unwrap();
    let label = "\"verified\":false,\"unverified\":\"from step 0: the code is not verified\"}";
    assert!(read("metrics.jsonl").lines().all(|line| line.ends_with(label)), "{}", read("metrics.jsonl"));
    assert!(read("summary.json").contains("\"verified\": false"));
    let (status, _, _) = ecode(folder.path(), &["plot", "allowed", "-o", "curves.svg"]);
    assert_eq!(status, Some(0));
    assert!(std::fs::read_to_string(folder.path().join("curves.svg")).unwrap().contains("UNVERIFIED"));
}

#[test]
fn a_run_folder_is_enough_to_run_it_again_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let train = |arguments: &[&str]| ecode(folder.path(), &[&["train", "-q"], arguments].concat());
    let first = ["--code", "algorithm1:n=5,b=1", "--steps", "12", "--seed", "3", "--run", "a", "--json"];
    let (status, first_out, error) = train(&first);
    assert_eq!((status, error.as_str()), (Some(0), ""));
    let summary: serde_json::Value = serde_json::from_str(&first_out).unwrap();
    assert_eq!(summary["status"], "finished");
    assert_eq!(summary["code"]["verified"], true);
    assert_eq!(summary["config"]["byzantine"], 1);

    let (status, out, error) = train(&first);
    assert_eq!((status, out.as_str()), (Some(2), ""));
    assert!(error.contains("a holds a run already"), "{error}");

    let (status, again, _) = train(&["--config", "a/config.toml", "--run", "b", "--json"]);
    assert_eq!(status, Some(0));
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["parameters_digest"], summary["parameters_digest"]);
    let (_, other, _) = train(&["--config", "a/config.toml", "--run", "c", "--seed", "4", "--json"]);
    let other: serde_json::Value = serde_json::from_str(&other).unwrap();
    assert_ne!(other["parameters_digest"], summary["parameters_digest"]);

    // A finished run that is resumed stays as it is.
    let (status, resumed, _) = train(&["--run", "a", "--resume", "--json"]);
    assert_eq!(status, Some(0));
    let resumed: serde_json::Value = serde_json::from_str(&resumed).unwrap();
    assert_eq!(resumed, summary);
    let table = std::fs::read_to_string(folder.path().join("a/metrics.csv")).unwrap();
    assert!(table.starts_with("step,epoch,train_loss,") && table.lines().count() == 14, "{table}");
}

#[test]
fn bad_configurations_get_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "seed = 1\nattack = \"shout\"\n").unwrap();
    for (arguments, expected) in [
        (&["--code", "algorithm1:n=9"][..], "algorithm1 needs b"),
        (&["--code", "algorithm1:n=9,b=2,c=1"], "algorithm1 has no 'c'"),
        (&["--code", "hope:n=9"], "no construction is named 'hope'"),
        (&["--code", "missing.json"], "missing.json"),
        (&[], "no code: --code takes"),
        (&["--config", "bad.toml"], "bad.toml: line 2: unknown variant `shout`"),
        (&["--code", "uncoded:n=9", "--byzantine", "10"], "byzantine is 10; there are 9 workers"),
        (
            &["--code", "uncoded:n=9", "--byzantine", "2", "--byzantine-set", "1,9"],
            "expected 2 different workers",
        ),
        (&["--code", "uncoded:n=9", "--batch", "100000"], "the data has 5000 to train on"),
        (
            &["--scheme", "reactive", "--n", "5", "--b", "1", "--attack", "ipm"],
            "scheme reactive takes signs of partitions; attack ipm makes gradients of workers",
        ),
        (&["--code", "uncoded:n=9", "--split", "dirichlet:0"], "unknown split 'dirichlet:0'"),
        (
            &["--code", "uncoded:n=99", "--split", "dirichlet:0.001"],
            "split dirichlet:0.001 gives some of 99 partitions fewer than 32 samples",
        ),
        (&["--code", "uncoded:n=9", "--momentum", "1"], "momentum is 1; expected below 1"),
        (&["--code", "uncoded:n=9", "--data", "mnist:"], "unknown data 'mnist:'"),
        (&["--code", "uncoded:n=4", "--aggregator", "krum", "--byzantine", "2"], "krum needs n > 2b + 2"),
        (
            &[
                "--code",
                "uncoded:n=9",
                "--byzantine",
                "2",
                "--aggregator",
                "krum",
                "--pre-aggregation",
                "bucketing:2",
            ],
            "krum needs n > 2b + 2, but n = 5, b = 2 (9 workers make 5 buckets of 2)",
        ),
        (
            &[
                "--code",
                "uncoded:n=9",
                "--byzantine",
                "1",
                "--declared-byzantine",
                "5",
                "--aggregator",
                "meamed",
            ],
            "meamed needs n > 2b, but n = 9, b = 5",
        ),
        (&["--code", "uncoded:n=9", "--pre-aggregation", "nnm"], "a vote has none"),
        (&["--code", "uncoded:n=9", "--pre-aggregation", "mix"], "unknown pre-aggregation 'mix'"),
        (
            &["--code", "uncoded:n=9", "--clip-radius", "1"],
            "clip-radius belongs to the aggregator centered-clipping",
        ),
        (&["--run", "nothing", "--resume"], "nothing holds no run"),
        (&["--code", "uncoded:n=9", "--lr", "-1"], "lr is -1; expected above 0"),
        (&["--code", "uncoded:n=9", "--lr", "1e300"], "lr: 1e300 does not fit"),
        (&["--code", "uncoded:n=9", "--momentum", "-0.1"], "momentum is -0.1; expected 0 or more"),
        (&["--code", "uncoded:n=9", "--bandwidth", "1e-16"], "bandwidth is 1e-16; expected 1 or more"),
        (&["--code", "uncoded:n=9", "--declared-byzantine", "2"], "the aggregator vote asks for no number"),
        (
            &["--code", "uncoded:n=9", "--byzantine", "2", "--on-excess", "stop"],
            "on-excess is stop: 2 workers lie, the code is verified for 0",
        ),
    ] {
        let (status, out, error) = ecode(folder.path(), &[&["train"], arguments].concat());
        assert_eq!((status, out.as_str()), (Some(2), ""), "{arguments:?}: {error}");
        assert!(error.contains(expected) && error.lines().count() == 1, "{arguments:?}: {error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only bad.toml is there");
}

#[test]
fn a_sweep_skips_what_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let grid = "settings = [{ n = 5, b = 1 }, { n = 5, b = 1, byzantine = 2 }]\n\
                schemes = [\"algorithm1\", \"uncoded+median\"]\nseeds = [0, 1]\n\
                [base]\nsteps = 10\nbatch = 8\n[overrides.\"uncoded+median\"]\nlr = 0.05\n";
    std::fs::write(folder.path().join("grid.toml"), grid).unwrap();
    let (status, first, error) = ecode(folder.path(), &["sweep", "grid.toml", "-q"]);
    assert_eq!((status, error.as_str()), (Some(0), ""));
    assert!(
        first.contains("| algorithm1") && first.contains("mean ± standard deviation over 2 seeds"),
        "{first}"
    );
    let log = folder.path().join("runs/grid/n5-b1-actual2/uncoded+median/reverse/seed1/metrics.jsonl");
    let written = std::fs::metadata(&log).unwrap().modified().unwrap();
    let (_, second, _) = ecode(folder.path(), &["sweep", "grid.toml", "-q", "--plot", "all.png"]);
    assert_eq!(first, second);
    assert!(std::fs::read(folder.path().join("all.png")).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(std::fs::metadata(&log).unwrap().modified().unwrap(), written, "not run again");
    std::fs::write(folder.path().join("grid.toml"), grid.replace("steps = 10", "steps = 11")).unwrap();
    let (status, _, error) = ecode(folder.path(), &["sweep", "grid.toml", "-q"]);
    assert_eq!(status, Some(2));
    assert!(error.contains("holds a run of another configuration"), "{error}");
}
