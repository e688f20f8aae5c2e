//! Promise: a signal that was ignored when the program started stays ignored; one that is not stops the work, and the
//! second ends the program.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const GRID: &str = "settings = [{ n = 5, b = 1 }]\nschemes = [\"uncoded\"]\nattacks = [\"reverse\"]\nseeds = [0]\n\
                    [base]\nsteps = 100000000\nbatch = 8\n";

/// Commands that go on for minutes.
const LONG: [&str; 5] = [
    "verify dense.txt --method exhaustive",
    "search --n 25 --b 3 --time 1h",
    "ensemble --n 15 --p 0.3 --draws 100000000",
    "train --code uncoded:n=5 --byzantine 1 --allow-unverified --steps 100000000 --batch 8 --run r",
    "sweep g.toml --run s",
];

fn start(folder: &Path, trap: &str, command: &str) -> Child {
    // Dense rows, too many messages to count, beside full ones, which are never wrong.
    let mut state = 1_u64;
    let mut row = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut row: Vec<bool> = (0..45).map(|i| state >> (i + 10) & 1 == 1).collect();
        row[0] ^= row.iter().filter(|&&entry| entry).count() % 2 == 0;
        row.iter().map(|&entry| if entry { '1' } else { '0' }).collect::<String>()
    };
    let rows: Vec<String> = (0..105).map(|j| if j < 45 { row() } else { "1".repeat(45) }).collect();
    std::fs::write(folder.join("dense.txt"), rows.join("\n") + "\n").unwrap();
    std::fs::write(folder.join("g.toml"), GRID).unwrap();
    Command::new("bash")
        .args(["-c", &format!("{trap}; exec \"$ECODE\" {command} -q")])
        .env("ECODE", assert_cmd::cargo::cargo_bin!("ecode"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until a process has begun to listen, or has told the system to ignore: until it is no shell any more.
fn begun(child: &Child) {
    let program = format!("/proc/{}/exe", child.id());
    let is_ecode = || std::fs::read_link(&program).is_ok_and(|path| path.ends_with("ecode"));
    if cfg!(target_os = "linux") {
        (0..500)
            .find(|_| {
                is_ecode() || {
                    std::thread::sleep(Duration::from_millis(20));
                    false
                }
            })
            .unwrap();
    }
    std::thread::sleep(Duration::from_secs(1));
}

/// How it ended, within a minute.
fn ended(child: &mut Child, about: &str) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{about} does not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_ignored_signal_stays_ignored_and_another_stops() {
    for command in LONG {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start(folder.path(), "trap '' HUP INT", command);
        begun(&child);
        for signal in ["-HUP", "-INT", "-INT"] {
            send(&child, signal);
        }
        std::thread::sleep(Duration::from_secs(1));
        assert!(child.try_wait().unwrap().is_none(), "{command}: ended by a signal that is ignored");
        send(&child, "-TERM");
        assert_eq!(ended(&mut child, command).code(), Some(3), "{command}");
    }
}

/// Where the work cannot look, as in a pipe that nobody reads.
#[test]
fn the_second_signal_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    let mut child = start(folder.path(), ":", "design --n 5 --b 1 -o pipe");
    begun(&child);
    send(&child, "-INT");
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none());
    send(&child, "-INT");
    assert_eq!(ended(&mut child, "design").code(), Some(3));
}
