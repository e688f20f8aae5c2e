//! Pages for the browser: one file, nothing from the network, no script but the one that lets a reader play with a
//! matrix. They follow the reader's light or dark setting, fit a phone, can be walked with the keyboard, and print.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::analysis::{estimate, expected, fixed, tolerated};
use super::chart::axis::{Axis, Scale};
use super::chart::bars::{Bar, histogram};
use super::chart::lines::{Chart, Series};
use super::chart::style::{self, Look};
use super::compare::Compared;
use super::matrix::matrix_svg;
use super::numbers::{figures, plain, probability, thousands};
use super::play;
use ecode_analysis::{Analysis, CurvesAtQ, Evidence, Kind};
use ecode_core::{AllocationMatrix, shown};
use ecode_verify::{Radius, Verdict};

const PAGE_STYLE: &str = "
*{box-sizing:border-box}
body{margin:0 auto;max-width:80rem;padding:1rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.2rem;margin:2rem 0 .5rem}
p{max-width:44rem}a{color:var(--c0)}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1.5rem;align-items:start}
figure{margin:0}figcaption{color:var(--soft);font-size:.9rem;margin-top:.4rem}
svg{display:block;width:100%;height:auto;max-width:38rem}
.legend{list-style:none;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:.2rem 1rem;font-size:.9rem}
.legend li{padding-left:3rem;position:relative;overflow-wrap:anywhere}
.sample{position:absolute;left:0;top:.35rem;width:2.4rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{border-bottom:1px solid var(--line);padding:.3rem .6rem;text-align:right;white-space:nowrap}
thead th{white-space:normal;vertical-align:bottom}
th:first-child,td:first-child,td.left,th.left{text-align:left}
td.fact{white-space:normal;overflow-wrap:anywhere}
.skip{position:absolute;left:-100vw}.skip:focus{position:static}
:focus-visible{outline:3px solid var(--c4);outline-offset:2px}
code{overflow-wrap:anywhere}.soft{color:var(--soft)}
dt{font-weight:600}dd{margin:0 0 .4rem 1rem;max-width:44rem}
@media print{body{max-width:none;padding:0;font-size:11pt}.scroll{overflow:visible}section,figure,table,tr{break-inside:avoid}
h1,h2,h2+p{break-after:avoid}
.skip{display:none}.grid{display:block}svg{max-width:14cm}table{font-size:8pt}th,td{padding:.1rem .3rem}}
";

/// A whole page around its content.
pub(super) fn page(title: &str, content: &Markup) -> String {
    whole(title, content, false)
}

/// A whole page; with the script that plays the vote, where it `plays`.
pub(super) fn whole(title: &str, content: &Markup, plays: bool) -> String {
    let scripts = if plays { format!("; script-src '{}'", play::SCRIPT_DIGEST) } else { String::new() };
    let policy = format!("default-src 'none'; style-src 'unsafe-inline'{scripts}");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(policy);
                title { (title) }
                style { (PreEscaped(style::sheet())) (PreEscaped(PAGE_STYLE)) @if plays { (PreEscaped(play::STYLE)) } }
                @if plays { script { (PreEscaped(play::SCRIPT)) } }
            }
            body {
                a class="skip" href="#main" { "To the content" }
                main id="main" { (content) }
            }
        }
    }
    .into_string()
}

/// A table that scrolls sideways where it does not fit, also by keyboard.
pub(super) fn table(caption: &str, header: &[String], rows: &[Vec<String>]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(caption) {
            table {
                thead { tr { @for cell in header { th scope="col" { (cell) } } } }
                tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
            }
        }
    }
}

/// Named values, a row each.
pub(super) fn facts(caption: &str, rows: &[(&str, String)]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(caption) {
            table { tbody { @for (name, value) in rows { tr { th scope="row" { (name) } td class="left fact" { (value) } } } } }
        }
    }
}

/// The most curves of a chart.
const CURVES: usize = 8;

/// The numbers of liars that get a curve: those between the radius and half of the workers, thinned out.
fn thinned(first: usize, last: usize) -> Vec<usize> {
    let all: Vec<usize> = (first..=last).collect();
    let every = all.len().div_ceil(CURVES - 1).max(1);
    all.into_iter().step_by(every).collect()
}

fn error_chart(analysis: &Analysis, kind: Kind, label: &str) -> Markup {
    let n = analysis.matrix.n();
    let first = analysis.radius.first_open();
    let of = |at: &CurvesAtQ, b: usize| (at.q, if kind == Kind::Decode { at.decode[b] } else { at.sign[b] });
    let line = |b: usize| analysis.curves.iter().map(|at| of(at, b)).collect();
    let mut all = Vec::new();
    if let Some(bs) = tolerated(analysis).filter(|_| kind == Kind::Sign) {
        all.push((format!("b = {bs}"), line(0)));
    }
    all.extend(thinned(first, n / 2).into_iter().map(|b| (format!("b = {b}"), line(b))));
    let all = series(all, false);
    // Near q = 0 every curve falls without end: at least half of each is shown.
    let floor = all.iter().filter_map(|series| median(&series.points)).fold(1.0, f64::min);
    let x = Axis::between("q, the probability that one partition's sign is wrong", Scale::Linear, 0.0, 0.5);
    html! {
        figure {
            (logarithmic(label, all, x, floor))
            figcaption { (label) ", against liars chosen after the message. With more than " (n / 2) " liars it is 1." }
        }
    }
}

/// Curves with a colour each.
fn series(curves: Vec<(String, Vec<(f64, f64)>)>, marked: bool) -> Vec<Series> {
    let one =
        |(place, (name, points))| Series { name, look: Look::of(place), points, band: Vec::new(), marked };
    curves.into_iter().enumerate().map(one).collect()
}

/// The value that half of those above 0 exceed.
fn median(points: &[(f64, f64)]) -> Option<f64> {
    let mut values: Vec<f64> = points.iter().map(|point| point.1).filter(|&p| p > 0.0).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Probabilities on a logarithmic axis from the decade of `floor` to 1.
fn logarithmic(label: &str, series: Vec<Series>, x: Axis, floor: f64) -> Markup {
    let decade = floor.max(1e-300).log10().floor().min(-1.0);
    let y = Axis::between("", Scale::Logarithmic, 10_f64.powf(decade), 1.0);
    Chart { label, x, y, series, legend: true, size: (420.0, 240.0) }.drawing().svg()
}

fn summary(analysis: &Analysis) -> Markup {
    let g = &analysis.matrix;
    let radius = match analysis.radius.radius() {
        Radius::FailsWithoutLiars => "none: some message is decoded wrong even when nobody lies".to_owned(),
        Radius::Exactly(radius) => format!("{radius} Byzantine workers are tolerated, whatever they send"),
        Radius::AtLeast(low) => {
            format!("{}; {low} Byzantine workers are tolerated, whatever they send", analysis.radius)
        }
        Radius::Unknown => analysis.radius.to_string(),
    };
    let how = match &analysis.evidence {
        Evidence::Counted(enumerator) => {
            format!("exact: all 2^{} messages were counted by {}", g.k(), enumerator.how().name())
        }
        Evidence::Drawn(_) => "estimates from random messages, too many to count".to_owned(),
    };
    let rows = [
        ("workers × partitions", format!("{} × {}", g.n(), g.k())),
        ("ones, redundancy", format!("{}, r = {}", thousands(g.ones() as u128), figures(g.redundancy(), 4))),
        ("ties", analysis.ties.to_string()),
        ("radius", radius),
        ("figures", how),
    ];
    html! {
        (facts("Summary", &rows))
        p { code { (g.digest()) } }
    }
}

/// The picture of G as a page, with the vote to play with where G has no more than 128 workers and partitions. `verdict`
/// is what is known of this matrix: its worst message and radius are shown.
#[must_use]
pub fn matrix_page(name: &str, g: &AllocationMatrix, verdict: Option<&Verdict>) -> String {
    let name = &shown(name);
    let content = html! {
        h1 { "Allocation matrix " (name) }
        (matrix_part(g, verdict))
        p { (g.n()) " × " (g.k()) ", " (thousands(g.ones() as u128)) " ones, r = " (figures(g.redundancy(), 4)) }
        p { code { (g.digest()) } }
    };
    whole(&format!("{name}: allocation matrix"), &content, play::fits(g))
}

/// The picture of G, and the vote to play with.
pub(super) fn matrix_part(g: &AllocationMatrix, verdict: Option<&Verdict>) -> Markup {
    let worst = verdict.and_then(Verdict::worst_case);
    html! {
        figure {
            (PreEscaped(matrix_svg(g, worst)))
            figcaption { "A row a worker, a column a partition; bars show loads. " @if worst.is_some() { "▼ marks the ones of the worst message, ✗ the workers that it turns wrong." } }
        }
        @if play::fits(g) { (play::play(g, verdict)) }
    }
}

/// Everything of an analysis as a page.
#[must_use]
pub fn analysis_page(name: &str, analysis: &Analysis, coordinates: Option<u64>) -> String {
    let name = &shown(name);
    let n = analysis.matrix.n();
    let first = analysis.radius.first_open();
    let bs = thinned(first, n / 2);
    let header: Vec<String> = ["b".to_owned(), "liars".to_owned()]
        .into_iter()
        .chain(analysis.at.iter().map(|at| format!("q = {}", plain(at.q))))
        .collect();
    let rows = |kind: Kind| -> Vec<Vec<String>> {
        let line = |b: usize, liars: &str, cell: &dyn Fn(&ecode_analysis::Row) -> String| {
            let cells = analysis.at.iter().map(|at| cell(&at.rows(kind)[b]));
            [b.to_string(), liars.to_owned()].into_iter().chain(cells).collect()
        };
        let of = |b: usize| {
            [
                line(b, "random", &|row| estimate(row.random)),
                line(b, "worst fixed", &|row| fixed(&row.fixed)),
                line(b, "adaptive", &|row| estimate(row.adaptive)),
            ]
        };
        let honest = (kind == Kind::Sign && first > 0).then(|| {
            let mut cells: Vec<String> = line(0, "any", &|row| estimate(row.adaptive));
            cells[0] = if first == 1 { "0".to_owned() } else { format!("0 to {}", first - 1) };
            cells
        });
        honest.into_iter().chain(bs.iter().flat_map(|&b| of(b))).collect()
    };
    let content = html! {
        h1 { "What " (name) " is worth" }
        @if !analysis.complete { p { "The work was stopped; this is what was known by then." } }
        (summary(analysis))
        div class="grid" {
            section {
                h2 { "The matrix" }
                figure {
                    (PreEscaped(matrix_svg(&analysis.matrix, analysis.worst.as_ref())))
                    figcaption { "A row a worker, a column a partition; bars show loads. " @if analysis.worst.is_some() { "▼ marks the ones of the worst message, ✗ the workers that it turns wrong." } }
                }
            }
            @if let Some(margins) = &analysis.margins {
                section {
                    h2 { "Margins" }
                    @let drawn: Vec<Bar> = margins.margins.iter().map(|(&margin, count)| Bar { number: margin, logarithm: logarithm(&count.to_string()), bad: margin < 0 }).collect();
                    figure {
                        (histogram("Messages by margin, logarithmic", "margin: liars that the message survives", &drawn, (420.0, 240.0)).svg())
                        figcaption { "How many of the 2^" (analysis.matrix.k()) " messages survive how many liars (logarithmic). The smallest margin is the radius." }
                    }
                    details {
                        summary { "The counts" }
                        @let counts: Vec<Vec<String>> = margins.margins.iter().map(|(margin, count)| vec![margin.to_string(), count.to_string()]).collect();
                        (table("Messages by margin", &["margin".to_owned(), "messages".to_owned()], &counts))
                    }
                }
            }
        }
        h2 { "Errors" }
        p { "Each partition's sign is wrong independently with probability q. A decode is wrong when it is not the majority of the message; a sign is wrong when the decode is not the true sign." }
        @if !analysis.curves.is_empty() {
            div class="grid" {
                (error_chart(analysis, Kind::Decode, "Probability of a wrong decode"))
                (error_chart(analysis, Kind::Sign, "Probability of a wrong sign"))
            }
        }
        @if !analysis.at.is_empty() {
            h2 { "Wrong decode" }
            (table("Probability of a wrong decode", &header, &rows(Kind::Decode)))
            h2 { "Wrong sign" }
            (table("Probability of a wrong sign", &header, &rows(Kind::Sign)))
        }
        @if let Some(d) = coordinates.filter(|_| !analysis.at.is_empty()) {
            @let expected: Vec<Vec<String>> = (first.saturating_sub(1)..=n / 2).take(CURVES).map(|b| {
                std::iter::once(b.to_string()).chain(analysis.at.iter().map(|at| expected(at.sign[b].adaptive.value() * d as f64))).collect()
            }).collect();
            @let header: Vec<String> = std::iter::once("b".to_owned()).chain(analysis.at.iter().map(|at| format!("q = {}", plain(at.q)))).collect();
            h2 { "Expected wrong signs a step" }
            p { "Of " (thousands(u128::from(d))) " coordinates, adaptive liars." }
            (table("Expected wrong signs", &header, &expected))
        }
        @if !analysis.sets.is_empty() {
            h2 { "Sets of liars that are fixed before the message" }
            @let sets: Vec<Vec<String>> = analysis.sets.iter().map(|sets| {
                let (workers, part) = sets.worst.as_ref().map_or(("none".to_owned(), 0.0), |(workers, part)| (workers.to_string(), *part));
                vec![sets.b.to_string(), thousands(sets.sets), thousands(sets.harmful), workers, probability(part)]
            }).collect();
            (table("Fixed sets of liars", &["b", "sets", "that can do harm", "the worst", "beats of all messages"].map(str::to_owned), &sets))
        }
    };
    page(&format!("{name}: error probabilities"), &content)
}

/// Several codes side by side as a page.
#[must_use]
pub fn compare_page(compared: &[Compared], q: f64) -> String {
    let rows: Vec<Vec<String>> = compared.iter().map(Compared::cells).collect();
    let most = compared.iter().map(|code| code.analysis.matrix.n() / 2).max().unwrap_or(0);
    let curve = |kind: Kind| -> Vec<Series> {
        let names = short_names(compared);
        let curves = compared
            .iter()
            .zip(names)
            .map(|(code, name)| {
                let points = code.analysis.at.first().map_or(Vec::new(), |at| {
                    let rows = at.rows(kind).iter().take(most + 2);
                    rows.map(|row| (row.b as f64, row.adaptive.value())).collect()
                });
                (name, points)
            })
            .collect();
        series(curves, true)
    };
    let charts: Vec<(&str, Vec<Series>)> = vec![
        ("Probability of a wrong decode", curve(Kind::Decode)),
        ("Probability of a wrong sign", curve(Kind::Sign)),
    ];
    let content = html! {
        h1 { "Codes side by side" }
        (table("Codes", &Compared::header(q), &rows))
        h2 { "Errors at q = " (plain(q)) }
        div class="grid" {
            @for (label, lines) in charts {
                figure {
                    @let floor = lines.iter().flat_map(|line| &line.points).map(|point| point.1).filter(|&p| p > 0.0).fold(1.0, f64::min);
                    (logarithmic(label, lines, Axis::between("b, the number of liars", Scale::Whole, 0.0, most as f64 + 1.0), floor))
                    figcaption { (label) ", each partition's sign wrong with probability " (plain(q)) ", against liars chosen after the message. Where a curve has no point the probability is 0 or too small for the chart." }
                }
            }
        }
        p class="soft" { "All workers together pass over the data ones/k times a step. The heaviest worker's work is in units of that of a worker without a code, who holds k/n partitions; a step lasts as long as the heaviest worker. A vote is one bit a coordinate, up and down." }
        h2 { "The matrices" }
        div class="grid" {
            @for code in compared {
                figure {
                    (PreEscaped(matrix_svg(&code.analysis.matrix, code.analysis.worst.as_ref())))
                    figcaption { (shown(&code.name)) }
                }
            }
        }
    };
    page("Codes side by side", &content)
}

/// The logarithm to base 10 of a whole number of any size.
fn logarithm(digits: &str) -> f64 {
    let head = &digits[..digits.len().min(15)];
    head.parse::<f64>().unwrap_or(0.0).log10() + (digits.len() - head.len()) as f64
}

/// The names for a legend: without folders where that keeps them apart.
fn short_names(compared: &[Compared]) -> Vec<String> {
    let last = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let names: Vec<String> = compared.iter().map(|code| last(&code.name)).collect();
    let alike = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    compared
        .iter()
        .zip(&names)
        .map(|(code, name)| shown(if alike(name) { &code.name } else { name }))
        .collect()
}
