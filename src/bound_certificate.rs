//! From a lower bound to its certificate: the only step that needs both the search for bounds and the checker's types.

use ecode_check::{BoundCase, BoundCertificate, BoundRule};
use ecode_design::construct::{Algorithm1, ConstructError};
use ecode_design::search::{Case, bounds, second_moment};

/// The strongest lower bound on the ones for (n, b) that a certificate can show: exhaustion and averages leave none.
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
    let mut shown =
        bounds(n, b)?.into_iter().filter_map(|bound| Some((BoundRule::of(bound.name)?, bound.least)));
    // The strongest is the last, and Theorem 6 speaks of all of them.
    let (rule, ones) = shown.next_back().unwrap_or((BoundRule::Columns, n * (2 * b + 1)));
    let cases = match rule {
        BoundRule::SecondMoment => second_moment(n, b, Algorithm1::new(n, b)?.ones()).cases,
        _ => Vec::new(),
    };
    let cases = cases.iter().map(case).collect();
    let program = concat!("ecode ", env!("CARGO_PKG_VERSION")).to_owned();
    Ok(BoundCertificate { program, n, b, ones, rule, cases })
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
