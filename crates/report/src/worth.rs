//! What each scheme of a sweep gives under the attack that is worst for it, beside what it computes: the gradients of samples of all
//! workers together in a step, as a multiple of those of the scheme that computes least.

use super::chart::axis::{Axis, Scale};
use super::chart::drawing::{Anchor, Drawing, Mark};
use super::chart::lines::LETTER;
use super::chart::style::{Ink, Look};
use super::chart::text::{cut, width};
use super::numbers::figures;
use super::sweeps::{Cell, values_text};

/// A scheme in a setting, at values of the axes.
struct Place<'a> {
    situation: String,
    scheme: &'a str,
    samples: f64,
    /// The lowest mean, with the lowest and the highest value of that attack; none where a run diverged.
    worst: Option<(f64, f64, f64)>,
}

fn places(cells: &[Cell]) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for cell in cells {
        let Some(cost) = cell.cost else { continue };
        let axes =
            if cell.axes.is_empty() { String::new() } else { format!(", {}", values_text(&cell.axes)) };
        let situation = format!("{} of {} lie{axes}", cell.byzantine, cell.n);
        let range = cell.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
        let mean = cell.statistics().filter(|_| cell.diverged == 0).map(|(mean, _)| (mean, range.0, range.1));
        let same = |place: &&mut Place<'_>| place.situation == situation && place.scheme == cell.scheme;
        if let Some(place) = places.iter_mut().find(same) {
            place.worst = match (place.worst, mean) {
                (Some(one), Some(other)) => Some(if other.0 < one.0 { other } else { one }),
                _ => None,
            };
        } else {
            places.push(Place { situation, scheme: &cell.scheme, samples: cost.samples, worst: mean });
        }
    }
    places
}

/// The height of a scheme's line, and the width of a situation's column.
const ROW: f64 = 24.0;
const COLUMN: f64 = 250.0;
/// Where the lines begin: below the titles.
const TOP: f64 = 40.0;

/// A picture of the cells of a sweep: a line a scheme with what it computes, a column for each setting and each combination of
/// the axes' values, and in it a dot at the mean under the worst attack with a line from the lowest to the highest seed. A scheme
/// of which a run diverged has no dot. None where nothing can be drawn.
#[must_use]
pub fn worth_svg(cells: &[Cell]) -> Option<String> {
    let places = places(cells);
    let metric = cells.first()?.metric;
    let mut schemes: Vec<&str> = Vec::new();
    let mut situations: Vec<&str> = Vec::new();
    for place in &places {
        if !schemes.contains(&place.scheme) {
            schemes.push(place.scheme);
        }
        if !situations.contains(&place.situation.as_str()) {
            situations.push(&place.situation);
        }
    }
    let shortest = if metric == "test AUC" { 0.04 } else { 4.0 };
    // Each situation has an axis of its own: what is close together in one is far apart in another.
    let axis = |situation: &str| {
        let here = places.iter().filter(|place| place.situation == situation);
        let values = here.filter_map(|place| place.worst).flat_map(|(_, low, high)| [low, high]);
        Axis::over(metric, Scale::Linear, values).at_least(shortest).with_room()
    };
    let axes: Vec<Axis> = situations.iter().map(|situation| axis(situation)).collect();
    let least = places.iter().map(|place| place.samples).fold(f64::INFINITY, f64::min);
    let mut drawing =
        Drawing::new("What schemes give under their worst attack, and what they compute for it");
    let left =
        schemes.iter().map(|scheme| width(scheme, LETTER)).fold(width("scheme", LETTER), f64::max) + 16.0;
    let first = left + width("gradients", LETTER) + 16.0;
    let bottom = TOP + ROW * schemes.len() as f64;
    drawing.text((4.0, TOP - 8.0), "scheme", LETTER, Anchor::Start, Ink::Soft);
    drawing.text((left, TOP - 8.0), "gradients", LETTER, Anchor::Start, Ink::Soft);
    for (column, situation) in situations.iter().enumerate() {
        let start = first + COLUMN * column as f64;
        let title = cut(situation, LETTER, COLUMN - 16.0);
        drawing.text((start, TOP - 8.0), title, LETTER, Anchor::Start, Ink::Text);
        column_of(&mut drawing, &axes[column], (start, bottom), metric);
    }
    for (row, scheme) in schemes.iter().enumerate() {
        let line = TOP + ROW * (row as f64 + 0.5);
        let of = places.iter().filter(|place| place.scheme == *scheme);
        let samples = of.clone().map(|place| place.samples).next().unwrap_or(least);
        drawing.text((4.0, line + 4.0), *scheme, LETTER, Anchor::Start, Ink::Text);
        let times = format!("× {}", figures(samples / least, 3));
        drawing.text((left, line + 4.0), times, LETTER, Anchor::Start, Ink::Text);
        for place in of {
            let column = situations.iter().position(|other| *other == place.situation).unwrap_or(0);
            let start = first + COLUMN * column as f64;
            let Some((mean, low, high)) = place.worst else { continue };
            let at = |value: f64| axes[column].place(value).map(|share| start + share * (COLUMN - 20.0));
            let (Some(mean), Some(low), Some(high)) = (at(mean), at(low), at(high)) else { continue };
            let ink = Look::of(row).ink();
            drawing.marks.push(Mark::Line {
                points: vec![(low, line), (high, line)],
                ink,
                width: 2.0,
                dash: &[],
            });
            drawing.marks.push(Mark::Dot { at: (mean, line), radius: 4.5, ink });
        }
    }
    (drawing.width, drawing.height) = (first + COLUMN * situations.len() as f64, bottom + 42.0);
    (!situations.is_empty()).then(|| super::chart::standalone(&drawing.svg().into_string()))
}

/// The frame of a column with its labels and lines.
fn column_of(drawing: &mut Drawing, x: &Axis, (start, bottom): (f64, f64), name: &str) {
    let wide = COLUMN - 20.0;
    for tick in x.ticks(6) {
        let at = start + tick.place * wide;
        let points = vec![(at, TOP), (at, bottom)];
        drawing.marks.push(Mark::Line { points, ink: Ink::Line, width: 1.0, dash: &[] });
        drawing.text((at, bottom + 16.0), tick.text, LETTER, Anchor::Middle, Ink::Soft);
    }
    drawing.marks.push(Mark::Frame { place: [start, TOP, wide, bottom - TOP], ink: Ink::Line });
    drawing.text((start + wide / 2.0, bottom + 35.0), name, LETTER, Anchor::Middle, Ink::Text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweeps::Cost;

    /// The worst attack decides, and a scheme of which a run diverged has no dot.
    #[test]
    fn the_worst_attack_is_shown() {
        let cell = |scheme: &str, attack: &str, values: &[f64], diverged| Cell {
            n: 9,
            byzantine: 2,
            scheme: scheme.into(),
            attack: attack.into(),
            metric: "test accuracy, %",
            values: values.to_vec(),
            diverged,
            cost: Some(Cost { samples: 72.0, heaviest: 8.0, thread_s: None, deployed_s: 1.0, bytes_up: 9 }),
            ..Cell::default()
        };
        let cells = [
            cell("best", "reverse", &[90.0, 92.0], 0),
            cell("best", "alie", &[70.0, 80.0], 0),
            cell("uncoded+mean", "reverse", &[60.0], 0),
            cell("uncoded+mean", "alie", &[], 1),
        ];
        let worst: Vec<_> = places(&cells).iter().map(|place| (place.scheme, place.worst)).collect();
        assert_eq!(worst, [("best", Some((75.0, 70.0, 80.0))), ("uncoded+mean", None)]);
        let picture = worth_svg(&cells).unwrap_or_default();
        assert_eq!(picture.matches("<circle").count(), 1, "of the scheme that did not diverge");
        assert!(picture.contains("2 of 9 lie") && picture.contains("× 1"), "{picture}");
        assert_eq!(worth_svg(&[]), None);
    }
}
