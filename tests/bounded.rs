//! Promise: no matrix file takes more memory than a small multiple of its bytes, whatever is in it.
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

/// The exit code and the peak of a command's memory in bytes.
fn peak(path: &Path) -> (i32, u64, String) {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ecode"))
        .args(["show", "-q"])
        .arg(path)
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
    assert!(libc::WIFEXITED(status), "{} ended by signal {}", path.display(), libc::WTERMSIG(status));
    (libc::WEXITSTATUS(status), usage.ru_maxrss as u64 * kibibytes, error)
}

fn within(size: usize, most: u64) {
    let folder = tempfile::tempdir().unwrap();
    let check = |path: &Path| {
        let (code, peak, error) = peak(path);
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

/// What the program takes for itself and for a matrix of 4096 × 4096, and six times the file.
#[test]
fn a_small_multiple_of_the_file() {
    within(12 << 20, (64 << 20) + 6 * (12 << 20));
}

#[test]
#[ignore = "long: writes and reads some gigabytes"]
fn the_largest_files_stay_below_two_gibibytes() {
    within(128 << 20, 2 << 30);
}
