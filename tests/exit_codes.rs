//! Promise: an exit code means what it says whatever becomes of standard output and standard error, and standard
//! output holds one document at most.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn shell(line: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let line = format!(
        "ecode() {{ \"$ECODE\" \"$@\"; }}; echo '[[1,0,0,0,0],[0,1,1,1,0],[1,1,1,1,1],[1,1,1,1,1],[1,1,1,1,1]]' > a.json; {line}"
    );
    let program = assert_cmd::cargo::cargo_bin!("ecode");
    Command::new("bash")
        .args(["-c", &line])
        .env("ECODE", program)
        .current_dir(folder.path())
        .output()
        .unwrap()
}

fn out(line: &str) -> String {
    String::from_utf8(shell(line).stdout).unwrap().trim().to_owned()
}

/// Every verdict's code, with a reader that has gone, a full device, and closed descriptors.
#[test]
fn verdicts_codes_survive_their_readers() {
    for (command, code) in [
        ("verify a.json --b 1", 0),
        ("verify a.json --b 2", 1),
        ("verify a.json --b 2 --json", 1),
        ("verify a.json --b 1 --method exhaustive --timeout 0s", 3),
        ("verify nope.json", 2),
        ("verify a.json --no-such-flag", 2),
    ] {
        for fate in
            [">/dev/full", "2>/dev/full", ">&-", "2>&-", ">/dev/full 2>/dev/full", ">&- 2>&-", "<&- >&- 2>&-"]
        {
            assert_eq!(
                out(&format!("(ecode {command} {fate}) >/dev/null 2>&1; echo $?")),
                code.to_string(),
                "{command} {fate}"
            );
        }
        let gone = format!("{{ sleep 0.1; ecode {command} 2>&1; }} | true; echo ${{PIPESTATUS[0]}}");
        assert_eq!(out(&gone), code.to_string(), "{command}");
        let gone = format!(
            "{{ {{ sleep 0.1; ecode {command} >/dev/null; }} 2>&1 | true; }}; echo ${{PIPESTATUS[0]}}"
        );
        assert_eq!(out(&gone), code.to_string(), "{command}: standard error");
    }
}

/// A document that could not be delivered is no success.
#[test]
fn a_document_on_a_full_device_is_an_error() {
    for command in [
        "export a.json --to csv",
        "design --n 5 --b 1 --json",
        "show a.json --svg -",
        "design --n 5 --b 1 -o -",
    ] {
        let output = shell(&format!("ecode {command} >/dev/full"));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {error}");
        assert!(error.contains("cannot write to standard output: No space left"), "{command}: {error}");
    }
}

#[test]
fn one_document_on_standard_output_or_a_usage_error() {
    for command in [
        "design --n 5 --b 1 --json -o -",
        "design --n 5 --b 1 --json -o /dev/stdout",
        "verify a.json --b 1 --json --certificate -",
        "verify a.json --b 1 --json --shard 0/1 -o -",
        "verify a.json --b 1 --checkpoint -",
        "show a.json --svg - --html -",
        "show a.json --svg same --html same",
        "analyze a.json --json --html -",
        "compare a.json --csv --html /dev/fd/1",
        "search --n 5 --b 1 --json -o -",
        "search --n 5 --b 1 --state -",
    ] {
        let output = shell(&format!("ecode {command} | cat; exit ${{PIPESTATUS[0]}}"));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{command}: {error}");
        assert_eq!(error.lines().count(), 1, "{command}: {error}");
    }
}

/// The document alone on standard output, the report on standard error.
#[test]
fn a_dash_is_standard_output() {
    for (command, reader) in [
        ("design --n 5 --b 1 -o -", "ecode verify - --b 1"),
        ("verify a.json --b 1 --certificate -", "ecode check -"),
        ("verify a.json --b 1 --shard 0/1 -o -", "cat > part; ecode merge part"),
        ("search --n 5 --b 1 -o -", "ecode verify -"),
    ] {
        let output = shell(&format!(
            "ecode {command} 2>report | {{ {reader}; }} >/dev/null && test -s report && ! test -e ./-"
        ));
        assert!(output.status.success(), "{command}: {output:?}");
    }
}

#[test]
fn a_number_below_zero_is_a_value() {
    let error =
        String::from_utf8(shell("ecode train --code a.json --lr -1 --steps 1 --run r").stderr).unwrap();
    assert!(
        error.contains("lr") && error.contains("-1") && !error.contains("unexpected argument"),
        "{error}"
    );
}
