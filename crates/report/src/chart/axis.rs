//! Axes: from values to places, and round numbers for their labels.

use super::text::width;
use crate::numbers::figures;

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Equal differences are equally long.
    Linear,
    /// As linear, with labels at whole numbers only.
    Whole,
    /// Equal ratios are equally long.
    Logarithmic,
}

/// What an axis shows.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) scale: Scale,
    low: f64,
    high: f64,
}

/// A label: its place from 0 to 1, its text, and what stands raised behind it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    pub(crate) place: f64,
    pub(crate) text: String,
    pub(crate) raised: String,
}

impl Tick {
    pub(crate) fn width(&self, size: f64) -> f64 {
        width(&self.text, size) + width(&self.raised, size * super::drawing::RAISED)
    }
}

/// The smallest of 1, 2, 5, 10, 20, 50, … that is at least `least`.
pub(crate) fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(f64::MIN_POSITIVE).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|&step| step >= least * (1.0 - 1e-9))
        .unwrap_or(power)
}

impl Axis {
    /// An axis over finite values, those above 0 where it is logarithmic. It has some length even where all values
    /// are alike.
    pub(crate) fn over(name: &str, scale: Scale, values: impl IntoIterator<Item = f64>) -> Self {
        let logarithmic = scale == Scale::Logarithmic;
        let wanted = |value: &f64| value.is_finite() && (!logarithmic || *value > 0.0);
        let (mut low, mut high) = values
            .into_iter()
            .filter(wanted)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            (low, high) = (1.0, 1.0);
        }
        if logarithmic {
            if high < low * 4.0 {
                (low, high) = (low / 2.0, high * 2.0);
            }
        } else if high - low <= 1e-9 * high.abs() {
            let room = if scale == Scale::Whole { 1.0 } else { (0.1 * high.abs()).max(1e-12) };
            let room = if high == 0.0 { 1.0 } else { room };
            (low, high) = (if low == 0.0 { 0.0 } else { low - room }, high + room);
        }
        Self { name: name.to_owned(), scale, low, high }
    }

    /// The same axis, begun at 0 and with a little room at its end.
    pub(crate) fn with_zero(mut self) -> Self {
        self.low = self.low.min(0.0);
        self.high += 0.03 * (self.high - self.low);
        self
    }

    /// The same axis with a little room at both ends.
    pub(crate) fn with_room(mut self) -> Self {
        if self.scale == Scale::Logarithmic {
            let room = (self.high / self.low).powf(0.03);
            (self.low, self.high) = (self.low / room, self.high * room);
        } else {
            let room = 0.04 * (self.high - self.low);
            (self.low, self.high) = (self.low - room, self.high + room);
        }
        self
    }

    /// The same axis, at least so long: labels of values that hardly differ would say more than was measured.
    pub(crate) fn at_least(mut self, length: f64) -> Self {
        let missing = (length - (self.high - self.low)).max(0.0) / 2.0;
        (self.low, self.high) = (self.low - missing, self.high + missing);
        self
    }

    /// The same axis under another name.
    pub(crate) fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// An axis from one value to another.
    pub(crate) fn between(name: &str, scale: Scale, low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { name: name.to_owned(), scale, low, high }
    }

    /// Where a value stands, 0 at the low end, 1 at the high one; none where it cannot be shown.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Logarithmic => {
                if value <= 0.0 {
                    return None;
                }
                (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
            }
            Scale::Linear | Scale::Whole => (value - self.low) / (self.high - self.low),
        };
        (-1e-9..=1.0 + 1e-9).contains(&place).then_some(place)
    }

    /// At most `most` labels at round numbers.
    pub(crate) fn ticks(&self, most: usize) -> Vec<Tick> {
        let most = most.max(2) as f64;
        match self.scale {
            Scale::Logarithmic => self.log_ticks(most),
            Scale::Linear | Scale::Whole => {
                let least = (self.high - self.low) / (most - 1.0);
                let step = round_step(if self.scale == Scale::Whole { least.max(1.0) } else { least });
                self.linear_ticks(step)
            }
        }
    }

    fn linear_ticks(&self, step: f64) -> Vec<Tick> {
        let (first, last) = ((self.low / step - 1e-9).ceil(), (self.high / step + 1e-9).floor());
        let digits = |value: f64| ((value.abs() / step).log10().floor().max(0.0) as usize) + 2;
        (0..=(last - first).clamp(0.0, 64.0) as usize)
            .map(|i| (first + i as f64) * step)
            .filter_map(|value| {
                let value = if value.abs() < step / 2.0 { 0.0 } else { value };
                let text = figures(value, digits(value));
                Some(Tick { place: self.place(value)?.clamp(0.0, 1.0), text, raised: String::new() })
            })
            .collect()
    }

    fn log_ticks(&self, most: f64) -> Vec<Tick> {
        let (low, high) = (self.low.log10(), self.high.log10());
        let (first, last) = ((low - 1e-9).ceil() as i32, (high + 1e-9).floor() as i32);
        let values: Vec<(f64, i32)> = if last - first < 2 {
            // Less than two decades: 1, 2 and 5 in each.
            let parts = (first - 1..=last).flat_map(|power| [(1.0, power), (2.0, power), (5.0, power)]);
            parts.collect()
        } else {
            let step = round_step((f64::from(last - first) / (most - 1.0)).max(1.0)) as i32;
            (first.div_euclid(step)..=last.div_euclid(step)).map(|i| (1.0, i * step)).collect()
        };
        values
            .into_iter()
            .filter_map(|(factor, power)| {
                let place = self.place(factor * 10_f64.powi(power))?.clamp(0.0, 1.0);
                let (text, raised) = if (-3..=4).contains(&power) {
                    (figures(factor * 10_f64.powi(power), 2), String::new())
                } else if factor == 1.0 {
                    ("10".to_owned(), power.to_string().replace('-', "−"))
                } else {
                    (format!("{factor}·10"), power.to_string().replace('-', "−"))
                };
                Some(Tick { place, text, raised })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis, most: usize) -> Vec<String> {
        axis.ticks(most).into_iter().map(|tick| tick.text + &tick.raised).collect()
    }

    #[test]
    fn labels_are_round_and_tell_values_apart() {
        let whole = |high: f64| Axis::between("b", Scale::Whole, 0.0, high);
        assert_eq!(texts(&whole(51.0), 11), ["0", "10", "20", "30", "40", "50"]);
        assert_eq!(texts(&whole(3.0), 11), ["0", "1", "2", "3"]);
        let seconds = Axis::over("s", Scale::Linear, [2.3e-5, 2.3e-5]).with_zero();
        let labels = texts(&seconds, 6);
        let mut apart = labels.clone();
        apart.dedup();
        assert!(labels.len() > 2 && labels == apart, "{labels:?}");
        assert_eq!(texts(&Axis::between("%", Scale::Linear, 8.2, 11.3), 5), ["9", "10", "11"]);
        assert_eq!(
            texts(&Axis::between("", Scale::Linear, 0.0, 0.5), 6),
            ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]
        );
    }

    #[test]
    fn logarithmic_labels_are_powers_of_ten_or_1_2_5() {
        let log = |low, high| Axis::between("p", Scale::Logarithmic, low, high);
        assert_eq!(texts(&log(1e-4, 1.0), 6), ["10−4", "0.001", "0.01", "0.1", "1"]);
        assert_eq!(texts(&log(0.4, 6.0), 6), ["0.5", "1", "2", "5"]);
        let deep = texts(&log(1e-150, 1.0), 7);
        assert_eq!(deep, ["10−150", "10−100", "10−50", "1"]);
    }

    #[test]
    fn values_that_hardly_differ_get_round_labels() {
        let axis = Axis::over("%", Scale::Linear, [63.10, 63.14]).at_least(4.0);
        assert_eq!(texts(&axis, 5), ["62", "63", "64", "65"]);
        assert_eq!(texts(&Axis::between("%", Scale::Linear, 0.0, 50.0).at_least(4.0), 6).len(), 6);
    }

    #[test]
    fn one_value_is_in_the_middle_and_zero_has_no_place_in_a_logarithm() {
        for scale in [Scale::Linear, Scale::Whole, Scale::Logarithmic] {
            let axis = Axis::over("x", scale, [7.0]);
            assert!((axis.place(7.0).unwrap_or(0.0) - 0.5).abs() < 1e-9, "{scale:?}");
        }
        assert_eq!(Axis::over("x", Scale::Logarithmic, [1.0, 10.0]).place(0.0), None);
    }
}
