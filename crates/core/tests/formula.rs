//! Promise: the formulas say exactly "G is not b-tolerant", so that any other solver's answer can be held against ours.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_core::{
    AllocationMatrix, Claim, Clauses, Encoding, Formula, Message, Outcome, TieRule, deciding_sides,
};
use proptest::prelude::*;
use varisat::Solver;

fn matrices() -> impl Strategy<Value = AllocationMatrix> {
    (1..=5_usize, 1..=5_usize, 1..=9_u32).prop_flat_map(|(n, k, tenths)| {
        prop::collection::vec(0..10_u32, n * k)
            .prop_map(move |draws| AllocationMatrix::from_fn(n, k, |j, i| draws[j * k + i] < tenths).unwrap())
    })
}

/// Whether some message of this answer leaves a margin below b, by the definitions.
fn overturned(claim: &Claim, correct: bool) -> bool {
    let k = claim.matrix.k();
    (0..1_u32 << k).any(|bits| {
        let message = Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1));
        let outcome = Outcome::of(&claim.matrix, claim.ties, &message);
        outcome.correct == correct && outcome.margin < claim.b as i64
    })
}

/// Reads OPB text as a solver would and tries every assignment.
fn satisfiable(text: &str) -> bool {
    let variables: usize = text.split_whitespace().nth(2).unwrap().parse().unwrap();
    let mut inequalities: Vec<(Vec<(i64, usize)>, i64)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('*')) {
        let (left, right) = line.strip_suffix(" ;").unwrap().split_once(">= ").unwrap();
        let tokens: Vec<&str> = left.split_whitespace().collect();
        let terms = tokens.chunks(2).map(|pair| (pair[0].parse().unwrap(), pair[1][1..].parse().unwrap()));
        inequalities.push((terms.collect(), right.parse().unwrap()));
    }
    let declared: usize = text.lines().next().unwrap().split_whitespace().last().unwrap().parse().unwrap();
    assert_eq!(inequalities.len(), declared);
    (0..1_u64 << variables).any(|bits| {
        inequalities.iter().all(|(terms, right)| {
            terms.iter().map(|(a, x)| a * (bits >> (x - 1) & 1) as i64).sum::<i64>() >= *right
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn both_formulas_say_what_the_definitions_say(
        matrix in matrices(), ties in prop::sample::select(TieRule::ALL.to_vec()), b in 0..4_usize,
    ) {
        let claim = Claim { matrix, b, ties };
        let mut refuted = [false, false];
        for correct in [false, true] {
            let expected = overturned(&claim, correct);
            refuted[usize::from(correct)] = expected;
            let formula = Formula::new(&claim.matrix, ties, b, correct);
            prop_assert_eq!(satisfiable(&formula.opb()), expected, "opb, side {}", correct);
            let mut solver = Solver::new();
            solver.add_dimacs_cnf(Clauses::of(&claim.matrix, &formula).dimacs().as_bytes()).unwrap();
            prop_assert_eq!(solver.solve().unwrap(), expected, "dimacs, side {}", correct);
        }
        // The sides that are said to decide do.
        let decided = deciding_sides(&claim.matrix, ties).iter().any(|&side| refuted[usize::from(side)]);
        prop_assert_eq!(decided, refuted[0] || refuted[1]);
    }

    /// What tells a formula that is too large before it is made.
    #[test]
    fn clauses_are_counted_without_making_them(
        g in matrices(), rule in 0..4_usize, below in -4..6_i64, inputs in 0..40_usize, most in 1..40_usize,
    ) {
        for correct in [false, true] {
            let formula = Formula::below(&g, TieRule::ALL[rule], below, correct);
            let count = Clauses::count(&g, &formula);
            prop_assert_eq!(count, Clauses::of(&g, &formula).clauses.len() as u64);
        }
        for encoding in [Encoding::Totalizer, Encoding::SequentialCounter] {
            let mut clauses = Clauses::new(inputs, encoding);
            clauses.demands(&(1..=inputs as i32).collect::<Vec<_>>(), most);
            let count = Clauses::demanded(encoding, inputs, most);
            prop_assert_eq!(count, clauses.clauses.len() as u64);
        }
    }

    /// The clauses' models are models of the inequalities.
    #[test]
    fn a_model_of_the_clauses_is_one_of_the_inequalities(
        matrix in matrices(), ties in prop::sample::select(TieRule::ALL.to_vec()), b in 0..5_usize,
    ) {
        for correct in [false, true] {
            let formula = Formula::new(&matrix, ties, b, correct);
            let clauses = Clauses::of(&matrix, &formula);
            let mut solver = Solver::new();
            solver.add_dimacs_cnf(clauses.dimacs().as_bytes()).unwrap();
            if solver.solve().unwrap() {
                // A variable in no clause may be missing.
                let mut model = vec![false; formula.variables()];
                for lit in solver.model().unwrap() {
                    if let Some(value) = model.get_mut(lit.var().index()) {
                        *value = lit.is_positive();
                    }
                }
                for inequality in &formula.inequalities {
                    let sum: i64 = inequality.terms.iter().map(|&(a, x)| a * i64::from(model[x - 1])).sum();
                    prop_assert!(sum >= inequality.at_least);
                }
            }
        }
    }
}
