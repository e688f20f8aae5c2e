//! From a lower bound to its certificate: the only step that needs both the search for bounds and the checker's types.

use ecode_check::{BoundCase, BoundCertificate, BoundRule, Closed};
use ecode_design::construct::{Algorithm1, ConstructError};
use ecode_design::search::{Bound, Case, ClosedFamilies, bounds, closed_families, exhausted, second_moment};

/// Exhaustion is given up where it takes more families than this: seconds, and some megabytes.
const MOST_FAMILIES: usize = 30_000;

/// The strongest lower bound on the ones for (n, b) that a certificate can show. Up to n = 15 that is exhaustion, and with it
/// averages, where few enough families are to be listed; averages leave none beyond that.
///
/// ```
/// use ecode::certificate::{Options, certify_bound, check_bound};
/// let certificate = certify_bound(21, 1)?;
/// assert_eq!(certificate.ones, 105);
/// assert!(check_bound(&certificate, Options::default()).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When n is even, or b above (n − 1)/2.
pub fn certify_bound(n: usize, b: usize) -> Result<BoundCertificate, ConstructError> {
    let bounds = bounds(n, b)?;
    let by_theorem = |bound: &Bound| {
        let rule = BoundRule::of(bound.name).filter(|&rule| rule != BoundRule::Exhaustion)?;
        Some((rule, bound.least))
    };
    // The strongest is the last, and Theorem 6 speaks of all of them.
    let shown = bounds.iter().rev().find_map(by_theorem);
    let (rule, ones) = shown.unwrap_or((BoundRule::Columns, n * (2 * b + 1)));
    let program = concat!("ecode ", env!("CARGO_PKG_VERSION")).to_owned();
    // Not tried where the search itself took more families than that, with stronger tests.
    let too_many =
        exhausted().any(|known| (known.n, known.b) == (n, b) && known.families > MOST_FAMILIES as u64);
    if let Some(strongest) = bounds.last().map(|bound| bound.least).filter(|&least| least > ones)
        && !too_many
        && let Some(sets) = closed_families(n, b, strongest, MOST_FAMILIES, &|| false)
    {
        let closed = sets.into_iter().map(|ClosedFamilies { empty, singles, families }| Closed {
            empty,
            singles,
            families,
        });
        let (rule, closed) = (BoundRule::Exhaustion, closed.collect());
        return Ok(BoundCertificate { program, n, b, ones: strongest, rule, cases: Vec::new(), closed });
    }
    let cases = match rule {
        BoundRule::SecondMoment => second_moment(n, b, Algorithm1::new(n, b)?.ones()).cases,
        _ => Vec::new(),
    };
    let cases = cases.iter().map(case).collect();
    Ok(BoundCertificate { program, n, b, ones, rule, cases, closed: Vec::new() })
}

fn case(case: &Case) -> BoundCase {
    let Case { empty, single, held, full, left_out, multipliers, .. } = *case;
    BoundCase {
        empty,
        single,
        held,
        full,
        loads: case.loads.iter().map(|load| (load.load, load.rows, load.weight as u16)).collect(),
        left_out: left_out.map(|left_out| (left_out.above, left_out.theta as u8)),
        sigma: multipliers.sigma as u64,
        rho: multipliers.rho as u8,
    }
}
