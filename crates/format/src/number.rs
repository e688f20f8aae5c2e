//! How whole numbers stand in our JSON.

use serde_json::Value;

/// Above this, a reader that keeps numbers as doubles would round.
const EXACT: u128 = 1 << 53;

/// A whole number in JSON: a number up to 2^53, the string of its digits above that. Every reader keeps both
/// exactly.
#[must_use]
pub fn whole(number: impl Into<u128>) -> Value {
    let number = number.into();
    match u64::try_from(number) {
        Ok(small) if number <= EXACT => small.into(),
        _ => number.to_string().into(),
    }
}

/// A value in which every whole number stands as [`whole`] writes it.
#[must_use]
pub fn exact(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_u64().map_or_else(|| value.clone(), whole),
        Value::Array(values) => values.iter().map(exact).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), exact(value))).collect())
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_that_a_double_rounds_are_strings() {
        let value = json!({"seed": u64::MAX, "few": [EXACT as u64, EXACT as u64 + 1, -1, 0.5], "name": "a"});
        let written = exact(&value).to_string();
        let expected = r#"{"seed":"18446744073709551615","few":[9007199254740992,"9007199254740993",-1,0.5],"name":"a"}"#;
        assert_eq!(written, expected);
    }
}
