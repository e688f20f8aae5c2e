//! Promise: what a user asked to have written appears whole or not at all, and nothing that it must not touch is
//! touched.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use ecode::format::{Aside, Written, check_writable, write_whole};

/// Runs a shell line in a folder, with `ecode` as a command and `a.json` there.
fn shell(folder: &Path, line: &str) -> Output {
    let program = assert_cmd::cargo::cargo_bin!("ecode");
    fs::write(folder.join("a.json"), "[[1,0,0,0,0],[0,1,1,1,0],[1,1,1,1,1],[1,1,1,1,1],[1,1,1,1,1]]")
        .unwrap();
    let line = format!("ecode() {{ \"$ECODE\" \"$@\"; }}; {line}");
    Command::new("bash").args(["-c", &line]).env("ECODE", program).current_dir(folder).output().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_keeps_its_mode_and_a_new_one_follows_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    for kept in [0o600, 0o640, 0o755] {
        let path = folder.path().join("old");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
        assert_eq!(write_whole(&path, b"new").unwrap(), Written::Whole);
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (kept, b"new".to_vec()));
    }
    for (umask, expected) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let output =
            shell(folder.path(), &format!("umask {umask}; ecode export a.json --to csv -o new-{umask}"));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(mode(&folder.path().join(format!("new-{umask}"))), expected, "umask {umask}");
    }
}

#[test]
fn links_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::create_dir(place("inner")).unwrap();
    fs::write(place("inner/target"), "old").unwrap();
    symlink("inner/target", place("link")).unwrap();
    symlink("link", place("link-to-link")).unwrap();
    symlink("inner/missing", place("dangling")).unwrap();
    symlink("circle", place("circle")).unwrap();
    write_whole(&place("link-to-link"), b"new").unwrap();
    write_whole(&place("dangling"), b"made").unwrap();
    assert_eq!(fs::read(place("inner/target")).unwrap(), b"new");
    assert_eq!(fs::read(place("inner/missing")).unwrap(), b"made");
    for link in ["link", "link-to-link", "dangling"] {
        assert!(fs::symlink_metadata(place(link)).unwrap().is_symlink(), "{link}");
    }
    assert!(write_whole(&place("circle"), b"new").is_err());
    assert!(write_whole(&place("inner"), b"new").is_err(), "a folder");
    assert_eq!(names(&place("inner")), ["missing", "target"]);
}

/// For every option that writes a file.
#[test]
fn what_is_no_regular_file_is_written_into() {
    let folder = tempfile::tempdir().unwrap();
    for (command, start) in [
        ("export a.json --to csv -o", "1,0,0,0,0"),
        ("design --n 5 --b 1 -q -o", "{"),
        ("verify a.json --b 1 -q --certificate", "{"),
        ("verify a.json --b 1 -q --shard 0/1 -o", "{"),
        ("show a.json --svg", "<"),
        ("show a.json --html", "<"),
        ("analyze a.json --html", "<"),
        ("compare a.json --html", "<"),
    ] {
        let line = format!(
            "rm -f fifo; mkfifo fifo; cat fifo > from-fifo & ecode {command} fifo >/dev/null && wait && test -p fifo && \
             ecode {command} >(cat > from-substitution) >/dev/null && sleep 0.2 && cat from-fifo"
        );
        let output = shell(folder.path(), &line);
        assert!(output.status.success(), "{command}: {output:?}");
        assert!(output.stdout.starts_with(start.as_bytes()), "{command}: {output:?}");
        assert!(fs::symlink_metadata(folder.path().join("fifo")).unwrap().file_type().is_fifo());
        let other = fs::read(folder.path().join("from-substitution")).unwrap();
        assert!(other.starts_with(start.as_bytes()), "{command}");
    }
}

/// The shell opened the file: it wants its descriptor written, whatever the link of it says.
#[test]
fn descriptors_are_written_where_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let line = "echo before > o; ecode export a.json --to txt -o /dev/stdout >> o; echo after >> o; cat o";
    let output = shell(folder.path(), line);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "before\n10000\n01110\n11111\n11111\n11111\nafter\n"
    );
    let line =
        "exec 3>three; echo before >&3; ecode export a.json --to txt -o /dev/fd/3; echo after >&3; cat three";
    let output = shell(folder.path(), line);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "before\n10000\n01110\n11111\n11111\n11111\nafter\n"
    );
}

#[test]
fn what_a_killed_writer_left_is_cleared_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("matrix.json");
    let living = Aside::beside(&target).unwrap();
    fs::write(folder.path().join(".matrix.json.ecode-dead"), "half").unwrap();
    fs::write(folder.path().join(".other.json.ecode-dead"), "half").unwrap();
    write_whole(&target, b"whole").unwrap();
    let aside = living.path().file_name().unwrap().to_str().unwrap().to_owned();
    let mut expected = vec![".other.json.ecode-dead".to_owned(), aside, "matrix.json".to_owned()];
    expected.sort();
    assert_eq!(names(folder.path()), expected, "the dead go, the living and those of others stay");
    living.commit().unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"", "the last to finish has the file");
}

#[test]
fn names_may_be_as_long_as_the_system_lets_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n".repeat(255));
    write_whole(&path, b"whole").unwrap();
    write_whole(&path, b"again").unwrap();
    assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"again".to_vec(), 1));
}

/// Root may write everything; then there is nothing to see.
#[test]
fn a_protected_file_is_refused_and_one_in_a_protected_folder_is_written_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "a longer old text").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let root = File::options().write(true).open(&path).is_ok();
    if !root {
        assert!(write_whole(&path, b"new").is_err() && check_writable(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"a longer old text");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
        check_writable(&path).unwrap();
        assert_eq!(write_whole(&path, b"new").unwrap(), Written::InPlace);
        assert!(check_writable(&folder.path().join("another")).is_err());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
    assert!(check_writable(Path::new("no/such/folder/file")).is_err());
}

/// Where a file system is full, or a limit is met, the old file stays.
#[test]
fn a_limit_on_sizes_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let line = "ecode export a.json --to csv -o old; cp old kept; ulimit -f 1; ecode design --n 63 --b 3 -q -o old >/dev/null; \
                echo $?; cmp old kept";
    let output = shell(folder.path(), line);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (String::from_utf8(output.stdout).unwrap().as_str(), output.status.code()),
        ("2\n", Some(0)),
        "{error}"
    );
    assert!(error.contains("cannot write old: File too large"), "{error}");
    assert_eq!(names(folder.path()), ["a.json", "kept", "old"]);
}
