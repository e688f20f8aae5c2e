//! Which theorem says what, and whether its premises hold.

use super::exhaustion::exhausted;
use super::loads::Totals;
use super::{AcceptedBound, BoundCertificate, BoundRule};
use crate::options::Options;
use crate::outcome::{Refused, invalid};

/// Theorem 32 is checked up to here: all its numbers fit 128 bits.
const MOST: usize = 31;

/// Checks a certificate of a lower bound.
///
/// # Errors
/// [`Refused`] with the reason.
pub fn check_bound(certificate: &BoundCertificate, options: Options) -> Result<AcceptedBound, Refused> {
    let BoundCertificate { n, b, ones, rule, .. } = *certificate;
    if n % 2 == 0 || n > ecode_core::MAX_SIZE || b > n / 2 {
        return invalid(format!("the bounds speak of odd n and 0 ≤ b ≤ (n − 1)/2, not of n = {n}, b = {b}"));
    }
    let t = n / 2;
    if rule != BoundRule::SecondMoment && !certificate.cases.is_empty() {
        return invalid(format!("the rule \"{}\" has no cases", rule.name()));
    }
    if rule != BoundRule::Exhaustion && !certificate.closed.is_empty() {
        return invalid(format!("the rule \"{}\" has no families", rule.name()));
    }
    let formula = |holds: bool, least: usize, text: &str| {
        if !holds {
            return invalid(format!("the rule \"{}\" does not speak of n = {n}, b = {b}", rule.name()));
        }
        if ones > least {
            return invalid(format!("{text} = {least}, less than {ones}"));
        }
        Ok(AcceptedBound { checked: vec![format!("{text} = {least}, at least {ones}")] })
    };
    match rule {
        BoundRule::Columns => formula(true, n * (2 * b + 1), "Theorem 6: n(2b + 1)"),
        BoundRule::TwoRows => formula(b > 0 && b + 1 == t, n * n - n - 1, "Theorem 13: n² − n − 1"),
        BoundRule::ThreeRows => {
            let holds = n >= 9 && b + 2 == t;
            formula(holds, (n * n).saturating_sub(2 * n + 4), "Theorem 33: n² − 2n − 4")
        }
        BoundRule::SecondMoment => second_moment(certificate, options),
        BoundRule::Exhaustion => exhausted(certificate, options),
    }
}

fn second_moment(certificate: &BoundCertificate, options: Options) -> Result<AcceptedBound, Refused> {
    let BoundCertificate { n, b, ones, .. } = *certificate;
    if !(5..=MOST).contains(&n) || b == 0 {
        return invalid(format!(
            "Theorem 32 is checked for 5 ≤ n ≤ {MOST} and b ≥ 1, not for n = {n}, b = {b}"
        ));
    }
    if ones > n * n {
        return invalid(format!("a code has at most n² = {} ones", n * n));
    }
    let mut totals = Totals::new(certificate, options.stopped)?;
    let first = n * (2 * b + 1);
    for total in first..ones {
        totals.exclude(total).map_err(|refused| match refused {
            Refused::Invalid(why) => Refused::Invalid(format!("{total} ones: {why}")),
            other => other,
        })?;
    }
    if !totals.all_used() {
        return invalid(
            "some cases are of no use: they are excluded without, or are no case of a smaller total",
        );
    }
    Ok(AcceptedBound {
        checked: vec![
            format!("fewer than n(2b + 1) = {first} ones are impossible by Theorem 6"),
            format!(
                "every choice of loads with {first} to {} ones fails a test of Theorem 32: {} come to the last one, \
                 {} of them with weights that the file states",
                ones.saturating_sub(1),
                totals.choices,
                certificate.cases.len()
            ),
        ],
    })
}
