//! Curves over an axis, with a legend below.

use super::axis::{Axis, Tick};
use super::drawing::{Anchor, Drawing, Mark};
use super::style::Ink;
use super::style::Look;
use super::text::{cut, width};

/// One curve.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// Its colour and dash.
    pub(crate) look: Look,
    pub(crate) points: Vec<(f64, f64)>,
    /// Around the curve: x, the lowest and the highest y.
    pub(crate) band: Vec<(f64, f64, f64)>,
    /// Whether every point is marked. One alone always is.
    pub(crate) marked: bool,
}

/// The size of letters.
pub(crate) const LETTER: f64 = 12.0;
/// The height of a line of the legend.
pub(crate) const LINE: f64 = 17.0;
/// The length of a legend's sample, with the gap behind it.
pub(crate) const SAMPLE: f64 = 34.0;

/// A chart of this width; its plot has the height given.
pub(crate) struct Chart<'a> {
    pub(crate) label: &'a str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    pub(crate) legend: bool,
    pub(crate) size: (f64, f64),
}

/// The most labels across so many pixels.
fn fitting(axis: &Axis, length: f64) -> Vec<Tick> {
    let mut most = 11;
    loop {
        let ticks = axis.ticks(most);
        let wide = ticks.iter().map(|tick| tick.width(LETTER)).fold(0.0, f64::max);
        let nearest =
            ticks.windows(2).map(|two| (two[1].place - two[0].place) * length).fold(f64::INFINITY, f64::min);
        if most <= 2 || nearest >= wide + 8.0 {
            return ticks;
        }
        most -= 1;
    }
}

/// The frame of a plot with the labels of both axes; gives the place of the plot: left, top, width, height.
pub(crate) fn frame(
    drawing: &mut Drawing,
    x: &[Tick],
    y: &[Tick],
    names: (&str, &str),
    (wide, high): (f64, f64),
) -> [f64; 4] {
    let [left, top, width_, height] = plot(y, names.1, (wide, high));
    let bottom = top + height;
    for tick in y {
        let at = bottom - tick.place * height;
        let points = vec![(left, at), (left + width_, at)];
        drawing.marks.push(Mark::Line { points, ink: Ink::Line, width: 1.0, dash: &[] });
        let (text, raised) = (tick.text.clone(), tick.raised.clone());
        let at = (left - 6.0, at + 0.35 * LETTER);
        drawing.marks.push(Mark::Text {
            at,
            text,
            raised,
            size: LETTER,
            anchor: Anchor::End,
            ink: Ink::Soft,
        });
    }
    drawing.marks.push(Mark::Frame { place: [left, top, width_, height], ink: Ink::Line });
    for tick in x {
        let (text, raised) = (tick.text.clone(), tick.raised.clone());
        let at = (left + tick.place * width_, bottom + 16.0);
        drawing.marks.push(Mark::Text {
            at,
            text,
            raised,
            size: LETTER,
            anchor: Anchor::Middle,
            ink: Ink::Soft,
        });
    }
    if !names.1.is_empty() {
        drawing.text((4.0, LETTER + 2.0), names.1, LETTER, Anchor::Start, Ink::Text);
    }
    let name = cut(names.0, LETTER, wide - 8.0);
    let half = width(&name, LETTER) / 2.0 + 4.0;
    let middle = (left + width_ / 2.0).clamp(half.min(wide / 2.0), (wide - half).max(wide / 2.0));
    drawing.text((middle, bottom + 35.0), name, LETTER, Anchor::Middle, Ink::Text);
    [left, top, width_, height]
}

/// Where the plot stands: right of the widest label, below the name of the y axis, with room at the right for half
/// a label of the x axis.
fn plot(y: &[Tick], name: &str, (wide, high): (f64, f64)) -> [f64; 4] {
    let labels = y.iter().map(|tick| tick.width(LETTER)).fold(0.0, f64::max);
    let (left, top) = (labels + 12.0, if name.is_empty() { 10.0 } else { 24.0 });
    [left, top, wide - left - 20.0, high]
}

/// Below the frame begins what stands under a plot of this place.
pub(crate) fn below([_, top, _, height]: [f64; 4]) -> f64 {
    top + height + 42.0
}

impl Chart<'_> {
    pub(crate) fn drawing(self) -> Drawing {
        let mut drawing = Drawing::new(self.label);
        let y_ticks = self.y.ticks(8);
        let [_, _, room, _] = plot(&y_ticks, &self.y.name, self.size);
        let x_ticks = fitting(&self.x, room);
        let names = (self.x.name.as_str(), self.y.name.as_str());
        let place = frame(&mut drawing, &x_ticks, &y_ticks, names, self.size);
        let at = |x: f64, y: f64| -> Option<(f64, f64)> {
            let (x, y) = (self.x.place(x)?, self.y.place(y)?);
            Some((place[0] + x * place[2], place[1] + (1.0 - y) * place[3]))
        };
        for series in &self.series {
            let ink = series.look.ink();
            let lowest = series.band.iter().filter_map(|&(x, low, _)| at(x, low));
            let highest = series.band.iter().rev().filter_map(|&(x, _, high)| at(x, high));
            let points: Vec<_> = lowest.chain(highest).collect();
            if points.len() > 2 {
                drawing.marks.push(Mark::Area { points, ink, opacity: 0.18 });
            }
        }
        for series in &self.series {
            let (ink, dash) = (series.look.ink(), series.look.dash());
            // What cannot be shown cuts the curve.
            let places: Vec<Option<(f64, f64)>> = series.points.iter().map(|&(x, y)| at(x, y)).collect();
            for piece in places.split(Option::is_none) {
                let points: Vec<(f64, f64)> = piece.iter().copied().flatten().collect();
                if series.marked || points.len() == 1 {
                    let radius = if series.marked { 3.0 } else { 4.0 };
                    drawing.marks.extend(points.iter().map(|&at| Mark::Dot { at, radius, ink }));
                }
                if points.len() > 1 {
                    drawing.marks.push(Mark::Line { points, ink, width: 2.0, dash });
                }
            }
        }
        (drawing.width, drawing.height) = (self.size.0, below(place));
        if self.legend {
            let names: Vec<(Look, &str)> =
                self.series.iter().map(|series| (series.look, series.name.as_str())).collect();
            legend(&mut drawing, &names);
        }
        drawing
    }
}

/// A sample of each curve with its name, in as many columns as fit, below what is there.
pub(crate) fn legend(drawing: &mut Drawing, names: &[(Look, &str)]) {
    let most = drawing.width - SAMPLE - 8.0;
    let names: Vec<(Look, String)> =
        names.iter().map(|&(look, name)| (look, cut(name, LETTER, most))).collect();
    let widest = names.iter().map(|(_, name)| width(name, LETTER)).fold(0.0, f64::max) + SAMPLE + 12.0;
    let columns = ((drawing.width - 4.0) / widest).floor().max(1.0) as usize;
    let top = drawing.height + 6.0;
    for (number, (look, name)) in names.iter().enumerate() {
        let left = 4.0 + (number % columns) as f64 * widest;
        let line = top + (number / columns) as f64 * LINE + LETTER;
        let points = vec![(left, line - 4.0), (left + SAMPLE - 6.0, line - 4.0)];
        drawing.marks.push(Mark::Line { points, ink: look.ink(), width: 2.0, dash: look.dash() });
        drawing.text((left + SAMPLE, line), name.clone(), LETTER, Anchor::Start, Ink::Text);
    }
    drawing.height = top + names.len().div_ceil(columns) as f64 * LINE + 4.0;
}
