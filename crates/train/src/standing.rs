//! Whether what was proved of the code covers what happens in a run.
//!
//! # What is promised
//! A step counts as verified only where a majority is taken for each file and so many liars overturn none, which was proved; or
//! where the decode is the vote of a code that was verified under the run's tie
//! rule, for b liars, and 2·liars + missing ≤ 2·b in that step (docs/theory/errors.md), or was verified for b failure domains,
//! and all liars and missing votes of that step stand in b of them (docs/theory/domains.md). From the first other step on
//! the run is not verified any more, whatever comes later: its parameters are those of that step, too.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregator, Rule};
use super::code::TrainingCode;
use ecode_core::Workers;
use ecode_verify::Distortion;

/// The first step that no proof covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excess {
    /// The step, from 0.
    pub step: u64,
    /// What is exceeded, in words.
    pub why: String,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UNVERIFIED from step {} on: {}", self.step, self.why)
    }
}

/// A worker that no longer answers, and the first step that it missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The worker, from 0.
    pub worker: usize,
    /// The step, from 0.
    pub step: u64,
}

/// Why nothing covers a step, in which some workers lie and others sent no vote; none where the proof does.
pub(super) fn exceeds(
    code: &TrainingCode,
    rule: &Rule,
    liars: &Workers,
    missing: &[usize],
) -> Option<String> {
    if let Some(worst) = code.distortion() {
        return files_exceed(code, worst, rule, liars.count());
    }
    if rule.aggregator != Aggregator::Vote {
        return Some(format!("nothing is proved of the aggregator {}", rule.name()));
    }
    let Some(b) = code.tolerates() else {
        let budgeted = code.budget().map(|promise| format!("the code is budgeted, not tolerant: {promise}"));
        return Some(budgeted.unwrap_or_else(|| "the code is not verified".into()));
    };
    let lie = liars.count();
    let lost = missing.iter().filter(|&&worker| !liars.contains(worker)).count();
    if 2 * lie + lost <= 2 * b {
        return None;
    }
    let n = liars.len();
    let absent = || Workers::from_indices(n, missing.iter().copied());
    if code.domains().is_some_and(|verified| verified.covers(liars, &absent())) {
        return None;
    }
    let count = |count: usize, one: &str, many: &str| {
        if count == 1 { format!("1 worker {one}") } else { format!("{count} workers {many}") }
    };
    let lying = (lie > 0).then(|| count(lie, "lies", "lie"));
    let silent = (lost > 0).then(|| count(lost, "sends no vote", "send no vote"));
    let who: Vec<String> = lying.into_iter().chain(silent).collect();
    if let Some(verified) = code.domains() {
        let (domains, b) = (verified.domains(), verified.b());
        let either = Workers::from_indices(n, liars.indices().chain(missing.iter().copied()));
        let names = domains.names_of(&domains.touched(&either)).join(", ");
        return Some(format!(
            "{} in the domains {names}, the code is verified for any {b} of {} domains",
            who.join(" and "),
            domains.len()
        ));
    }
    let promise = match (code.detects(), lost) {
        (true, _) => format!("the scheme provides for {b}"),
        (false, 0) => format!("the code is verified for {b}"),
        (false, _) => verified_for(b),
    };
    Some(format!("{}, {promise}", who.join(" and ")))
}

/// The same where a majority is taken for each file: it is right while so many liars overturn none.
fn files_exceed(code: &TrainingCode, worst: &Distortion, rule: &Rule, lie: usize) -> Option<String> {
    let (files, q) = (code.matrix().k(), worst.liars);
    match code.tolerates() {
        Some(b) if lie <= b => None,
        Some(b) => Some(format!("{lie} workers lie, every file's majority is right for {b}")),
        None => Some(format!(
            "{q} liars overturn up to {} of {files} files, and nothing is proved of the aggregator {}",
            worst.at_most,
            rule.name()
        )),
    }
}

/// What a code that is verified for b liars promises where votes are missing, in words.
pub(super) fn verified_for(b: usize) -> String {
    format!("the code is verified for {b} liars, or two missing votes in place of each")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecode_core::{Claim, Domains, TieRule};
    use ecode_verify::{Control, Method, Verified, VerifiedCode, VerifiedDomains};

    /// A code that tolerates one host of three: three liars of a host are covered, two of two hosts are not, and a vote that
    /// is missing in the host of liars costs nothing more.
    #[test]
    fn liars_and_missing_votes_of_one_host_are_covered_as_one() {
        let matrix = ecode_design::construct::algorithm1(15, 3).unwrap_or_else(|error| panic!("{error}"));
        let hosts: Vec<String> = (0..15).map(|worker| format!("host-{}", worker / 3)).collect();
        let hosts = Domains::of_workers(&hosts).unwrap_or_else(|error| panic!("{error}"));
        let verified =
            VerifiedDomains::verify(matrix, TieRule::Abstain, hosts, 1, Method::Auto, &Control::default());
        let Ok(Ok(verified)) = verified else { panic!("{verified:?}") };
        let code = TrainingCode::verified_domains(verified, "algorithm1");
        let why = |liars: &[usize], missing: &[usize]| {
            let liars = Workers::from_indices(15, liars.iter().copied());
            exceeds(&code, &Rule::new(Aggregator::Vote, 0), &liars, missing)
        };
        for (liars, missing) in
            [(&[][..], &[][..]), (&[3, 4, 5], &[]), (&[3, 4], &[5]), (&[], &[0, 1, 2]), (&[], &[0, 14])]
        {
            assert_eq!(why(liars, missing), None, "{liars:?} {missing:?}");
        }
        let told = "3 workers lie and 1 worker sends no vote in the domains host-1, host-4, \
                    the code is verified for any 1 of 5 domains";
        assert_eq!(why(&[3, 4, 5], &[12]).as_deref(), Some(told));
        assert!(why(&[2, 3], &[]).is_some());
        assert_eq!((code.tolerates(), code.proof().is_some()), (Some(1), false));
    }

    fn code(b: usize) -> TrainingCode {
        let matrix = ecode_design::construct::algorithm1(9, b).unwrap_or_else(|error| panic!("{error}"));
        let claim = Claim { matrix, b, ties: TieRule::Abstain };
        match VerifiedCode::verify(claim, Method::Auto, &Control::default()) {
            Ok(Verified::Yes(code)) => TrainingCode::verified(code, "algorithm1"),
            other => panic!("{other:?}"),
        }
    }

    /// A liar costs two, a missing vote one, a liar whose vote is missing two; nothing covers other aggregators or codes.
    #[test]
    fn a_missing_vote_costs_half_a_lie() {
        let code = code(2);
        let why = |liars: &[usize], missing: &[usize]| {
            let liars = Workers::from_indices(9, liars.iter().copied());
            exceeds(&code, &Rule::new(Aggregator::Vote, 0), &liars, missing)
        };
        for (liars, missing) in
            [(&[][..], &[][..]), (&[0, 1], &[]), (&[], &[3, 4, 5, 6]), (&[0], &[1, 2]), (&[0, 1], &[0, 1])]
        {
            assert_eq!(why(liars, missing), None, "{liars:?} {missing:?}");
        }
        let text = |liars: &[usize], missing: &[usize]| why(liars, missing).unwrap_or_default();
        assert_eq!(text(&[0, 1, 2], &[]), "3 workers lie, the code is verified for 2");
        let rule = "the code is verified for 2 liars, or two missing votes in place of each";
        assert_eq!(text(&[0, 1], &[2]), format!("2 workers lie and 1 worker sends no vote, {rule}"));
        assert_eq!(text(&[], &[1, 2, 3, 7, 8]), format!("5 workers send no vote, {rule}"));
        let nobody = Workers::from_indices(9, []);
        let other = exceeds(&code, &Rule::new(Aggregator::Median, 0), &nobody, &[]);
        assert_eq!(other.as_deref(), Some("nothing is proved of the aggregator median"));
        let promise = "seldom wrong".to_owned();
        let budgeted = TrainingCode::budgeted(code.matrix().clone(), 2, promise, "budget");
        assert_eq!((budgeted.b(), budgeted.tolerates(), budgeted.proof().is_some()), (Some(2), None, false));
        assert_eq!(
            exceeds(&budgeted, &Rule::new(Aggregator::Vote, 0), &nobody, &[]).as_deref(),
            Some("the code is budgeted, not tolerant: seldom wrong")
        );
        let unknown = TrainingCode::unverified(code.matrix().clone(), Some(2), "mine");
        assert_eq!(
            exceeds(&unknown, &Rule::new(Aggregator::Vote, 0), &nobody, &[]).as_deref(),
            Some("the code is not verified")
        );
    }
}
