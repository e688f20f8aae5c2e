//! Promise: the definitions are those of the paper: on small matrices each of them has the value that a person gets by hand.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_core::{
    AllocationMatrix, Formula, MAX_SIZE, MatrixError, Message, Outcome, TieRule, Workers, deciding_sides,
    decode, honest_vote, majority,
};

fn matrix(rows: &[&str]) -> AllocationMatrix {
    let rows: Vec<Vec<bool>> =
        rows.iter().map(|row| row.bytes().map(|byte| byte == b'1').collect()).collect();
    AllocationMatrix::from_rows(&rows).unwrap()
}

fn message(bits: &str) -> Message {
    Message::from_indices(bits.len(), (0..bits.len()).filter(|&i| bits.as_bytes()[i] == b'1'))
}

/// Three workers and four partitions: loads 1, 2 and 3.
fn small() -> AllocationMatrix {
    matrix(&["1000", "0110", "1011"])
}

#[test]
fn a_matrix_says_who_holds_what() {
    let g = small();
    assert_eq!((g.n(), g.k(), g.ones()), (3, 4, 6));
    assert_eq!(g.worker_loads(), [1, 2, 3]);
    assert_eq!(g.partition_loads(), [2, 1, 2, 1]);
    assert_eq!(g.support(2).collect::<Vec<_>>(), [0, 2, 3]);
    assert!((g.redundancy() - 2.0).abs() < 1e-12);
    assert!(g.holds(1, 2) && !g.holds(1, 3));
    assert_eq!(g.row(1), [0b0110]);
    assert!(!g.all_loads_odd() && matrix(&["100", "111"]).all_loads_odd());
    assert_eq!(g.empty_workers().count(), 0);
    assert_eq!(matrix(&["10", "00", "00"]).empty_workers(), Workers::from_indices(3, [1, 2]));
    assert_eq!([0, 1, 2].map(|j| g.ones_seen(j, &message("0111"))), [0, 2, 2]);
    assert_eq!(AllocationMatrix::from_supports(4, &[vec![0], vec![2, 1], vec![0, 2, 3]]), Ok(g.clone()));
    assert_eq!(g.permuted(&[2, 0, 1], &[3, 2, 1, 0]), Ok(matrix(&["1101", "0001", "0110"])));
    assert_eq!(g.canonical_text(), "ecode/matrix/1\n3 4\n1000\n0110\n1011\n");
    assert_eq!(format!("{g:?}"), g.canonical_text());
    assert_eq!(g.digest(), ecode_core::digest::sha256(g.canonical_text().as_bytes()));
}

/// Rows of more than one word: the last of 70 partitions is in the second.
#[test]
fn words_hold_64_partitions() {
    let g = AllocationMatrix::from_fn(2, 70, |j, i| i >= 64 && j == 1 || i == 69).unwrap();
    assert_eq!((g.row(0), g.row(1)), (&[0, 1 << 5][..], &[0, 0b11_1111][..]));
    assert_eq!(g.worker_loads(), [1, 6]);
    assert!(g.holds(0, 69) && !g.holds(0, 5) && !g.holds(0, 64));
    let m = Message::from_indices(70, [5, 64, 69]);
    assert_eq!((m.count(), m.len(), m.words()), (3, 70, &[1 << 5, 0b10_0001][..]));
    assert_eq!((g.ones_seen(0, &m), g.ones_seen(1, &m)), (1, 2));
    assert!(m.contains(69) && !m.contains(68) && !m.contains(1000));
    assert_eq!((Message::full(70).count(), Message::full(70).complement().is_empty()), (70, true));
    assert_eq!((m.complement().count(), m.is_empty()), (67, false));
    assert_eq!((m.to_string(), format!("{m:?}")), ("{5, 64, 69}".to_owned(), "{5, 64, 69}".to_owned()));
}

#[test]
fn what_is_no_matrix_is_refused() {
    let of = |n, k| AllocationMatrix::from_fn(n, k, |_, _| true).map(|g| (g.n(), g.k()));
    assert_eq!(of(MAX_SIZE, 1), Ok((MAX_SIZE, 1)));
    assert_eq!(of(1, MAX_SIZE), Ok((1, MAX_SIZE)));
    for (n, k, what) in
        [(0, 1, "workers"), (MAX_SIZE + 1, 1, "workers"), (1, 0, "partitions"), (1, 4097, "partitions")]
    {
        let error = of(n, k).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the number of {what} is ")), "{error}");
    }
    let ragged = AllocationMatrix::from_rows(&[vec![true], vec![true, false]]);
    assert_eq!(ragged, Err(MatrixError::Ragged { row: 1, found: 2, expected: 1 }));
    let outside = AllocationMatrix::from_supports(2, &[vec![2]]);
    assert_eq!(outside.unwrap_err().to_string(), "a partition's index + 1 is 3, but must be from 1 to 4096");
    for (workers, partitions) in
        [(&[0, 1, 1][..], &[0, 1, 2, 3][..]), (&[0, 1, 2], &[0, 1, 2]), (&[0, 1, 3], &[0, 1, 2, 3])]
    {
        assert!(matches!(small().permuted(workers, partitions), Err(MatrixError::Permutation { .. })));
    }
}

#[test]
fn a_majority_is_more_than_half_and_a_tie_is_zero() {
    assert_eq!(["000", "010", "011", "111"].map(|bits| majority(&message(bits))), [false, false, true, true]);
    assert_eq!(["0011", "0111"].map(|bits| majority(&message(bits))), [false, true]);
    let (zero, one, silent) = (Some(false), Some(true), None);
    assert!(decode(&[one, one, zero]) && !decode(&[one, zero]) && !decode(&[zero, zero, one]));
    assert!(decode(&[one, silent, silent]) && !decode(&[silent]) && !decode(&[]));
}

/// Worker 1 holds partitions 1 and 2: it ties on one of them.
#[test]
fn a_tied_worker_sends_what_the_rule_says() {
    let g = small();
    let vote = |ties, bits| honest_vote(&g, ties, 1, &message(bits));
    for ties in TieRule::ALL {
        assert_eq!((vote(ties, "0110"), vote(ties, "1001")), (Some(true), Some(false)), "{ties}");
        assert_eq!(honest_vote(&g, ties, 2, &message("1001")), Some(true), "{ties}");
    }
    // The majority of 0100 is 0, that of 0111 is 1.
    let g = matrix(&["1000", "1100", "1011"]);
    let tied = |ties, bits| honest_vote(&g, ties, 1, &message(bits));
    assert_eq!(TieRule::ALL.map(|ties| tied(ties, "0100")), [Some(true), Some(false), Some(true), None]);
    assert_eq!(TieRule::ALL.map(|ties| tied(ties, "0111")), [Some(false), Some(false), Some(true), None]);
    let names = ["adversarial", "zero", "one", "abstain"];
    assert_eq!(names.map(|name| name.parse()), TieRule::ALL.map(Ok));
    assert_eq!(TieRule::ALL.map(|ties| ties.to_string()), names);
    assert_eq!(TieRule::default(), TieRule::Adversarial);
    assert!("Zero".parse::<TieRule>().is_err());
}

/// Three workers who hold one partition each: a message of weight v has the margin that majority voting has.
#[test]
fn margins_are_those_of_majority_voting() {
    let g = matrix(&["100", "010", "001"]);
    let margin = |bits| Outcome::of(&g, TieRule::Zero, &message(bits)).margin;
    // Lead 3 and 1 for zeros; for ones the lead must stay above zero.
    assert_eq!(["000", "100", "110", "111"].map(margin), [1, 0, 0, 1]);
    let outcome = Outcome::of(&g, TieRule::Zero, &message("100"));
    assert_eq!((outcome.correct, outcome.wrong.indices().collect::<Vec<_>>()), (false, vec![0]));
    // One worker who is wrong by itself: the lead is −1, and no liar is needed.
    let lonely = Outcome::of(&matrix(&["100"]), TieRule::Zero, &message("100"));
    assert_eq!((lonely.margin, lonely.correct), (-1, false));
    let attack = lonely.attack(&matrix(&["100"]), TieRule::Zero, 0).unwrap();
    assert_eq!((attack.byzantine.count(), attack.decoded, attack.correct), (0, true, false));
}

/// Four workers of whom two are tied on 10 and silent: the lead 2 costs one liar among the voters, or both silent ones.
#[test]
fn an_attack_takes_the_fewest_liars_and_replays() {
    let g = matrix(&["01", "01", "11", "11"]);
    let ties = TieRule::Abstain;
    let outcome = Outcome::of(&g, ties, &message("10"));
    assert_eq!((outcome.correct, outcome.wrong.count(), outcome.silent.count()), (false, 0, 2));
    assert_eq!(outcome.margin, 1);
    assert_eq!(outcome.attack(&g, ties, 1), None);
    let attack = outcome.attack(&g, ties, 2).unwrap();
    assert_eq!(attack.byzantine.indices().collect::<Vec<_>>(), [0, 1]);
    assert_eq!(attack.sent, [Some(true), Some(true), None, None]);
    assert!((attack.decoded, attack.correct) == (true, false) && attack.replays(&g, ties, 2));
    // Not more liars than asked for, even where more are allowed.
    assert_eq!(outcome.attack(&g, ties, 4).unwrap().byzantine.count(), 2);
    // Whatever is changed, it replays no longer.
    assert!(!attack.replays(&g, ties, 1));
    assert!(!attack.replays(&g, TieRule::Zero, 2));
    let mut other = attack.clone();
    other.correct = true;
    assert!(!other.replays(&g, ties, 2));
    let mut other = attack.clone();
    other.decoded = false;
    assert!(!other.replays(&g, ties, 2));
    let mut other = attack.clone();
    other.sent[2] = Some(true);
    assert!(!other.replays(&g, ties, 2), "worker 2 is honest, and silent");
    let mut other = attack.clone();
    other.sent.pop();
    assert!(!other.replays(&g, ties, 2));
    let mut other = attack.clone();
    other.message = message("100");
    assert!(!other.replays(&g, ties, 2));
    let mut other = attack.clone();
    other.byzantine = Workers::from_indices(5, [0, 1]);
    assert!(!other.replays(&g, ties, 2));
    // A liar may be silent under the rule that knows silence, and under no other.
    let mut silent = attack;
    silent.byzantine = Workers::from_indices(4, [0, 1, 2]);
    assert!(silent.replays(&g, ties, 3));
    let g = matrix(&["10", "01", "01"]);
    let mut loud = Outcome::of(&g, TieRule::Zero, &message("10")).attack(&g, TieRule::Zero, 1).unwrap();
    assert!(loud.replays(&g, TieRule::Zero, 1) && loud.byzantine.count() == 1);
    loud.sent[0] = None;
    loud.byzantine = Workers::from_indices(3, [0, 1, 2]);
    loud.sent[1..].fill(Some(true));
    assert!(loud.replays(&g, TieRule::Abstain, 3) && !loud.replays(&g, TieRule::Zero, 3));
}

/// Theorem 3: where one side stands for both, it is named alone.
#[test]
fn the_sides_that_decide_are_those_of_theorem_3() {
    let sides = |rows: &[&str]| TieRule::ALL.map(|ties| deciding_sides(&matrix(rows), ties));
    let (zero, one, both) = (vec![false], vec![true], vec![false, true]);
    // n odd: all loads odd, or a rule by which ties hurt side 0 most; else k odd, but under the rule `one`.
    assert_eq!(sides(&["1", "1", "1"]), [(); 4].map(|()| zero.clone()));
    assert_eq!(sides(&["11", "10", "01"]), [&zero, &both, &zero, &both].map(Clone::clone));
    assert_eq!(sides(&["110", "100", "001"]), [&zero, &one, &zero, &one].map(Clone::clone));
    // n even: k odd with odd loads, or another rule than `one`.
    assert_eq!(sides(&["100", "111"]), [(); 4].map(|()| one.clone()));
    assert_eq!(sides(&["110", "111"]), [&one, &one, &both, &one].map(Clone::clone));
    assert_eq!(sides(&["10", "01"]), [(); 4].map(|()| both.clone()));
}

/// Loads 1, 2 and 3, three partitions: who is turned by how many chosen ones, and what that costs.
#[test]
fn workers_are_turned_by_what_the_rule_says() {
    let g = matrix(&["100", "110", "111"]);
    let turned = |ties, correct| {
        let formula = Formula::new(&g, ties, 1, correct);
        let turned: Vec<_> =
            formula.turned.iter().map(|turned| (turned.worker, turned.needed, turned.units)).collect();
        (formula.weight, turned, formula.overturn)
    };
    // 3 − 2 − 0 + 1 = 2 units of loss overturn, or one worker of two units.
    assert_eq!(turned(TieRule::Adversarial, false), (1, vec![(0, 1, 1), (1, 1, 1), (2, 2, 1)], 1));
    assert_eq!(turned(TieRule::Zero, false), (1, vec![(0, 1, 1), (1, 2, 1), (2, 2, 1)], 1));
    assert_eq!(turned(TieRule::One, false), (1, vec![(0, 1, 1), (1, 1, 1), (2, 2, 1)], 1));
    assert_eq!(turned(TieRule::Zero, true), (1, vec![(0, 1, 1), (1, 1, 1), (2, 2, 1)], 1));
    // Silence costs one unit, a wrong vote two: worker 1 is turned twice.
    assert_eq!(turned(TieRule::Abstain, false), (1, vec![(0, 1, 2), (1, 1, 1), (1, 2, 1), (2, 2, 2)], 2));
    assert_eq!(turned(TieRule::Abstain, true), (1, vec![(0, 1, 2), (1, 1, 1), (1, 2, 1), (2, 2, 2)], 1));
}
