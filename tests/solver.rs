//! Promise: any SAT solver may decide a claim, and none is believed: satisfiable needs a message that is counted,
//! unsatisfiable a proof that is checked.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use assert_cmd::Command;
use ecode::certificate::{SolverCommand, find_program, replay_full_drat, verify_with_solver};
use ecode::code::{AllocationMatrix, Clauses, Encoding, TieRule};
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

/// A solver behind a script, in a folder with a space in its name: what the script starts ends with it.
#[test]
fn what_a_solver_starts_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join("my solver").join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(folder.path().join("my solver")).unwrap();
    let (mark, hang) = (at("pid"), at("hang.sh"));
    std::fs::write(&hang, "sh -c 'echo $$ > \"$1\"; exec sleep 1000' sh \"$3\"\nsleep 1000\n").unwrap();
    let command = format!("sh '{hang}' {{cnf}} {{proof}} '{mark}'");
    let solver: SolverCommand = command.parse().unwrap();
    let control = Control::default().within(Duration::from_secs(2));
    let g = algorithm1(9, 2).unwrap();
    let verdict = verify_with_solver(&g, Some(2), TieRule::Zero, &solver, &control).unwrap();
    assert!(verdict.is_undecided(), "{:?}", verdict.reason());
    let pid = std::fs::read_to_string(&mark).unwrap();
    // It may still wait for its end to be noticed by whoever has inherited it.
    assert!(!lives(&pid), "{pid}");
}

/// Whether a process is there, and still does something.
fn lives(pid: &str) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid.trim()]).output().unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

/// A solver ends with a program that was killed; what was left of its work goes with the next one.
#[test]
fn a_killed_run_leaves_nothing_for_long() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "10000\n01110\n11111\n11111\n11111\n").unwrap();
    std::fs::create_dir(folder.path().join("tmp")).unwrap();
    let left = || std::fs::read_dir(folder.path().join("tmp")).unwrap().count();
    let start = |solver: &str| {
        let program = assert_cmd::cargo::cargo_bin!("ecode");
        let mut command = std::process::Command::new(program);
        command.args(["verify", "a.txt", "--b", "1", "-q", "--solver", solver]).current_dir(&folder);
        command.env("TMPDIR", folder.path().join("tmp"));
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    std::fs::write(folder.path().join("waits"), "echo $$ > pid.new\nmv pid.new pid\nexec sleep 1000\n")
        .unwrap();
    let mut killed = start("sh waits");
    let pid = loop {
        match std::fs::read_to_string(folder.path().join("pid")) {
            Ok(pid) => break pid,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Elsewhere nobody can end what it started, but this test.
    if cfg!(not(target_os = "linux")) {
        std::process::Command::new("kill").args(["-9", &format!("-{}", pid.trim())]).status().unwrap();
    }
    while lives(&pid) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(left(), 1);
    start("true").wait().unwrap();
    assert_eq!(left(), 0);
}

/// Whatever a solver leaves in the place of its proof is read within bounds, or not at all.
#[test]
fn no_proof_is_read_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let g = algorithm1(9, 2).unwrap();
    let said = "print('s UNSATISFIABLE')";
    for (name, script, reason) in [
        ("zero", "os.symlink('/dev/zero', sys.argv[2])", "its proof is no regular file"),
        ("pipe", "os.mkfifo(sys.argv[2])", "its proof is no regular file"),
        ("folder", "os.mkdir(sys.argv[2])", "its proof is no regular file"),
        ("blank", "open(sys.argv[2], 'w').write('\\n' * 50_000_000)", "the empty clause is not reached"),
        ("long", "open(sys.argv[2], 'wb').truncate(200 << 20)", "has more than 96 MiB"),
    ] {
        let script = format!("import os, sys\n{script}\n{said}");
        let solver = solver(&folder, name, &script);
        let verdict = verify_with_solver(&g, Some(2), TieRule::Zero, &solver, &Control::default()).unwrap();
        let why = verdict.reason().unwrap_or_default();
        assert!(verdict.is_undecided() && why.contains(reason), "{name}: {why}");
    }
}

/// Glucose deletes the clauses that its top-level literals rest on, and goes on using the literals. Every beginning of its
/// proof that ends before the contradiction is refused.
#[test]
fn a_proof_by_glucose_is_accepted() {
    let read =
        |end: &str| std::fs::read_to_string(format!("fixtures/proofs/glucose-best-11-2.{end}")).unwrap();
    let (cnf, proof) = (read("cnf"), read("drat"));
    let mut lines = cnf.lines().filter(|line| !line.starts_with('c'));
    let variables = lines.next().unwrap().split(' ').nth(2).unwrap().parse().unwrap();
    let mut clauses = Clauses::new(variables, Encoding::default());
    for line in lines {
        let literals = line.split_whitespace().map(|word| word.parse::<i32>().unwrap());
        clauses.add(literals.take_while(|&literal| literal != 0).collect());
    }
    let steps = replay_full_drat(&clauses, proof.as_bytes(), &|| false).unwrap();
    assert!(steps > 50, "{steps}");
    let added: Vec<&str> = proof.lines().filter(|line| !line.starts_with('d')).collect();
    let half = added[..added.len() / 2].join("\n");
    assert!(replay_full_drat(&clauses, half.as_bytes(), &|| false).is_err());
    // Without the formula's last clause, "enough are turned", there is a solution.
    clauses.clauses.pop();
    assert!(replay_full_drat(&clauses, proof.as_bytes(), &|| false).is_err());
}

#[test]
fn wrong_commands_are_refused() {
    let cases: [(&[&str], &str); 6] = [
        (&["--solver", "sh 'my solver"], "a quotation mark has no partner"),
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
