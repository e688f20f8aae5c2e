//! Bars over whole numbers, for counts of any size.

use super::axis::{Axis, Scale, Tick};
use super::drawing::{Drawing, Mark};
use super::lines::{LETTER, below, frame};
use super::style::Ink;
use super::text::width;

/// One bar: the number below it, the logarithm to base 10 of its count, and whether it shows what is wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    pub(crate) number: i64,
    pub(crate) logarithm: f64,
    pub(crate) bad: bool,
}

/// A logarithmic histogram; a count of 1 shows a short bar.
pub(crate) fn histogram(label: &str, name: &str, bars: &[Bar], size: (f64, f64)) -> Drawing {
    let mut drawing = Drawing::new(label);
    let most = bars.iter().map(|bar| bar.logarithm).fold(1.0, f64::max).ceil();
    // An axis of exponents: the counts may be larger than any double.
    let axis = Axis::between("", Scale::Whole, -0.3, most);
    let exponents = axis.ticks(7).into_iter().map(|tick| {
        let text = match tick.text.as_str() {
            "0" => Some("1"),
            "1" => Some("10"),
            _ => None,
        };
        let raised = if text.is_some() { String::new() } else { tick.text.clone() };
        Tick { text: text.unwrap_or("10").to_owned(), raised, ..tick }
    });
    let y: Vec<Tick> = exponents.collect();
    let count = bars.len().max(1) as f64;
    let place = |number: usize| (number as f64 + 0.5) / count;
    // As many numbers as fit: of every second bar, every fifth, ….
    let widest = bars.iter().map(|bar| width(&bar.number.to_string(), LETTER)).fold(0.0, f64::max) + 8.0;
    let every = super::axis::round_step((widest * count / (size.0 - 80.0)).max(1.0)) as usize;
    let x: Vec<Tick> = bars
        .iter()
        .enumerate()
        .filter(|(_, bar)| bar.number.rem_euclid(every as i64) == 0)
        .map(|(number, bar)| Tick {
            place: place(number),
            text: bar.number.to_string(),
            raised: String::new(),
        })
        .collect();
    let [left, top, width, height] = frame(&mut drawing, &x, &y, (name, ""), size);
    for bad in [false, true] {
        let boxes = bars.iter().enumerate().filter(|(_, bar)| bar.bad == bad).filter_map(|(number, bar)| {
            let tall = axis.place(bar.logarithm)? * height;
            let wide = 0.8 * width / count;
            Some([left + place(number) * width - wide / 2.0, top + height - tall, wide, tall])
        });
        let boxes: Vec<[f64; 4]> = boxes.collect();
        let ink = if bad { Ink::Bad } else { Ink::One };
        if !boxes.is_empty() {
            drawing.marks.push(Mark::Boxes { boxes, ink, opacity: 1.0 });
        }
    }
    (drawing.width, drawing.height) = (size.0, below([left, top, width, height]));
    drawing
}
