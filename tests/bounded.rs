//! Promise: no file that a command reads takes more memory than a small multiple of its bytes, whatever is in it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::zombie_processes, reason = "wait4 waits, and tells the memory")]

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// A file: its beginning, what is repeated until it has its size, and its end.
struct Hostile(&'static str, &'static [u8], &'static [u8], &'static [u8]);

/// Each means far more than it holds to a careless reader.
const FILES: [Hostile; 22] = [
    Hostile("lines.txt", b"", b"0\n", b""),
    Hostile("line.txt", b"", b"0", b""),
    Hostile("lines.csv", b"", b"0\n", b""),
    Hostile("line.csv", b"", b"0,", b"0"),
    Hostile("names.csv", b"", b"a,", b"a\n"),
    Hostile("trials.csv", b"1,0\n", b"4,4\n", b""),
    Hostile("quote.csv", b"\"", b"0,\n", b""),
    Hostile("lines.tsv", b"", b"0\t1\n", b""),
    Hostile("rows.json", b"[", b"[0],", b"[0]]"),
    Hostile("row.json", b"[[", b"0,", b"0]]"),
    Hostile("empty.json", b"[", b"[],", b"[]]"),
    Hostile("made.json", b"{\"construction\":{\"a\":[", b"0,", b"0]},\"G\":[[1]]}"),
    Hostile("claim.json", b"{\"verification\":{\"a\":[", b"{},", b"{}]},\"G\":[[1]]}"),
    Hostile("other.json", b"{\"other\":[", b"{},", b"{}],\"G\":[[1]]}"),
    Hostile("deep.json", b"", b"[", b""),
    Hostile("text.json", b"{\"schema\":\"", b"x", b"\",\"G\":[[1]]}"),
    Hostile("entries.mtx", b"%%MatrixMarket matrix coordinate pattern general\n4096 4096 9\n", b"1 1\n", b""),
    Hostile("words.mtx", b"%%MatrixMarket matrix coordinate pattern general\n4096 4096 9\n", b"1 ", b"\n"),
    Hostile("weights.alist", b"4096 4096\n4096 4096\n", b"1 ", b"\n"),
    Hostile("zeros.alist", b"1 1\n1 1\n1\n1\n", b"0 ", b"\n"),
    Hostile("header.npy", b"", b"\x93NUMPY", b""),
    Hostile(
        "shape.npy",
        b"\x93NUMPY\x02\x00\xff\xff\x0f\x00{'descr':'|u1','fortran_order':False,'shape':(",
        b"1,",
        b"",
    ),
];

/// Writes it piece by piece: what this process holds counts as its child's.
fn write(path: &Path, file: &Hostile, size: usize) {
    let mut to = BufWriter::new(File::create(path).unwrap());
    to.write_all(file.1).unwrap();
    for _ in 0..size / file.2.len() {
        to.write_all(file.2).unwrap();
    }
    to.write_all(file.3).unwrap();
    to.flush().unwrap();
}

/// A small archive of a large array.
fn bomb(path: &Path, size: usize) {
    let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
    let packed =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("G.npy", packed).unwrap();
    let header =
        b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (4096, 4096), }     \n";
    archive.write_all(header).unwrap();
    for _ in 0..size / 1024 {
        archive.write_all(&[0; 1024]).unwrap();
    }
    archive.finish().unwrap();
}

/// The same of whatever else is read. `RUN` is a folder with a run that was interrupted.
const OTHERS: [(&str, Hostile); 29] = [
    (
        "check FILE",
        Hostile("cases.json", b"{\"schema\":\"ecode/bound-certificate/1\",\"cases\":[", b"{},", b"{}]}"),
    ),
    (
        "check FILE",
        Hostile("rows.json", b"{\"schema\":\"ecode/distortion-certificate/1\",\"G\":[", b"[],", b"[]]}"),
    ),
    ("check FILE", Hostile("lists.json", b"{\"a\":[", b"[],", b"[]]}")),
    (
        "check FILE",
        Hostile("sides.json", b"{\"schema\":\"ecode/certificate/1\",\"sides\":[", b"{},", b"{}]}"),
    ),
    (
        "check FILE",
        Hostile(
            "proof.json",
            b"{\"schema\":\"ecode/certificate/1\",\"sides\":[{\"proof\":\"",
            b"\\n",
            b"\"}]}",
        ),
    ),
    ("check FILE", Hostile("row.json", b"{\"schema\":\"ecode/certificate/1\",\"G\":[[", b"0,", b"0]]}")),
    ("merge FILE", Hostile("part.json", b"{\"schema\":\"ecode/part/1\",\"sides\":[", b"{},", b"{}]}")),
    ("merge FILE", Hostile("margins.json", b"{\"margins\":[", b"0,", b"0]}")),
    ("verify a.txt --b 1 --checkpoint FILE", Hostile("state.json", b"{\"a\":[", b"{},", b"{}]}")),
    ("search --n 9 --b 1 --rounds 1 --state FILE", Hostile("state.json", b"{\"a\":[", b"{},", b"{}]}")),
    ("search --n 9 --b 1 --rounds 1 --catalogue FILE", Hostile("lines", b"", b"\n", b"x")),
    ("search --n 9 --b 1 --rounds 1 --catalogue FILE", Hostile("line", b"{\"b\":[", b"0,", b"0]}")),
    ("design --n 9 --b 1 --catalogue FILE", Hostile("lists", b"{\"rows\":[", b"[],", b"[]]}")),
    ("train --steps 1 --run new --config FILE", Hostile("list.toml", b"a = [", b"0,", b"0]")),
    ("train --steps 1 --run new --config FILE", Hostile("keys.toml", b"", b"[[a]]\n", b"")),
    ("sweep FILE", Hostile("seeds.toml", b"seeds = [", b"0,", b"0]")),
    ("sweep FILE", Hostile("nested.toml", b"a = ", b"[", b"")),
    (
        "train --steps 1 --run new --code uncoded:n=5 --data amazon:FILE",
        Hostile("rows.csv", AMAZON, b"1,2,3,4,5,6,7,8,9,1\n", b""),
    ),
    (
        "train --steps 1 --run new --code uncoded:n=5 --data amazon:FILE",
        Hostile("columns.csv", b"", b"0,", b"0\n1\n"),
    ),
    (
        "train --steps 1 --run new --code uncoded:n=5 --data amazon:FILE",
        Hostile("short.csv", AMAZON, b"\n", b""),
    ),
    ("train --run RUN --resume --timeout 4s", Hostile("RUN/config.toml", b"a = [", b"0,", b"0]")),
    ("train --run RUN --resume --timeout 4s", Hostile("RUN/run.json", b"{\"a\":[", b"{},", b"{}]}")),
    ("train --run RUN --resume --timeout 4s", Hostile("RUN/metrics.jsonl", b"", b"\n", b"")),
    ("train --run RUN --resume --timeout 4s", Hostile("RUN/metrics.jsonl", b"{\"a\":[", b"{},", b"{}]}\n")),
    (
        "train --run RUN --resume --timeout 4s",
        Hostile(
            "RUN/checkpoint/state.safetensors",
            b"\x00\x00\x00\x07\x00\x00\x00\x00{\"a\":[",
            b"{},",
            b"{}]}",
        ),
    ),
    ("train --run RUN --resume --timeout 4s", Hostile("RUN/matrix.json", b"[", b"[0],", b"[0]]")),
    ("plot RUN -o p.svg", Hostile("RUN/metrics.jsonl", b"", b"\n", b"{}\n")),
    ("plot RUN -o p.svg", Hostile("RUN/summary.json", b"{\"a\":[", b"{},", b"{}]}")),
    ("verify a.txt --b 1 --solver ./copies", Hostile("proof", b"", b"d 1 0\n", b"")),
];

/// The head of the Amazon table.
const AMAZON: &[u8] = b"ACTION,RESOURCE,MGR_ID,ROLE_ROLLUP_1,ROLE_ROLLUP_2,ROLE_DEPTNAME,ROLE_TITLE,ROLE_FAMILY_DESC,ROLE_FAMILY,ROLE_CODE\n";

/// The exit code and the peak of a command's memory in bytes.
fn peak(folder: &Path, command: &[&str]) -> (i32, u64, String) {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ecode"))
        .args(command)
        .arg("-q")
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut error = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut error).unwrap();
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: both pointers are to places of the right types; the child is ours and has not been waited for.
    let usage = unsafe {
        assert_eq!(libc::wait4(child.id() as i32, &raw mut status, 0, usage.as_mut_ptr()), child.id() as i32);
        usage.assume_init()
    };
    let kibibytes = if cfg!(target_os = "macos") { 1 } else { 1024 };
    assert!(libc::WIFEXITED(status), "{command:?} ended by signal {}", libc::WTERMSIG(status));
    (libc::WEXITSTATUS(status), usage.ru_maxrss as u64 * kibibytes, error)
}

fn within(size: usize, most: u64) {
    let folder = tempfile::tempdir().unwrap();
    let check = |path: &Path| {
        let (code, peak, error) = peak(folder.path(), &["show", path.to_str().unwrap()]);
        std::fs::remove_file(path).unwrap();
        assert!(
            code == 0 || code == 2 && error.lines().count() == 1,
            "{}: {code} {error:.300}",
            path.display()
        );
        assert!(error.len() < 1000, "{}: {error:.300}", path.display());
        assert!(peak < most, "{}: {} MiB", path.display(), peak >> 20);
    };
    for file in &FILES {
        let path = folder.path().join(file.0);
        write(&path, file, size);
        check(&path);
    }
    let path = folder.path().join("bomb.npz");
    bomb(&path, size);
    check(&path);
}

/// The same of all others.
fn others_within(size: usize, most: u64) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("a.txt"), "10000\n01110\n11111\n11111\n11111\n").unwrap();
    std::fs::write(place("copies"), "#!/bin/sh\ncp proof \"$2\"\necho s UNSATISFIABLE\nexit 20\n").unwrap();
    std::fs::set_permissions(place("copies"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let train = "train --code a.txt --steps 100000000 --batch 4 --timeout 2s --run interrupted";
    let (code, _, error) = peak(folder.path(), &train.split(' ').collect::<Vec<_>>());
    assert_eq!(code, 3, "{error}");
    let mut wrong = Vec::new();
    for (number, (command, file)) in OTHERS.iter().enumerate() {
        let run = format!("run-{number}");
        if file.0.starts_with("RUN") {
            let copied = Command::new("cp").args(["-r", "interrupted", &run]).current_dir(&folder).status();
            assert!(copied.unwrap().success());
        }
        let name = file.0.replace("RUN", &run);
        write(&place(&name), file, size);
        let words: Vec<String> =
            command.split(' ').map(|word| word.replace("FILE", &name).replace("RUN", &run)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (code, peak, error) = peak(folder.path(), &words);
        std::fs::remove_file(place(&name)).unwrap();
        if !matches!(code, 0 | 2 | 3 | 4) || error.len() >= 1500 || peak >= most {
            wrong.push(format!("{command} {name}: {code}, {} MiB, {error:.300}", peak >> 20));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the program takes for itself and for a matrix of 4096 × 4096, and six times the file.
#[test]
fn a_small_multiple_of_the_file() {
    within(12 << 20, (64 << 20) + 6 * (12 << 20));
}

#[test]
fn nor_does_anything_else_that_is_read() {
    others_within(12 << 20, (64 << 20) + 12 * (12 << 20));
}

#[test]
#[ignore = "long: writes and reads some gigabytes"]
fn the_largest_files_stay_below_two_gibibytes() {
    within(128 << 20, 2 << 30);
}

#[test]
#[ignore = "long: writes and reads some gigabytes"]
fn the_largest_of_all_others_stay_below_two_gibibytes() {
    others_within(120 << 20, 2 << 30);
}
