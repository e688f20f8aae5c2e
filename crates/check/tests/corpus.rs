//! Promise: of every certificate of the corpus the library says what it should, for the reason that makes it so.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ecode_check::{Certificate, Evidence, Options, Refused, Strength, check, check_with};

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/certificates").join(name)
}

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(corpus(folder)).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn an_invalid_certificate_is_refused_for_its_own_reason() {
    let list = std::fs::read_to_string(corpus("invalid.tsv")).unwrap();
    let mut listed = BTreeSet::new();
    for line in list.lines() {
        let [name, code, reason] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        listed.insert(name.to_owned());
        let bytes = std::fs::read(corpus("invalid").join(format!("{name}.json"))).unwrap();
        let (exit_code, why) = match Certificate::parse(&bytes) {
            Err(malformed) => (2, malformed.to_string()),
            Ok(certificate) => {
                let refused = check(&certificate).unwrap_err();
                (refused.exit_code(), refused.to_string())
            }
        };
        assert_eq!(exit_code.to_string(), code, "{name}: {why}");
        assert!(why.contains(reason), "{name}: {why}");
    }
    let found: BTreeSet<String> = files("invalid").into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, listed, "every file of the corpus is listed");
}

#[test]
fn a_valid_certificate_is_accepted_and_written_again_as_it_was_read() {
    let mut kinds = BTreeSet::new();
    for (name, bytes) in files("valid") {
        let certificate = Certificate::parse(&bytes).unwrap();
        let accepted = check(&certificate).unwrap();
        assert_eq!(accepted.tolerant, certificate.tolerant, "{name}");
        assert_eq!(Certificate::parse(certificate.to_json().as_bytes()).unwrap(), certificate, "{name}");
        let strength = match certificate.evidence {
            Evidence::Gluing(_) => Strength::Theorem,
            Evidence::Enumeration(_) => Strength::Recounted,
            _ => Strength::Proved,
        };
        assert_eq!(accepted.strength, strength, "{name}");
        kinds.insert(format!("{:?}", std::mem::discriminant(&certificate.evidence)));
    }
    assert_eq!(kinds.len(), 5, "one of each kind of evidence at least");
}

#[test]
fn a_count_that_nothing_but_a_recount_would_show_is_unproved() {
    for (name, bytes) in files("unproved") {
        let certificate = Certificate::parse(&bytes).unwrap();
        let refused = check(&certificate).unwrap_err();
        assert!(matches!(&refused, Refused::Unproved(_)) && refused.exit_code() == 3, "{name}: {refused}");
        let stopped = Options { stopped: &|| true, recount: true };
        let refused = check_with(&certificate, stopped).unwrap_err();
        assert!(matches!(refused, Refused::Stopped) && refused.exit_code() == 3, "{name}: {refused}");
    }
}
