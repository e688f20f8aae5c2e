//! Promise: `export --to opb` and `--to dimacs` write the formulas of the documentation, and say which claim they
//! decide. That these say "G is not b-tolerant" is tested in crates/core.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::code::AllocationMatrix;
use ecode::format::{Format, MatrixFile};

fn export(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("ecode").unwrap().arg("export").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_writes_the_formulas_of_the_documentation() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, matrix: AllocationMatrix, b: Option<usize>| {
        let path = folder.path().join(name);
        let file = MatrixFile { b, ..MatrixFile::plain(matrix) };
        std::fs::write(&path, file.to_bytes(Format::Json)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let full = write("full.json", AllocationMatrix::from_fn(3, 3, |_, _| true).unwrap(), Some(1));
    let (code, out, _) = export(&[&full, "--to", "opb"]);
    assert_eq!(code, Some(0));
    let formula: Vec<&str> = out.lines().filter(|line| !line.starts_with("* ")).collect();
    assert_eq!(
        formula,
        [
            "1 x1 1 x2 1 x3 -2 x4 >= 0 ;",
            "1 x1 1 x2 1 x3 -2 x5 >= 0 ;",
            "1 x1 1 x2 1 x3 -2 x6 >= 0 ;",
            "-1 x1 -1 x2 -1 x3 >= -1 ;",
            "1 x4 1 x5 1 x6 >= 1 ;",
        ]
    );
    assert!(out.starts_with("* #variable= 6 #constraint= 5\n"), "{out}");
    assert!(out.contains("if and only if this is unsatisfiable for --side 0\n"), "{out}");
    let (code, out, _) = export(&[&full, "--to", "dimacs", "--b", "2"]);
    assert!(code == Some(0) && out.contains("\np cnf ") && out.contains("with 2 Byzantine"), "{out}");

    let even = write("even.json", AllocationMatrix::from_fn(4, 4, |_, _| true).unwrap(), None);
    for (arguments, why) in [
        (vec![even.as_str(), "--to", "opb"], "the file names no b: give --b"),
        (vec![&even, "--to", "opb", "--b", "5"], "--b 5: there are only n = 4 workers"),
        (vec![&even, "--to", "opb", "--b", "1", "--ties", "zero"], "export both, with --side 0 and --side 1"),
        (
            vec![&even, "--to", "cnf"],
            "[possible values: json, csv, tsv, txt, npy, npz, mtx, alist, opb, dimacs]",
        ),
    ] {
        let (code, out, err) = export(&arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.contains(why), "{err}");
    }
    let (code, out, _) = export(&[&even, "--to", "opb", "--b", "1", "--ties", "zero", "--side", "1"]);
    assert!(code == Some(0) && out.contains("for --side 0 and 1\n"), "{out}");
}
