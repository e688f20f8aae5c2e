//! Charts and pictures of G as SVG. They take their colours from CSS variables, so that one picture serves
//! light and dark pages; a file of its own brings them along.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

use ecode_core::{AllocationMatrix, Outcome};

/// The colours, for light and dark surroundings, and how the parts of a picture use them.
pub(super) const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;--one:#24507a;--bad:#b3261e;
--band:#fbe3e1;--c0:#24507a;--c1:#b3261e;--c2:#1a7f37;--c3:#8250df;--c4:#9a6700;--c5:#0b7285;--c6:#a3356f;--c7:#57606a}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4ae;--paper:#0d1117;--line:#3d444d;--one:#79b8ff;
--bad:#ff8a80;--band:#4a1f1d;--c0:#79b8ff;--c1:#ff8a80;--c2:#56d364;--c3:#d2a8ff;--c4:#e3b341;--c5:#56d4dd;
--c6:#f778ba;--c7:#9aa4ae}}
@media print{:root{color-scheme:light;--ink:#000;--soft:#333;--paper:#fff;--line:#999;--one:#24507a;--bad:#b3261e;
--band:#fbe3e1;--c0:#24507a;--c1:#b3261e;--c2:#1a7f37;--c3:#8250df;--c4:#9a6700;--c5:#0b7285;--c6:#a3356f;--c7:#57606a}}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}
svg .soft{fill:var(--soft)}
svg .one{fill:var(--one)}svg .bad{fill:var(--bad)}svg .band{fill:var(--band)}
svg .axis{stroke:var(--line);fill:none}svg .curve{fill:none;stroke-width:2}
";

/// Dashes that tell curves apart without colour.
const DASHES: [&str; 4] = ["none", "7 3", "2 3", "9 3 2 3"];

/// A picture as a file of its own.
#[must_use]
pub fn standalone(svg: &str) -> String {
    let style = format!("><style>{STYLE}svg{{background:var(--paper)}}</style>");
    // The first tag is the picture's own.
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", svg.replacen('>', &style, 1))
}

/// The most rows or columns that are drawn one by one; larger matrices are drawn as densities.
const FINE: usize = 512;
/// Shades of a density.
const SHADES: usize = 16;

/// G as a picture: a row a worker, a column a partition, loads at the margins, and on a message which
/// partitions are its ones and which workers it turns wrong.
#[must_use]
pub fn matrix_svg(g: &AllocationMatrix, worst: Option<&Outcome>) -> String {
    let (n, k) = (g.n(), g.k());
    let block = n.max(k).div_ceil(FINE);
    let (rows, columns) = (n.div_ceil(block), k.div_ceil(block));
    let cell = (520.0 / columns.max(rows) as f64).clamp(1.0, 20.0);
    let (width, height) = (columns as f64 * cell, rows as f64 * cell);
    // A phone shows the whole picture: the larger it is, the larger the letters.
    let letter = ((width + 110.0) / 36.0).clamp(11.0, 18.0);
    let (left, top) = (3.0 * letter, letter + 23.0);
    let bar = 44.0;
    // Bars and cells stand apart where there is room.
    let (inset, thick) = if cell >= 6.0 { (0.15, 0.7) } else { (0.0, 1.0) };
    let total = (left + width + bar + 26.0, top + height + bar + 22.0);
    let x = |column: usize| left + column as f64 * cell;
    let y = |row: usize| top + row as f64 * cell;
    let shades = densities(g, block, cell, (left, top));
    let detailed = block == 1;
    let chosen: Vec<usize> = worst.filter(|_| detailed).map_or(Vec::new(), |w| w.message.indices().collect());
    let wrong: Vec<usize> = worst.filter(|_| detailed).map_or(Vec::new(), |w| w.wrong.indices().collect());
    let (workers, partitions) = (g.worker_loads(), g.partition_loads());
    let (most_worker, most_partition) = (
        workers.iter().max().copied().unwrap_or(0).max(1),
        partitions.iter().max().copied().unwrap_or(0).max(1),
    );
    let labels = |count: usize| if cell >= 16.0 { 1 } else { count.div_ceil(10).max(1) };
    let told = match worst {
        Some(worst) if detailed => format!(
            "The worst message {} turns the workers {} wrong: their rows are shaded and marked ✗, the message's partitions are marked ▼.",
            worst.message, worst.wrong
        ),
        _ => String::new(),
    };
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {:.0} {:.0}", total.0, total.1)) role="img" aria-label=(format!("Allocation matrix, {n} workers by {k} partitions. {told}")) {
            title { "Allocation matrix, " (n) " workers by " (k) " partitions" }
            @if !told.is_empty() { desc { (told) } }
            @for &j in &wrong {
                rect class="band" x=(format!("{:.2}", left - 2.0)) y=(format!("{:.2}", y(j) - 0.5)) width=(format!("{:.2}", width + 4.0)) height=(format!("{cell:.2}")) {}
            }
            rect class="axis" x=(format!("{:.2}", left - 2.0)) y=(format!("{:.2}", top - 2.0)) width=(format!("{:.2}", width + 3.0)) height=(format!("{:.2}", height + 3.0)) {}
            @for (shade, path) in shades.iter().enumerate() {
                @if !path.is_empty() {
                    path class="one" fill-opacity=(format!("{:.3}", shade as f64 / SHADES as f64)) d=(path) {}
                }
            }
            @for &i in &chosen {
                path class="bad" d=(format!("M{:.2} {:.2}h{:.2}l-{:.2} {:.2}z", x(i) + cell * 0.2, top - 12.0, cell * 0.6 - 1.0, cell * 0.3 - 0.5, 8.0)) {}
            }
            @for i in (0..columns).step_by(labels(columns)) {
                text class="soft" x=(format!("{:.2}", x(i) + cell / 2.0)) y=(format!("{:.2}", top - 16.0)) text-anchor="middle" style=(format!("font-size:{letter:.1}px")) { (i * block) }
            }
            @for j in (0..rows).step_by(labels(rows)) {
                text class="soft" x=(format!("{:.2}", left - 6.0)) y=(format!("{:.2}", y(j) + cell / 2.0 + 4.0)) text-anchor="end" style=(format!("font-size:{letter:.1}px")) { (j * block) }
            }
            @if detailed {
                @for (j, &load) in workers.iter().enumerate() {
                    @let long = bar * load as f64 / most_worker as f64;
                    rect class=(if wrong.contains(&j) { "bad" } else { "one" }) fill-opacity="0.6" x=(format!("{:.2}", left + width + 6.0)) y=(format!("{:.2}", y(j) + cell * inset)) width=(format!("{long:.2}")) height=(format!("{:.2}", cell * thick)) {}
                    @if cell >= 12.0 {
                        text class=(if wrong.contains(&j) { "bad" } else { "soft" }) x=(format!("{:.2}", left + width + 10.0 + long)) y=(format!("{:.2}", y(j) + cell / 2.0 + 4.0)) style=(format!("font-size:{letter:.1}px")) { (load) @if wrong.contains(&j) { " ✗" } }
                    }
                }
                @for (i, &load) in partitions.iter().enumerate() {
                    @let long = bar * load as f64 / most_partition as f64;
                    rect class="one" fill-opacity="0.6" x=(format!("{:.2}", x(i) + cell * inset)) y=(format!("{:.2}", top + height + 6.0)) width=(format!("{:.2}", cell * thick)) height=(format!("{long:.2}")) {}
                    @if cell >= 16.0 {
                        text class="soft" x=(format!("{:.2}", x(i) + cell / 2.0)) y=(format!("{:.2}", top + height + 16.0 + long)) text-anchor="middle" style=(format!("font-size:{letter:.1}px")) { (load) }
                    }
                }
            }
        }
    }
    .into_string()
}

/// By shade: a path of the runs of equally dense blocks of G, in a picture with cells of this size.
fn densities(g: &AllocationMatrix, block: usize, cell: f64, (left, top): (f64, f64)) -> Vec<String> {
    let (n, k) = (g.n(), g.k());
    let (rows, columns) = (n.div_ceil(block), k.div_ceil(block));
    let x = |column: usize| left + column as f64 * cell;
    let y = |row: usize| top + row as f64 * cell;
    let mut shades = vec![String::new(); SHADES + 1];
    for row in 0..rows {
        let shade = |column: usize| -> usize {
            let (mut ones, mut all) = (0, 0);
            for j in row * block..((row + 1) * block).min(n) {
                for i in column * block..((column + 1) * block).min(k) {
                    ones += usize::from(g.holds(j, i));
                    all += 1;
                }
            }
            (ones * SHADES).div_ceil(all)
        };
        let mut column = 0;
        while column < columns {
            let (start, here) = (column, shade(column));
            // Large cells stand apart; of small ones whole runs are drawn at once.
            column += 1;
            while cell < 6.0 && column < columns && shade(column) == here {
                column += 1;
            }
            if here > 0 {
                let gap = if cell >= 6.0 { 1.0 } else { 0.0 };
                // Writing to a String cannot fail.
                let _ = write!(
                    shades[here],
                    "M{:.2} {:.2}h{:.2}v{:.2}h-{:.2}z",
                    x(start),
                    y(row),
                    (column - start) as f64 * cell - gap,
                    cell - gap,
                    (column - start) as f64 * cell - gap
                );
            }
        }
    }
    shades
}

/// One curve of a chart.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) name: String,
    /// x and y; y ≤ 0 is left out.
    pub(super) points: Vec<(f64, f64)>,
}

/// Where a chart's plot is drawn: left, top, width, height.
const PLOT: (f64, f64, f64, f64) = (52.0, 10.0, 356.0, 230.0);

/// The frame, y lines at powers of ten, and axis names.
fn frame(decades: &[i32], y: &dyn Fn(f64) -> f64, x_name: &str, x_ticks: &[(f64, String)]) -> Markup {
    let (left, top, width, height) = PLOT;
    html! {
        @for &decade in decades {
            @let at = y(10_f64.powi(decade));
            line class="axis" x1=(left) x2=(left + width) y1=(format!("{at:.1}")) y2=(format!("{at:.1}")) {}
            text class="soft" x=(left - 5.0) y=(format!("{:.1}", at + 4.0)) text-anchor="end" {
                @if decade == 0 { "1" } @else if decade == 1 { "10" } @else { "10" tspan dy="-4" style="font-size:9px" { (decade) } }
            }
        }
        rect class="axis" x=(left) y=(top) width=(width) height=(height) {}
        @for (x, name) in x_ticks {
            text class="soft" x=(format!("{x:.1}")) y=(top + height + 15.0) text-anchor="middle" { (name) }
        }
        text x=(left + width / 2.0) y=(top + height + 33.0) text-anchor="middle" { (x_name) }
    }
}

/// Curves over x in `range`, y logarithmic from 10^`lowest` to 1.
pub(super) fn curves(label: &str, curves: &[Curve], range: (f64, f64), x_name: &str, whole: bool) -> Markup {
    let (left, top, width, height) = PLOT;
    let smallest =
        curves.iter().flat_map(|c| &c.points).map(|p| p.1).filter(|&p| p > 0.0).fold(1.0, f64::min);
    let lowest = (smallest.log10().floor() as i32).clamp(-12, -1);
    let x = |value: f64| left + (value - range.0) / (range.1 - range.0).max(1e-9) * width;
    let y = |value: f64| top + (value.log10() / f64::from(lowest)).clamp(0.0, 1.0) * height;
    let step = (5 - lowest).div_euclid(6).max(1);
    let decades: Vec<i32> = (lowest..=0).rev().step_by(step as usize).collect();
    let ticks: Vec<(f64, String)> = if whole {
        let every = ((range.1 - range.0) / 10.0).ceil().max(1.0);
        (0..=((range.1 - range.0) / every) as usize)
            .map(|i| range.0 + i as f64 * every)
            .map(|value| (x(value), format!("{value:.0}")))
            .collect()
    } else {
        (0..=5)
            .map(|i| range.0 + (range.1 - range.0) * f64::from(i) / 5.0)
            .map(|v| (x(v), format!("{v:.1}")))
            .collect()
    };
    let legend =
        |place: usize| (left + (place % 3) as f64 * 124.0, top + height + 54.0 + (place / 3) as f64 * 17.0);
    let bottom = top + height + 62.0 + (curves.len().saturating_sub(1) / 3) as f64 * 17.0;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 420 {bottom:.0}")) role="img" aria-label=(label) {
            title { (label) }
            (frame(&decades, &y, x_name, &ticks))
            @for (place, curve) in curves.iter().enumerate() {
                @let points = path(&curve.points, &x, &y, 10_f64.powi(lowest));
                @let (legend_x, legend_y) = legend(place);
                @let style = format!("stroke:var(--c{});stroke-dasharray:{}", place % 8, DASHES[place % 4]);
                path class="curve" style=(style) d=(points) {}
                @if whole {
                    @for &(a, b) in curve.points.iter().filter(|point| point.1 >= 10_f64.powi(lowest)) {
                        circle cx=(format!("{:.1}", x(a))) cy=(format!("{:.1}", y(b))) r="3" style=(format!("fill:var(--c{})", place % 8)) {}
                    }
                }
                line class="curve" style=(style) x1=(legend_x) x2=(legend_x + 24.0) y1=(legend_y - 4.0) y2=(legend_y - 4.0) {}
                text x=(legend_x + 29.0) y=(legend_y) { (curve.name) }
            }
        }
    }
}

/// The pieces of a curve that are not below the chart.
fn path(points: &[(f64, f64)], x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64, floor: f64) -> String {
    let mut text = String::new();
    let mut drawing = false;
    for &(a, b) in points {
        if b < floor {
            drawing = false;
            continue;
        }
        let _ = write!(text, "{}{:.1} {:.1}", if drawing { "L" } else { "M" }, x(a), y(b));
        drawing = true;
    }
    text
}

/// Bars over whole numbers; heights are logarithms to base 10 of what they stand for, from 0 on.
pub(super) fn bars(label: &str, bars: &[(i64, f64, bool)], x_name: &str) -> Markup {
    let (left, top, width, height) = PLOT;
    let most = bars.iter().map(|bar| bar.1).fold(1.0, f64::max).ceil();
    let y = |value: f64| top + height - (value.log10() + 0.3) / (most + 0.3) * height;
    let step = (most as i32).div_euclid(6).max(1);
    let decades: Vec<i32> = (0..=most as i32).step_by(step as usize).collect();
    let each = width / bars.len().max(1) as f64;
    let every = bars.len().div_ceil(12).max(1);
    let ticks: Vec<(f64, String)> = bars
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(place, bar)| (left + (place as f64 + 0.5) * each, bar.0.to_string()))
        .collect();
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 420 {:.0}", top + height + 42.0)) role="img" aria-label=(label) {
            title { (label) }
            (frame(&decades, &y, x_name, &ticks))
            @for (place, &(_, logarithm, bad)) in bars.iter().enumerate() {
                @let at = top + height - (logarithm + 0.3) / (most + 0.3) * height;
                rect class=(if bad { "bad" } else { "one" }) x=(format!("{:.2}", left + (place as f64 + 0.1) * each)) y=(format!("{at:.2}")) width=(format!("{:.2}", each * 0.8)) height=(format!("{:.2}", top + height - at)) {}
            }
        }
    }
}

/// What was drawn before, inside a page.
pub(super) fn drawn(svg: &str) -> Markup {
    PreEscaped(svg.to_owned())
}
