//! A picture as a list of marks, and how it is written as SVG.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::style::Ink;

/// Where a text stands by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// The text begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// Something that is drawn. Lengths are in pixels, y goes down.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// A line through points.
    Line { points: Vec<(f64, f64)>, ink: Ink, width: f64, dash: &'static [f64] },
    /// A filled polygon.
    Area { points: Vec<(f64, f64)>, ink: Ink, opacity: f64 },
    /// Filled boxes: left, top, width, height.
    Boxes { boxes: Vec<[f64; 4]>, ink: Ink, opacity: f64 },
    /// The outline of a box.
    Frame { place: [f64; 4], ink: Ink },
    /// A filled circle.
    Dot { at: (f64, f64), radius: f64, ink: Ink },
    /// A text on its base line. `raised` stands behind it, smaller and higher.
    Text { at: (f64, f64), text: String, raised: String, size: f64, anchor: Anchor, ink: Ink },
}

/// A picture.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// What it shows, for those who do not see it.
    pub(crate) label: String,
    /// More of the same, or nothing.
    pub(crate) description: String,
    pub(crate) marks: Vec<Mark>,
}

/// A raised text's size, of the size of the text that it stands behind.
pub(crate) const RAISED: f64 = 0.75;

impl Drawing {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        Self { width: 0.0, height: 0.0, label: label.into(), description: String::new(), marks: Vec::new() }
    }

    pub(crate) fn text(
        &mut self,
        at: (f64, f64),
        text: impl Into<String>,
        size: f64,
        anchor: Anchor,
        ink: Ink,
    ) {
        let (text, raised) = (text.into(), String::new());
        self.marks.push(Mark::Text { at, text, raised, size, anchor, ink });
    }

    /// Puts another picture into this one.
    pub(crate) fn place(&mut self, other: Self, (left, top): (f64, f64)) {
        let shift = |(x, y): &mut (f64, f64)| (*x, *y) = (*x + left, *y + top);
        for mut mark in other.marks {
            match &mut mark {
                Mark::Line { points, .. } | Mark::Area { points, .. } => points.iter_mut().for_each(shift),
                Mark::Boxes { boxes, .. } => {
                    boxes
                        .iter_mut()
                        .for_each(|place| (place[0], place[1]) = (place[0] + left, place[1] + top));
                }
                Mark::Frame { place, .. } => (place[0], place[1]) = (place[0] + left, place[1] + top),
                Mark::Dot { at, .. } | Mark::Text { at, .. } => shift(at),
            }
            self.marks.push(mark);
        }
    }

    /// The picture as SVG. Colours are attributes, which a style sheet's classes replace.
    pub(crate) fn svg(&self) -> Markup {
        html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {:.0} {:.0}", self.width, self.height)) role="img" aria-label=(self.label) {
                title { (self.label) }
                @if !self.description.is_empty() { desc { (self.description) } }
                @for mark in &self.marks { (mark.svg()) }
            }
        }
    }
}

impl Mark {
    fn svg(&self) -> Markup {
        let fill = |ink: Ink| (format!("f-{}", ink.name()), ink.light());
        let stroke = |ink: Ink| (format!("s-{}", ink.name()), ink.light());
        match self {
            Self::Line { points, ink, width, dash } => {
                let (class, colour) = stroke(*ink);
                let dash: Vec<String> = dash.iter().map(ToString::to_string).collect();
                html! {
                    path class=(class) stroke=(colour) stroke-width=(width) stroke-dasharray=[(!dash.is_empty()).then(|| dash.join(" "))] fill="none" d=(path(points, false)) {}
                }
            }
            Self::Area { points, ink, opacity } => {
                let (class, colour) = fill(*ink);
                html! { path class=(class) fill=(colour) fill-opacity=(opacity) d=(path(points, true)) {} }
            }
            Self::Boxes { boxes, ink, opacity } => {
                let (class, colour) = fill(*ink);
                html! { path class=(class) fill=(colour) fill-opacity=(format!("{opacity:.3}")) d=(outlines(boxes)) {} }
            }
            Self::Frame { place, ink } => {
                let (class, colour) = stroke(*ink);
                html! { path class=(class) stroke=(colour) fill="none" d=(outlines(&[*place])) {} }
            }
            Self::Dot { at, radius, ink } => {
                let (class, colour) = fill(*ink);
                html! { circle class=(class) fill=(colour) cx=(format!("{:.1}", at.0)) cy=(format!("{:.1}", at.1)) r=(radius) {} }
            }
            Self::Text { at, text, raised, size, anchor, ink } => {
                let (class, colour) = fill(*ink);
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                html! {
                    text class=(class) fill=(colour) x=(format!("{:.1}", at.0)) y=(format!("{:.1}", at.1)) text-anchor=(anchor) font-family="sans-serif" font-size=(format!("{size:.1}")) {
                        (text)
                        @if !raised.is_empty() { tspan dy=(format!("{:.1}", -size * 0.35)) font-size=(format!("{:.1}", size * RAISED)) { (raised) } }
                    }
                }
            }
        }
    }
}

fn path(points: &[(f64, f64)], closed: bool) -> String {
    let mut text = String::new();
    for (place, (x, y)) in points.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{x:.1} {y:.1}", if place == 0 { "M" } else { "L" });
    }
    if closed {
        text.push('z');
    }
    text
}

fn outlines(boxes: &[[f64; 4]]) -> String {
    let mut text = String::new();
    for [x, y, width, height] in boxes {
        let _ = write!(text, "M{x:.2} {y:.2}h{width:.2}v{height:.2}h-{width:.2}z");
    }
    text
}
