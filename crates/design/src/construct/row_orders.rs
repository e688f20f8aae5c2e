//! Orders of a code's rows where its workers stand in failure domains: which worker gets which row.
//!
//! # What is promised
//! Each order is a permutation of the rows: as many ones, the same loads, the same tolerance of any b workers. How many *domains*
//! are tolerated depends on it.

use ecode_core::{AllocationMatrix, Domains};

/// So many orders are drawn beside those that are thought out.
const DRAWN: u64 = 5;

/// The rows' orders that are tried, each once: as they are; dealt over the domains, so that each gets light and heavy rows;
/// like rows together; and a few that are drawn, always the same ones. Worker j gets row `order[j]`.
///
/// # Panics
/// When the domains are of other workers.
#[must_use]
pub fn row_orders(g: &AllocationMatrix, domains: &Domains) -> Vec<Vec<usize>> {
    assert_eq!(domains.n(), g.n(), "domains of the matrix's workers");
    let n = g.n();
    let mut by_load: Vec<usize> = (0..n).collect();
    by_load.sort_by_key(|&row| (g.worker_load(row), row));
    // A worker's place among those of its domain.
    let mut seen = vec![0; domains.len()];
    let rank: Vec<usize> = domains
        .of()
        .iter()
        .map(|&domain| {
            seen[domain] += 1;
            seen[domain]
        })
        .collect();
    let mut dealt: Vec<usize> = (0..n).collect();
    dealt.sort_by_key(|&worker| (rank[worker], domains.of()[worker]));
    let mut together: Vec<usize> = (0..n).collect();
    together.sort_by_key(|&worker| (domains.of()[worker], worker));
    let placed = |workers: &[usize]| {
        let mut order = vec![0; n];
        workers.iter().zip(&by_load).for_each(|(&worker, &row)| order[worker] = row);
        order
    };
    let drawn = (0..DRAWN).map(|seed| {
        let mut state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut order: Vec<usize> = (0..n).collect();
        for place in (1..n).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(place, (state >> 33) as usize % (place + 1));
        }
        order
    });
    let mut all: Vec<Vec<usize>> = Vec::new();
    for order in [(0..n).collect(), placed(&dealt), placed(&together)].into_iter().chain(drawn) {
        if !all.contains(&order) {
            all.push(order);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_a_permutation_and_rows_are_dealt_over_the_domains() {
        let g = crate::construct::algorithm1(9, 2).unwrap_or_else(|error| panic!("{error}"));
        let domains = Domains::of_workers(&["a", "a", "a", "b", "b", "b", "c", "c", "c"]);
        let domains = domains.unwrap_or_else(|error| panic!("{error}"));
        let all = row_orders(&g, &domains);
        assert!(all.len() > 5, "{}", all.len());
        let columns: Vec<usize> = (0..9).collect();
        for order in &all {
            let placed = g.permuted(order, &columns).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(placed.ones(), g.ones());
        }
        // Dealt: the three lightest rows stand in three domains.
        let light = |order: &[usize]| {
            let mut light: Vec<usize> = (0..9).collect();
            light.sort_by_key(|&worker| (g.worker_load(order[worker]), order[worker]));
            let mut hosts: Vec<usize> = light[..3].iter().map(|&worker| domains.of()[worker]).collect();
            hosts.sort_unstable();
            hosts
        };
        assert_eq!(light(&all[1]), [0, 1, 2]);
    }
}
