//! Files of failure domains: a line a worker, the name of its domain. And `ecode/domain-verdict/1`.

use serde_json::{Value, json};

use super::error::FormatError;
use super::verdict::attack_json;
use ecode_core::{AllocationMatrix, Domains, shown};
use ecode_verify::DomainVerdict;

/// A name has no more bytes.
const LONGEST: usize = 200;

/// Reads the domains of n workers: line j + 1 is the name of worker j's domain. Space around a name is no part of it.
///
/// ```
/// let hosts = ecode_format::parse_domains("rack-a\nrack-a\nrack-b\n", 3)?;
/// assert_eq!((hosts.len(), hosts.of()), (2, &[0, 0, 1][..]));
/// # Ok::<(), ecode_format::FormatError>(())
/// ```
///
/// # Errors
/// [`FormatError`]: another number of lines, a line without a name, a name with control characters or beyond 200 bytes.
pub fn parse_domains(text: &str, n: usize) -> Result<Domains, FormatError> {
    let names: Vec<&str> = text.lines().map(str::trim).collect();
    let expected = "the name of a worker's domain in each line";
    for (line, name) in names.iter().enumerate() {
        let place = line + 1;
        if name.is_empty() {
            return Err(FormatError::new(format!("line {place} has no name"), expected));
        }
        if name.len() > LONGEST {
            return Err(FormatError::new(
                format!("line {place}: a name of {} bytes", name.len()),
                format!("at most {LONGEST}"),
            ));
        }
        if shown(name) != **name {
            return Err(FormatError::new(
                format!("line {place}: '{}'", shown(name)),
                "a name that can be shown in a line",
            ));
        }
    }
    if names.len() != n {
        let lines = if names.len() == 1 { "line" } else { "lines" };
        return Err(FormatError::new(
            format!("{} {lines} for {n} workers", names.len()),
            format!("{n}, {expected}"),
        ));
    }
    Domains::of_workers(&names).map_err(|error| FormatError::new(error.to_string(), expected))
}

/// The verdict on failure domains as the JSON object `ecode/domain-verdict/1`.
#[must_use]
pub fn domain_verdict_json(verdict: &DomainVerdict, g: &AllocationMatrix, domains: &Domains) -> Value {
    let names = domains.names_by_worker();
    let mut object = json!({
        "schema": "ecode/domain-verdict/1",
        "digest": g.digest(),
        "n": g.n(),
        "k": g.k(),
        "domains": names,
        "b": verdict.b(),
        "ties": verdict.ties().name(),
        "verdict": verdict.word(),
        "radius": verdict.radius().exactly(),
        "counterexample": null,
        "method": verdict.method(),
        "sets": verdict.sets(),
        "elapsed_s": verdict.elapsed().as_secs_f64(),
    });
    if !verdict.radius().is_determined() {
        object["radius_at_least"] = json!(verdict.radius_at_least());
        object["radius_below"] = json!(verdict.radius_below());
    }
    if let Some(found) = verdict.attack() {
        object["counterexample"] = attack_json(&found.attack);
        object["counterexample"]["domains"] = json!(domains.names_of(&found.domains));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_files_are_one_line_that_names_the_place() {
        let error = |text: &str, n| {
            parse_domains(text, n).map_or_else(|error| error.to_string(), |_| "read".to_owned())
        };
        assert_eq!(error(" a \r\nb\n", 2), "read");
        assert!(error("a\n\nb\n", 3).starts_with("line 2 has no name"), "{}", error("a\n\nb\n", 3));
        assert!(error("a\nb\n\n", 2).starts_with("line 3 has no name"));
        assert!(error("", 2).starts_with("0 lines for 2 workers"));
        assert!(error("a\n", 2).starts_with("1 line for 2 workers"));
        assert!(error("a\nb\nc\n", 2).starts_with("3 lines for 2 workers"));
        assert!(error("a\u{1b}[2J\nb\n", 2).starts_with(r"line 1: 'a\u{1b}[2J'"));
        assert!(error(&format!("{}\n", "x".repeat(201)), 1).starts_with("line 1: a name of 201 bytes"));
    }
}
