//! Promise: no matrix file takes more memory than a small multiple of its bytes, whatever is in it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Files of about this size, in bytes, each of which means far more than it holds to a careless reader.
fn hostile(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let fill = |head: &str, part: &str, tail: &str| {
        [head, &part.repeat(size / part.len()), tail].concat().into_bytes()
    };
    let mut zipped = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    zipped.start_file("G.npy", deflated).unwrap();
    zipped.write_all(b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (4096, 4096), }     \n").unwrap();
    zipped.write_all(&vec![0; size]).unwrap();
    vec![
        ("lines.txt", fill("", "0\n", "")),
        ("line.txt", fill("", "0", "")),
        ("lines.csv", fill("", "0\n", "")),
        ("line.csv", fill("", "0,", "0")),
        ("names.csv", fill("", "a,", "a\n")),
        ("trials.csv", fill("1,0\n", "4,4\n", "")),
        ("quote.csv", fill("\"", "0,\n", "")),
        ("lines.tsv", fill("", "0\t1\n", "")),
        ("rows.json", fill("[", "[0],", "[0]]")),
        ("row.json", fill("[[", "0,", "0]]")),
        ("empty.json", fill("[", "[],", "[]]")),
        ("made.json", fill("{\"construction\":{\"a\":[", "0,", "0]},\"G\":[[1]]}")),
        ("claim.json", fill("{\"verification\":{\"a\":[", "{},", "{}]},\"G\":[[1]]}")),
        ("other.json", fill("{\"other\":[", "{},", "{}],\"G\":[[1]]}")),
        ("deep.json", fill("", "[", "")),
        ("text.json", fill("{\"schema\":\"", "x", "\",\"G\":[[1]]}")),
        ("entries.mtx", fill("%%MatrixMarket matrix coordinate pattern general\n4096 4096 9\n", "1 1\n", "")),
        ("words.mtx", fill("%%MatrixMarket matrix coordinate pattern general\n4096 4096 9\n", "1 ", "\n")),
        ("weights.alist", fill("4096 4096\n4096 4096\n", "1 ", "\n")),
        ("zeros.alist", fill("1 1\n1 1\n1\n1\n", "0 ", "\n")),
        ("header.npy", fill("", "\u{93}NUMPY", "")),
        (
            "shape.npy",
            [
                b"\x93NUMPY\x02\x00\xff\xff\xff\x00{'descr':'|u1','fortran_order':False,'shape':(",
                &b"1,".repeat(size / 2)[..],
            ]
            .concat(),
        ),
        ("bomb.npz", zipped.finish().unwrap().into_inner()),
    ]
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
    assert!(libc::WIFEXITED(status), "{path:?} ended by signal {}", libc::WTERMSIG(status));
    (libc::WEXITSTATUS(status), usage.ru_maxrss as u64 * kibibytes, error)
}

fn within(size: usize, most: u64) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in hostile(size) {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let (code, peak, error) = peak(&path);
        std::fs::remove_file(&path).unwrap();
        assert!(code == 0 || code == 2 && error.lines().count() == 1, "{name}: {code} {error:.300}");
        assert!(error.len() < 1000, "{name}: {error:.300}");
        assert!(peak < most, "{name}: {} MiB", peak >> 20);
    }
}

/// What the program takes for itself and for a matrix of 4096 × 4096, and six times the file.
#[test]
fn a_small_multiple_of_the_file() {
    within(12 << 20, 64 << 20 | 6 * (12 << 20));
}

#[test]
#[ignore = "long: writes and reads some gigabytes"]
fn the_largest_files_stay_below_two_gibibytes() {
    within(128 << 20, 2 << 30);
}
