//! Promise: a budgeted code keeps its budget, its error is what the definition gives, and the search is the same
//! whatever interrupts it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ecode_core::AllocationMatrix;
use ecode_design::search::{
    BudgetEntry, BudgetRequest, BudgetRun, BudgetStateError, Liars, budget_catalogue, least_errors,
};
use itertools::Itertools as _;

/// How often liars do harm, given whether a set of them does.
type Harm<'a> = dyn FnMut(&dyn Fn(u32) -> bool) -> f64 + 'a;

fn never() -> bool {
    false
}

/// The probability of a wrong sign by the definition: every message, every choice of liars and of missing votes, and
/// the worse of the two true signs.
fn by_definition(g: &AllocationMatrix, request: &BudgetRequest, q: f64) -> f64 {
    let (n, k, b) = (g.n(), g.k(), request.b);
    let sets = |size: usize| (0_u32..1 << n).filter(move |set| set.count_ones() as usize == size);
    // Whether the server decodes `sign` wrong: liars vote against it, missing votes are none, a tie decodes to 0.
    let wrong = |votes: u32, liars: u32, missing: u32, sign: bool| {
        let votes = if sign { votes & !liars } else { votes | liars };
        let ones = (votes & !missing).count_ones();
        let zeros = n as u32 - missing.count_ones() - ones;
        (ones > zeros) != sign
    };
    let worst = [false, true].map(|sign| {
        let errors = |liars: &mut Harm| -> f64 {
            (0_u32..1 << k)
                .map(|message| {
                    let wrong_signs =
                        if sign { k as u32 - message.count_ones() } else { message.count_ones() };
                    let likely = q.powi(wrong_signs as i32) * (1.0 - q).powi(k as i32 - wrong_signs as i32);
                    let votes = (0..n).fold(0, |votes, j| {
                        let seen = g.support(j).filter(|&i| message >> i & 1 == 1).count();
                        votes | u32::from(2 * seen > g.worker_load(j)) << j
                    });
                    let lost =
                        |set: u32| sets(request.stragglers).any(|missing| wrong(votes, set, missing, sign));
                    likely * liars(&lost)
                })
                .sum()
        };
        let all = sets(b).count() as f64;
        match request.liars {
            Liars::Adaptive => errors(&mut |lost| f64::from(u8::from(sets(b).any(lost)))),
            Liars::Random => errors(&mut |lost| sets(b).filter(|&set| lost(set)).count() as f64 / all),
            Liars::Fixed => {
                sets(b).map(|set| errors(&mut |lost| f64::from(u8::from(lost(set))))).fold(0.0, f64::max)
            }
        }
    });
    worst[0].max(worst[1])
}

#[test]
fn errors_are_those_of_the_definition_and_budgets_are_kept() {
    for (n, k, b, stragglers, ones, max_load) in [
        (5, 5, 1, 0, 13, 5),
        (6, 5, 1, 0, 14, 5),
        (5, 6, 1, 1, 15, 4),
        (7, 4, 2, 1, 17, 3),
        (7, 7, 1, 2, 21, 3),
    ] {
        for liars in [Liars::Adaptive, Liars::Fixed, Liars::Random] {
            let request = BudgetRequest {
                k,
                stragglers,
                max_load,
                qs: vec![0.05, 0.3],
                liars,
                ..BudgetRequest::new(n, b, ones)
            };
            let mut run = BudgetRun::new(request.clone(), &[]).unwrap();
            // Cut short: it is not about the best code.
            let asked = AtomicUsize::new(0);
            let found = run.advance(&|| asked.fetch_add(1, Relaxed) > 20).unwrap().unwrap();
            let g = &found.matrix;
            assert!(g.ones() <= ones && g.all_loads_odd(), "{g:?}");
            assert!(g.worker_loads().iter().all(|&load| load <= max_load), "{g:?}");
            for (&q, &error) in request.qs.iter().zip(&found.errors) {
                let expected = by_definition(g, &request, q);
                assert!((error / expected - 1.0).abs() < 1e-12, "{request:?} {q}: {error}, not {expected}");
            }
            let mean = (found.errors[0] * found.errors[1]).sqrt();
            assert!((found.value / mean - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn an_interrupted_search_goes_on_as_if_nothing_had_been() {
    let request = BudgetRequest { seed: 7, ..BudgetRequest::new(5, 1, 13) };
    let mut whole = BudgetRun::new(request.clone(), &[]).unwrap();
    whole.advance(&never).unwrap();
    let state = whole.to_json().to_string();
    whole.advance(&never).unwrap();
    let mut parts = BudgetRun::resume(request.clone(), &state).unwrap();
    // A round that is cut short leaves no trace.
    parts.advance(&|| true).unwrap();
    assert_eq!(parts.to_json().to_string(), state);
    parts.advance(&never).unwrap();
    assert_eq!(parts, whole);
    let other = BudgetRequest { ones: 15, ..request.clone() };
    assert!(matches!(BudgetRun::resume(other, &state), Err(BudgetStateError::Other { .. })));
    let more = state.replace("\"ones\":27", "\"ones\":29");
    let less = BudgetRequest { ones: 9, ..request };
    assert!(
        BudgetRun::resume(less, &more.replace("\"ones\":29", "\"ones\":9")).is_err(),
        "beyond the budget"
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |change: &dyn Fn(&mut BudgetRequest)| {
        let mut request = BudgetRequest::new(9, 2, 27);
        change(&mut request);
        BudgetRun::new(request, &[]).unwrap_err().to_string()
    };
    assert!(refused(&|request| request.b = 5).contains("make every decode wrong"));
    assert!(refused(&|request| request.stragglers = 7).contains("votes missing"));
    assert!(refused(&|request| request.ones = 8).contains("at least n = 9 ones"));
    assert!(refused(&|request| request.qs = vec![0.5]).contains("below 0.5"));
    assert!(refused(&|request| request.n = 1000).contains("128 workers"));
    let many = BudgetRequest { liars: Liars::Fixed, ..BudgetRequest::new(25, 12, 75) };
    assert!(BudgetRun::new(many, &[]).unwrap_err().to_string().contains("adaptive"));
}

/// All codes of five workers: 15 504 multisets of the 16 rows of odd weight. What the catalogue keeps is the best of them,
/// and no bound is above.
#[test]
fn for_five_workers_the_catalogue_is_optimal_and_bounds_hold() {
    let rows: Vec<u32> = (1_u32..32).filter(|row| row.count_ones() % 2 == 1).collect();
    let wrong = |row: u32| (0_u32..32).filter(move |m| 2 * (row & m).count_ones() > row.count_ones());
    let votes: Vec<u32> = rows.iter().map(|&row| wrong(row).fold(0, |set, m| set | 1 << m)).collect();
    let entries: Vec<&BudgetEntry> =
        budget_catalogue().iter().filter(|entry| entry.matrix.n() == 5).collect();
    assert_eq!(entries.len(), 12);
    let mut best = vec![f64::INFINITY; entries.len()];
    let mut least = vec![vec![f64::INFINITY; 9]; entries.len()];
    let mut tried = 0;
    for choice in (0..rows.len()).combinations_with_replacement(5) {
        tried += 1;
        let ones: u32 = choice.iter().map(|&row| rows[row].count_ones()).sum();
        let sums: Vec<u32> = (0..32).map(|m| choice.iter().map(|&row| votes[row] >> m & 1).sum()).collect();
        for b in 1..=2 {
            let error = |q: f64| -> f64 {
                let lost = (0_u32..32).filter(|&m| sums[m as usize] as usize >= 3 - b);
                lost.map(|m| q.powi(m.count_ones() as i32) * (1.0 - q).powi(5 - m.count_ones() as i32)).sum()
            };
            let errors: Vec<f64> = entries[0].qs.iter().map(|&q| error(q)).collect();
            let mean = (errors.iter().map(|error| error.ln()).sum::<f64>() / 9.0).exp();
            for (at, entry) in entries.iter().enumerate() {
                if entry.b == b && f64::from(ones) <= 5.0 * entry.redundancy + 1e-9 {
                    best[at] = best[at].min(mean);
                    for (least, error) in least[at].iter_mut().zip(&errors) {
                        *least = least.min(*error);
                    }
                }
            }
        }
    }
    assert_eq!(tried, 15_504);
    for ((entry, best), least) in entries.iter().zip(best).zip(least) {
        assert!((entry.value() / best - 1.0).abs() < 1e-9, "{best} {}", entry.to_line());
        let ones = (5.0 * entry.redundancy + 1e-9) as usize;
        let request = BudgetRequest { qs: entry.qs.clone(), ..BudgetRequest::new(5, entry.b, ones) };
        for (bound, least) in least_errors(&request).into_iter().zip(least) {
            assert!(bound <= least * (1.0 + 1e-12), "{bound} {least} {}", entry.to_line());
        }
    }
}

/// Bounds hold for codes of many kinds, for even sizes, missing votes and random liars, too.
#[test]
fn no_code_is_below_the_bound() {
    let mut tight = 0;
    for (n, k, b, stragglers, max_load) in
        [(7, 7, 1, 0, 7), (7, 7, 3, 0, 3), (8, 7, 2, 1, 5), (6, 6, 1, 0, 6), (9, 5, 2, 2, 5), (5, 8, 1, 0, 8)]
    {
        for (liars, ones) in [(Liars::Adaptive, 2 * n), (Liars::Random, 3 * n), (Liars::Fixed, 2 * n)] {
            let qs = vec![0.02, 0.1, 0.3];
            let request =
                BudgetRequest { k, stragglers, max_load, qs, liars, ..BudgetRequest::new(n, b, ones) };
            let mut run = BudgetRun::new(request.clone(), &[]).unwrap();
            let asked = AtomicUsize::new(0);
            let found = run.advance(&|| asked.fetch_add(1, Relaxed) > 40).unwrap().unwrap();
            for (&least, &error) in run.least().iter().zip(&found.errors) {
                assert!(least > 0.0 && least <= error * (1.0 + 1e-12), "{request:?}: {least} {error}");
                tight += usize::from(least > 0.5 * error);
            }
        }
    }
    assert!(tight > 10, "{tight}: bounds that say little");
}
