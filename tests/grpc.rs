//! Promise: a server and workers that are processes of their own come to the parameters of one process, bit for bit,
//! whoever is killed and comes back within 2·liars + missing ≤ 2·radius, the server too. Who provably lies is named.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod processes;
mod skipped;

use processes::{Deployment, Process};

/// Five workers, radius 2, one liar: two may be missing at any time.
const TRAINING: [&str; 13] = [
    "--code",
    "algorithm1:n=5,b=2",
    "--byzantine",
    "1",
    "--byzantine-set",
    "0",
    "--batch",
    "8",
    "--steps",
    "600",
    "--evaluate-every",
    "20",
    "--checkpoint-every=40",
];

#[test]
fn workers_are_killed_and_come_back_and_the_server_too() {
    let deployment = Deployment::new(5, &TRAINING);
    let expected = deployment.alone();
    let (mut server, address) = deployment.serve(&["--wait", "quorum", "--on-excess", "stop"]);
    let mut workers: Vec<_> = (0..5).map(|row| Some(deployment.work(&address, row))).collect();
    server.reaches(60);
    // Two are gone, and one comes back.
    workers[3].as_mut().unwrap().kill();
    workers[4].as_mut().unwrap().kill();
    server.reaches(140);
    workers[3] = Some(deployment.work(&address, 3));
    server.hears("worker 3 is back", |line| line.contains("worker 3 votes in time again").then_some(()));
    // Another one is gone, so that the one that came back is needed.
    workers[2].as_mut().unwrap().kill();
    server.reaches(240);
    // The server is killed; it goes on from its checkpoint, and the workers that are ahead of it step back.
    server.kill();
    // A worker that looks for its server says so while it looks.
    let looks = |line: &str| line.contains("is not reached, trying again").then_some(());
    workers[0].as_mut().unwrap().hears("that it looks for its server", looks);
    let mut server = deployment.resume(&address, &["--wait", "quorum"]);
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    for row in [0, 1, 3] {
        let worker = workers[row].as_mut().unwrap();
        assert_eq!(worker.ends(), Some(0), "{:#?}", worker.said());
        assert!(
            worker.said().iter().any(|line| row == 3 || line.contains("was started anew")),
            "{:#?}",
            worker.said()
        );
    }
    let summary = deployment.summary();
    assert_eq!(summary["parameters_digest"], expected.as_str());
    assert_eq!(summary["unverified"], serde_json::Value::Null);
    deployment.assert_same_log();
    // The liar holds every partition.
    assert_eq!(summary["named"][0]["worker"], 0);
    assert_eq!(summary["named"].as_array().unwrap().len(), 1);
}

/// Minutes of what happens on machines: run by `scripts/test-grpc --long`. Nine workers, radius 3, one liar: four may be
/// missing at any time.
#[test]
#[ignore = "minutes"]
fn chaos_changes_nothing() {
    let training = [
        "--code",
        "algorithm1:n=9,b=3",
        "--byzantine",
        "1",
        "--byzantine-set",
        "0",
        "--batch",
        "8",
        "--steps",
        "20000",
        "--evaluate-every",
        "20",
        "--checkpoint-every=100",
    ];
    let deployment = Deployment::new(9, &training);
    let strangers = Deployment::new(9, &training);
    let expected = deployment.alone();
    let flags = ["--wait", "auto", "--on-excess", "stop", "--worker-timeout", "60s"];
    let (mut server, address) = deployment.serve(&flags);
    let mut workers: Vec<Process> = (0..9).map(|row| deployment.work(&address, row)).collect();
    // Rows that are down now, and whether they were killed, or only stopped.
    let mut down: Vec<(usize, bool)> = Vec::new();
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    server.reaches(20);
    let mut seen = [0; 7];
    for round in 0..120 {
        if server.is_over() {
            break;
        }
        let row = 1 + roll(8) as usize;
        let at = down.iter().position(|(of, _)| *of == row);
        let what = roll(7) as usize;
        seen[what] += 1;
        match (what, at) {
            // Somebody comes back.
            (0 | 1, _) if !down.is_empty() => {
                let (row, killed) = down.remove(roll(down.len() as u64) as usize);
                if killed {
                    workers[row] = deployment.work(&address, row);
                } else {
                    workers[row].signal("CONT");
                }
            }
            (2, None) if down.len() < 4 => {
                workers[row].kill();
                down.push((row, true));
            }
            (3, None) if down.len() < 4 => {
                workers[row].signal("STOP");
                down.push((row, false));
            }
            // A second process with a row's certificate: the two take turns, so that the row may be missing.
            (4, None) if down.len() < 4 => {
                let mut second = deployment.work(&address, row);
                second.hears("that it works", |line| line.starts_with("works as worker").then_some(()));
                second.kill();
            }
            // Keys of another authority, and garbage.
            (5, _) => {
                let stranger = strangers.work(&address, row);
                if let Ok(mut stream) = std::net::TcpStream::connect(&address) {
                    let _ = std::io::Write::write_all(&mut stream, &[0x16; 9999]);
                }
                drop(stranger);
            }
            (6, _) if round % 3 == 0 => {
                server.kill();
                server = deployment.resume(&address, &flags[..2]);
            }
            _ => {}
        }
        std::thread::sleep(std::time::Duration::from_millis(300 + roll(700)));
    }
    for (row, killed) in down {
        if killed {
            workers[row] = deployment.work(&address, row);
        } else {
            workers[row].signal("CONT");
        }
    }
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    assert_eq!(deployment.summary()["parameters_digest"], expected.as_str(), "{seen:?}");
    assert_eq!(deployment.summary()["unverified"], serde_json::Value::Null);
    deployment.assert_same_log();
}

/// A worker that is proved to lie is left out where that is asked for; then it is missing, and one more may be.
#[test]
fn who_is_proved_to_lie_is_left_out() {
    let deployment = Deployment::new(5, &TRAINING);
    let expected = deployment.alone();
    // One liar, and two that never come: with the liar left out three votes are missing, and four may be.
    let (mut server, address) =
        deployment.serve(&["--quarantine", "--on-excess", "stop", "--status", "127.0.0.1:0"]);
    let page = server.hears("its pages", |line| line.strip_prefix("status on http://").map(str::to_owned));
    let mut workers: Vec<_> = (0..3).map(|row| deployment.work(&address, row)).collect();
    server.hears("the liar's name", |line| line.starts_with("worker 0 is proved to lie").then_some(()));
    server.reaches(100);
    let status = get(page.trim_end_matches("/status"));
    assert_eq!(status["named"][0]["worker"], 0);
    assert_eq!(
        (&status["rows"][0]["connected"], &status["rows"][1]["connected"]),
        (&false.into(), &true.into())
    );
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    assert_eq!(deployment.summary()["parameters_digest"], expected.as_str());
    assert_eq!(deployment.summary()["unverified"], serde_json::Value::Null);
    assert_eq!(workers[0].ends(), Some(2), "it is told that it is left out: {:#?}", workers[0].said());
    assert_eq!(workers[1].ends(), Some(0), "{:#?}", workers[1].said());
}

/// The page of a server's port that says how it stands.
fn get(address: &str) -> serde_json::Value {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /status HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

/// What gRPC's own client in Python hears from the health service on the port of the pages. `scripts/test-grpc` names a
/// Python that has grpcio.
#[test]
fn a_health_client_in_python_hears_whether_enough_workers_are_there() {
    let Some(python) = std::env::var_os("ECODE_PYTHON") else {
        return skipped::skip("a health client in Python: ECODE_PYTHON names no Python with grpcio");
    };
    // HealthCheckRequest { service }, and the bytes of the HealthCheckResponse.
    let script = "import grpc, sys\n\
        request = lambda name: (bytes([10, len(name)]) + name.encode()) if name else b''\n\
        with grpc.insecure_channel(sys.argv[1]) as channel:\n\
        \x20   check = channel.unary_unary('/grpc.health.v1.Health/Check', request, lambda answer: answer.hex())\n\
        \x20   print(check(sys.argv[2], timeout=60), end='')\n";
    let training: Vec<&str> =
        TRAINING.iter().map(|&word| if word == "600" { "100000" } else { word }).collect();
    let deployment = Deployment::new(5, &training);
    let (mut server, address) = deployment.serve(&["--status", "127.0.0.1:0"]);
    let page = server.hears("its pages", |line| line.strip_prefix("status on http://").map(str::to_owned));
    let check = |service: &str| {
        let mut command = std::process::Command::new(&python);
        let output =
            command.args(["-c", script, page.trim_end_matches("/status"), service]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (serving, not_serving) = ("0801", "0802");
    assert_eq!((check("").as_str(), check("ecode.v1.Election").as_str()), (serving, not_serving));
    // Two of five may be missing, with the declared liar.
    let _workers: Vec<_> = (0..3).map(|row| deployment.work(&address, row)).collect();
    server.reaches(20);
    assert_eq!((check("").as_str(), check("ecode.v1.Election").as_str()), (serving, serving));
}

/// Fewer votes than the proof needs: the run stops before the step and can go on, or says UNVERIFIED.
#[test]
fn beyond_the_proof_the_run_stops_or_says_so() {
    let deployment = Deployment::new(5, &TRAINING);
    let flags = ["--on-excess", "stop", "--worker-timeout", "2s"];
    let (mut server, address) = deployment.serve(&flags);
    // Three are needed with one liar declared.
    let mut workers: Vec<_> = (0..2).map(|row| deployment.work(&address, row)).collect();
    assert_eq!(server.ends(), Some(3), "{:#?}", server.said());
    assert_eq!(deployment.summary()["status"], "stopped");
    // The same workers are there still, a third one comes, and it goes on to the end.
    workers.push(deployment.work(&address, 2));
    let mut server = deployment.resume(&address, &["--worker-timeout", "60s"]);
    assert_eq!(server.ends(), Some(0), "{:#?}", server.said());
    assert_eq!(deployment.summary()["parameters_digest"], deployment.alone().as_str());
}

/// What keeps a worker from working is one line, and exit code 2.
#[test]
fn a_worker_that_cannot_work_is_told_why() {
    let deployment = Deployment::new(5, &TRAINING);
    let (_server, address) = deployment.serve(&[]);
    let matrix = deployment.folder.path().join("other.json");
    let made = std::process::Command::new(processes::ecode())
        .args(["design", "--n", "5", "--b", "1", "-q", "-o"])
        .arg(&matrix)
        .output()
        .unwrap();
    assert!(made.status.success());
    let refused = |keys: &str, more: &[&str]| {
        let output = std::process::Command::new(processes::ecode())
            .args(["work", "--server", &address, "--give-up-after", "1s", "--keys"])
            .arg(deployment.keys(keys))
            .args(more)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let error = refused("worker-1", &["--code", matrix.to_str().unwrap()]);
    assert!(error.contains("its digest is sha256:"), "{error}");
    let error = refused("worker-9", &[]);
    assert!(error.contains("worker-9"), "{error}");
    // The server's own certificate speaks for no row.
    let error = refused("server", &[]);
    assert!(error.contains("the server was not reached for 1 s"), "{error}");
}

/// A server that nobody joins, and a worker that finds no server, wait for hours: until they are told to stop.
#[test]
fn who_waits_ends_when_told_to() {
    let deployment = Deployment::new(5, &TRAINING);
    let (mut server, _) = deployment.serve(&["--wait", "all"]);
    let mut worker = deployment.work("127.0.0.1:1", 0);
    worker.hears("a server that is not there", |line| line.contains("127.0.0.1:1").then_some(()));
    for process in [&mut worker, &mut server] {
        process.signal("TERM");
        assert_eq!(process.ends(), Some(3), "{:#?}", process.said());
    }
}

/// Strangers that connect as fast as they can, with garbage, with nothing, and with keys of another authority: nobody gets in,
/// the run goes on, and the server's memory stays where it was. Prints what it measured.
#[test]
#[ignore = "half a minute"]
fn refused_handshakes_cost_no_memory() {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    let training: Vec<&str> =
        TRAINING.iter().map(|&word| if word == "600" { "100000" } else { word }).collect();
    let deployment = Deployment::new(5, &training);
    let strangers = Deployment::new(5, &training);
    let (mut server, address) = deployment.serve(&["--wait", "quorum"]);
    let _workers: Vec<_> = (0..5).map(|row| deployment.work(&address, row)).collect();
    server.reaches(20);
    let pid = server.id();
    let memory = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let step = |server: &Process| -> u64 {
        let at = |line: &String| line.strip_prefix("step ")?.split_whitespace().next()?.parse().ok();
        server.said().iter().rev().find_map(at).unwrap()
    };
    // What the first ones cost stays.
    let (mut before, mut began) = (0, 0);
    let (refused, start) = (AtomicU64::new(0), Instant::now());
    let until = Duration::from_secs(20);
    std::thread::scope(|scope| {
        for kind in 0..6 {
            let (refused, address) = (&refused, &address);
            scope.spawn(move || {
                while start.elapsed() < until {
                    let Ok(mut stream) = std::net::TcpStream::connect(address) else { continue };
                    let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
                    if kind > 0 {
                        let _ = stream.write_all(&[0x16; 512]);
                    }
                    // It is cut off, or waits in a queue.
                    let _ = std::io::Read::read(&mut stream, &mut [0; 64]);
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let (strangers, address) = (&strangers, &address);
        scope.spawn(move || {
            while start.elapsed() < until {
                let mut stranger = strangers.work(address, 1);
                std::thread::sleep(Duration::from_millis(500));
                stranger.kill();
            }
        });
        std::thread::sleep(Duration::from_secs(4));
        (before, began) = (memory(), step(&server));
    });
    let (after, ended) = (memory(), step(&server));
    let rate = refused.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    eprintln!(
        "{rate:.0} connections refused a second; memory {before} kB, then {after} kB; steps {began} to {ended}"
    );
    assert!(after < before + 8192, "{before} kB, then {after} kB");
    assert!(ended > began, "the run goes on");
    assert!(!server.said().iter().any(|line| line.contains("worker 5")), "nobody got in");
}
