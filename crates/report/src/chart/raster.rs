//! A drawing as a PNG image, in the colours for light surroundings.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform,
};
use ttf_parser::{Face, OutlineBuilder};

use super::drawing::{Anchor, Drawing, Mark, RAISED};
use super::style::Ink;

/// Pixels of the image for one of the drawing: sharp on today's screens, and in print at a column's width.
const SCALE: f32 = 2.0;

/// Why there is no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot draw the image: {0}")]
pub struct DrawError(pub(super) String);

/// Paints a drawing.
///
/// # Errors
/// [`DrawError`]: a picture without a size, or one too large for memory.
pub(crate) fn png(drawing: &Drawing) -> Result<Vec<u8>, DrawError> {
    let error = |what: &str| DrawError(what.to_owned());
    let face = Face::parse(dejavu::sans::regular(), 0).map_err(|_| error("the font is broken"))?;
    let pixels = |length: f64| (length * f64::from(SCALE)).ceil() as u32;
    let (width, height) = (pixels(drawing.width), pixels(drawing.height));
    let mut canvas = Pixmap::new(width, height).ok_or_else(|| error("its size is out of range"))?;
    canvas.fill(Color::WHITE);
    for mark in &drawing.marks {
        draw(&mut canvas, &face, mark);
    }
    let rgb: Vec<u8> =
        canvas.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let write = |mut writer: png::Writer<&mut Vec<u8>>| writer.write_image_data(&rgb);
    encoder.write_header().and_then(write).map_err(|error| DrawError(error.to_string()))?;
    Ok(bytes)
}

fn paint(ink: Ink, opacity: f64) -> Paint<'static> {
    let hex = u32::from_str_radix(&ink.light()[1..], 16).unwrap_or(0);
    let [_, red, green, blue] = hex.to_be_bytes();
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, (255.0 * opacity.clamp(0.0, 1.0)) as u8);
    paint
}

fn draw(canvas: &mut Pixmap, face: &Face<'_>, mark: &Mark) {
    let scaled = Transform::from_scale(SCALE, SCALE);
    let polygon = |points: &[(f64, f64)], closed: bool| {
        let mut path = PathBuilder::new();
        for (place, &(x, y)) in points.iter().enumerate() {
            if place == 0 { path.move_to(x as f32, y as f32) } else { path.line_to(x as f32, y as f32) }
        }
        if closed {
            path.close();
        }
        path.finish()
    };
    match mark {
        Mark::Line { points, ink, width, dash } => {
            let dash = dash.iter().map(|&length| length as f32).collect::<Vec<f32>>();
            let stroke = Stroke {
                width: *width as f32,
                line_cap: LineCap::Butt,
                line_join: LineJoin::Round,
                dash: StrokeDash::new(dash, 0.0),
                ..Stroke::default()
            };
            if let Some(path) = polygon(points, false) {
                canvas.stroke_path(&path, &paint(*ink, 1.0), &stroke, scaled, None);
            }
        }
        Mark::Area { points, ink, opacity } => {
            if let Some(path) = polygon(points, true) {
                canvas.fill_path(&path, &paint(*ink, *opacity), FillRule::Winding, scaled, None);
            }
        }
        Mark::Boxes { boxes, ink, opacity } => {
            for [x, y, width, height] in boxes.iter().map(|place| place.map(|length| length as f32)) {
                if let Some(rect) = Rect::from_xywh(x, y, width, height) {
                    canvas.fill_rect(rect, &paint(*ink, *opacity), scaled, None);
                }
            }
        }
        Mark::Frame { place, ink } => {
            let [x, y, width, height] = place.map(|length| length as f32);
            if let Some(rect) = Rect::from_xywh(x, y, width, height) {
                let stroke = Stroke { width: 1.0, ..Stroke::default() };
                canvas.stroke_path(&PathBuilder::from_rect(rect), &paint(*ink, 1.0), &stroke, scaled, None);
            }
        }
        Mark::Dot { at, radius, ink } => {
            if let Some(circle) = PathBuilder::from_circle(at.0 as f32, at.1 as f32, *radius as f32) {
                canvas.fill_path(&circle, &paint(*ink, 1.0), FillRule::Winding, scaled, None);
            }
        }
        Mark::Text { at, text, raised, size, anchor, ink } => {
            if let Some(path) = written(face, *at, (text, raised), *size, *anchor) {
                canvas.fill_path(&path, &paint(*ink, 1.0), FillRule::Winding, scaled, None);
            }
        }
    }
}

/// The outlines of a text with what stands raised behind it.
pub(super) fn written(
    face: &Face<'_>,
    at: (f64, f64),
    (text, raised): (&str, &str),
    size: f64,
    anchor: Anchor,
) -> Option<Path> {
    let size = size as f32;
    let small = size * RAISED as f32;
    let whole = advance(face, text, size) + advance(face, raised, small);
    let left = at.0 as f32
        - match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => whole / 2.0,
            Anchor::End => whole,
        };
    let mut letters = Letters { path: PathBuilder::new(), origin: (left, at.1 as f32), scale: 1.0 };
    letters.write(face, text, size);
    letters.origin.1 -= 0.35 * size;
    letters.write(face, raised, small);
    letters.path.finish()
}

fn advance(face: &Face<'_>, text: &str, size: f32) -> f32 {
    let glyphs = text.chars().map(|c| face.glyph_index(c).unwrap_or_default());
    let units: u32 = glyphs.map(|glyph| u32::from(face.glyph_hor_advance(glyph).unwrap_or(0))).sum();
    units as f32 * size / f32::from(face.units_per_em())
}

/// Outlines of letters, one behind the other.
struct Letters {
    path: PathBuilder,
    origin: (f32, f32),
    scale: f32,
}

impl Letters {
    fn write(&mut self, face: &Face<'_>, text: &str, size: f32) {
        self.scale = size / f32::from(face.units_per_em());
        for c in text.chars() {
            let glyph = face.glyph_index(c).unwrap_or_default();
            // A space has no outline.
            let _ = face.outline_glyph(glyph, self);
            self.origin.0 += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * self.scale;
        }
    }

    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.origin.0 + x * self.scale, self.origin.1 - y * self.scale)
    }
}

impl OutlineBuilder for Letters {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
