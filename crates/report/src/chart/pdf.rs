//! A drawing as a PDF file of one page: vectors, in the colours for light surroundings, letters as outlines, so that it looks
//! the same wherever it is printed and needs no font.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::{Content, Filter, Finish as _, Name, Pdf, Rect, Ref};
use tiny_skia::{Path, PathSegment};
use ttf_parser::Face;

use super::drawing::{Drawing, Mark};
use super::raster::{DrawError, written};
use super::style::Ink;

/// Points of the page for a pixel of the drawing: 96 pixels are an inch, and 72 points.
const SCALE: f32 = 0.75;

/// The shares of a circle's radius by which four cubic curves are one.
const ROUND: f32 = 0.552_284_8;

/// Writes a drawing.
///
/// # Errors
/// [`DrawError`]: the font is broken.
pub(crate) fn pdf(drawing: &Drawing) -> Result<Vec<u8>, DrawError> {
    let face = Face::parse(dejavu::sans::regular(), 0).map_err(|_| DrawError("the font is broken".into()))?;
    let (catalogue, pages, page, stream) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4));
    let (width, height) = (drawing.width as f32 * SCALE, drawing.height as f32 * SCALE);
    let mut opacities: Vec<u8> = Vec::new();
    let mut content = Content::new();
    // A drawing's y goes down, a page's up.
    content.transform([SCALE, 0.0, 0.0, -SCALE, 0.0, height]);
    for mark in &drawing.marks {
        draw(&mut content, &face, mark, &mut opacities);
    }
    let mut pdf = Pdf::new();
    pdf.catalog(catalogue).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let state = |place: usize| Ref::new(5 + place as i32);
    let mut of_page = pdf.page(page);
    of_page.media_box(Rect::new(0.0, 0.0, width, height)).parent(pages).contents(stream);
    let mut resources = of_page.resources();
    let mut states = resources.ext_g_states();
    for (place, percent) in opacities.iter().enumerate() {
        states.pair(Name(name(*percent).as_bytes()), state(place));
    }
    states.finish();
    resources.finish();
    of_page.finish();
    for (place, percent) in opacities.iter().enumerate() {
        pdf.ext_graphics(state(place)).non_stroking_alpha(f32::from(*percent) / 100.0);
    }
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = packed.write_all(&content.finish()).and_then(|()| packed.finish());
    let packed = packed.map_err(|error| DrawError(error.to_string()))?;
    pdf.stream(stream, &packed).filter(Filter::FlateDecode);
    Ok(pdf.finish())
}

/// The name of an opacity in percent.
fn name(percent: u8) -> String {
    format!("a{percent}")
}

fn colour(ink: Ink) -> [f32; 3] {
    let hex = u32::from_str_radix(&ink.light()[1..], 16).unwrap_or(0);
    let [_, red, green, blue] = hex.to_be_bytes();
    [red, green, blue].map(|part| f32::from(part) / 255.0)
}

fn draw(content: &mut Content, face: &Face<'_>, mark: &Mark, opacities: &mut Vec<u8>) {
    let mut filled = |content: &mut Content, ink: Ink, opacity: f64, outline: &dyn Fn(&mut Content)| {
        let percent = (100.0 * opacity.clamp(0.0, 1.0)).round() as u8;
        if !opacities.contains(&percent) {
            opacities.push(percent);
        }
        let [red, green, blue] = colour(ink);
        content.set_parameters(Name(name(percent).as_bytes())).set_fill_rgb(red, green, blue);
        outline(content);
        content.fill_nonzero();
    };
    let stroked = |content: &mut Content, ink: Ink, width: f32, dash: &[f64]| {
        let [red, green, blue] = colour(ink);
        content.set_stroke_rgb(red, green, blue).set_line_width(width);
        content.set_dash_pattern(dash.iter().map(|&length| length as f32), 0.0);
    };
    match mark {
        Mark::Line { points, ink, width, dash } => {
            stroked(content, *ink, *width as f32, dash);
            polygon(content, points);
            content.stroke();
        }
        Mark::Area { points, ink, opacity } => {
            filled(content, *ink, *opacity, &|content| {
                polygon(content, points);
                content.close_path();
            });
        }
        Mark::Boxes { boxes, ink, opacity } => filled(content, *ink, *opacity, &|content| {
            for [x, y, width, height] in boxes.iter().map(|place| place.map(|length| length as f32)) {
                content.rect(x, y, width, height);
            }
        }),
        Mark::Frame { place, ink } => {
            let [x, y, width, height] = place.map(|length| length as f32);
            stroked(content, *ink, 1.0, &[]);
            content.rect(x, y, width, height).stroke();
        }
        Mark::Dot { at, radius, ink } => {
            let (x, y, r) = (at.0 as f32, at.1 as f32, *radius as f32);
            filled(content, *ink, 1.0, &|content| circle(content, (x, y), r));
        }
        Mark::Text { at, text, raised, size, anchor, ink } => {
            if let Some(path) = written(face, *at, (text, raised), *size, *anchor) {
                filled(content, *ink, 1.0, &|content| outline(content, &path));
            }
        }
    }
}

fn polygon(content: &mut Content, points: &[(f64, f64)]) {
    for (place, &(x, y)) in points.iter().enumerate() {
        if place == 0 {
            content.move_to(x as f32, y as f32)
        } else {
            content.line_to(x as f32, y as f32)
        };
    }
}

fn circle(content: &mut Content, (x, y): (f32, f32), r: f32) {
    let h = ROUND * r;
    content.move_to(x + r, y);
    for [(ax, ay), (bx, by), (cx, cy)] in [
        [(r, h), (h, r), (0.0, r)],
        [(-h, r), (-r, h), (-r, 0.0)],
        [(-r, -h), (-h, -r), (0.0, -r)],
        [(h, -r), (r, -h), (r, 0.0)],
    ] {
        content.cubic_to(x + ax, y + ay, x + bx, y + by, x + cx, y + cy);
    }
    content.close_path();
}

/// A path; of its quadratic curves the cubic ones that they are.
fn outline(content: &mut Content, path: &Path) {
    let mut from = (0.0, 0.0);
    for segment in path.segments() {
        match segment {
            PathSegment::MoveTo(to) => {
                content.move_to(to.x, to.y);
                from = (to.x, to.y);
            }
            PathSegment::LineTo(to) => {
                content.line_to(to.x, to.y);
                from = (to.x, to.y);
            }
            PathSegment::QuadTo(by, to) => {
                let third = |a: f32, b: f32| a + 2.0 / 3.0 * (b - a);
                let (one, two) =
                    ((third(from.0, by.x), third(from.1, by.y)), (third(to.x, by.x), third(to.y, by.y)));
                content.cubic_to(one.0, one.1, two.0, two.1, to.x, to.y);
                from = (to.x, to.y);
            }
            PathSegment::CubicTo(one, two, to) => {
                content.cubic_to(one.x, one.y, two.x, two.y, to.x, to.y);
                from = (to.x, to.y);
            }
            PathSegment::Close => {
                content.close_path();
            }
        }
    }
}
