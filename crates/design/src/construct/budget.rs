//! Budgeted codes: not tolerant, but wrong least often for what they cost; from the program's list.

use serde_json::json;

use super::construction::{Construction, LIARS, PARTITIONS, WORKERS};
use super::error::refuse;
use super::parameter::{Domain, Parameter};
use crate::search::budget_catalogue;
use ecode_core::MAX_SIZE;

pub(super) static CONSTRUCTION: Construction = Construction {
    name: "budget",
    summary: "Not tolerant: the code for a redundancy that decodes wrong least often against b liars",
    source: "docs/budget.md",
    parameters: &[
        WORKERS,
        LIARS,
        PARTITIONS,
        Parameter {
            short: Some("r"),
            ..Parameter::new(
                "redundancy",
                Domain::Positive { most: MAX_SIZE as f64 },
                "at most so many partitions per worker, on the average",
            )
        },
        super::best::MAX_LOAD,
    ],
    example: "n=15,b=3,redundancy=3",
    build: |arguments, _, _| {
        let (n, k, b) = (arguments.needed("n")?, arguments.partitions()?, arguments.needed("b")?);
        let Some(redundancy) = arguments.real("redundancy") else {
            return refuse("budget needs redundancy, the mean partitions per worker");
        };
        let max_load = arguments.whole("max-load").unwrap_or(k);
        let ones = (redundancy * n as f64 + 1e-9) as usize;
        let fits = |g: &ecode_core::AllocationMatrix| {
            (g.n(), g.k()) == (n, k)
                && g.ones() <= ones
                && g.worker_loads().iter().all(|&load| load <= max_load)
        };
        let kept = budget_catalogue().iter().filter(|entry| entry.b == b && fits(&entry.matrix));
        let Some(entry) = kept.min_by(|a, b| a.value().total_cmp(&b.value())) else {
            return refuse(format!(
                "no budgeted code of n = {n} workers and k = {k} partitions for b = {b} is listed within redundancy \
                 {redundancy} and max-load {max_load}: 'ecode design --redundancy' searches for one"
            ));
        };
        let limit = arguments.whole("max-load").map(|load| ("max-load", json!(load)));
        let values = [("n", json!(n)), ("b", json!(b)), ("k", json!(k)), ("redundancy", json!(redundancy))];
        let said = [
            ("liars", json!("adaptive")),
            ("q", json!(entry.qs)),
            ("errors", json!(entry.errors)),
            ("found", json!(entry.found)),
        ];
        let made = arguments.provenance(&values.into_iter().chain(limit).chain(said).collect::<Vec<_>>());
        Ok((entry.matrix.clone(), made))
    },
};
