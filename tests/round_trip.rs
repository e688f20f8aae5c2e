//! Promise: a matrix that is written reads back the same, in every format, and the digest is that of
//! docs/formats.md.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::code::AllocationMatrix;
use ecode::construct::algorithm1;
use ecode::format::{Format, MatrixFile};
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_format_reads_back_what_it_wrote(n in 1..70_usize, k in 1..130_usize, seed: u64) {
        let mut state = seed | 1;
        let g = AllocationMatrix::from_fn(n, k, |_, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 63 == 1
        }).unwrap();
        for format in Format::ALL {
            let bytes = MatrixFile::plain(g.clone()).to_bytes(format);
            prop_assert_eq!(&MatrixFile::parse(&bytes, format).unwrap().matrix, &g, "{:?}", format);
        }
    }

    /// What is cut or changed in any place is a matrix or an error of one line, never a panic.
    #[test]
    fn damaged_files_are_read_or_refused(
        place in 0..2000_usize, byte: u8, cut in 0..2000_usize, n in 1..5_usize, k in 1..5_usize,
    ) {
        let g = AllocationMatrix::from_fn(n, k, |j, i| (j * i + j) % 2 == 0).unwrap();
        for format in Format::ALL {
            let mut bytes = MatrixFile::plain(g.clone()).to_bytes(format);
            let place = place % bytes.len();
            bytes[place] = byte;
            let cut = cut % (2 * bytes.len());
            bytes.truncate(cut.max(1));
            if let Err(error) = MatrixFile::parse(&bytes, format) {
                let error = error.to_string();
                prop_assert!(error.lines().count() == 1 && error.len() < 1000, "{:?}: {}", format, error);
            }
        }
    }
}

#[test]
fn other_programs_files_are_read() {
    let fortran = std::fs::read("fixtures/fortran.npy").unwrap();
    let g = MatrixFile::parse(&fortran, Format::Npy).unwrap().matrix;
    assert_eq!(g.canonical_text(), "ecode/matrix/1\n2 3\n110\n011\n");
    let g = MatrixFile::parse(b"1 0 1\r\n0 1 1\r\n", Format::Txt).unwrap().matrix;
    assert_eq!(g.canonical_text(), "ecode/matrix/1\n2 3\n101\n011\n");
}

/// `printf 'ecode/matrix/1\n5 5\n10000\n01110\n11111\n11111\n11111\n' | sha256sum`
#[test]
fn anyone_can_recompute_the_digest() {
    assert_eq!(
        algorithm1(5, 1).unwrap().digest(),
        "sha256:5799a4c994de6c9a5b3bab7d23d04e70ed8bc1f4a29475bf0f6bebb65a097e0b"
    );
}
