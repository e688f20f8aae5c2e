//! Promise: of an assignment that was searched for, liars overturn exactly as many files as is said, by the definition; what is
//! kept is kept right; and nothing is called the best that no bound proves.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use ecode::certificate::{Options, certify_distortion, check_distortion};
use ecode::code::{AllocationMatrix, Workers, overturned};
use ecode::construct::mols;
use ecode::search::{AssignRequest, AssignRun, assigned_catalogue};
use ecode::verify::Control;
use itertools::Itertools as _;
use serde_json::Value;

fn ecode(arguments: &str, folder: &Path) -> (Option<i32>, String, String) {
    let output =
        Command::cargo_bin("ecode").unwrap().current_dir(folder).args(arguments.split(' ')).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The most files that so many liars overturn: all sets of them, by the definition.
fn worst(g: &AllocationMatrix, liars: usize) -> usize {
    let sets = (0..g.n()).combinations(liars);
    let files = |set| overturned(g, &Workers::from_indices(g.n(), set), &Workers::empty(g.n())).count();
    sets.map(files).max().unwrap()
}

/// Every entry, counted by the definition, with a proof that the checker accepts.
#[test]
fn the_catalogue_says_what_is_so() {
    let mut kept = BTreeSet::new();
    assert!(!assigned_catalogue().is_empty());
    for entry in assigned_catalogue() {
        let g = &entry.matrix;
        assert!(kept.insert((g.n(), g.k(), entry.copies, entry.liars)), "twice: {}", entry.to_line());
        assert!(g.partition_loads().iter().all(|&copies| copies == entry.copies));
        let (least, most) = g.worker_loads().into_iter().minmax().into_option().unwrap();
        assert!(most - least <= 1, "{}", entry.to_line());
        assert_eq!(worst(g, entry.liars), entry.overturned, "{}", entry.to_line());
        let proof = certify_distortion(g, entry.liars, entry.overturned, None, &Control::default()).unwrap();
        assert!(check_distortion(&proof, Options::default()).is_ok(), "{}", entry.to_line());
    }
    let sorted: Vec<_> = kept.iter().copied().collect();
    let order: Vec<_> = assigned_catalogue()
        .iter()
        .map(|entry| (entry.matrix.n(), entry.matrix.k(), entry.copies, entry.liars))
        .collect();
    assert_eq!(order, sorted, "sorted by workers, files, copies and liars");
}

/// What docs/schemes.md says of MOLS: at the same price six of fifteen overturn fewer files of this one, fewer liars more.
#[test]
fn one_assignment_beats_mols_against_six_liars() {
    let entry = assigned_catalogue().iter().find(|entry| (entry.matrix.n(), entry.liars) == (15, 6)).unwrap();
    let squares = mols(5, 3).unwrap();
    let sizes = |g: &AllocationMatrix| (g.n(), g.k(), g.worker_loads(), g.partition_loads());
    assert_eq!(sizes(&entry.matrix), sizes(&squares));
    assert_eq!((worst(&entry.matrix, 6), worst(&squares, 6)), (11, 12));
    assert!(worst(&entry.matrix, 3) > worst(&squares, 3));
}

#[test]
fn a_search_depends_on_its_seed_and_rounds_alone() {
    let request = AssignRequest { workers: 10, files: 15, copies: 3, liars: 3, seed: 5 };
    let found = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let control = Control::default();
            let mut run = AssignRun::new(request.clone(), &[], &control).unwrap();
            let before = run.best().worst.files;
            run.advance(&control).unwrap();
            assert!(run.best().worst.files <= before && run.best().is_exact());
            run.best().matrix.clone()
        })
    };
    let one = found(1);
    assert_eq!(one, found(3));
    assert!(one.partition_loads().iter().all(|&copies| copies == 3));
    let loads = one.worker_loads();
    assert!(loads.iter().all(|load| (4..=5).contains(load)), "{loads:?}");
}

#[test]
fn design_searches_writes_and_claims_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let here = |arguments: &str| ecode(arguments, folder.path());
    // Groups meet the mean here: nothing is better, which is said.
    let (code, out, err) = here("design --distortion 2 --n 6 --k 2 --replicas 3 -q -o groups.json");
    assert!(code == Some(0) && out.contains("overturn at most 1 of 2 files"), "{out}{err}");
    assert!(
        out.contains("the mean over all sets of liars says so")
            && out.contains("| this one, groups:n=6,r=3 |"),
        "{out}"
    );
    let (code, out, err) = here("design --distortion 4 --n 9 --k 9 --replicas 3 --rounds 1 -q -o nine.json");
    assert!(
        code == Some(0) && out.contains("Whether one goes below") && out.contains("mols:l=3,r=3"),
        "{out}{err}"
    );
    let file: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("nine.json")).unwrap()).unwrap();
    let made = &file["construction"];
    assert_eq!((&made["name"], &made["exact"]), (&"assignment search".into(), &true.into()));
    let (_, out, _) = here("distortion nine.json --liars 4 --json");
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(said["points"][0]["files"], made["overturned"]);
    // What is kept goes by its name.
    let (code, out, _) = here("distortion assigned:K=15,f=25,r=3,q=6 --liars 6 --csv");
    assert!(code == Some(0) && out.contains(",6,11,11,true,0.44,"), "{out}");
    for (arguments, reason) in [
        ("design --distortion 3 --n 9 --k 9", "assigned needs replicas"),
        ("design --distortion 3 --n 9 --k 9 --replicas 9", "each file has 1 to 8 copies, not 9"),
        ("design --distortion 12 --n 9 --k 9 --replicas 3", "so 1 to 9 lie, not 12"),
        ("design --distortion 3 --n 99 --k 9 --replicas 3", "takes 2 to 64 workers, not 99"),
        ("design --distortion 3 --n 9 --k 9 --replicas 3 --b 1", "the number of liars is Q"),
        ("design --n 9 --b 1 --rounds 3", "--distortion"),
        ("design --construction assigned --n 9 --b 1 --k 9 --replicas 3 --distortion 2", "is listed"),
    ] {
        let (code, out, err) = here(arguments);
        assert!(code == Some(2) && out.is_empty() && err.contains(reason), "{arguments}: {out}{err}");
    }
}
