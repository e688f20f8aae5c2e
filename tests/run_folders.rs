//! Promise: a run folder belongs to one process, and the second says which; a grid is shared by as many processes as
//! there are, each run trained once; a run that diverges or fails is a result, and its folder says so.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

fn ecode(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ecode"));
    command.current_dir(folder).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    ecode(folder, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn summary(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("summary.json")).unwrap()).unwrap()
}

const LONG: [&str; 9] =
    ["train", "--code", "algorithm1:n=5,b=1", "--steps", "9000000", "--batch", "4", "-q", "--run"];

/// A run that is being trained.
fn living(folder: &Path, name: &str) -> Child {
    let mut child = ecode(folder, &[&LONG[..], &[name]].concat()).spawn().unwrap();
    while !folder.join(name).join("metrics.jsonl").metadata().is_ok_and(|log| log.len() > 0) {
        assert!(child.try_wait().unwrap().is_none(), "it trains");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

/// The second is told who holds it, whether it begins the run or goes on; a killed process holds nothing.
#[test]
fn a_folder_belongs_to_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = living(folder.path(), "two");
    let holder = format!("error: two is in use by process {} on ", first.id());
    for arguments in [&[&LONG[..], &["two"]].concat()[..], &["train", "--run", "two", "--resume"]] {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert!(error.starts_with(&holder) && error.lines().count() == 1, "{error}");
    }
    // Whoever only reads is not kept out.
    let output = run(folder.path(), &["plot", "two", "-o", "p.svg"]);
    assert!(!text(&output.stderr).contains("in use"), "{}", text(&output.stderr));
    first.kill().unwrap();
    first.wait().unwrap();
    let output = run(folder.path(), &["train", "--run", "two", "--resume", "--timeout", "2s"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert_eq!(summary(&folder.path().join("two"))["status"], "interrupted");
}

const GRID: &str = "settings = [{ n = 5, b = 1 }]\nschemes = [\"best\", \"uncoded\"]\n\
                    attacks = [\"reverse\", \"random\"]\nseeds = [0, 1]\n[base]\nsteps = 400\nbatch = 8\n";

/// Three processes, one of which is killed, train every run once and all give the same table as one alone.
#[test]
fn a_grid_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("grid.toml"), GRID).unwrap();
    let alone = run(folder.path(), &["sweep", "grid.toml", "-q", "--run", "alone"]);
    assert_eq!(alone.status.code(), Some(0), "{}", text(&alone.stderr));
    let sweep = || ecode(folder.path(), &["sweep", "grid.toml", "-q", "--run", "shared"]).spawn().unwrap();
    let mut dies = sweep();
    let others = [sweep(), sweep()];
    std::thread::sleep(Duration::from_millis(150));
    dies.kill().unwrap();
    dies.wait().unwrap();
    for other in others {
        let output = other.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout), text(&alone.stdout));
    }
    for scheme in ["best", "uncoded"] {
        for rest in ["reverse/seed0", "reverse/seed1", "random/seed0", "random/seed1"] {
            let name = format!("n5-b1/{scheme}/{rest}");
            let [alone, shared] = ["alone", "shared"].map(|base| folder.path().join(base).join(&name));
            assert_eq!(summary(&alone)["parameters_digest"], summary(&shared)["parameters_digest"], "{name}");
            let lines =
                |run: &Path| std::fs::read_to_string(run.join("metrics.jsonl")).unwrap().lines().count();
            assert_eq!(lines(&alone), lines(&shared), "{name}");
        }
    }
}

/// A cell that diverges says so, the rest is trained, and a second sweep trains nothing again.
#[test]
fn a_cell_that_diverges_is_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let grid = "settings = [{ n = 5, b = 1 }]\nschemes = [\"uncoded+mean\", \"uncoded+median\"]\n\
                attacks = [\"ipm\"]\nseeds = [0, 1]\n[base]\nsteps = 20\nbatch = 8\nmomentum-at = \"server\"\nattack-scale = 1e38\n";
    std::fs::write(folder.path().join("grid.toml"), grid).unwrap();
    for _ in 0..2 {
        let output = run(folder.path(), &["sweep", "grid.toml", "-q"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let table = text(&output.stdout);
        assert!(table.contains("| diverged ") && table.contains(" ± "), "{table}");
    }
    let output = run(folder.path(), &["sweep", "grid.toml", "-q", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["cells"][0]["diverged"], &json["cells"][0]["mean"]), (&2.into(), &Value::Null));
    let one = summary(&folder.path().join("runs/grid/n5-b1/uncoded+mean/ipm/seed0"));
    assert_eq!(one["status"], "diverged");
    assert!(one["reason"].as_str().unwrap().starts_with("the run diverged: the training loss is"));
}

/// What cannot be trained is found before anything is.
#[test]
fn all_cells_are_checked_first() {
    let folder = tempfile::tempdir().unwrap();
    for (change, to, expected) in [
        ("{ n = 5, b = 1 }", "{ n = 5, b = 1 }, { n = 5, b = 7 }", "n5-b7/best/reverse/seed0"),
        ("\"uncoded\"]", "\"cyclic:degree=3\"]", "cyclic"),
        ("\"uncoded\"]", "\"uncoded+bucketing:5+krum\"]", "krum"),
        ("batch = 8", "batch = 5000", "the data has 5000 to train on"),
        (
            "batch = 8",
            "batch = 8\non-excess = \"stop\"",
            "on-excess is stop: 1 worker lies, the code is verified for 0",
        ),
    ] {
        std::fs::write(folder.path().join("grid.toml"), GRID.replace(change, to)).unwrap();
        let output = run(folder.path(), &["sweep", "grid.toml", "-q"]);
        assert_eq!(output.status.code(), Some(2), "{to}");
        let error = text(&output.stderr);
        assert!(error.contains(expected) && error.lines().count() == 1, "{to}: {error}");
        assert!(!folder.path().join("runs").exists(), "{to}");
    }
}

/// What had ended counts where a sweep is stopped, over as many runs as there are.
#[test]
fn a_stopped_sweep_tells_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let few = "settings = [{ n = 5, b = 1 }]\nschemes = [\"best\"]\nattacks = [\"random\"]\nseeds = [1]\n\
               [base]\nsteps = 400\nbatch = 8\n";
    std::fs::write(folder.path().join("few.toml"), few).unwrap();
    assert!(run(folder.path(), &["sweep", "few.toml", "-q", "--run", "all"]).status.success());
    std::fs::write(folder.path().join("more.toml"), few.replace("seeds = [1]", "seeds = [0, 1]")).unwrap();
    // Stopped before the first: the one of the second seed is there.
    let output = run(folder.path(), &["sweep", "more.toml", "-q", "--run", "all", "--timeout", "0s"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("(1 of 2)") && table.contains("over 1 of 2 seeds"), "{table}");
    assert!(text(&output.stderr).contains("stopped after 1 of 2 runs"), "{}", text(&output.stderr));
}

/// A failed audit and a run that diverges exit with 1, say so in their folders, and are final.
#[test]
fn a_folder_says_what_became_of_its_run() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments, status, reason) in [
        (
            "audit",
            &["--code", "uncoded:n=5", "--byzantine", "2", "--attack", "omniscient", "--audit"][..],
            "failed",
            "audit: in step 0 the decode is wrong on",
        ),
        (
            "diverges",
            &[
                "--code",
                "uncoded:n=5",
                "--byzantine",
                "1",
                "--aggregator",
                "mean",
                "--lr",
                "1e38",
                "--momentum",
                "0",
            ],
            "diverged",
            "the run diverged: the training loss is",
        ),
    ] {
        let all = [&["train", "--steps", "9", "--batch", "8", "-q", "--run", name], arguments].concat();
        let output = run(folder.path(), &all);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(reason), "{}", text(&output.stdout));
        let summary = summary(&folder.path().join(name));
        assert_eq!(summary["status"], status);
        assert!(summary["reason"].as_str().unwrap().starts_with(reason));
        assert_eq!(summary["program"]["version"], env!("CARGO_PKG_VERSION"));
        let log = || std::fs::read_to_string(folder.path().join(name).join("metrics.jsonl")).unwrap();
        let before = log();
        let again = run(folder.path(), &["train", "--run", name, "--resume", "-q"]);
        assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
        assert_eq!(log(), before, "it stays as it was");
    }
}

/// A test loss that is not finite is written, read and finished.
#[test]
fn a_loss_that_is_not_finite_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "--byzantine",
        "1",
        "--aggregator",
        "mean",
        "--lr",
        "1e38",
        "--momentum",
        "0",
        "--steps",
        "1",
        "--batch",
        "8",
    ];
    let all = [&["train", "--code", "uncoded:n=5", "-q", "--run", "r"], &arguments[..]].concat();
    let output = run(folder.path(), &all);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("not finite"), "{}", text(&output.stdout));
    assert_eq!(summary(&folder.path().join("r"))["final"]["test_loss"], Value::Null);
    assert_eq!(run(folder.path(), &["train", "--run", "r", "--resume", "-q"]).status.code(), Some(0));
}

/// A length that was said in epochs stays one when the configuration is used again.
#[test]
fn epochs_stay_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let first =
        ["train", "--code", "algorithm1:n=5,b=1", "--epochs", "2", "--batch", "20", "-q", "--run", "r"];
    assert!(run(folder.path(), &first).status.success());
    let again = ["train", "--config", "r/config.toml", "--batch", "40", "-q", "--run", "q"];
    assert!(run(folder.path(), &again).status.success());
    let [one, two] = ["r", "q"].map(|name| summary(&folder.path().join(name)));
    assert_eq!((one["steps"].as_u64(), two["steps"].as_u64()), (Some(100), Some(50)));
    assert_eq!((&one["final"]["epoch"], &two["final"]["epoch"]), (&2.0.into(), &2.0.into()));
    // Who lies is worked out anew for another code, too.
    let other = ["train", "--config", "r/config.toml", "--code", "algorithm1:n=9,b=2", "-q", "--run", "o"];
    assert!(run(folder.path(), &other).status.success());
    assert_eq!(summary(&folder.path().join("o"))["config"]["byzantine"], 2);
}

/// With two classes the best step is by the area under the curve, as in the tables.
#[test]
fn the_best_step_is_by_the_metric_of_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = "ACTION,RESOURCE,MGR_ID,ROLE_ROLLUP_1,ROLE_ROLLUP_2,ROLE_DEPTNAME,ROLE_TITLE,ROLE_FAMILY_DESC,ROLE_FAMILY,ROLE_CODE\n".to_owned();
    for i in 0..600_u32 {
        let mixed = i.wrapping_mul(2_654_435_761) >> 16;
        lines += &format!("{},{},{},1,2,3,4,5,6,7\n", u32::from(mixed % 10 > 0), mixed % 6, mixed / 7 % 6);
    }
    std::fs::write(folder.path().join("t.csv"), lines).unwrap();
    let train =
        ["train", "--code", "algorithm1:n=5,b=1", "--data", "amazon:t.csv", "--steps", "12", "--batch", "8"];
    assert!(run(folder.path(), &[&train[..], &["-q", "--run", "r"]].concat()).status.success());
    let log = std::fs::read_to_string(folder.path().join("r/metrics.jsonl")).unwrap();
    let areas =
        log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["test_auc"].as_f64().unwrap());
    let best = areas.fold(f64::MIN, f64::max);
    assert_eq!(summary(&folder.path().join("r"))["best"]["test_auc"].as_f64(), Some(best));
}
