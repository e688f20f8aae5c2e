//! Promise: the kept certificates about lower bounds, failure domains and distortion are accepted, and write what they read.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use ecode_check::{
    BoundCertificate, DistortionCertificate, DomainCertificate, Options, check_bound, check_distortion,
    check_domains,
};

fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn lower_bounds() {
    let files = files("bounds");
    assert!(files.len() > 1);
    for (path, bytes) in files {
        let read = BoundCertificate::parse(&bytes).unwrap();
        check_bound(&read, Options::default()).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert_eq!(read.to_json().as_bytes(), bytes, "{}", path.display());
    }
}

#[test]
fn failure_domains() {
    let files = files("domains");
    assert!(files.len() > 1);
    for (path, bytes) in files {
        let read = DomainCertificate::parse(&bytes).unwrap();
        check_domains(&read, Options::default()).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert_eq!(read.to_json().as_bytes(), bytes, "{}", path.display());
    }
}

#[test]
fn distortion() {
    let files = files("distortion/certificates");
    assert!(files.len() > 1);
    for (path, bytes) in files {
        let read = DistortionCertificate::parse(&bytes).unwrap();
        check_distortion(&read, Options::default()).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        assert_eq!(read.to_json().as_bytes(), bytes, "{}", path.display());
    }
}
