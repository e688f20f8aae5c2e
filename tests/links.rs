//! Promise: every link and every path in the documents leads somewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// The folders whose paths are looked at where they stand in backquotes or in a comment.
const FOLDERS: [&str; 9] =
    ["benches/", "crates/", "docs/", "examples/", "fixtures/", "fuzz/", "scripts/", "src/", "tests/"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder with this extension.
fn below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            below(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "coq/README.md"]
            .iter()
            .map(|name| root().join(name))
            .collect();
    below(&root().join("docs"), "md", &mut pages);
    pages
}

/// A page without its blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// A heading as the last part of a link names it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links() {
    let mut broken = Vec::new();
    for page in documents() {
        let text = prose(&fs::read_to_string(&page).unwrap());
        for piece in text.split("](").skip(1) {
            let link = piece.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let headed = |text: String| {
                text.lines()
                    .any(|line| line.starts_with('#') && anchor(line.trim_start_matches('#')) == heading)
            };
            let leads =
                target.exists() && (heading.is_empty() || fs::read_to_string(&target).is_ok_and(headed));
            if !leads {
                broken.push(format!("{}: {link}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn paths() {
    let mut files = documents();
    // Paths in the comments of the code, too.
    for folder in ["crates", "src", "tests", "benches", "examples"] {
        below(&root().join(folder), "rs", &mut files);
    }
    let mut broken = Vec::new();
    for file in files {
        let code = file.extension().is_some_and(|extension| extension == "rs");
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter(|line| !code || line.trim_start().starts_with("//"));
        for (number, line) in lines.enumerate() {
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-*".contains(c)));
            for word in words.map(|word| word.trim_end_matches(['.', '-'])) {
                let named = FOLDERS.iter().any(|folder| word.starts_with(folder)) && !word.contains('*');
                // A link of a page below docs/ starts there.
                let here = file.parent().unwrap().join(word);
                if named && !root().join(word).exists() && !here.exists() {
                    broken.push(format!(
                        "{}, line {}: {word}",
                        file.strip_prefix(root()).unwrap().display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(broken.is_empty(), "paths that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn anchors_are_those_of_the_headings() {
    assert_eq!(anchor(" Every partition needs 2b + 1 workers"), "every-partition-needs-2b--1-workers");
    assert_eq!(anchor("The paper's Lemma 2, corrected"), "the-papers-lemma-2-corrected");
}
