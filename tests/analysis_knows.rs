//! Promise: an analysis asks for the radius before it estimates anything, and one that is stopped ends with what it
//! knows.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use assert_cmd::Command;
use ecode::analysis::{Analysis, Estimate, Fixed, Kind, Options};
use ecode::construct::{Gluing, algorithm1};
use ecode::verify::{Control, Radius};

/// A code that is too large to be counted, with a proof of what it tolerates.
fn glued(options: Options) -> Analysis {
    let code = Gluing::new(101, 10).unwrap();
    let options = Options { parts: Some((code.shape, 10)), ..options };
    Analysis::of(&code.matrix, &options, &Control::default()).unwrap()
}

#[test]
fn up_to_the_radius_every_figure_is_exact() {
    let q = 0.1;
    let analysis = glued(Options { qs: vec![q], curves: vec![q], draws: 2_000, ..Options::default() });
    assert!(!analysis.is_exact() && analysis.complete);
    assert_eq!(analysis.radius.at_least(), Some(10));
    let at = &analysis.at[0];
    for b in 0..=10 {
        for row in [&at.decode[b], &at.sign[b]] {
            let Estimate::Exact(error) = row.adaptive else { panic!("b = {b}: {row:?}") };
            assert_eq!((row.random, &row.fixed), (row.adaptive, &Fixed::Exact { error, workers: None }));
        }
        assert_eq!(at.decode[b].adaptive, Estimate::Exact(0.0));
    }
    // More than half of 101 signs wrong, each with probability 0.1: the sum over the binomial distribution.
    let (mut term, mut tail) = (0.9_f64.powi(101), 0.0);
    for wrong in 1..=101 {
        term *= f64::from(102 - wrong) / f64::from(wrong) * q / (1.0 - q);
        tail += if wrong > 50 { term } else { 0.0 };
    }
    let sign = at.sign[10].adaptive.value();
    assert!((sign - tail).abs() < 1e-9 * tail, "{sign} {tail}");
    assert_eq!(analysis.curves[0].sign[10], sign);
    // Between the radius and half of the workers: estimates. Beyond: certain.
    assert!(!at.decode[30].adaptive.is_exact());
    for rows in [Kind::Decode, Kind::Sign].map(|kind| at.rows(kind)) {
        assert!(
            rows[51..]
                .iter()
                .all(|row| row.adaptive == Estimate::Exact(1.0) && row.random == Estimate::Exact(1.0))
        );
    }
}

#[test]
fn a_forced_sample_knows_the_radius_too() {
    let options = Options { sample: true, draws: 500, qs: vec![0.2], ..Options::default() };
    let analysis = Analysis::of(&algorithm1(15, 3).unwrap(), &options, &Control::default()).unwrap();
    assert_eq!(analysis.radius.radius(), Radius::Exactly(3));
    assert_eq!(analysis.at[0].decode[3].adaptive, Estimate::Exact(0.0));
}

#[test]
fn what_is_stopped_ends_with_what_is_known() {
    let analysis = glued(Options { time: Some(Duration::ZERO), ..Options::default() });
    assert!(!analysis.complete);
    let stopped = Control::default();
    stopped.stop();
    let analysis = Analysis::of(&algorithm1(41, 3).unwrap(), &Options::default(), &stopped).unwrap();
    assert!(!analysis.complete);
}

/// The commands say what they know, and exit with 3.
#[test]
fn the_commands_end_in_time_with_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let ecode = |arguments: &[&str]| {
        let output =
            Command::cargo_bin("ecode").unwrap().current_dir(&folder).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let made =
        ecode(&["design", "--n", "101", "--b", "10", "--construction", "gluing", "-o", "c.json", "-q"]);
    assert_eq!(made.0, Some(0));
    let (code, text) = ecode(&["analyze", "c.json", "--timeout", "0s"]);
    assert!(code == Some(3) && text.starts_with("n = 101, k = 101") && text.contains("Stopped:"), "{text}");
    let (code, text) = ecode(&["compare", "c.json", "c.json", "--timeout", "0s"]);
    assert!(code == Some(3) && text.lines().count() == 4, "{text}");
    // Without a timeout the file's parts prove what it tolerates.
    let (code, text) = ecode(&["analyze", "c.json", "--draws", "1000", "--q", "0.1"]);
    assert!(code == Some(0) && text.contains("With b = 0 to 10 liars no decode is wrong"), "{text}");
}
