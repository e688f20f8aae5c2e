//! Promise, kept by a long run: on thousands of random matrices all engines agree on every claim, and every tolerant
//! verdict has a proof that checkers of other people accept. `scripts/test-long` runs it; it takes minutes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ecode::certificate::{
    Certificate, Scope, SolverCommand, Strength, System, certify, check, find_program, record,
    verify_with_solver,
};
use ecode::code::{AllocationMatrix, Clauses, Formula, TieRule};
use ecode::construct::{Gluing, algorithm1, cyclic};
use ecode::verify::part::{Part, Question, Whole};
use ecode::verify::{Control, Enumeration, Instance, Method, engines, verify};
use rayon::prelude::*;

mod skipped;

/// How many matrices, unless `ECODE_LONG` says otherwise.
const MATRICES: u64 = 4000;

fn matrices() -> u64 {
    std::env::var("ECODE_LONG").map_or(MATRICES, |text| text.parse().unwrap())
}

/// The next of a fixed sequence of numbers below `below`.
fn draw(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    ((*state >> 11) % below as u64) as usize
}

/// One of all kinds: sparse and dense, with equal rows and columns, with structure, in any order of rows and columns.
fn matrix(index: u64, most: usize) -> AllocationMatrix {
    let mut state = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let state = &mut state;
    let (n, k) = (1 + draw(state, most), 1 + draw(state, most));
    let odd = 2 * draw(state, n.div_ceil(2)) + 1;
    let g = match draw(state, 8) {
        0 => algorithm1(odd, draw(state, odd.div_ceil(2))).ok(),
        1 => Gluing::new(odd, draw(state, 3)).ok().map(|gluing| gluing.matrix),
        2 => cyclic(n, 1 + draw(state, n)).ok(),
        // Rows and columns that come several times.
        3 | 4 => {
            let few = AllocationMatrix::from_fn(n, k, |_, _| draw(state, 2) == 0).unwrap();
            let (rows, columns) = (1 + draw(state, n), 1 + draw(state, k));
            AllocationMatrix::from_fn(n, k, |j, i| few.holds(j % rows, i % columns)).ok()
        }
        _ => {
            let tenths = 1 + draw(state, 10);
            AllocationMatrix::from_fn(n, k, |_, _| draw(state, 10) < tenths).ok()
        }
    };
    let g = g.unwrap_or_else(|| AllocationMatrix::from_fn(n, k, |_, _| draw(state, 2) == 0).unwrap());
    let mut shuffled = |len: usize| {
        let mut order: Vec<usize> = (0..len).collect();
        for place in (1..len).rev() {
            order.swap(place, draw(state, place + 1));
        }
        order
    };
    let (rows, columns) = (shuffled(g.n()), shuffled(g.k()));
    g.permuted(&rows, &columns).unwrap()
}

fn named(name: &str) -> Method {
    name.parse().unwrap()
}

/// What a count in three parts gives.
fn counted(g: &AllocationMatrix, b: Option<usize>, ties: TieRule) -> Whole {
    let all = Enumeration::new(g, ties).unwrap();
    let mut save = |_, _: &_| Ok(());
    let control = Control::default();
    let parts = (0..3).map(|index| {
        let shard = all.shard(index, 3);
        let (end, count) =
            all.count(shard.clone(), all.nothing(), &control, Duration::MAX, &mut save).unwrap();
        assert_eq!(end, shard.end);
        let question = Question::tolerance(g.clone(), b, ties);
        (index.to_string(), Part::new(question, &all, (index, 3), shard, count))
    });
    ecode::verify::part::merge(parts.collect()).unwrap()
}

#[test]
#[ignore = "minutes: scripts/test-long"]
fn all_engines_agree_on_every_claim() {
    let (claims, verdicts, refuted) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let control = Control::default();
    (0..matrices()).into_par_iter().for_each(|index| {
        // Every fourth one is large for the definition: the other engines alone.
        let g = matrix(index, if index % 4 == 0 { 13 } else { 6 });
        let small = g.n() <= 6 && g.k() <= 6;
        for ties in TieRule::ALL {
            let whole = counted(&g, None, ties);
            let exact = whole.verdict(Duration::ZERO).unwrap();
            let margin = exact.floor().unwrap();
            let able: Vec<&'static str> = engines()
                .iter()
                .filter(|engine| {
                    engine.suits(Instance::new(&g, ties)).is_ok() && (small || engine.name() != "definition")
                })
                .map(|engine| engine.name())
                .collect();
            for name in &able {
                let found = verify(&g, None, ties, named(name), &control).unwrap();
                assert_eq!(
                    (found.floor(), found.radius()),
                    (Some(margin), exact.radius()),
                    "{name} {ties} {g:?}"
                );
            }
            // The checker counts again, by the definitions.
            let accepted = check(&record(&whole, &exact)).unwrap();
            assert_eq!((accepted.strength, accepted.radius), (Strength::Recounted, exact.radius().exactly()));
            for b in 0..=g.n() {
                let holds = margin >= b as i64;
                for method in able.iter().map(|name| named(name)).chain([Method::Auto]) {
                    let verdict = verify(&g, Some(b), ties, method, &control).unwrap();
                    assert_eq!(
                        verdict.word(),
                        if holds { "tolerant" } else { "refuted" },
                        "{method:?} {ties} {b} {g:?}"
                    );
                    if let Some(attack) = verdict.attack() {
                        assert!(attack.replays(&g, ties, b));
                        refuted.fetch_add(1, Ordering::Relaxed);
                    }
                    verdicts.fetch_add(1, Ordering::Relaxed);
                }
                claims.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    println!(
        "{} matrices, {} claims, {} verdicts, {} of them refutations: all engines agree",
        matrices(),
        claims.into_inner(),
        verdicts.into_inner(),
        refuted.into_inner()
    );
}

/// Whether a program says a line about two files. Its printed verdict is read: an exit code alone says little.
fn says(program: &[&str], line: &str, formula: (&str, String), proof: (&str, &str)) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let paths = [folder.path().join(formula.0), folder.path().join(proof.0)];
    std::fs::write(&paths[0], formula.1).unwrap();
    std::fs::write(&paths[1], proof.1).unwrap();
    let output = Command::new(program[0]).args(&program[1..]).args(&paths).output();
    let output = output.unwrap_or_else(|_| panic!("{} is missing: scripts/test installs it", program[0]));
    String::from_utf8(output.stdout).unwrap().lines().any(|said| said == line)
}

#[test]
#[ignore = "minutes: scripts/test-long"]
fn every_tolerant_verdict_is_proved_to_outside_checkers() {
    let (tolerant, proofs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (clausal, worst) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let control = Control::default();
    (0..matrices() / 4).into_par_iter().for_each(|index| {
        let g = matrix(index, 11);
        for ties in TieRule::ALL {
            let radius = verify(&g, None, ties, Method::Auto, &control).unwrap();
            // Every b that is tolerated, and of a refuted code how bad it gets.
            let bs = (0..=radius.b().unwrap()).map(Some).filter(|_| radius.is_tolerant());
            for b in bs.chain([None]) {
                let verdict = verify(&g, b, ties, Method::Auto, &control).unwrap();
                let made = certify(&g, &verdict, Scope::WorstCase, System::CuttingPlanes, &control).unwrap();
                let read = Certificate::parse(made.to_json().as_bytes()).unwrap();
                assert_eq!(check(&read).unwrap().tolerant, verdict.is_tolerant());
                let (margin, sides) = read.evidence.proofs(verdict.b().unwrap()).unwrap();
                let count = if verdict.is_tolerant() { &tolerant } else { &worst };
                count.fetch_add(1, Ordering::Relaxed);
                for side in sides {
                    let formula = Formula::below(&g, ties, margin, side.correct);
                    let verified = "s VERIFIED UNSATISFIABLE";
                    let accepted =
                        says(&["veripb"], verified, ("f.opb", formula.opb()), ("p.pbp", &side.proof));
                    assert!(accepted, "veripb: {ties} {b:?} {g:?}");
                    proofs.fetch_add(1, Ordering::Relaxed);
                }
                if b.is_none() && verdict.is_tolerant() {
                    let made = certify(&g, &verdict, Scope::Claim, System::Drat, &control).unwrap();
                    assert!(check(&made).unwrap().tolerant);
                    for side in made.evidence.proofs(verdict.b().unwrap()).unwrap().1 {
                        let clauses = Clauses::of(
                            &g,
                            &Formula::below(&g, ties, verdict.b().unwrap() as i64, side.correct),
                        );
                        let rate = ["rate", "--skip-unit-deletions"];
                        let formula = ("f.cnf", clauses.dimacs());
                        assert!(
                            says(&rate, "s VERIFIED", formula, ("p.drat", &side.proof)),
                            "rate: {ties} {g:?}"
                        );
                        clausal.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
    });
    println!(
        "{} matrices: {} tolerant verdicts and {} worst cases, {} proofs accepted by veripb, {} by rate",
        matrices() / 4,
        tolerant.into_inner(),
        worst.into_inner(),
        proofs.into_inner(),
        clausal.into_inner()
    );
}

/// Solvers that are installed decide as the engines do, every proof checked.
#[test]
#[ignore = "minutes: scripts/test-long"]
fn outside_solvers_agree() {
    let control = Control::default();
    let here = |name: &&str| find_program(name).is_some();
    if !["cadical", "kissat"].iter().any(here) {
        skipped::skip("no solver beside the engines: neither cadical nor kissat is installed");
    }
    for name in ["cadical", "kissat"].into_iter().filter(here) {
        let solver: SolverCommand = format!("{name} -q").parse().unwrap();
        (0..matrices() / 8).into_par_iter().for_each(|index| {
            let g = matrix(index, 11);
            for ties in TieRule::ALL {
                let ours = verify(&g, None, ties, Method::Auto, &control).unwrap();
                let theirs = verify_with_solver(&g, None, ties, &solver, &control).unwrap();
                assert_eq!(
                    (theirs.floor(), theirs.radius()),
                    (ours.floor(), ours.radius()),
                    "{name} {ties} {g:?}: {:?}",
                    theirs.reason()
                );
            }
        });
        println!("{} matrices, all tie rules: {name} agrees", matrices() / 8);
    }
}

/// Gluing for every odd n up to 1001: the theorem's premises, checked on the matrix, and up to 201 workers, where the
/// structure engine is through in a moment, its verdict too.
#[test]
#[ignore = "minutes: scripts/test-long"]
fn gluing_tolerates_what_it_says_up_to_1001_workers() {
    let (codes, engines) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // One in so many numbers of workers where there are to be fewer matrices; 1001 always.
    let step = (MATRICES / matrices().max(1)).max(1) as usize;
    (1..501_usize).into_par_iter().rev().filter(|half| half % step == 0).for_each(|half| {
        let n = 2 * half + 1;
        let state = &mut (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let drawn = 1 + draw(state, half);
        let bs: BTreeSet<usize> = [1, 2, 3, 4, half / 4, half / 2, half - 1, half, drawn].into();
        for b in bs.into_iter().filter(|&b| (1..=half).contains(&b)) {
            let code = Gluing::new(n, b).unwrap();
            assert_eq!(code.shape.prove(&code.matrix, b).unwrap().b(), b, "n = {n}, b = {b}");
            assert!(code.matrix.ones() <= algorithm1(n, b).unwrap().ones(), "n = {n}, b = {b}");
            codes.fetch_add(1, Ordering::Relaxed);
            if n <= 201 {
                let moment = Control::with_timeout(Some(Duration::from_millis(200)));
                let ties = TieRule::Adversarial;
                let verdict = verify(&code.matrix, Some(b), ties, named("structure"), &moment).unwrap();
                assert_ne!(verdict.word(), "refuted", "n = {n}, b = {b}");
                engines.fetch_add(usize::from(verdict.word() == "tolerant"), Ordering::Relaxed);
            }
            // The claim beyond is never proved.
            assert!(code.shape.prove(&code.matrix, b + 1).is_err() || b == half, "n = {n}, b = {b}");
        }
    });
    println!(
        "gluing: {} codes of up to 1001 workers, each proved by the theorem, {} by the structure engine as well",
        codes.into_inner(),
        engines.into_inner()
    );
}
