//! Promise: what the files of docs/deploy run comes to the parameters of one process, also where a worker dies and the server
//! is started again. There is no cluster here: what Slurm, Kubernetes and systemd would do with the commands is done by hand.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod processes;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use processes::{Deployment, Process, ecode};

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy").join(name);
    fs::read_to_string(path).unwrap()
}

/// A port that was free a moment ago.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The processes whose command line has these words.
fn running(words: [&str; 2]) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let has = |place: &PathBuf| {
        let line = fs::read(place.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        words.iter().all(|word| line.split('\0').any(|argument| argument == *word))
    };
    let name = |place: PathBuf| place.file_name().unwrap().to_string_lossy().into_owned();
    processes.map(|entry| entry.path()).filter(has).map(name).collect()
}

/// A program of a cluster, as far as the job's script needs it.
fn stub(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// One job: the server and its workers; workers that are killed are started again, and vote.
#[test]
fn the_slurm_job_trains_and_restarts_workers() {
    let training = [
        "--code",
        "algorithm1:n=5,b=2",
        "--byzantine",
        "1",
        "--batch",
        "8",
        "--steps",
        "1000",
        "--evaluate-every",
        "100",
    ];
    let deployment = Deployment::new(5, &training);
    let expected = deployment.alone();
    let folder = deployment.folder.path();
    stub(folder, "srun", "while [ \"$1\" != ecode ]; do shift; done; exec \"$@\"");
    stub(folder, "scontrol", "[ \"$1\" = show ] && echo 127.0.0.1");
    symlink(ecode(), folder.join("ecode")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deploy/train.sbatch");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.arg(script).args([folder.join("keys"), deployment.run()]).args(training).args(["--threads", "1"]);
    command
        .env("PATH", path)
        .env("SLURM_NTASKS", "6")
        .env("SLURM_JOB_NODELIST", "here")
        .env("SLURM_JOB_ID", "1");
    command.env("ECODE_PORT", port().to_string());
    let mut job = Process::start("the job", &mut command);
    job.hears("that worker 2 is there", |line| line.contains("worker 2 has joined").then_some(()));
    job.reaches(100);
    // Two of five may be missing: with three gone the run waits until one is back.
    for row in 2..5 {
        let keys = deployment.keys(&format!("worker-{row}"));
        let workers = running(["work", keys.to_str().unwrap()]);
        assert_eq!(workers.len(), 1, "{workers:?}");
        assert!(Command::new("kill").args(["-s", "KILL", &workers[0]]).status().unwrap().success());
    }
    job.hears("that one is back", |line| line.contains("votes in time again").then_some(()));
    assert_eq!(job.ends(), Some(0), "{:#?}", job.said());
    assert_eq!(deployment.summary()["parameters_digest"], expected.as_str());
}

/// The shell command of a container, which stands in the manifest after a mark.
fn command_after<'a>(text: &'a str, mark: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(mark).unwrap();
    rest.split_once(end).unwrap().0
}

/// A server and nine workers, started as the containers are, one of them as systemd starts it; the server's container dies,
/// and the next one goes on from its volume.
#[test]
fn the_containers_and_the_unit_train_and_the_server_goes_on() {
    let training =
        ["--code", "algorithm1:n=9,b=3", "--byzantine", "1", "--steps", "400", "--checkpoint-every=20"];
    let deployment = Deployment::new(9, &training);
    let expected = deployment.alone();
    let folder = deployment.folder.path();
    let manifest = file("kubernetes.yaml");
    let (serving, status) = (format!("127.0.0.1:{}", port()), format!("127.0.0.1:{}", port()));
    let replaced = |text: &str, pairs: &[(&str, &str)]| {
        pairs.iter().fold(text.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from} in {text}");
            text.replace(from, to)
        })
    };
    // What is probed is what is shown.
    assert!(manifest.contains("grpc: {port: 7002}"));
    let server = replaced(
        command_after(&manifest, "- |\n", "          ports:"),
        &[
            ("--keys /keys", &format!("--keys {}", deployment.keys("server").display())),
            ("/run-folder/run", deployment.run().to_str().unwrap()),
            ("0.0.0.0:7001", &serving),
            ("0.0.0.0:7002", &status),
            ("--data mnist:/data/mnist", "--data synthetic --steps 400 --checkpoint-every 20"),
            ("exec ecode train", &format!("exec {} train --threads 1", ecode())),
        ],
    );
    let serve = || Process::start("the server's container", Command::new("sh").args(["-c", &server]));
    let mut first = serve();
    let mounted = folder.join("mounted");
    fs::create_dir(&mounted).unwrap();
    for row in 0..9 {
        symlink(deployment.keys(&format!("worker-{row}")), mounted.join(row.to_string())).unwrap();
    }
    let work = replaced(
        command_after(&manifest, "args: ['", "']"),
        &[
            ("\"/keys/", &format!("\"{}/", mounted.display())),
            ("ecode:7001", &serving),
            (" --data mnist:/data/mnist", " --threads 1"),
            ("exec ecode work", &format!("exec {} work", ecode())),
        ],
    );
    let mut workers: Vec<Process> = (0..8)
        .map(|row| {
            let mut command = Command::new("sh");
            command.args(["-c", &work]).env("HOSTNAME", format!("ecode-worker-{row}"));
            Process::start(format!("container {row}"), &mut command)
        })
        .collect();
    let unit = file("ecode-work@.service");
    let start = replaced(
        command_after(&unit, "ExecStart=/bin/sh -c '", "'\n"),
        &[("$$", "$"), ("/usr/local/bin/ecode", ecode())],
    );
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &start]).env("ECODE_SERVER", &serving).env("ECODE_DATA", "synthetic");
    command.env("CREDENTIALS_DIRECTORY", deployment.keys("worker-8"));
    workers.push(Process::start("the unit of row 8", &mut command));
    for row in [0, 8] {
        first.hears("who is there", |line| line.contains(&format!("worker {row} has joined")).then_some(()));
    }
    let begun = Instant::now();
    while !deployment.run().join("checkpoint/state.safetensors").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:#?}", first.said());
        std::thread::sleep(Duration::from_millis(5));
    }
    first.kill();
    let mut second = serve();
    assert_eq!(second.ends(), Some(0), "{:#?}", second.said());
    for worker in &mut workers {
        assert_eq!(worker.ends(), Some(0), "{:#?}", worker.said());
    }
    let summary = deployment.summary();
    assert_eq!(summary["parameters_digest"], expected.as_str());
    assert!(second.said().iter().any(|line| line.contains("worker 8 has joined")), "{:#?}", second.said());
}
