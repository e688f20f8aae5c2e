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
