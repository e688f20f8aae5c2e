//! Promise: the field's files are read as its programs write them, what is not exactly 0 or 1 is refused with its
//! place, and a file that is something else is told what it seems to be.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use assert_cmd::Command;
use ecode::format::{Format, MatrixFile};

/// Algorithm 1's code for 5 workers of which 1 may lie.
const ROWS: [&str; 5] = ["10000", "01110", "11111", "11111", "11111"];

fn text(file: &MatrixFile) -> String {
    String::from_utf8(file.to_bytes(Format::Txt)).unwrap()
}

fn read(name: &str, bytes: &[u8], draw: Option<usize>) -> Result<String, String> {
    let format = Format::of_path(Path::new(name)).unwrap();
    MatrixFile::parse_draw(bytes, format, draw).map(|file| text(&file)).map_err(|error| error.to_string())
}

fn fixture(name: &str, draw: Option<usize>) -> Result<String, String> {
    read(name, &std::fs::read(format!("fixtures/field/{name}")).unwrap(), draw)
}

/// A text of the rows, with these words for 0 and 1, and this between them.
fn spelled(zero: &str, one: &str, between: &str, end: &str) -> String {
    let line = |row: &&str| {
        row.chars().map(|c| if c == '1' { one } else { zero }).collect::<Vec<_>>().join(between) + end
    };
    ROWS.iter().map(line).collect()
}

fn expected() -> String {
    ROWS.join("\n") + "\n"
}

/// Written by NumPy 2.4 and SciPy 1.17, but for the header of Python 2.
#[test]
fn files_of_numpy_and_scipy_are_read() {
    for name in [
        "dense.npz",
        "packed.npz",
        "csr.npz",
        "csc.npz",
        "coo.npz",
        "csr-array.npz",
        "coordinate.mtx",
        "dense.mtx",
        "t-u1.npy",
        "t-u2.npy",
        "t-be-u4.npy",
        "t-u8.npy",
        "t-i1.npy",
        "t-be-i2.npy",
        "t-i4.npy",
        "t-i8.npy",
        "t-bool.npy",
        "t-f2.npy",
        "t-be-f4.npy",
        "t-f8.npy",
        "fortran-f8.npy",
        "python2.npy",
        "savetxt.csv",
        "savetxt-comma.csv",
    ] {
        assert_eq!(fixture(name, None), Ok(expected()), "{name}");
    }
    assert_eq!(fixture("symmetric.mtx", None), Ok("110\n110\n001\n".into()));
    assert_eq!(fixture("trials.npy", Some(1)), Ok(expected()));
    assert!(fixture("trials.npy", None).unwrap_err().contains("--draw 0 to --draw 1"));
    assert!(fixture("trials.npy", Some(2)).unwrap_err().contains("no draw 2"));
    assert!(fixture("minus.npy", None).unwrap_err().contains("row 1, column 2 is -1; expected 0 or 1"));
    assert!(fixture("bsr.npz", None).unwrap_err().contains("the format bsr; expected csr, csc or coo"));
    assert!(fixture("two.npz", None).unwrap_err().contains("the arrays a, b"));
}

#[test]
fn every_format_reads_what_it_writes() {
    let file = MatrixFile::parse(expected().as_bytes(), Format::Txt).unwrap();
    for format in Format::ALL {
        let bytes = file.to_bytes(format);
        assert_eq!(MatrixFile::parse(&bytes, format).unwrap().matrix, file.matrix, "{}", format.name());
        assert_eq!(bytes, file.to_bytes(format), "{}: the same bytes again", format.name());
    }
}

#[test]
fn spellings_of_zero_and_one_are_read() {
    for (name, file) in [
        ("a.csv", spelled("0", "1", ",", "\n")),
        ("a.csv", spelled("0.000000000000000000e+00", "1.000000000000000000e+00", ",", "\n")),
        ("a.csv", spelled("0.0", "1.0", ", ", "\r\n")),
        ("a.csv", spelled("FALSE", "TRUE", ";", "\n")),
        ("a.csv", spelled("0,0", "1,0", ";", "\n")),
        ("a.csv", spelled("\"0\"", "\"1\"", ",", "\r")),
        ("a.csv", spelled("False", "true", " ", "\n")),
        ("a.tsv", spelled("0", "1", "\t", "\n")),
        ("a.txt", spelled("0", "1", "", "\r")),
        ("a.txt", spelled("0", "1", "\t", "\r\n\r\n")),
        ("a.txt", spelled("-0", "+1", "  ", "\n")),
        ("a.txt", spelled("0e5", "10e-1", " ", "\n")),
        ("a.txt", spelled("0", "1", ",", "\n")),
        (
            "a.csv",
            format!("# made by hand\n\u{feff}{}", "").replace('\u{feff}', "") + &spelled("0", "1", ",", "\n"),
        ),
        ("a.csv", format!("\u{feff}{}", spelled("0", "1", ",", "\n"))),
        ("a.csv", format!("V1,V2,V3,V4,V5\n{}", spelled("0", "1", ",", "\n"))),
        ("a.csv", format!("0,1,2,3,4\n{}", spelled("0", "1", ",", "\n"))),
        ("a.json", format!("\u{feff}{{\"G\":[[1,0,0,0,0],[0,1,1,1,0],{0},{0},{0}]}}", "[1,1,1,1,1]")),
        ("a.json", format!("[[1,0,0,0,0],[0,1,1,1,0],{0},{0},{0}]", "[1.0,true,1,1,1e0]")),
    ] {
        assert_eq!(read(name, file.as_bytes(), None), Ok(expected()), "{name}: {file}");
    }
}

/// One on its own is not near enough.
#[test]
fn what_is_not_exactly_zero_or_one_is_refused() {
    for (name, file, place) in [
        (
            "a.csv",
            "1,0\n0,0.9999999999999999999\n",
            "row 1, column 1 is \"0.9999999999999999999\"; expected 0 or 1 (round",
        ),
        ("a.csv", "1,1e-400\n", "row 0, column 1 is \"1e-400\""),
        ("a.csv", "1,NaN\n", "row 0, column 1 is \"NaN\""),
        ("a.csv", "1,-1\n", "row 0, column 1 is \"-1\""),
        ("a.csv", "# two\n\n1,0\n1,2\n", "row 1, column 1 (line 4) is \"2\""),
        (
            "a.csv",
            ",a,b\n0,1,0\n1,0,1\nw,1,1\n",
            "row 2, column 0 (line 4) is \"w\"; expected 0 or 1 (a column of row names?",
        ),
        ("a.csv", "a,b\nx,1,0\n", "row 0 has 3 entries under 2 names"),
        ("a.txt", "1 0\n10 1\n1 2\n", "row 1 has 3 entries, but row 0 has 2"),
        ("a.json", "[[0,1],[1,-1]]", "G: row 1, column 1 is -1; expected 0 or 1"),
        ("a.json", "{\"G\":[[0,1],[1,0.5]]}", "G: row 1, column 1 is 0.5"),
        ("a.json", "[[0,\"1\"]]", "G: row 0, column 1 is \"1\"; expected 0 or 1"),
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 0.5\n", "line 3 is \"1 1 0.5\""),
        (
            "a.mtx",
            "%%MatrixMarket matrix coordinate pattern general\n2 2 2\n1 1\n1 1\n",
            "row 0, column 0 (from 0) stands twice",
        ),
        (
            "a.mtx",
            "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n0 1\n",
            "line 3 is \"0 1\"; expected row and column, from 1",
        ),
        ("a.mtx", "%%MatrixMarket matrix coordinate complex general\n2 2 1\n", "complex"),
        ("a.mtx", "%%MatrixMarket matrix coordinate pattern general\n2 2 3\n1 1\n", "1 entries; expected 3"),
        ("a.alist", "2 2\n1 1\n1 1\n1 1\n1\n1\n1\n2\n", "row 0 has the weight 1; expected 2"),
        ("a.alist", "2 2\n1 1\n1 1\n1 1\n1\n2\n2\n1\n", "row 0 has column 1"),
        ("a.alist", "2 2\n1 1\n1 x\n", "line 3 has \"x\""),
    ] {
        let error = read(name, file.as_bytes(), None).unwrap_err();
        assert!(error.contains(place) && error.lines().count() == 1, "{name} {file:?}: {error}");
    }
    // A 1 below a column's index, not an index.
    assert_eq!(read("a.txt", b"100\r111\r111\r", None), Ok("100\n111\n111\n".into()));
}

/// As the paper's authors keep the draws of a random code: below each other, with a line of 4s between.
#[test]
fn one_of_several_trials_is_chosen() {
    let file = "1,0,1\n0,1,1\n4,4,4\n1,1,1\n0,0,1\n4,4,4\n";
    for (draw, rows) in [(0, "101\n011\n"), (1, "111\n001\n")] {
        assert_eq!(read("trials.csv", file.as_bytes(), Some(draw)), Ok(rows.into()));
    }
    let error = read("trials.csv", file.as_bytes(), None).unwrap_err();
    assert!(
        error.contains("2 matrices: line 3 is all 4") && error.contains("--draw 0 to --draw 1"),
        "{error}"
    );
    assert!(read("trials.csv", file.as_bytes(), Some(2)).unwrap_err().contains("2 matrices, and no draw 2"));
    assert!(read("one.csv", b"1,0\n", Some(1)).unwrap_err().contains("one matrix, and no draw 1"));
}

/// The command names the file, says what it seems to be, and which option reads it.
#[test]
fn a_file_of_another_kind_is_told_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let utf16: Vec<u8> = "1,0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes, said) in [
        ("rows", &b"101\n111\n010\n"[..], "it looks like rows of 0 and 1: --format txt"),
        ("rows.dat", b"1,0\n1,1\n", "it looks like comma-separated values: --format csv"),
        ("a.mat", b"%%MatrixMarket matrix array real general\n1 1\n1\n", "a MatrixMarket file: --format mtx"),
        ("a.bin", b"\x93NUMPY\x01\x00", "it looks like a NumPy array: --format npy"),
        ("h", b"3 2\n2 2\n1 1 2\n2 2\n", "it looks like an alist: --format alist"),
        ("a.mat", b"MATLAB 5.0 MAT-file", "it looks like a MATLAB file"),
        ("a.pkl", b"\x80\x04\x95", "it looks like a Python pickle"),
        ("a.csv", b"\x1f\x8b\x08\x00", "it looks like a gzip file"),
        ("a.csv", &utf16, "text in UTF-16; expected UTF-8"),
        ("a.npy", b"[[1,0],[1,1]]", "it looks like JSON: --format json reads it"),
        ("a.json", b"", "it looks like an empty file"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let output = Command::cargo_bin("ecode").unwrap().arg("verify").arg(&path).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{name}: {error}");
        assert!(error.contains(name) && error.contains(said), "{name}: {error}");
    }
    std::fs::write(folder.path().join("known"), "[[1,0,1],[1,1,1],[0,1,1]]").unwrap();
    Command::cargo_bin("ecode").unwrap().arg("show").arg(folder.path().join("known")).assert().success();
}

#[test]
fn a_long_text_in_a_file_makes_no_long_error() {
    let long = "x".repeat(100_000);
    for (name, file) in [
        ("a.json", format!("{{\"schema\":\"{long}\",\"G\":[[1]]}}")),
        ("a.json", format!("{{\"digest\":\"{long}\",\"G\":[[1]]}}")),
        ("a.json", format!("{{\"n\":\"{long}\",\"G\":[[1]]}}")),
        ("a.json", format!("[[\"{long}\"]]")),
        ("a.csv", format!("1,{long}\n")),
        ("a.txt", long.clone()),
        ("a.mtx", long.clone()),
        ("a.alist", long.clone()),
    ] {
        let error = read(name, file.as_bytes(), None).unwrap_err();
        assert!(
            error.len() < 500 && error.lines().count() == 1,
            "{name}: {} bytes: {:.300}",
            error.len(),
            error
        );
    }
    let output =
        Command::cargo_bin("ecode").unwrap().args(["bounds", "--n", &long, "--b", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.len() < 4000, "{} bytes", output.stderr.len());
}
