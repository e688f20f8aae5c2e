//! What a server shows of itself, on a port of its own without a certificate: pages for people, probes and Prometheus, and
//! gRPC's own health service for probes that speak it.
//!
//! # What is promised
//! Nothing can be done through it, and one slow reader at a time holds back other readers only.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ecode_server::Standing;
use serde_json::json;

use crate::blame::{Agreement, Named};

/// A reader may take so long.
const READER: Duration = Duration::from_secs(2);
/// What a connection begins with that speaks HTTP/2, as gRPC does.
const HTTP2: &[u8] = b"PRI * HTTP/2";
/// How often the end is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// What is known of a run between its steps.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) began: Instant,
    /// The step that this server began with.
    pub(crate) first: u64,
    pub(crate) named: Vec<Named>,
    pub(crate) agreements: Vec<Agreement>,
    /// The first step whose decode was not proved.
    pub(crate) unproved: Option<u64>,
}

/// A page of the server's port.
pub(crate) struct Status {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Status {
    /// Shows facts, and where the rows stand at the step that is voted on. Whoever speaks gRPC is `probes`' to answer.
    pub(crate) fn show(
        address: SocketAddr,
        facts: Arc<Mutex<Facts>>,
        rows: impl Fn() -> (u64, Vec<Standing>) + Send + 'static,
        probes: impl Fn(TcpStream) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&ended);
        let serve = move || {
            while !until.load(Ordering::Relaxed) {
                match listener.accept() {
                    // Who leaves early misses the answer.
                    Ok((reader, _)) => drop(answer(reader, &facts, &rows, &probes)),
                    Err(_) => std::thread::sleep(LOOK),
                }
            }
        };
        let thread = std::thread::Builder::new().name("ecode-status".into()).spawn(serve)?;
        Ok(Self { address, ended, thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(
    mut reader: TcpStream,
    facts: &Mutex<Facts>,
    rows: &impl Fn() -> (u64, Vec<Standing>),
    probes: &impl Fn(TcpStream) -> io::Result<()>,
) -> io::Result<()> {
    reader.set_nonblocking(false)?;
    reader.set_read_timeout(Some(READER))?;
    reader.set_write_timeout(Some(READER))?;
    let mut request = [0; 1024];
    let length = reader.peek(&mut request)?;
    if request[..length].starts_with(HTTP2) {
        return probes(reader);
    }
    let length = reader.read(&mut request)?;
    let first = String::from_utf8_lossy(&request[..length]);
    let mut words = first.split_whitespace();
    let page = (words.next() == Some("GET")).then(|| words.next()).flatten();
    let facts = facts.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, kind, text) = match page {
        Some("/healthz") => ("200 OK", "text/plain", "ok\n".to_owned()),
        Some("/status") => ("200 OK", "application/json", status(&facts, &rows())),
        Some("/metrics") => ("200 OK", "text/plain; version=0.0.4", metrics(&facts, &rows())),
        _ => ("404 Not Found", "text/plain", "pages: /healthz /status /metrics\n".to_owned()),
    };
    drop(facts);
    let length = text.len();
    write!(
        reader,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )
}

fn rate(facts: &Facts, step: u64) -> f64 {
    (step - facts.first.min(step)) as f64 / facts.began.elapsed().as_secs_f64().max(1e-9)
}

fn status(facts: &Facts, (step, rows): &(u64, Vec<Standing>)) -> String {
    let row = |(row, standing): (usize, &Standing)| {
        let agreement = facts.agreements.get(row).copied().unwrap_or_default();
        json!({
            "row": row,
            "connected": standing.connection.is_some(),
            "awaited": standing.awaited,
            "named": standing.named,
            "missed": standing.missed,
            "late": standing.late,
            "cut": standing.cuts,
            "compared": agreement.compared,
            "differed": agreement.differed,
        })
    };
    let all = json!({
        "schema": "ecode/status/1",
        "step": step,
        "steps_per_s": rate(facts, *step),
        "unverified_from": facts.unproved,
        "named": facts.named,
        "rows": rows.iter().enumerate().map(row).collect::<Vec<_>>(),
    });
    format!("{all}\n")
}

fn metrics(facts: &Facts, (step, rows): &(u64, Vec<Standing>)) -> String {
    let mut text = String::new();
    let mut one = |name: &str, kind: &str, about: &str, values: &[(String, f64)]| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "# HELP ecode_{name} {about}\n# TYPE ecode_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(text, "ecode_{name}{labels} {value}");
        }
    };
    let alone = |value: f64| vec![(String::new(), value)];
    one("step", "gauge", "Steps done.", &alone(*step as f64));
    one("steps_per_second", "gauge", "Since this server was started.", &alone(rate(facts, *step)));
    let unproved = f64::from(u8::from(facts.unproved.is_some()));
    one("unverified", "gauge", "1 once a decode was not proved.", &alone(unproved));
    let each = |value: &dyn Fn(usize, &Standing) -> f64| -> Vec<(String, f64)> {
        rows.iter()
            .enumerate()
            .map(|(row, standing)| (format!("{{row=\"{row}\"}}"), value(row, standing)))
            .collect()
    };
    let yes = |yes: bool| f64::from(u8::from(yes));
    one(
        "row_connected",
        "gauge",
        "Whether the worker is connected.",
        &each(&|_, row| yes(row.connection.is_some())),
    );
    one("row_awaited", "gauge", "Whether steps wait for it.", &each(&|_, row| yes(row.awaited)));
    one("row_named", "gauge", "Whether it was proved to lie.", &each(&|_, row| yes(row.named)));
    one("row_missed_total", "counter", "Blocks closed without its vote.", &each(&|_, row| row.missed as f64));
    one("row_late_total", "counter", "Votes that came too late.", &each(&|_, row| row.late as f64));
    one("row_cut_total", "counter", "Connections cut for rubbish.", &each(&|_, row| row.cuts as f64));
    let differed = |row: usize, _: &Standing| facts.agreements.get(row).map_or(0.0, |a| a.differed as f64);
    one("row_differed_total", "counter", "Coordinates voted against the decode.", &each(&differed));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{error}"));
        stream.write_all(request.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{error}"));
        answer
    }

    #[test]
    fn the_pages_say_where_the_rows_stand() -> Result<(), Box<dyn std::error::Error>> {
        let facts = Facts {
            began: Instant::now(),
            first: 3,
            named: vec![Named { worker: 1, step: 5 }],
            agreements: vec![Agreement::default(), Agreement { compared: 10, differed: 7 }],
            unproved: None,
        };
        let mut awaited = Standing::default();
        awaited.awaited = true;
        let rows = move || (9, vec![awaited, Standing::default()]);
        let (sender, probes) = std::sync::mpsc::channel();
        let probe = move |stream| sender.send(stream).map_err(io::Error::other);
        let shown = Status::show("127.0.0.1:0".parse()?, Arc::new(Mutex::new(facts)), rows, probe)?;
        let page = |name: &str| get(shown.address(), &format!("GET {name} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(page("/healthz").ends_with("\r\n\r\nok\n"));
        let status = page("/status");
        let status: serde_json::Value =
            serde_json::from_str(status.split("\r\n\r\n").nth(1).unwrap_or_default())?;
        assert_eq!((&status["step"], &status["rows"][1]["differed"]), (&9.into(), &7.into()));
        assert_eq!((&status["rows"][0]["awaited"], &status["named"][0]["worker"]), (&true.into(), &1.into()));
        let metrics = page("/metrics");
        for line in
            ["ecode_step 9\n", "ecode_row_awaited{row=\"0\"} 1\n", "ecode_row_differed_total{row=\"1\"} 7\n"]
        {
            assert!(metrics.contains(line), "{metrics}");
        }
        assert!(page("/etc/passwd").starts_with("HTTP/1.1 404 "));
        assert!(get(shown.address(), "POST /status HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        // Whoever speaks HTTP/2 is handed over, with all that it has said.
        let mut stream = TcpStream::connect(shown.address())?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
        let mut said = [0; 24];
        probes.recv()?.read_exact(&mut said)?;
        assert!(said.ends_with(b"SM\r\n\r\n"));
        Ok(())
    }
}
