//! Promise: a certificate of "no q workers overturn more than c files" is accepted where that holds and is shown, and
//! refused for its own reason where anything in it was changed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_check::{DistortionCertificate, Options, Refused, check_distortion, is_distortion};
use ecode_core::{AllocationMatrix, Formula, Workers};
use ecode_design::construct::{groups, mols, ramanujan, subsets};
use ecode_prove::{NoCertificate, certify_distortion};
use ecode_verify::{Assignment, Control, Method};

fn certificate(g: &AllocationMatrix, liars: usize) -> DistortionCertificate {
    let point = Assignment::new(g).unwrap().worst(liars, 0, Method::Auto, &Control::default()).unwrap();
    certify_distortion(g, liars, point.files, Some(&point.worst), &Control::default()).unwrap()
}

fn check(certificate: &DistortionCertificate) -> Result<bool, Refused> {
    check_distortion(certificate, Options::default()).map(|accepted| accepted.exact)
}

/// Every q of small schemes: accepted, as it is and read again; one file fewer is no claim that holds.
#[test]
fn what_the_engines_find_is_proved_and_nothing_less() {
    let uneven = AllocationMatrix::from_supports(5, &[&[0, 1][..], &[1], &[2, 4], &[3, 1, 2], &[0], &[4, 0]]);
    let all = [mols(4, 3), ramanujan(3, 3), groups(9, 3), subsets(6, 3), subsets(5, 2)];
    for g in all.into_iter().map(Result::unwrap).chain([uneven.unwrap()]) {
        for liars in 0..=g.n() {
            let made = certificate(&g, liars);
            assert_eq!(check(&made), Ok(true), "{liars} {g:?}");
            let text = made.to_json();
            assert!(is_distortion(text.as_bytes()));
            assert_eq!(DistortionCertificate::parse(text.as_bytes()).unwrap(), made);
            if let Some(fewer) = made.files.checked_sub(1) {
                let none = certify_distortion(&g, liars, fewer, None, &Control::default());
                assert_eq!(none, Err(NoCertificate::Contradiction), "{liars} {g:?}");
            }
            // More than is true holds as well, and is not said to be exact.
            let above = certify_distortion(&g, liars, made.files + 1, None, &Control::default()).unwrap();
            assert_eq!(check(&above), Ok(false), "{liars} {g:?}");
        }
    }
}

/// The formula has a solution exactly where some set of q workers overturns more than c files, by the definition.
#[test]
fn the_formula_says_what_the_definition_says() {
    let g = AllocationMatrix::from_supports(4, &[&[0, 1][..], &[1, 2], &[2, 3], &[3, 0, 1], &[0]]).unwrap();
    let (n, k) = (g.n(), g.k());
    for liars in 0..=n {
        for files in 0..=k {
            let formula = Formula::distortion(&g, liars, files);
            let holds = |values: u32| {
                formula.inequalities.iter().all(|inequality| {
                    let terms = inequality.terms.iter();
                    terms.map(|&(by, x)| by * i64::from(values >> (x - 1) & 1)).sum::<i64>()
                        >= inequality.at_least
                })
            };
            let solution = (0..1_u32 << (n + k)).any(holds);
            let sets = (0_u32..1 << n).filter(|set| set.count_ones() as usize <= liars);
            let overturns = |set: u32| {
                let set = Workers::from_indices(n, (0..n).filter(|j| set >> j & 1 == 1));
                ecode_core::overturned(&g, &set, &Workers::empty(n)).count() > files
            };
            assert_eq!(solution, sets.into_iter().any(overturns), "{liars} {files}");
        }
    }
}

#[test]
fn whatever_is_changed_is_found() {
    let g = mols(4, 3).unwrap();
    let good = certificate(&g, 4);
    let why = |change: &dyn Fn(&mut DistortionCertificate)| {
        let mut bad = good.clone();
        change(&mut bad);
        check(&bad).unwrap_err()
    };
    let invalid = |change: &dyn Fn(&mut DistortionCertificate), reason: &str| match why(change) {
        Refused::Invalid(text) => assert!(text.contains(reason), "{text}"),
        other => panic!("{other}"),
    };
    invalid(&|bad| bad.digest = "sha256:00".to_owned(), "the digest is");
    invalid(&|bad| bad.liars = 13, "only 12 workers");
    invalid(&|bad| bad.liars += 1, "the formula's digest");
    invalid(&|bad| bad.files -= 1, "worst is said to overturn");
    invalid(&|bad| (bad.files, bad.worst) = (bad.files - 1, None), "the formula's digest");
    invalid(&|bad| bad.worst = Some(Workers::full(12)), "more than 4");
    invalid(&|bad| bad.worst = Some(Workers::empty(12)), "overturns 0");
    invalid(&|bad| bad.formula = String::new(), "the formula's digest");
    // The claim of one liar more, with the digest of its own formula: its proof is missing.
    let stronger = |bad: &mut DistortionCertificate| {
        (bad.files, bad.worst) = (bad.files - 1, None);
        bad.formula = Formula::distortion(&bad.matrix, bad.liars, bad.files).digest();
    };
    invalid(&stronger, "does not follow");
    let other = |bad: &mut DistortionCertificate| {
        bad.matrix = AllocationMatrix::from_fn(12, 16, |j, i| g.holds(j, i) || (j, i) == (0, 1)).unwrap();
        bad.digest = bad.matrix.digest();
    };
    invalid(&other, "overturn");
    let unheld = |bad: &mut DistortionCertificate| {
        bad.matrix = AllocationMatrix::from_fn(12, 16, |j, i| g.holds(j, i) && i != 3).unwrap();
        bad.digest = bad.matrix.digest();
    };
    invalid(&unheld, "no worker holds partition 3");
    // Each line of the proof is needed for something, or is at least no line that could be another.
    let lines: Vec<&str> = good.proof.lines().collect();
    let mut refused = 0;
    for gone in 0..lines.len() {
        let kept: Vec<&str> =
            lines.iter().enumerate().filter(|&(at, _)| at != gone).map(|(_, line)| *line).collect();
        let mut bad = good.clone();
        bad.proof = kept.join("\n") + "\n";
        refused += usize::from(check(&bad).is_err());
    }
    let free = lines.iter().filter(|line| line.starts_with("del") || line.starts_with("output")).count();
    assert!(refused >= lines.len() - free - 1, "{refused} of {} lines, {free} of them free", lines.len());
    assert!(matches!(why(&|bad| bad.proof = "nonsense".to_owned()), Refused::Malformed(_)));
    let stopped = check_distortion(&good, Options { stopped: &|| true, ..Options::default() });
    assert!(stopped.is_ok() || stopped == Err(Refused::Stopped));
}

#[test]
fn what_is_no_certificate_is_not_read() {
    let text = certificate(&groups(6, 3).unwrap(), 2);
    let text = text.to_json().replace("[3,4]", "[0,1]");
    let cases = [
        (text.replace("distortion-certificate/1", "distortion-certificate/2"), "schema"),
        (text.replace("\"k\":2", "\"k\":3"), "n and k are 6 and 3"),
        (text.replace("\"liars\":2", "\"liars\":-2"), "invalid value"),
        (text.replace("\"liars\":2,", ""), "missing field"),
        (text.replace("\"liars\":2", "\"more\":1,\"liars\":2"), "unknown field"),
        (text.replacen("[1,0]", "[2,0]", 1), "not 0 or 1"),
        (text.replace("\"worst\":[0,1]", "\"worst\":[1,0]"), "not an increasing list"),
        (text.replace("\"worst\":[0,1]", "\"worst\":[0,6]"), "below 6"),
        (format!("[{text}]"), "expected an object"),
        (text[..text.len() / 2].to_owned(), "EOF"),
    ];
    for (wrong, reason) in cases {
        assert_ne!(wrong, text, "{reason}");
        let error = DistortionCertificate::parse(wrong.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
