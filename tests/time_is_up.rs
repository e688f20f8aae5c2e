//! Promise: whatever a command is doing, its `--timeout`, Ctrl-C and SIGTERM end it; it says what is known by then,
//! leaves nothing half-written, and exits with 3.
//!
//! The limits here are wide: they tell work that goes on for ever from work that ends, on any machine.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Commands that go on for hours, and a part of what each says when it is stopped. `HERE` is a server that accepts
/// and says nothing.
const LONG: [(&str, &str); 34] = [
    ("verify dense.txt", "Undecided"),
    ("verify dense.txt --method exhaustive", "Undecided"),
    ("verify dense.txt --method branch", "Undecided"),
    ("verify dense.txt --method sat", "Undecided"),
    ("verify dense.txt --method all", "Undecided"),
    ("verify dense.txt --json", "\"verdict\":\"undecided\""),
    ("verify dense.txt --worst-case", "Undecided"),
    ("verify dense.txt --domains hosts.txt", "Undecided"),
    ("verify dense.txt --b 3 --checkpoint state.json", "Undecided"),
    ("verify dense.txt --b 3 --shard 0/2 -o part.json", "part.json was not written"),
    ("verify dense.txt --b 3 --proof enumeration --certificate c.json", "Undecided"),
    ("verify dense.txt --b 3 --solver ./sleeps", "Undecided"),
    ("verify wide.txt", "Undecided"),
    (
        "design --n 45 --k 45 --b 3 --construction bernoulli --p 0.5 --draws 1000000000",
        "draws: none tolerant",
    ),
    ("design --n 21 --b 3 --redundancy 3 --time 9h", "Budgeted"),
    ("design --n 35 --k 49 --replicas 5 --distortion 8 --time 9h", "liars of 35 overturn at most"),
    ("frontier --n 25 --b 9 --redundancy 3 --rounds 64 --from-nothing", "stopped before any code was found"),
    ("search --n 25 --b 3 --time 9h", "known before"),
    ("search --n 15 --b 3 --exact", "No tolerant code has fewer than"),
    ("search --part 9 --n 101 --b 2 --time 9h", "known before"),
    ("analyze dense.txt --draws 1000000000000", "adaptive"),
    ("analyze wide.txt --json --draws 1000000000000", "\"radius\""),
    ("compare dense.txt wide.txt --draws 1000000000000", "| dense.txt"),
    ("distortion mols:l=11,r=8 --liars 30", "Not all was settled"),
    ("distortion mols:l=7,r=7 --liars 16 --checkpoint files.json", "Not all was settled"),
    ("distortion mols:l=7,r=7 --liars 16 --shard 0/2 -o files.json", "files.json was not written"),
    ("ensemble --n 15 --p 0.3 --draws 1000000000000", "verified draws"),
    ("train --code uncoded:n=5 --allow-unverified --steps 100000000 --batch 8 --run r", "--resume goes on"),
    ("train --code dense.txt --steps 10 --batch 8 --run q", "stopped before dense.txt was verified"),
    ("sweep grid.toml --run s", "stopped after 0 of 1 runs"),
    ("experiment run table-a1 --steps 100000000 --run e", "stopped after"),
    ("data fetch mnist --to d --from HERE", "stopped"),
    ("check pipe", "pipe was read"),
    ("merge pipe", "pipe was read"),
];

/// Commands that end by themselves, but may wait for what they read.
const READING: [&str; 9] = [
    "show pipe",
    "export pipe --to csv",
    "verify pipe",
    "analyze pipe",
    "train --code pipe --steps 1 --run p",
    "train --config pipe --run q",
    "train --code uncoded:n=5 --data amazon:pipe --steps 1 --run r",
    "sweep pipe --run s",
    "design --n 9 --b 2 --catalogue pipe",
];

/// Commands that wait for nobody.
const SHORT: [&str; 7] = ["plot", "bounds", "table", "doctor", "completions", "man", "keys"];

/// Commands of the cargo feature `grpc`: tests/grpc.rs and tests/serve.rs stop them.
const REMOTE: [&str; 2] = ["serve", "work"];

/// Rows of random halves, and full ones, which are never wrong: nobody can say soon what such a matrix tolerates.
fn dense(k: usize, rows: usize, full: usize) -> String {
    let mut state = 1_u64;
    let mut row = || {
        let mut row: Vec<bool> = (0..k)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 40 & 1 == 1
            })
            .collect();
        row[0] ^= row.iter().filter(|&&entry| entry).count() % 2 == 0;
        row.iter().map(|&entry| if entry { '1' } else { '0' }).collect::<String>()
    };
    let rows = (0..rows).map(|_| row()).chain((0..full).map(|_| "1".repeat(k)));
    rows.flat_map(|row| [row, "\n".to_owned()]).collect()
}

const GRID: &str = "settings = [{ n = 5, b = 1 }]\nschemes = [\"uncoded\"]\nattacks = [\"reverse\"]\nseeds = [0]\n\
                    [base]\nsteps = 100000000\nbatch = 8\n";

fn prepared() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("dense.txt"), dense(45, 45, 60)).unwrap();
    let hosts: Vec<String> = (0..105).map(|worker| format!("host-{}\n", worker / 4)).collect();
    fs::write(place("hosts.txt"), hosts.concat()).unwrap();
    fs::write(place("wide.txt"), dense(301, 301, 700)).unwrap();
    fs::write(place("grid.toml"), GRID).unwrap();
    fs::write(place("sleeps"), "#!/bin/sh\nsleep 1000\n").unwrap();
    fs::set_permissions(place("sleeps"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Command::new("mkfifo").arg(place("pipe")).status().unwrap().success());
    folder
}

fn start(folder: &Path, command: &str) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("ecode"))
        .args(command.split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What came of a process, within two minutes.
fn ended(mut child: Child, about: &str) -> Output {
    let (mut out, mut error) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let drain = |mut from: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).unwrap();
            bytes
        })
    };
    let _ = (out.by_ref(), error.by_ref());
    let (out, error) = (drain(Box::new(out)), drain(Box::new(error)));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            panic!("{about} does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Output { status, stdout: out.join().unwrap(), stderr: error.join().unwrap() }
}

/// Runs all commands, some at a time, each in a folder of its own, and looks at what they say.
fn all_end(commands: &[(String, &str)], stop: impl Fn(&Child) + Sync) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", server.local_addr().unwrap());
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((command, expected)) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let folder = prepared();
                    let child = start(folder.path(), &command.replace("HERE", &address));
                    stop(&child);
                    let output = ended(child, command);
                    let [out, error] =
                        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
                    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
                    let left = names.filter(|name| name.to_string_lossy().contains(".ecode-")).count();
                    let says = out.contains(expected) || error.contains(expected);
                    if output.status.code() != Some(3) || !says || left > 0 {
                        let about = format!(
                            "{command}: {}, {left} files left\n{out:.2000}{error:.2000}",
                            output.status
                        );
                        wrong.lock().unwrap().push(about);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_command_ends_when_its_time_is_up() {
    let long = LONG.iter().map(|&(command, expected)| (command, expected));
    let all = long.chain(READING.iter().map(|&command| (command, "pipe was read")));
    let all: Vec<(String, &str)> =
        all.map(|(command, expected)| (format!("{command} --timeout 400ms"), expected)).collect();
    all_end(&all, |_| ());
}

#[test]
fn every_command_ends_when_it_is_told_to() {
    let sent = AtomicUsize::new(0);
    let all: Vec<(String, &str)> =
        LONG.iter().map(|&(command, expected)| (command.to_owned(), expected)).collect();
    all_end(&all, |child| {
        std::thread::sleep(Duration::from_millis(900));
        let signal = ["-INT", "-TERM"][sent.fetch_add(1, Ordering::Relaxed) % 2];
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    });
}

/// A command that is new has to be put into one of the lists above.
#[test]
fn no_command_is_left_out() {
    let help = Command::new(assert_cmd::cargo::cargo_bin!("ecode")).arg("help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<&str> = names.filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(names.len() >= 20, "{names:?}");
    let known = LONG.iter().map(|&(command, _)| command).chain(READING).chain(SHORT).chain(REMOTE);
    let known: Vec<&str> = known.filter_map(|command| command.split(' ').next()).collect();
    for name in names {
        assert!(known.contains(&name), "ecode {name} is in none of the lists");
    }
}
