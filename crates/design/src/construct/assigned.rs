//! Assignments of files that a search found, of which liars overturn few; from the program's list.

use serde_json::json;

use super::construction::{CLAIM, Construction, PARTITIONS, REPLICAS, WORKERS};
use super::error::refuse;
use super::parameter::{Domain, Parameter};
use crate::search::assigned_catalogue;
use ecode_core::MAX_SIZE;

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "assigned",
    summary: "A search's assignment of files of which q liars overturn the fewest known, by a majority for each file",
    source: "docs/schemes.md",
    parameters: &[
        WORKERS.called("K"),
        CLAIM,
        PARTITIONS.called("f"),
        REPLICAS,
        Parameter::new(
            "distortion",
            Domain::Whole { least: 1, most: MAX_SIZE as u64 },
            "number of liars who are to overturn few files",
        )
        .called("q"),
    ],
    example: "n=15,k=25,r=3,q=6",
    build: |arguments, _, _| {
        let (n, k, r, q) = (
            arguments.needed("n")?,
            arguments.needed("k")?,
            arguments.needed("replicas")?,
            arguments.needed("distortion")?,
        );
        let kept = assigned_catalogue()
            .iter()
            .filter(|entry| (entry.matrix.n(), entry.matrix.k(), entry.copies, entry.liars) == (n, k, r, q));
        let Some(entry) = kept.min_by_key(|entry| entry.overturned) else {
            return refuse(format!(
                "no assignment of {k} files to {n} workers with {r} copies against {q} liars is listed: 'ecode design \
                 --distortion' searches for one"
            ));
        };
        let made = arguments.provenance(&[
            ("n", json!(n)),
            ("k", json!(k)),
            ("replicas", json!(r)),
            ("distortion", json!(q)),
            ("overturned", json!(entry.overturned)),
            ("found", json!(entry.found)),
        ]);
        Ok((entry.matrix.clone(), made))
    },
};
