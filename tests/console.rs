//! Promise: what README.md and docs/ show in console blocks is what happens.
//!
//! The blocks of a page run one after the other in a folder of their own, in which `fixtures`, `docs` and `examples`
//! are those of the repository. A line `$ COMMAND` is run by bash; lines below it, where there are any, are its standard
//! output. `# exit code N` in a command says how it ends; otherwise it ends with 0. In the output `[..]` stands for
//! any text within a line and a line `⋮` for any lines; times, and the padding of tables, are not compared. A block
//! `json` right after a console block is the last command's output as a value: "…" stands for any value, and for the
//! rest of a list.
//!
//! A block that cannot run here has the info string `console not-run: REASON`. These are counted and listed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Why a block may be left out.
const REASONS: [&str; 7] = ["network", "GPU", "minutes", "MPI", "Slurm", "builds", "other programs"];
/// How many blocks of all pages are not run. Whoever marks one more says so here.
const NOT_RUN: usize = 40;

/// A fenced block of a page.
struct Block {
    line: usize,
    info: String,
    lines: Vec<String>,
    /// Whether nothing but empty lines stands between it and the block before.
    adjoins: bool,
}

/// A command of a console block, with the output that the page shows.
struct Step {
    command: String,
    shown: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and everything below docs/.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut open, mut adjoins) = (false, false);
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, open) {
            (Some(info), false) => {
                let (line, info) = (number + 1, info.trim().to_owned());
                blocks.push(Block { line, info, lines: Vec::new(), adjoins });
                open = true;
            }
            (Some(_), true) => (open, adjoins) = (false, true),
            (None, true) => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            (None, false) => adjoins &= line.trim().is_empty(),
        }
    }
    assert!(!open, "a block is never closed");
    blocks
}

fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for line in &block.lines {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), shown: Vec::new() });
            goes_on = command.ends_with('\\');
        } else {
            let step = steps.last_mut().expect("a console block begins with a command");
            let more = line.strip_prefix("> ");
            if goes_on || more.is_some() {
                step.command += "\n";
                step.command += more.unwrap_or(line);
                goes_on = line.ends_with('\\');
            } else {
                step.shown.push(line.clone());
            }
        }
    }
    steps
}

fn run(folder: &Path, command: &str) -> Output {
    let ecode = Path::new(env!("CARGO_BIN_EXE_ecode")).parent().unwrap();
    let path = format!("{}:{}", ecode.display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    bash.args(["-c", command])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "200");
    bash.output().expect("bash runs")
}

/// A line without what differs from run to run: times, and with them the padding of tables.
fn settled(line: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in line.split_whitespace() {
        let unit = ["ns", "µs", "ms", "s"].contains(&word.trim_end_matches([',', '.']));
        let last = words.last().and_then(|last| last.parse::<f64>().ok());
        if unit && last.is_some() {
            *words.last_mut().unwrap() = "[time]";
        } else {
            words.push(word);
        }
    }
    let text = words.join(" ");
    // A rule of a table is as long as its column is wide.
    let rule = text.starts_with("|-") && text.chars().all(|c| "|-".contains(c));
    if rule { "|".repeat(text.matches('|').count()) } else { text }
}

/// Whether `line` is `pattern`, in which `[..]` stands for any text.
fn fits(pattern: &str, line: &str) -> bool {
    let mut pieces = pattern.split("[..]");
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// Whether the output is what the page shows, in which a line `⋮` stands for any lines.
fn shows(shown: &[String], lines: &[String]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "⋮" => {
            (0..=lines.len()).any(|skip| shows(rest, &lines[skip..]))
        }
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, lines)| fits(first, line) && shows(rest, lines))
        }
    }
}

/// Whether a value is what the page shows, in which "…" stands for any value, and for the rest of a list.
fn agrees(shown: &Value, value: &Value) -> bool {
    match (shown, value) {
        (Value::String(any), _) if any == "…" => true,
        (Value::Object(shown), Value::Object(value)) => {
            shown.keys().eq(value.keys()) && shown.iter().all(|(key, shown)| agrees(shown, &value[key]))
        }
        (Value::Array(shown), Value::Array(value)) => match shown.split_last() {
            Some((last, shown)) if last == "…" && shown.len() <= value.len() => {
                shown.iter().zip(value).all(|(shown, value)| agrees(shown, value))
            }
            _ => shown.len() == value.len() && shown.iter().zip(value).all(|(a, b)| agrees(a, b)),
        },
        (Value::Number(shown), Value::Number(value)) => shown.as_f64() == value.as_f64(),
        (Value::String(shown), Value::String(value)) => fits(&shown.replace('…', "[..]"), value),
        _ => shown == value,
    }
}

fn expected_exit(command: &str) -> i32 {
    let (_, after) = command.split_once("# exit code ").unwrap_or(("", "0"));
    after.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Runs the blocks of a page. What went otherwise than the page says, and which blocks were not run.
fn check(page: &Path) -> (Vec<String>, Vec<String>) {
    let name = page.strip_prefix(root()).unwrap().display().to_string();
    let folder = tempfile::tempdir().unwrap();
    for shared in ["fixtures", "docs", "examples"] {
        symlink(root().join(shared), folder.path().join(shared)).unwrap();
    }
    let (mut wrong, mut left_out) = (Vec::new(), Vec::new());
    let mut last: Option<(String, Output)> = None;
    for block in blocks(&fs::read_to_string(page).unwrap()) {
        let place = format!("{name}:{}", block.line);
        if block.info == "json" && block.adjoins {
            if let Some((command, output)) = last.take() {
                let shown: Value = serde_json::from_str(&block.lines.join("\n"))
                    .unwrap_or_else(|error| panic!("{place}: {error}"));
                let value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
                if !agrees(&shown, &value) {
                    wrong.push(format!("{place}: {command}\nshown: {shown}\nfound: {value}"));
                }
            }
            continue;
        }
        last = None;
        if let Some(reason) = block.info.strip_prefix("console not-run: ") {
            assert!(REASONS.contains(&reason), "{place}: '{reason}' is none of {REASONS:?}");
            left_out.push(format!("{place}: {reason}"));
            continue;
        }
        if block.info != "console" {
            assert!(!block.info.starts_with("console"), "{place}: what is '{}'?", block.info);
            continue;
        }
        for Step { command, shown } in steps(&block) {
            let output = run(folder.path(), &command);
            let (stdout, stderr) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let expected = expected_exit(&command);
            if output.status.code() != Some(expected) {
                wrong.push(format!(
                    "{place}: {command}\nends with {}, not {expected}\n{stdout}{stderr}",
                    output.status
                ));
            }
            let shown: Vec<String> = shown.iter().map(|line| settled(line)).collect();
            let found: Vec<String> = stdout.trim_end().lines().map(settled).collect();
            if !shown.is_empty() && !shows(&shown, &found) {
                wrong.push(format!(
                    "{place}: {command}\nshown:\n{}\nfound:\n{}",
                    shown.join("\n"),
                    found.join("\n")
                ));
            }
            last = Some((command, output));
        }
    }
    (wrong, left_out)
}

#[test]
fn console_blocks() {
    let pages = pages();
    let results: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| scope.spawn(|| check(page))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (wrong, left_out): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    let (wrong, left_out) = (wrong.concat(), left_out.concat());
    println!("{} blocks are not run:\n  {}", left_out.len(), left_out.join("\n  "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(left_out.len(), NOT_RUN, "blocks are marked as not run:\n  {}", left_out.join("\n  "));
}

#[test]
fn what_is_compared() {
    assert!(fits("a [..] c", "a b b c") && !fits("a [..] c", "a b") && !fits("a", "ab") && fits("", ""));
    assert_eq!(settled("| 5 | 290 µs |"), settled("| 5   | 1.3 ms |"));
    assert_eq!(settled("trained, in 160 ms."), settled("trained, in 2.30 s."));
    assert_ne!(settled("| 5 | 290 |"), settled("| 6 | 290 |"));
    let lines = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    assert!(shows(&lines("a/⋮/d"), &lines("a/b/c/d")) && !shows(&lines("a/⋮/d"), &lines("a/b/c")));
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert!(agrees(&json(r#"{"a":[1,"…"],"b":"x…"}"#), &json(r#"{"a":[1,2],"b":"xy"}"#)));
    assert!(!agrees(&json(r#"{"a":1}"#), &json(r#"{"a":1,"b":2}"#)));
    assert!(!agrees(&json("[1]"), &json("[1,2]")) && !agrees(&json("1"), &json("2")));
}
