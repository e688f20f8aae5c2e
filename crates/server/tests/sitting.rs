//! Promise: a step with a clock waits for what it needs and no liar stretches that; who is late, gone or out of date is
//! silent and named for nothing; what is settled need not be waited for.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use ecode_server::Wait;
use ecode_server::reactive::{
    Assignment, Digest, Evidence, FACTOR, Header, LEAST, Next, Question, Sent, Settlement, Sitting, assign,
};

const SECOND: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

fn header(step: u64) -> Header {
    Header { run: [1; 32], step, state: [2; 32] }
}

/// The digest of a story about a partition; 0 is the honest one.
fn digest(partition: usize, story: u8) -> Digest {
    let mut digest = [story; 32];
    digest[0] = partition as u8;
    digest
}

fn opened(
    n: usize,
    b: usize,
    spare: usize,
    wait: Wait,
    now: Duration,
) -> (Sitting, Vec<Question>, Assignment) {
    let present: Vec<usize> = (0..n).collect();
    let assignment = assign(&present, n, b + 1 + spare);
    let settlement = Settlement::new(&assignment, &present, b);
    let (sitting, questions) = Sitting::open(settlement, &assignment, header(0), (wait, LONGEST), now);
    (sitting, questions, assignment)
}

/// A worker does what it is asked for, all with one story.
fn answers(sitting: &mut Sitting, now: Duration, question: &Question, story: u8) {
    let worker = question.worker;
    let digests: Vec<_> =
        question.compute.iter().map(|&partition| (partition, digest(partition, story))).collect();
    sitting.answered(now, worker, &header(0), digests);
    let fetched = question.fetches.iter().map(|(partition, _)| partition);
    for &partition in question.vectors.iter().chain(fetched) {
        sitting.sent(now, worker, partition, digest(partition, story));
    }
}

/// Test 11 of the referee: a liar that answers just before each deadline, for a thousand steps.
#[test]
fn a_liar_that_is_late_on_purpose_does_not_stretch_the_deadline() {
    let mut now = Duration::ZERO;
    for _ in 0..1000 {
        let (mut sitting, questions, _) = opened(5, 1, 0, Wait::Adaptive, now);
        let began = now;
        assert_eq!(sitting.deadline(), began + LONGEST, "nobody knows yet what a gradient takes");
        now += SECOND;
        questions[1..].iter().for_each(|question| answers(&mut sitting, now, question, 0));
        // The slowest honest worker sets it, and nothing that went before.
        assert_eq!(sitting.deadline(), began + FACTOR * SECOND + LEAST);
        now = sitting.deadline().saturating_sub(Duration::from_millis(1));
        assert!(!sitting.is_over(now));
        answers(&mut sitting, now, &questions[0], 0);
        let (next, _) = sitting.next(now, &mut |_| 0).unwrap();
        assert!(matches!(next, Next::Settled(_)));
        assert_eq!(sitting.settlement().silents().count(), 0);
    }
    // A liar cannot shorten it for the honest either: the first answer is nobody's measure.
    let (mut sitting, questions, _) = opened(5, 1, 0, Wait::Adaptive, now);
    answers(&mut sitting, now, &questions[0], 0);
    assert_eq!(sitting.deadline(), now + LONGEST);
}

/// Helpers compute after all others have: their time grows with what they are asked for, not with who picks the dispute.
#[test]
fn a_helper_has_the_time_of_a_whole_load_and_more() {
    let (mut sitting, questions, _) = opened(5, 1, 0, Wait::Adaptive, Duration::ZERO);
    for question in &questions {
        // Worker 0 tells another story about all that it holds.
        let at = if question.worker == 0 { Duration::ZERO } else { SECOND };
        answers(&mut sitting, at, question, u8::from(question.worker == 0));
    }
    let mut now = SECOND;
    let mut asked = 0;
    loop {
        let (next, questions) = sitting.next(now, &mut |_| 0).unwrap();
        match next {
            Next::Trip { .. } => {
                let most = questions.iter().map(|question| question.compute.len()).max().unwrap() as u32;
                asked += most;
                assert_eq!(sitting.deadline(), now + FACTOR * (1 + most) * SECOND + LEAST);
                now += SECOND;
                questions.iter().for_each(|question| answers(&mut sitting, now, question, 0));
            }
            Next::Settled(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(asked <= 1, "at most one helper a liar");
    let named: Vec<usize> = sitting.settlement().named().map(|named| named.worker).collect();
    assert_eq!(named, [0]);
}

/// Silence, a closed connection, another state: a helper is asked, nobody is named, and the deadline is had once.
#[test]
fn who_is_late_gone_or_out_of_date_is_silent() {
    for way in 0..4 {
        let (mut sitting, questions, _) = opened(5, 1, 0, Wait::Adaptive, Duration::ZERO);
        questions[1..].iter().for_each(|question| answers(&mut sitting, SECOND, question, 0));
        let worker = questions[0].worker;
        let mut now = SECOND;
        match way {
            0 => {
                assert!(sitting.next(now, &mut |_| 0).is_none(), "it may still answer");
                now = sitting.deadline();
            }
            1 => sitting.gone(now, worker),
            2 => sitting.answered(now, worker, &Header { state: [9; 32], ..header(0) }, []),
            // It sends vectors of nothing that it announced, which is no evidence, and then nothing more.
            _ => {
                assert!(!sitting.sent(now, worker, questions[0].compute[0], [7; 32]));
                now = sitting.deadline();
            }
        }
        let (next, helpers) = sitting.next(now, &mut |_| 0).unwrap();
        assert!(matches!(next, Next::Trip { .. }), "{way}: {next:?}");
        assert!(helpers.iter().all(|question| question.worker != worker), "T5");
        helpers.iter().for_each(|question| answers(&mut sitting, now + SECOND, question, 0));
        // What comes too late is compared, and right.
        answers(&mut sitting, now + SECOND, &questions[0], 0);
        let (next, _) = sitting.next(now + SECOND, &mut |_| 0).unwrap();
        assert!(matches!(next, Next::Settled(_)), "{way}");
        assert_eq!(sitting.settlement().silents().collect::<Vec<_>>(), [worker]);
        assert_eq!(sitting.settlement().named().count(), 0, "{way}");
    }
}

/// With a spare holder `quorum` settles without the last one; with a contradiction it waits for everybody.
#[test]
fn what_is_settled_need_not_be_waited_for() {
    for (story, settled) in [(0, true), (1, false)] {
        let (mut sitting, questions, assignment) = opened(7, 1, 1, Wait::Quorum, Duration::ZERO);
        // Nobody's primary, so that no vector is missing: that of worker 6 comes, its digests do not.
        let late = assignment.holders[6][0];
        for question in &questions {
            if question.worker == late {
                continue;
            }
            answers(&mut sitting, SECOND, question, if question.worker == 1 { story } else { 0 });
        }
        let vectors: Vec<usize> = questions[late].vectors.clone();
        // Its vectors are needed, and come with their digests alone.
        for partition in vectors {
            sitting.answered(SECOND, late, &header(0), [(partition, digest(partition, 0))]);
            sitting.sent(SECOND, late, partition, digest(partition, 0));
        }
        let next = sitting.next(SECOND, &mut |_| 0);
        assert_eq!(matches!(next, Some((Next::Settled(_), _))), settled);
        assert_eq!(sitting.settlement().silents().count(), 0, "nobody is late yet");
    }
}

/// Three holders of each partition send shares, of which any two rebuild a vector. No trip is needed for the share that does not
/// come; one that is of no announced vector names, and one that was not asked for, or comes before its digest, is not heard.
#[test]
fn shares_settle_what_a_primary_would() {
    let present: Vec<usize> = (0..5).collect();
    let assignment = assign(&present, 5, 3);
    let open = || {
        let settlement = Settlement::new(&assignment, &present, 1).without_primaries();
        let waits = (Wait::Quorum, LONGEST);
        Sitting::open(settlement, &assignment, header(0), waits, Duration::ZERO)
    };
    let (mut sitting, questions) = open();
    for question in &questions {
        assert_eq!(question.compute, question.vectors, "everybody who computes sends a share");
        sitting.shared(SECOND, question.worker, question.compute[0], Sent::Wrong([9; 32]));
        assert!(!sitting.awaits(question.worker, question.compute[0]), "before its digest");
    }
    let mut came = [0; 5];
    for question in &questions {
        let digests: Vec<_> = question.compute.iter().map(|&i| (i, digest(i, 0))).collect();
        sitting.answered(SECOND, question.worker, &header(0), digests);
        // Worker 4 sends digests, and no share.
        for &partition in question.vectors.iter().filter(|_| question.worker != 4) {
            assert!(sitting.awaits(question.worker, partition));
            came[partition] += 1;
            let enough = came[partition] == 2;
            let sent = if enough { Sent::Enough(digest(partition, 0)) } else { Sent::Right };
            sitting.shared(SECOND, question.worker, partition, sent);
            assert!(!sitting.awaits(question.worker, partition), "once");
        }
    }
    let (next, _) = sitting.next(SECOND, &mut |_| 0).unwrap();
    assert!(matches!(next, Next::Settled(_)), "{next:?}");
    assert_eq!((sitting.settlement().trips(), sitting.settlement().named().count()), (0, 0));

    let (mut sitting, questions) = open();
    for question in &questions {
        let digests: Vec<_> = question.compute.iter().map(|&i| (i, digest(i, 0))).collect();
        sitting.answered(SECOND, question.worker, &header(0), digests);
        for &partition in &question.vectors {
            let sent = match question.worker {
                3 => Sent::Wrong([9; 32]),
                _ => Sent::Enough(digest(partition, 0)),
            };
            sitting.shared(SECOND, question.worker, partition, sent);
        }
    }
    let (next, _) = sitting.next(SECOND, &mut |_| 0).unwrap();
    assert!(matches!(next, Next::Settled(_)), "{next:?}");
    let named: Vec<_> = sitting.settlement().named().map(|named| (named.worker, named.evidence)).collect();
    assert!(matches!(named[..], [(3, Evidence::Vector(_))]), "{named:?}");
}
