//! Promise: `table --site` writes a folder in which every link leads somewhere, every matrix is the one of the table, and
//! every certificate is accepted; a folder that was not finished says so.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use ecode::certificate::{Certificate, check};
use ecode::format::{Format, MatrixFile};
use ecode::search::catalogue;

fn site(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::cargo_bin("ecode").unwrap();
    command.args(["table", "--site"]).arg(folder).args(more).output().unwrap()
}

/// What the page's links name.
fn links(page: &str) -> BTreeSet<String> {
    page.split(" href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn every_link_leads_somewhere_and_every_certificate_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new/site");
    let output = site(&place, &["--n", "5,7,8"]);
    assert!(output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.ends_with("index.html: 8 codes, each verified, 8 with a checked certificate.\n"), "{told}");

    let mut seen = BTreeSet::new();
    let mut open = vec!["index.html".to_owned()];
    while let Some(name) = open.pop() {
        assert!(place.join(&name).is_file(), "{name}");
        if seen.insert(name.clone()) && Path::new(&name).extension().is_some_and(|end| end == "html") {
            let page = std::fs::read_to_string(place.join(&name)).unwrap();
            open.extend(links(&page).into_iter().filter(|link| link != "#main"));
        }
    }
    let there: BTreeSet<String> = std::fs::read_dir(&place)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(seen, there);

    for entry in catalogue(&[5, 7, 8], None, None).unwrap() {
        let stem = match (entry.n(), entry.b) {
            (8, b) => format!("n8-k7-b{b}"),
            (n, b) => format!("n{n}-b{b}"),
        };
        let read = |end: &str| std::fs::read(place.join(format!("{stem}.{end}"))).unwrap();
        for (end, format) in [("json", Format::Json), ("txt", Format::Txt)] {
            assert_eq!(MatrixFile::parse(&read(end), format).unwrap().matrix, entry.code.matrix);
        }
        let certificate = Certificate::parse(&read("certificate.json")).unwrap();
        assert_eq!((&certificate.claim.matrix, certificate.claim.b), (&entry.code.matrix, entry.b));
        assert!(check(&certificate).unwrap().tolerant);
    }
}

#[test]
fn a_site_that_was_stopped_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = site(folder.path(), &["--timeout", "0ms"]);
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(" Stopped: ") && told.ends_with(" were asked for.\n"), "{told}");
    let index = std::fs::read_to_string(folder.path().join("index.html")).unwrap();
    for link in links(&index).iter().filter(|link| *link != "#main") {
        assert!(folder.path().join(link).is_file(), "{link}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = site(&file.join("site"), &["--n", "5"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("error: cannot make the folder ") && told.lines().count() == 1, "{told}");
}
