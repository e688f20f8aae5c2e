//! Promise: a dispute is settled by one computed stage a liar at most; nobody honest is blamed, and with an honest worker among
//! those that show traces what is left is right, whatever the others show.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_judge::{Blame, Digest, Dispute, Header, Inquiry};

const HEADER: Header = Header { run: [1; 32], step: 3, state: [2; 32] };
const STAGES: usize = 6;

/// The output of a stage: a function of all earlier outputs.
fn stage(earlier: &[u64]) -> u64 {
    earlier.iter().fold(17, |sum: u64, value| sum.wrapping_mul(31).wrapping_add(*value)) % 1009
}

fn digest(value: u64) -> Digest {
    HEADER.digest(5, &value.to_le_bytes())
}

fn root(trace: &[Digest]) -> Digest {
    HEADER.digest(5, trace.as_flattened())
}

fn trace(values: &[u64]) -> Vec<Digest> {
    values.iter().map(|&value| digest(value)).collect()
}

/// What a worker computes that adds `errors[s]` to its output of stage s.
fn computes(errors: &[u64; STAGES]) -> Vec<u64> {
    let mut values = Vec::new();
    for error in errors {
        values.push(stage(&values) + error);
    }
    values
}

#[test]
fn random_liars_never_frame_and_never_win() {
    let mut rng = fastrand::Rng::with_seed(1);
    let honest = computes(&[0; STAGES]);
    let mut most = 0;
    for _ in 0..20_000 {
        let workers = 2 + rng.usize(..5);
        let right = rng.usize(..workers);
        let mut shown: Vec<Vec<u64>> = Vec::new();
        for worker in 0..workers {
            let mut errors = [0; STAGES];
            for error in &mut errors {
                *error = u64::from(rng.u8(..4) == 0);
            }
            let mut values = computes(if worker == right { &[0; STAGES] } else { &errors });
            if worker != right && rng.bool() {
                // An output that does not follow, with the honest ones after it; or a friend's trace.
                values = if rng.bool() || shown.is_empty() {
                    honest.clone()
                } else {
                    shown[rng.usize(..shown.len())].clone()
                };
                values[rng.usize(..STAGES)] += u64::from(rng.bool());
            }
            shown.push(values);
        }
        let mut dispute = Dispute::new(STAGES, root);
        for (worker, values) in shown.iter().enumerate() {
            dispute.trace(worker, root(&trace(values)), trace(values));
        }
        let settled = loop {
            match dispute.next() {
                Inquiry::Compute { stage: place, workers } => {
                    let inputs = &shown[workers[0]][..place];
                    assert!(
                        workers.iter().all(|&worker| shown[worker][..place] == *inputs),
                        "inputs are agreed on"
                    );
                    dispute.computed(place, digest(stage(inputs)));
                }
                Inquiry::Settled { digest, workers } => break (digest, workers),
                Inquiry::Nobody => panic!("an honest worker was there"),
            }
        };
        assert_eq!(settled.0, root(&trace(&honest)));
        assert!(settled.1.contains(&right));
        let wrong = shown.iter().filter(|values| **values != honest).count();
        assert_eq!(dispute.blamed().count(), wrong, "whoever differs is blamed");
        assert!(dispute.stages_computed() <= wrong);
        most = most.max(dispute.stages_computed());
    }
    assert!(most >= 3, "several stages were needed now and then, {most} at most");
}

#[test]
fn a_trace_is_that_of_what_was_announced() {
    let values = computes(&[0; STAGES]);
    let right = trace(&values);
    let mut dispute = Dispute::new(STAGES, root);
    dispute.trace(0, root(&trace(&computes(&[1; STAGES]))), right.clone());
    dispute.trace(1, root(&right[..3]), right[..3].to_vec());
    dispute.trace(2, root(&right), right.clone());
    // A second trace does not wash off the first.
    dispute.trace(0, root(&right), right.clone());
    assert_eq!(dispute.blamed().collect::<Vec<_>>(), [(0, Blame::Trace), (1, Blame::Trace)]);
    assert_eq!(dispute.next(), Inquiry::Settled { digest: root(&right), workers: vec![2] });
    // An output that is not that of the trace, when it is asked for.
    assert!(dispute.sent(2, 1, digest(values[1])));
    assert!(!dispute.sent(2, 1, digest(values[1] + 1)));
    assert_eq!(dispute.next(), Inquiry::Nobody);
}
