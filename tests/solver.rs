//! Promise: any SAT solver may decide a claim, and none is believed: satisfiable needs a message that is counted,
//! unsatisfiable a proof that is checked.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use assert_cmd::Command;
use ecode::certificate::{SolverCommand, find_program, verify_with_solver};
use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::{Bernoulli, algorithm1, bernoulli};
use ecode::format::{Format, MatrixFile};
use ecode::verify::{Control, Method, verify};
use proptest::prelude::*;

/// A small solver of our own: unit propagation, and for every branch that fails the clause that excludes it.
const HONEST: &str = r#"
import sys
sys.setrecursionlimit(10000)
lines = [line.split() for line in open(sys.argv[1])]
clauses = [list(map(int, words[:-1])) for words in lines if words and words[0] not in ("p", "c")]
proof = open(sys.argv[2], "w")
def propagate(true):
    changed = True
    while changed:
        changed = False
        for clause in clauses:
            if any(l in true for l in clause): continue
            free = [l for l in clause if -l not in true]
            if not free: return False
            if len(free) == 1:
                true.add(free[0])
                changed = True
    return True
def search(decided):
    true = set(decided)
    if propagate(true):
        free = [abs(l) for clause in clauses if not any(l in true for l in clause) for l in clause if -l not in true]
        if not free:
            return true
        for literal in (min(free), -min(free)):
            found = search(decided + [literal])
            if found: return found
    proof.write(" ".join(str(-l) for l in decided) + " 0\n")
model = search([])
if model: print("s SATISFIABLE\nv", *sorted(model, key=abs), 0)
else: print("s UNSATISFIABLE")
"#;

/// A script as a solver's command.
fn solver(folder: &tempfile::TempDir, name: &str, script: &str) -> SolverCommand {
    let path = folder.path().join(name);
    std::fs::write(&path, script).unwrap();
    format!("python3 {} {{cnf}} {{proof}}", path.display()).parse().unwrap()
}

fn matrices() -> impl Strategy<Value = AllocationMatrix> {
    (1..=6_usize, 1..=6_usize, 3..=10_u32).prop_flat_map(|(n, k, tenths)| {
        prop::collection::vec(0..10_u32, n * k)
            .prop_map(move |draws| AllocationMatrix::from_fn(n, k, |j, i| draws[j * k + i] < tenths).unwrap())
    })
}

/// Claims with and without b: the word, and the radius where one was asked for, are those of the definition.
fn agrees(g: &AllocationMatrix, b: Option<usize>, ties: TieRule, solver: &SolverCommand) {
    let control = Control::default();
    let verdict = verify_with_solver(g, b, ties, solver, &control).unwrap();
    let expected = verify(g, b, ties, Method::Auto, &control).unwrap();
    let case = format!("{g:?} {b:?} {ties}: {:?}", verdict.reason());
    assert_eq!((verdict.word(), verdict.b()), (expected.word(), expected.b()), "{case}");
    if b.is_none() {
        assert_eq!(verdict.radius(), expected.radius(), "{case}");
    }
    if verdict.is_tolerant() {
        assert!(verdict.reason().unwrap().ends_with("were checked"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_solver_with_proofs_decides_as_the_definition_does(
        g in matrices(), rule in 0..4_usize, b in prop::option::of(0..4_usize),
    ) {
        let folder = tempfile::tempdir().unwrap();
        agrees(&g, b.filter(|&b| b <= g.n()), TieRule::ALL[rule], &solver(&folder, "honest.py", HONEST));
    }
}

/// Solvers that say what is not so, or nothing. None is ever believed.
#[test]
fn no_solver_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (tolerant, wrong) = (algorithm1(7, 2).unwrap(), 3);
    let unsat = "print('s UNSATISFIABLE')";
    let liars = [
        ("sat", "print('s SATISFIABLE\\nv', *range(1, 100), 0)".to_owned(), "does not satisfy the formula"),
        ("none", "print('s SATISFIABLE')".to_owned(), "does not satisfy the formula"),
        ("unsat", unsat.to_owned(), "but wrote no proof"),
        ("empty", format!("import sys; open(sys.argv[2], 'w'); {unsat}"), "proof is not accepted"),
        (
            "short",
            format!("import sys; open(sys.argv[2], 'w').write('0\\n'); {unsat}"),
            "proof is not accepted",
        ),
        (
            "fresh",
            format!("import sys; open(sys.argv[2], 'w').write('999 0\\n0\\n'); {unsat}"),
            "not accepted",
        ),
        ("binary", format!("import sys; open(sys.argv[2], 'wb').write(b'a\\x00'); {unsat}"), "not accepted"),
        (
            "cut",
            format!("import sys; open(sys.argv[2], 'wb').write(b'a\\x00a\\x02'); {unsat}"),
            "not accepted",
        ),
        (
            "bytes",
            format!("import sys; open(sys.argv[2], 'wb').write(b'\\xff\\xfe'); {unsat}"),
            "not accepted",
        ),
        ("mute", String::new(), "gave no answer (exit status: 0)"),
        ("unknown", "print('s UNKNOWN')".to_owned(), "gave no answer"),
        ("crash", "raise SystemExit(139)".to_owned(), "gave no answer (exit status: 139)"),
    ];
    for (name, script, reason) in &liars {
        let solver = solver(&folder, name, script);
        for b in [None, Some(2), Some(wrong)] {
            let verdict =
                verify_with_solver(&tolerant, b, TieRule::Zero, &solver, &Control::default()).unwrap();
            if b == Some(wrong) {
                // The local search before has met a message: that is a refutation without any solver.
                assert_eq!(verdict.word(), "refuted", "{name}");
                continue;
            }
            assert_eq!((verdict.word(), verdict.floor()), ("undecided", None), "{name}");
            let said = verdict.reason().unwrap();
            assert!(said.contains(reason), "{name}: {said}");
        }
    }
}

/// A solver that does not end is ended, and the command says what it knows.
#[test]
fn a_solver_that_hangs_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mark = at("pid");
    let script = format!("import os, time\nopen('{mark}', 'w').write(str(os.getpid()))\ntime.sleep(1000)");
    std::fs::write(at("hang.py"), script).unwrap();
    let matrix = at("matrix.txt");
    std::fs::write(&matrix, MatrixFile::plain(algorithm1(9, 2).unwrap()).to_bytes(Format::Txt)).unwrap();
    let begun = Instant::now();
    let output = Command::cargo_bin("ecode")
        .unwrap()
        .args(["verify", &matrix, "--b", "2", "--timeout", "2s"])
        .args(["--solver", &format!("python3 {} {{cnf}} {{proof}}", at("hang.py"))])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(begun.elapsed() < Duration::from_secs(20));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.trim_end(), "solver: the solver was stopped");
    let pid = std::fs::read_to_string(&mark).unwrap();
    assert!(!std::process::Command::new("kill").args(["-0", &pid]).output().unwrap().status.success());
}

#[test]
fn wrong_commands_are_refused() {
    let cases: [(&[&str], &str); 5] = [
        (&["--solver", "no-such-solver -q"], "there is no program 'no-such-solver'"),
        (&["--solver", " "], "expected a program and its options"),
        (&["--solver", "sh {cnf}"], "name both {cnf} and {proof}, or neither"),
        (&["--solver", "sh", "--method", "branch"], "leave --method branch out"),
        (&["--solver", "sh", "--checkpoint", "x"], "cannot be used with"),
    ];
    for (arguments, reason) in cases {
        let output = Command::cargo_bin("ecode")
            .unwrap()
            .args(["verify", "fixtures/lemma2-even.txt"])
            .args(arguments)
            .output();
        let output = output.unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(reason), "{said}");
    }
}

/// The real ones, where they are installed (`apt install cadical`): binary proofs, new variables, thousands of steps.
#[test]
fn cadical_and_kissat_decide_where_they_are_installed() {
    let dense = Bernoulli { n: 17, k: 17, p: 0.5, seed: 1, draw: 0, redraw_empty: false, odd_rows: true };
    let codes = [bernoulli(dense).unwrap(), algorithm1(15, 3).unwrap(), algorithm1(21, 1).unwrap()];
    for name in ["cadical", "kissat"].into_iter().filter(|name| find_program(name).is_some()) {
        let solver: SolverCommand = format!("{name} -q").parse().unwrap();
        for g in &codes {
            agrees(g, None, TieRule::Adversarial, &solver);
            agrees(g, Some(1), TieRule::Abstain, &solver);
        }
    }
}
