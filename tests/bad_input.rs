//! Promise: bad input gets one clear line that names the file and the place, exit code 2, and nothing
//! is written.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use assert_cmd::Command;

fn ecode(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Each malformed file with what its one line must say.
const REFUSED: [(&str, &str); 35] = [
    ("entry-two.json", "row 1, column 1 is 2"),
    ("ragged.json", "row 1 has 1 entries"),
    ("wrong-n.json", "n is 3"),
    ("wrong-ones.json", "ones is 5"),
    ("wrong-redundancy.json", "redundancy is 2.5"),
    ("wrong-digest.json", "digest is \"sha256:00\""),
    ("line-end.json", "digest is \"sha256:\\n00\""),
    ("wrong-schema.json", "schema is \"ecode/matrix/2\""),
    ("twice.json", "duplicate field `G`"),
    ("truncated.json", "line 1 column 17"),
    ("empty.json", "the number of workers is 0"),
    ("empty-rows.json", "the number of partitions is 0"),
    ("b-above-n.json", "b is 9"),
    ("other-claim.json", "verification.b is 1"),
    ("no-g.json", "missing field `G`"),
    ("array.json", "not a matrix in JSON"),
    ("not-utf8.json", "text in UTF-16; expected UTF-8"),
    ("nothing.json", "line 1 column 0"),
    ("negative.json", "G: row 0, column 1 is -1"),
    ("fraction.json", "G: row 0, column 1 is 0.5"),
    ("letter.csv", "row 1, column 1 is \"x\""),
    ("ragged.csv", "row 1 has 1 entries"),
    ("missing.csv", "row 1, column 1 is \"\""),
    ("nothing.csv", "the number of workers is 0"),
    ("letter.txt", "line 2, character 2 is 'x'"),
    ("ragged.txt", "row 1 has 1 entries"),
    ("blank.txt", "the number of workers is 0"),
    ("header.npy", "not a readable npy file"),
    ("not-npy.npy", "not a readable npy file"),
    ("short.npy", "not a readable npy file"),
    ("entry-seven.npy", "row 1, column 0 is 7"),
    ("huge.npy", "an array of 4294967296 × 4294967296"),
    ("three-dimensions.npy", "an array of 3 dimensions"),
    ("complex.npy", "type <c16"),
    ("half-way.npy", "row 1, column 0 is 0.5"),
];

#[test]
fn every_malformed_file_is_refused_by_name_and_place() {
    let files = std::fs::read_dir("fixtures/malformed").unwrap().count();
    assert_eq!(files, REFUSED.len(), "every file of the corpus is listed");
    for (name, place) in REFUSED {
        let path = format!("fixtures/malformed/{name}");
        for command in ["verify", "show"] {
            let (code, out, err) = ecode(&[command, &path]);
            assert_eq!((code, out.as_str()), (Some(2), ""), "{name}: {err}");
            assert!(err.starts_with(&format!("error: {path}: ")), "{name}: {err}");
            assert!(err.contains(place), "{name}: {err}");
            assert_eq!(err.trim_end().lines().count(), 1, "{name}: {err}");
        }
    }
}

#[test]
fn nothing_is_written_when_the_parameters_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("matrix.json");
    let target = target.to_str().unwrap();
    let wrong: [&[&str]; 8] = [
        &["design", "--construction", "algorithm1", "--n", "8", "--b", "1"],
        &["design", "--n", "9", "--b", "5"],
        &["design", "--n", "9", "--b", "10"],
        &["design", "--n", "0", "--b", "0"],
        &["design", "--n", "9", "--b", "1", "--construction", "bernoulli"],
        &["design", "--n", "9", "--b", "1", "--construction", "bernoulli", "--p", "1.5"],
        &["design", "--n", "9", "--b", "1", "--construction", "repetition", "--group", "4"],
        &["design", "--n", "5000", "--b", "1", "--construction", "uncoded"],
    ];
    for arguments in wrong {
        let (code, out, err) = ecode(&[arguments, &["-o", target]].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert_eq!(err.trim_end().lines().count(), 1, "{arguments:?}: {err}");
        assert!(!Path::new(target).exists(), "{arguments:?}");
    }
    let (code, _, err) = ecode(&["verify", "no-such-file.json"]);
    assert_eq!(code, Some(2));
    assert!(err.starts_with("error: no-such-file.json: "), "{err}");
}
