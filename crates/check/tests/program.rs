//! Promise: `ecode-check` says of every file of the corpus what it should, by its exit code alone.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn ecode_check(file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecode-check")).arg(file).output().unwrap()
}

#[test]
fn exit_codes_are_those_of_the_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/certificates");
    for (folder, codes) in [("valid", &[0][..]), ("unproved", &[3]), ("invalid", &[2, 4])] {
        let mut seen = 0;
        for file in std::fs::read_dir(corpus.join(folder)).unwrap() {
            let path = file.unwrap().path();
            let output = ecode_check(&path);
            let code = output.status.code().unwrap();
            assert!(codes.contains(&code), "{}: {code}", path.display());
            // The answer stands on standard output, everything else on standard error.
            assert_eq!((output.stdout.is_empty(), output.stderr.is_empty()), (code != 0, code == 0));
            seen += 1;
        }
        assert!(seen > 0, "{folder}");
    }
}

#[test]
fn what_cannot_be_read_is_no_certificate() {
    assert_eq!(ecode_check(Path::new("no-such-file")).status.code(), Some(2));
    let mut alone = Command::new(env!("CARGO_BIN_EXE_ecode-check"));
    assert_eq!(alone.stdin(Stdio::null()).output().unwrap().status.code(), Some(2));
}
