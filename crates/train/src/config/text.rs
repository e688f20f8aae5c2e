//! How the values of a configuration are read and written: numbers that mean what was said, tie rules by name,
//! errors in one line.

use serde::{Deserialize as _, Deserializer};

/// A number as people write it: with an exponent where its digits would be a row of zeros.
pub(crate) fn plain(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && size.is_finite() && !(1e-5..1e15).contains(&size) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// An f32 from a number that an f32 can hold: what would become infinite or zero is refused as it was written.
pub(super) fn single<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    held(f64::deserialize(deserializer)?)
}

/// The same where the value may be missing, or `null`.
pub(super) fn optional_single<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    Option::<f64>::deserialize(deserializer)?.map(held).transpose()
}

fn held<E: serde::de::Error>(given: f64) -> Result<f32, E> {
    let held = given as f32;
    if (held.is_infinite() && given.is_finite()) || (held == 0.0 && given != 0.0) {
        return Err(E::custom(format!(
            "{} does not fit a number of single precision; expected 1.2e-38 to 3.4e38, or 0",
            plain(given)
        )));
    }
    Ok(held)
}

/// An error of the TOML reader in one line, with its place.
pub(crate) fn one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let message = error.message().replace('\n', " ");
    line.map_or(message.clone(), |line| format!("line {line}: {message}"))
}

/// Tie rules by their names.
pub(super) mod tie_rule {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use ecode_core::TieRule;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(in super::super) fn serialize<S: Serializer>(
        rule: &TieRule,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(rule.name())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<TieRule, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn numbers_are_written_as_people_do() {
        let given = [0.0, 0.1, -0.1, 1e300, 1e-300, 1e38, 12.5, 1e-4].map(plain);
        assert_eq!(given, ["0", "0.1", "-0.1", "1e300", "1e-300", "1e38", "12.5", "0.0001"]);
    }
}
