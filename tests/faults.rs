//! Promise: a writer that is killed, or meets a full disk, at any write, sync or rename leaves the old file or the new
//! one, whole; the same command run again succeeds, loses nothing that was there, and clears away what was left.
//!
//! A small C library, preloaded, counts the calls that write regular files and strikes at the n-th, for every n.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Kills, or fails with ENOSPC, at call number FAULT_AT. A write is done half before. FAULT_HIT is made when that
/// happens.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int calls, full;

static int strikes(void) {
    const char *at = getenv("FAULT_AT");
    if (!at || __sync_add_and_fetch(&calls, 1) != atoi(at)) return 0;
    int hit = open(getenv("FAULT_HIT"), O_CREAT | O_WRONLY, 0600);
    if (hit >= 0) close(hit);
    return 1;
}

static int dies(void) { return !strcmp(getenv("FAULT"), "kill"); }

static int fails(void) {
    if (dies()) kill(getpid(), SIGKILL);
    errno = ENOSPC;
    return -1;
}

static int regular(int fd) {
    struct stat s;
    return fd > 2 && !fstat(fd, &s) && (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode));
}

ssize_t write(int fd, const void *from, size_t count) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    if (!regular(fd)) return real(fd, from, count);
    if (full) return fails();
    if (!strikes()) return real(fd, from, count);
    ssize_t done = real(fd, from, count / 2);
    if (dies() || done <= 0) return fails();
    full = 1;
    return done;
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    return regular(fd) && strikes() ? fails() : real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    return regular(fd) && strikes() ? fails() : real(fd);
}

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real) real = dlsym(RTLD_NEXT, "rename");
    return strikes() ? fails() : real(from, to);
}
"#;

fn shim() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // Tests run in processes of their own.
        let (source, library) =
            (format!("fault-{}.c", std::process::id()), format!("fault-{}.so", std::process::id()));
        fs::write(folder.join(&source), SHIM).unwrap();
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o", &library, &source, "-ldl"])
            .current_dir(folder)
            .output()
            .expect("a C compiler, which these tests need");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        folder.join(library)
    })
}

struct Writer {
    /// What is tried, with `a.json` there.
    command: &'static str,
    /// The files that it writes.
    files: &'static [&'static str],
    /// What they held before; nothing where they were not there.
    before: Option<&'static str>,
    whole: fn(&str) -> bool,
}

fn json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

fn page(text: &str) -> bool {
    let end = text.trim_end();
    end.ends_with("</html>") || end.ends_with("</svg>")
}

fn lines(text: &str) -> bool {
    text.ends_with('\n')
}

const OLD: Option<&str> = Some("what was there before, and is longer than nothing\n");
const SHORT: [Writer; 2] = [
    Writer { command: "design --n 5 --b 1 -q -o out.json", files: &["out.json"], before: OLD, whole: json },
    Writer {
        command: "verify a.json --b 1 -q --certificate out",
        files: &["out"],
        before: None,
        whole: json,
    },
];
const LONG: [Writer; 10] = [
    Writer { command: "export a.json --to csv -o out.csv", files: &["out.csv"], before: OLD, whole: lines },
    Writer {
        command: "show a.json -q --svg out.svg --html out.html",
        files: &["out.svg", "out.html"],
        before: OLD,
        whole: page,
    },
    Writer { command: "analyze a.json -q --html out.html", files: &["out.html"], before: None, whole: page },
    Writer { command: "compare a.json -q --html out.html", files: &["out.html"], before: OLD, whole: page },
    Writer { command: "plot run -o out.svg", files: &["out.svg"], before: OLD, whole: page },
    Writer {
        command: "check c.json --extract proofs -q",
        files: &["proofs/side-0.opb", "proofs/side-0.pbp"],
        before: None,
        whole: lines,
    },
    Writer {
        command: "verify a.json --b 1 -q --shard 0/2 -o out",
        files: &["out"],
        before: OLD,
        whole: json,
    },
    Writer { command: "verify a.json --b 1 -q --checkpoint out", files: &["out"], before: None, whole: json },
    Writer {
        command: "verify a.json --b 1 -q --proof enumeration --certificate out",
        files: &["out"],
        before: OLD,
        whole: json,
    },
    Writer {
        command: "search --n 9 --k 5 --b 1 --rounds 2 --threads 1 -q --state out",
        files: &["out"],
        before: None,
        whole: json,
    },
];

/// Runs a command in a folder, struck at a call where one is given.
fn run(folder: &Path, command: &str, fault: Option<(&str, usize)>) -> Output {
    let mut process = Command::new(assert_cmd::cargo::cargo_bin!("ecode"));
    process.args(command.split(' ')).current_dir(folder);
    if let Some((fault, at)) = fault {
        process.env("LD_PRELOAD", shim()).env("FAULT", fault).env("FAULT_AT", at.to_string());
        process.env("FAULT_HIT", folder.join("hit"));
    }
    process.output().unwrap()
}

fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.json"), "[[1,0,0,0,0],[0,1,1,1,0],[1,1,1,1,1],[1,1,1,1,1],[1,1,1,1,1]]")
        .unwrap();
    folder
}

/// The same with a certificate `c.json` and a finished run `run`, which are made once.
fn furnished() -> tempfile::TempDir {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = prepared();
        for command in [
            "verify a.json --b 1 -q --certificate c.json",
            "train --code a.json --byzantine 0 --steps 4 --batch 4 -q --run run",
        ] {
            assert_eq!(run(folder.path(), command, None).status.code(), Some(0), "{command}");
        }
        folder
    });
    let folder = tempfile::tempdir().unwrap();
    let from = made.path().join(".");
    assert!(Command::new("cp").arg("-r").arg(from).arg(folder.path()).status().unwrap().success());
    folder
}

/// Strikes at every call in turn, with what must hold after each; how often.
fn strike_everywhere(fault: &str, mut once: impl FnMut(usize) -> bool) -> usize {
    let points = (1..=2000).take_while(|&at| once(at)).count();
    assert!((3..2000).contains(&points), "{fault}: {points} calls that write");
    points
}

fn survives(writer: &Writer) {
    for fault in ["kill", "full"] {
        strike_everywhere(fault, |at| {
            let folder = furnished();
            let place = |name: &str| folder.path().join(name);
            for file in writer.files {
                writer.before.inspect(|text| fs::write(place(file), text).unwrap());
            }
            let output = run(folder.path(), writer.command, Some((fault, at)));
            let about = format!("{} {fault} at {at}: {output:?}", writer.command);
            let hit = place("hit").exists();
            if hit && fault == "full" {
                assert_eq!(output.status.code(), Some(2), "{about}");
                assert!(String::from_utf8_lossy(&output.stderr).contains("No space left"), "{about}");
            }
            for file in writer.files {
                let now = fs::read_to_string(place(file)).ok();
                let new = now.as_deref().is_some_and(writer.whole);
                assert!(now.as_deref() == writer.before || new, "{about}: {file} holds {now:?}");
            }
            let again = run(folder.path(), writer.command, None);
            assert_eq!(again.status.code(), Some(0), "{about}, and again: {again:?}");
            let beside = place(writer.files[0]).parent().unwrap().to_owned();
            let names: Vec<_> =
                fs::read_dir(beside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            let left = names.iter().any(|name| name.to_string_lossy().contains(".ecode-"));
            assert!(!left, "{about}: {names:?}");
            for file in writer.files {
                assert!((writer.whole)(&fs::read_to_string(place(file)).unwrap()), "{about}: {file}");
            }
            hit
        });
    }
}

#[test]
fn matrices_and_certificates_survive_every_fault() {
    SHORT.iter().for_each(survives);
}

#[test]
#[ignore = "long: some hundred processes"]
fn pages_parts_and_states_survive_every_fault() {
    LONG.iter().for_each(survives);
}

/// Families that were found before stay, whatever happens to the one that is added.
#[test]
#[ignore = "long: some hundred processes"]
fn a_catalogue_loses_no_family() {
    let first = "search --n 12 --k 7 --b 1 --balanced --rounds 1 --threads 1 -q --catalogue c";
    let second = "search --n 13 --k 7 --b 1 --balanced --rounds 1 --threads 1 -q --catalogue c";
    for fault in ["kill", "full"] {
        strike_everywhere(fault, |at| {
            let folder = prepared();
            assert_eq!(run(folder.path(), first, None).status.code(), Some(0));
            let before = fs::read_to_string(folder.path().join("c")).unwrap();
            run(folder.path(), second, Some((fault, at)));
            let now = fs::read_to_string(folder.path().join("c")).unwrap();
            assert!(now.starts_with(&before) && now.ends_with('\n'), "{fault} at {at}: {now}");
            run(folder.path(), second, None);
            let now = fs::read_to_string(folder.path().join("c")).unwrap();
            assert!(now.starts_with(&before) && now.lines().count() == 2, "{fault} at {at}: {now}");
            folder.path().join("hit").exists()
        });
    }
}

/// However often it is struck, a run ends with the parameters of one that was left in peace.
#[test]
#[ignore = "long: some hundred processes"]
fn a_run_ends_with_the_same_parameters() {
    let start = "train --code a.json --byzantine 0 --steps 12 --batch 4 --evaluate-every 4 --checkpoint-every 3 -q --allow-unverified --run r";
    let digest = |folder: &Path| {
        let text = fs::read_to_string(folder.join("r/summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(summary["status"], "finished");
        summary["parameters_digest"].clone()
    };
    let peace = prepared();
    assert_eq!(run(peace.path(), start, None).status.code(), Some(0));
    let expected = digest(peace.path());
    for fault in ["kill", "full"] {
        strike_everywhere(fault, |at| {
            let folder = prepared();
            let struck = run(folder.path(), start, Some((fault, at)));
            // Before there is a configuration there is nothing to go on with.
            let resumed = run(folder.path(), "train --run r --resume -q", None);
            if resumed.status.code() != Some(0) {
                let again = run(folder.path(), start, None);
                assert_eq!(
                    again.status.code(),
                    Some(0),
                    "{fault} at {at}: {struck:?}, {resumed:?}, {again:?}"
                );
            }
            assert_eq!(digest(folder.path()), expected, "{fault} at {at}");
            folder.path().join("hit").exists()
        });
    }
}
