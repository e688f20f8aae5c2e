//! Numbers as people write them.

use std::time::Duration;

/// A number with its thousands set apart: `300 540 195`.
#[must_use]
pub fn thousands(number: u128) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let mut groups = Vec::new();
    if head > 0 {
        groups.push(&digits[..head]);
    }
    groups.extend((head..digits.len()).step_by(3).map(|start| &digits[start..start + 3]));
    groups.join(" ")
}

/// A duration in the unit that suits it.
#[must_use]
pub fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.2} s"),
        s => format!("{:.1} min", s / 60.0),
    }
}

/// A number that somebody gave, as they would write it: all its digits, `1e-300` instead of 300 zeros.
#[must_use]
pub fn plain(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-5..1e15).contains(&size) || !size.is_finite() {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// A number that was computed, to so many digits that matter, without zeros behind them.
#[must_use]
pub fn figures(value: f64, digits: usize) -> String {
    let size = value.abs();
    if value == 0.0 || !value.is_finite() {
        return value.abs().to_string().replace("inf", if value < 0.0 { "−∞" } else { "∞" });
    }
    // The exponent after rounding: 9.9996 is a 10.
    let rounded = format!("{size:.*e}", digits.saturating_sub(1));
    let exponent: i32 = rounded.rsplit('e').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let trimmed = |text: String| {
        let (number, tail) = text.split_once('e').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
        let number =
            if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
        tail.map_or_else(|| number.to_owned(), |tail| format!("{number}e{tail}"))
    };
    if (-4..15).contains(&exponent) {
        let behind = (digits as i32 - 1 - exponent).max(0) as usize;
        trimmed(format!("{value:.behind$}"))
    } else {
        trimmed(format!("{value:.*e}", digits.saturating_sub(1)))
    }
}

/// A probability in few characters: `0`, `1`, `0.0123`, `1.2e-9`, `1 - 3.0e-7`. Only 0 is written as 0.
#[must_use]
pub fn probability(p: f64) -> String {
    match p {
        0.0 => "0".to_owned(),
        // Nearer to 1 than the rounding of the sums.
        p if p > 1.0 - 1e-12 => "1".to_owned(),
        // Rounding must not turn what is only nearly certain into 1.
        p if p > 0.9995 => format!("1 - {:.1e}", 1.0 - p),
        p if p >= 1e-3 => format!("{p:.4}"),
        p => format!("{p:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let cases = [(0, "0"), (999, "999"), (1000, "1 000"), (300_540_195, "300 540 195")];
        for (number, text) in cases {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        for (value, text) in [(0.1, "0.1"), (1e-300, "1e-300"), (0.0, "0"), (1e20, "1e20"), (2.0, "2")] {
            assert_eq!(plain(value), text);
        }
        let cases = [
            (81.699_999_999_999_99, "81.7"),
            (1e-5, "1e-5"),
            (0.000_123_45, "0.0001234"),
            (9.999_96, "10"),
            (1234.56, "1235"),
            (123_456.0, "123456"),
            (-0.5, "-0.5"),
            (2.0 / 3.0 * 1e-9, "6.667e-10"),
            (1e160, "1e160"),
            (0.0, "0"),
        ];
        for (value, text) in cases {
            assert_eq!(figures(value, 4), text, "{value}");
        }
        assert_eq!((figures(f64::INFINITY, 3), figures(f64::NEG_INFINITY, 3)), ("∞".into(), "−∞".into()));
    }
}
