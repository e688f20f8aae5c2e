//! Promise: a step of a proof that is accepted is right by the definition: what `rup` and `pol` add follows from the
//! formula, and what `red` adds some solution satisfies if the formula has any. All 0/1 vectors are tried.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_check::{ProofError, replay};
use ecode_core::{Formula, Inequality};

const VARIABLES: usize = 4;

/// Numbers that look random, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Coefficients with their literals (a negative number stands for the negation), and the right-hand side.
#[derive(Clone, Debug)]
struct Line(Vec<(i64, i64)>, i64);

impl Line {
    fn drawn(draw: &mut Draw) -> Self {
        let mut terms = Vec::new();
        for variable in 1..=VARIABLES as i64 {
            match draw.below(4) {
                0 => terms.push((1 + draw.below(2) as i64, variable)),
                1 => terms.push((1 + draw.below(2) as i64, -variable)),
                _ => {}
            }
        }
        let most: i64 = terms.iter().map(|(coefficient, _)| coefficient).sum();
        Self(terms, 1 + draw.below(1 + most.max(1) as usize) as i64)
    }

    fn holds(&self, values: usize) -> bool {
        let value = |literal: i64| (values >> (literal.unsigned_abs() - 1) & 1 == 1) == (literal > 0);
        let sum: i64 =
            self.0.iter().filter(|(_, literal)| value(*literal)).map(|(coefficient, _)| coefficient).sum();
        sum >= self.1
    }

    fn text(&self) -> String {
        let literal =
            |literal: i64| format!("{}x{}", if literal < 0 { "~" } else { "" }, literal.unsigned_abs());
        let terms: Vec<String> =
            self.0.iter().map(|&(coefficient, of)| format!("{coefficient} {}", literal(of))).collect();
        format!("{} >= {}", terms.join(" "), self.1)
    }

    /// Over variables: a·~x is a − a·x.
    fn inequality(&self) -> Inequality {
        let terms = self
            .0
            .iter()
            .map(|&(coefficient, literal)| (coefficient * literal.signum(), literal.unsigned_abs() as usize));
        let denied: i64 =
            self.0.iter().filter(|(_, literal)| *literal < 0).map(|(coefficient, _)| coefficient).sum();
        Inequality { terms: terms.collect(), at_least: self.1 - denied }
    }
}

fn formula(lines: &[Line]) -> Formula {
    Formula {
        k: VARIABLES,
        correct: false,
        weight: 0,
        turned: Vec::new(),
        overturn: 0,
        inequalities: lines.iter().map(Line::inequality).collect(),
    }
}

/// Whether a step is accepted after the formula: then only the conclusion is missing.
fn accepts(lines: &[Line], step: &str) -> bool {
    let proof = format!("pseudo-Boolean proof version 3.0\nf {};\n{step};\n", lines.len());
    match replay(&formula(lines), &proof, &|| false) {
        Err(ProofError::Rejected { line: 3.., .. }) => false,
        Err(ProofError::Malformed { what, .. }) if what.contains("before its conclusion") => true,
        other => panic!("{step}: {other:?}"),
    }
}

fn solutions(lines: &[Line]) -> Vec<usize> {
    (0..1 << VARIABLES).filter(|&values| lines.iter().all(|line| line.holds(values))).collect()
}

#[test]
fn what_unit_propagation_adds_follows() {
    let mut draw = Draw(1);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let lines: Vec<Line> = (0..=draw.below(4)).map(|_| Line::drawn(&mut draw)).collect();
        let claimed = Line::drawn(&mut draw);
        let hints = ["", " : ~ 1", " : 1 ~"][draw.below(3)];
        if accepts(&lines, &format!("rup {}{hints}", claimed.text())) {
            accepted += 1;
            assert!(solutions(&lines).iter().all(|&values| claimed.holds(values)), "{lines:?}: {claimed:?}");
        } else {
            refused += 1;
        }
    }
    assert!(accepted > 1000 && refused > 1000, "{accepted} {refused}");
}

/// `pol`'s result is compared by a claim that must be equal to it.
#[test]
fn sums_multiples_quotients_and_saturations_follow() {
    let mut draw = Draw(2);
    let mut shown = 0;
    for _ in 0..5000 {
        let lines: Vec<Line> = (0..3).map(|_| Line::drawn(&mut draw)).collect();
        let operations = [
            "1 2 +",
            "1 2 * 3 +",
            "1 2 d",
            "1 2 + 2 d",
            "1 s",
            "1 2 + s",
            "1 x2 +",
            "1 ~x3 +",
            "1 3 * 2 2 * + 3 d",
        ];
        let step = format!("pol {}", operations[draw.below(operations.len())]);
        assert!(accepts(&lines, &step), "{step}");
        // What follows from the result alone follows from the formula.
        let claimed = Line::drawn(&mut draw);
        let number = lines.len() + 1;
        if accepts(&lines, &format!("{step};\nrup {} : ~ {number}", claimed.text())) {
            shown += 1;
            assert!(
                solutions(&lines).iter().all(|&values| claimed.holds(values)),
                "{lines:?} {step}: {claimed:?}"
            );
        }
    }
    assert!(shown > 100, "{shown}");
}

/// Every substitution of two variables by literals, and every sort of claim.
#[test]
fn what_a_substitution_adds_some_solution_satisfies() {
    let mut draw = Draw(3);
    let (mut stronger, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let mut lines: Vec<Line> = (0..=draw.below(3)).map(|_| Line::drawn(&mut draw)).collect();
        // Half of the formulas are symmetric in x1 and x2, so that some claims hold.
        if draw.below(2) == 0 {
            let swapped = |literal: i64| match literal.abs() {
                1 => 2 * literal.signum(),
                2 => literal.signum(),
                _ => literal,
            };
            let mut mirrored = lines.clone();
            mirrored.iter_mut().for_each(|line| line.0.iter_mut().for_each(|term| term.1 = swapped(term.1)));
            mirrored.iter_mut().for_each(|line| line.0.sort_by_key(|term| term.1.abs()));
            lines.extend(mirrored);
        }
        let claimed = Line::drawn(&mut draw);
        let substitution = match draw.below(4) {
            0 => "x1 -> x2 x2 -> x1".to_owned(),
            1 => format!("x{} -> ~x{}", 1 + draw.below(4), 1 + draw.below(4)),
            2 => format!(
                "x{} -> x{} x{} -> ~x{}",
                1 + draw.below(4),
                1 + draw.below(4),
                1 + draw.below(4),
                1 + draw.below(4)
            ),
            _ => String::new(),
        };
        let before = solutions(&lines);
        let after = before.iter().filter(|&&values| claimed.holds(values)).count();
        if accepts(&lines, &format!("red {} : {substitution}", claimed.text())) {
            assert!(before.is_empty() || after > 0, "{lines:?}: {claimed:?} by {substitution}");
            stronger += usize::from(after < before.len());
        } else {
            refused += 1;
        }
    }
    // Some steps say more than what follows: that is what the rule is for.
    assert!(stronger > 100 && refused > 1000, "{stronger} {refused}");
}

/// x1 ≥ x2 may be asked of a formula that does not tell them apart, and of no other.
#[test]
fn a_symmetry_is_broken_where_there_is_one() {
    let clause = |literals: &[i64]| Line(literals.iter().map(|&literal| (1, literal)).collect(), 1);
    let step = "red 1 x1 1 ~x2 >= 1 : x1 -> x2 x2 -> x1";
    assert!(accepts(&[clause(&[1, 2])], step));
    // What is mirrored is not there, but follows from the claim's denial.
    assert!(accepts(&[clause(&[1, 2]), clause(&[1, 3])], step));
    assert!(!accepts(&[clause(&[1, 2]), clause(&[2, 3])], step));
    assert!(accepts(&[clause(&[1, 2]), clause(&[1, 3]), clause(&[2, 3])], step));
}

/// What no line may look like.
#[test]
fn other_words_are_refused() {
    let refused = |text: &str| {
        let proof = format!("pseudo-Boolean proof version 3.0\nf 1;\n{text}\n");
        matches!(
            replay(&formula(&[Line(vec![(1, 1)], 1)]), &proof, &|| false),
            Err(ProofError::Malformed { .. })
        )
    };
    for text in [
        "red 1 x1 >= 1 ;",
        "red 1 x1 >= 1 : x1 x2;",
        "red 1 x1 >= 1 : ~x1 -> x2;",
        "red 1 x1 >= 1 : x1 -> x9;",
        "rup 1 x5 >= 1;",
        "rup 1 x1 >= ;",
        "pol 1 0 d;",
        "pol 1 1;",
        "pol +;",
        "pol s;",
        "pol ;",
        "del 1;",
        "output ALL;",
        "output NONE;\nconclusion SAT : 1;",
    ] {
        assert!(refused(text), "{text}");
    }
    let contradiction = |end: &str| {
        let lines = [Line(vec![(1, 1)], 1), Line(vec![(1, -1)], 1)];
        let proof = format!(
            "pseudo-Boolean proof version 3.0\nf 2;\npol 1 2 +;\noutput NONE;\nconclusion UNSAT : 3;\n{end}"
        );
        replay(&formula(&lines), &proof, &|| false)
    };
    assert_eq!(contradiction("end pseudo-Boolean proof;\n"), Ok(1));
    assert!(contradiction("end of it;\n").is_err() && contradiction("").is_err());
}
