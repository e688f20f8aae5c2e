//! Servers and workers as processes of their own, whose words are waited for. For the tests of the deployment.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "not every test needs all of it, and a test may panic"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Nothing that is waited for takes longer, or the test fails.
const LONGEST: Duration = Duration::from_secs(120);

/// A process that is killed when the test ends, and what it said on standard error.
pub struct Process {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    pub fn start(name: impl Into<String>, command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (pipe, into) = (child.stderr.take().unwrap(), Arc::clone(&lines));
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                into.lock().unwrap().push(line);
            }
        });
        Self { name: name.into(), child, lines }
    }

    pub fn said(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits until a line is said from which something can be read.
    pub fn hears<T>(&mut self, what: &str, read: impl Fn(&str) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = self.said().iter().find_map(|line| read(line)) {
                return found;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} ended ({ended:?}) before {what}: {:#?}", self.name, self.said());
            assert!(begun.elapsed() < LONGEST, "{} never said {what}: {:#?}", self.name, self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a server has done so many steps.
    pub fn reaches(&mut self, step: u64) {
        self.hears(&format!("step {step}"), |line| {
            let at: u64 = line.strip_prefix("step ")?.split_whitespace().next()?.parse().ok()?;
            (at >= step).then_some(())
        });
    }

    /// Waits until it ends by itself, and returns its exit code.
    pub fn ends(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < LONGEST, "{} does not end: {:#?}", self.name, self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// As `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal by its name.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with keys, and what is run.
pub struct Deployment {
    pub folder: tempfile::TempDir,
    /// What `ecode train` is told of the training.
    pub training: Vec<String>,
}

impl Deployment {
    pub fn new(workers: usize, training: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(ecode())
            .args(["keys", "--workers", &workers.to_string(), "--to"])
            .arg(folder.path().join("keys"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder, training: training.iter().map(ToString::to_string).collect() }
    }

    pub fn keys(&self, of: &str) -> PathBuf {
        self.folder.path().join("keys").join(of)
    }

    /// The digest of the parameters that one process comes to.
    pub fn alone(&self) -> String {
        self.alone_summary()["parameters_digest"].as_str().unwrap().to_owned()
    }

    /// The same run of one process, and its whole summary.
    pub fn alone_summary(&self) -> serde_json::Value {
        let run = self.folder.path().join("alone");
        let done =
            Command::new(ecode()).arg("train").args(&self.training).arg("--run").arg(&run).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        summary(&run)
    }

    fn listening(mut server: Process) -> (Process, String) {
        let address =
            server.hears("where it listens", |line| line.strip_prefix("listening on ").map(str::to_owned));
        (server, address)
    }

    pub fn run(&self) -> PathBuf {
        self.folder.path().join("served")
    }

    /// A new run; returns the server and its address.
    pub fn serve(&self, flags: &[&str]) -> (Process, String) {
        let mut command = Command::new(ecode());
        command.args(["train", "--transport", "grpc", "--listen", "127.0.0.1:0", "--threads", "1", "--keys"]);
        command.arg(self.keys("server")).args(&self.training).args(flags).arg("--run").arg(self.run());
        Self::listening(Process::start("the server", &mut command))
    }

    /// The same run again, at the same address.
    pub fn resume(&self, address: &str, flags: &[&str]) -> Process {
        let mut command = Command::new(ecode());
        command.args([
            "train",
            "--transport",
            "grpc",
            "--resume",
            "--listen",
            address,
            "--threads",
            "1",
            "--keys",
        ]);
        command.arg(self.keys("server")).args(flags).arg("--run").arg(self.run());
        Self::listening(Process::start("the server, again", &mut command)).0
    }

    pub fn work(&self, address: &str, row: usize) -> Process {
        let mut command = Command::new(ecode());
        command.args(["work", "--threads", "1", "--server", address, "--keys"]);
        command.arg(self.keys(&format!("worker-{row}")));
        Process::start(format!("worker {row}"), &mut command)
    }

    pub fn summary(&self) -> serde_json::Value {
        summary(&self.run())
    }

    /// Every evaluation of the deployed run gave what it gave in one process, to the last bit: so the parameters were the
    /// same all the way.
    pub fn assert_same_log(&self) {
        let read = |run: &Path| -> Vec<(u64, u64)> {
            let log = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
            let line = |line: &str| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                (line["step"].as_u64().unwrap(), line["test_loss"].as_f64().unwrap().to_bits())
            };
            log.lines().map(line).collect()
        };
        assert_eq!(read(&self.run()), read(&self.folder.path().join("alone")));
    }
}

pub fn ecode() -> &'static str {
    env!("CARGO_BIN_EXE_ecode")
}

fn summary(run: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(run.join("summary.json")).unwrap()).unwrap()
}
