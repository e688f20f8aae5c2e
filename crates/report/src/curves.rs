//! Curves of training runs: accuracy and loss against steps, bytes and estimated deployed time.
//!
//! Every run has one colour in all panels, and a dash of its own where colours repeat. A run whose code is
//! not verified says so in the legend.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use super::runs::run_label;
use ecode_train::{Metrics, Summary};

/// A run to draw: what is said of it, and its log.
#[derive(Clone, Debug)]
pub struct Curve {
    /// The text of the legend.
    pub label: String,
    /// The lines of its log.
    pub log: Vec<Metrics>,
}

impl Curve {
    /// The curve of a run, labelled with its code, r, b, attack and seed.
    #[must_use]
    pub fn of(summary: &Summary, log: Vec<Metrics>) -> Self {
        let config = &summary.config;
        let attack = match config.liars() {
            0 => "nobody lies".to_owned(),
            b => format!("{b} lie: {}", config.attack.name()),
        };
        Self { label: format!("{}; {attack}; seed {}", run_label(summary), config.seed), log }
    }
}

/// Why curves cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot draw: {0}")]
pub struct DrawError(String);

/// The colours of Okabe and Ito, told apart also by those who do not see all of them; yellow left out.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];

const WIDTH: u32 = 1200;
const PANELS: u32 = 720;
/// Height of a line of the legend.
const LINE: u32 = 22;

/// A function of a line of the log.
type Reading = fn(&Metrics) -> Option<f64>;

/// Votes and gradients differ by a factor of 32: only logarithms show both.
const BYTES: &str = "megabytes sent, both ways, all workers (logarithmic)";

const ACROSS: [(&str, Reading); 3] = [
    ("steps", |m| Some(m.step as f64)),
    (BYTES, |m| Some((m.bytes_up + m.bytes_down) as f64 / 1e6).filter(|&bytes| bytes > 0.0).map(f64::log10)),
    ("estimated deployed time, seconds", |m| Some(m.deployed_s)),
];

const UP: [(&str, Reading); 2] =
    [("test accuracy, %", |m| Some(100.0 * m.test_accuracy)), ("training loss", |m| m.train_loss)];

/// The curves as an SVG text.
///
/// # Errors
/// [`DrawError`] when there is nothing to draw.
pub fn curves_svg(curves: &[Curve]) -> Result<String, DrawError> {
    let mut text = String::new();
    let root = SVGBackend::with_string(&mut text, (WIDTH, height(curves))).into_drawing_area();
    draw(&root, curves)?;
    drop(root);
    Ok(text)
}

/// The curves as a PNG image.
///
/// # Errors
/// [`DrawError`] when there is nothing to draw.
pub fn curves_png(curves: &[Curve]) -> Result<Vec<u8>, DrawError> {
    let size = (WIDTH, height(curves));
    let mut pixels = vec![0; (size.0 * size.1 * 3) as usize];
    let root = BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area();
    draw(&root, curves)?;
    drop(root);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let broken = |error: png::EncodingError| DrawError(error.to_string());
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)).map_err(broken)?;
    Ok(bytes)
}

/// The curves as a page that needs nothing else: the picture, and a table of where every run ended.
///
/// # Errors
/// [`DrawError`] when there is nothing to draw.
pub fn curves_html(curves: &[Curve]) -> Result<String, DrawError> {
    let picture = curves_svg(curves)?;
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut rows = String::new();
    for curve in curves {
        let Some(last) = curve.log.last() else { continue };
        rows += &format!(
            "<tr><td>{}</td><td>{}</td><td>{:.2}</td><td>{:.4}</td><td>{:.3}</td></tr>\n",
            escaped(&curve.label),
            last.step,
            100.0 * last.test_accuracy,
            last.test_loss,
            (last.bytes_up + last.bytes_down) as f64 / 1e6,
        );
    }
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Training curves</title>\n\
         <style>\nbody {{ font: 16px/1.5 sans-serif; margin: 1rem auto; max-width: 76rem; padding: 0 1rem; \
         color: #1a1a1a; background: #fff }}\nsvg {{ width: 100%; height: auto }}\n\
         table {{ border-collapse: collapse; display: block; overflow-x: auto }}\n\
         th, td {{ padding: .25rem .75rem; border-bottom: 1px solid #ccc; text-align: left }}\n\
         @media (prefers-color-scheme: dark) {{ body {{ color: #e8e8e8; background: #1a1a1a }} }}\n\
         </style>\n</head>\n<body>\n<h1>Training curves</h1>\n{picture}\n<table>\n<thead><tr><th>run</th><th>steps\
         </th><th>test accuracy, %</th><th>test loss</th><th>megabytes</th></tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table>\n</body>\n</html>\n"
    ))
}

fn height(curves: &[Curve]) -> u32 {
    PANELS + LINE * curves.len() as u32 + 10
}

fn draw<B: DrawingBackend>(root: &DrawingArea<B, Shift>, curves: &[Curve]) -> Result<(), DrawError> {
    // Only bitmaps draw letters themselves. A second registration changes nothing.
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| DrawError("the font is broken".into()))?;
    let text = |error: DrawingAreaErrorKind<B::ErrorType>| DrawError(error.to_string());
    root.fill(&WHITE).map_err(text)?;
    let (panels, legend) = root.split_vertically(PANELS);
    for (place, area) in panels.split_evenly((UP.len(), ACROSS.len())).iter().enumerate() {
        panel(area, curves, UP[place / ACROSS.len()], ACROSS[place % ACROSS.len()])?;
    }
    for (place, curve) in curves.iter().enumerate() {
        let y = LINE as i32 * place as i32 + 10;
        let line = line(place, vec![(30, y), (70, y)]);
        line.into_iter().try_for_each(|part| legend.draw(&part)).map_err(text)?;
        let label = Text::new(curve.label.clone(), (80, y - 8), ("sans-serif", 15).into_font());
        legend.draw(&label).map_err(text)?;
    }
    root.present().map_err(text)
}

/// The style of the run at a place: solid in the first round of colours, dashed in the next ones.
fn line<C: Clone + 'static>(place: usize, points: Vec<C>) -> Vec<PathElement<C>> {
    let style = COLOURS[place % COLOURS.len()].stroke_width(if place < COLOURS.len() { 2 } else { 1 });
    vec![PathElement::new(points, style)]
}

/// A number for an axis: three digits that matter, no zeros behind them.
fn number(value: f64) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 1.0 {
        1
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn panel<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    curves: &[Curve],
    (up_name, up): (&str, Reading),
    (across_name, across): (&str, Reading),
) -> Result<(), DrawError> {
    let text = |error: DrawingAreaErrorKind<B::ErrorType>| DrawError(error.to_string());
    let points = |curve: &Curve| -> Vec<(f64, f64)> {
        let point = |m: &Metrics| Some((across(m)?, up(m)?));
        curve.log.iter().filter_map(point).filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
    };
    let all: Vec<(f64, f64)> = curves.iter().flat_map(points).collect();
    if all.is_empty() {
        return Err(DrawError("no run has a line in its log".into()));
    }
    let range = |values: Vec<f64>, from_zero: bool| {
        let low = values.iter().copied().fold(if from_zero { 0.0 } else { f64::INFINITY }, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let room = if high > low { 0.03 * (high - low) } else { 1.0 };
        low..high + room
    };
    let logarithmic = across_name == BYTES;
    let xs = range(all.iter().map(|point| point.0).collect(), !logarithmic);
    let ys = range(all.iter().map(|point| point.1).collect(), false);
    let font = ("sans-serif", 13).into_font();
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(58)
        .build_cartesian_2d(xs, ys)
        .map_err(text)?;
    chart
        .configure_mesh()
        .x_desc(across_name)
        .y_desc(up_name)
        .x_labels(6)
        .x_label_formatter(&|x| number(if logarithmic { 10_f64.powf(*x) } else { *x }))
        .y_label_formatter(&|y| number(*y))
        .y_labels(8)
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .label_style(font.clone())
        .axis_desc_style(font)
        .draw()
        .map_err(text)?;
    for (place, curve) in curves.iter().enumerate() {
        chart.draw_series(line(place, points(curve))).map_err(text)?;
    }
    Ok(())
}
