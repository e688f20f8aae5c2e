//! Price against error: the codes that decode wrong least often for their redundancy, beside others.

use maud::{PreEscaped, html};
use serde_json::{Value, json};

use super::chart::axis::{Axis, Scale};
use super::chart::lines::{Chart, Series};
use super::chart::standalone;
use super::chart::style::Look;
use super::markdown::Markdown;
use super::matrix::matrix_svg;
use super::numbers::{plain, probability};
use super::page;
use ecode_core::AllocationMatrix;

/// A code that was searched for a price.
#[derive(Clone, Debug)]
pub struct FrontierPoint {
    /// The code.
    pub matrix: AllocationMatrix,
    /// The most partitions that a worker could hold.
    pub max_load: usize,
    /// The probability of a wrong sign.
    pub error: f64,
    /// No code with so many ones, and within this load, errs less often.
    pub least: f64,
    /// Bernoulli codes of the same redundancy, all rows odd: the mean of their errors, and what 5 and 95 of a hundred
    /// stay below.
    pub bernoulli: Option<[f64; 3]>,
}

/// A code that others have made.
#[derive(Clone, Debug)]
pub struct Peer {
    /// What it is.
    pub name: String,
    /// The code.
    pub matrix: AllocationMatrix,
    /// The probability of a wrong sign.
    pub error: f64,
}

/// Everything at one number of liars and one q.
#[derive(Clone, Debug)]
pub struct Frontier {
    /// Byzantine workers, chosen after the message.
    pub b: usize,
    /// The probability that one partition's sign is wrong.
    pub q: f64,
    /// By redundancy.
    pub points: Vec<FrontierPoint>,
    /// By redundancy.
    pub peers: Vec<Peer>,
}

/// Errors that differ by less are the same, relative.
const ROUNDING: f64 = 1e-12;

fn heaviest(g: &AllocationMatrix) -> usize {
    g.worker_loads().into_iter().max().unwrap_or(0)
}

impl Frontier {
    /// Every code with its name, its matrix and its error.
    fn all(&self) -> Vec<(&str, &AllocationMatrix, f64)> {
        let points = self.points.iter().map(|point| ("budgeted", &point.matrix, point.error));
        let peers = self.peers.iter().map(|peer| (peer.name.as_str(), &peer.matrix, peer.error));
        let mut all: Vec<_> = points.chain(peers).collect();
        all.sort_by(|a, b| a.1.ones().cmp(&b.1.ones()).then(heaviest(a.1).cmp(&heaviest(b.1))));
        all
    }

    /// Whether no other code is at least as good in ones, heaviest load and error, and better in one of them.
    fn on_front(&self, g: &AllocationMatrix, error: f64) -> bool {
        let (ones, load) = (g.ones(), heaviest(g));
        // Equal codes are counted in different orders.
        let (alike, less) = (error * (1.0 + ROUNDING), error * (1.0 - ROUNDING));
        !self.all().into_iter().any(|(_, other, error)| {
            let (other_ones, other_load) = (other.ones(), heaviest(other));
            let better = other_ones < ones || other_load < load || error < less;
            other_ones <= ones && other_load <= load && error <= alike && better
        })
    }

    fn point(&self, g: &AllocationMatrix) -> Option<&FrontierPoint> {
        self.points.iter().find(|point| std::ptr::eq(&raw const point.matrix, g))
    }

    /// A row a code: what the columns of [`COLUMNS`] say.
    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(name, g, error): (&str, &AllocationMatrix, f64)| {
            let point = self.point(g);
            let bernoulli = |at: usize| {
                point.and_then(|point| point.bernoulli).map_or(String::new(), |all| probability(all[at]))
            };
            vec![
                name.to_owned(),
                g.ones().to_string(),
                format!("{:.2}", g.redundancy()),
                heaviest(g).to_string(),
                probability(error),
                if self.on_front(g, error) { "yes" } else { "" }.to_owned(),
                point.map_or(String::new(), |point| probability(point.least)),
                bernoulli(0),
                bernoulli(1),
                bernoulli(2),
            ]
        };
        self.all().into_iter().map(row).collect()
    }
}

const COLUMNS: [&str; 10] = [
    "code",
    "ones",
    "r",
    "heaviest",
    "wrong sign",
    "on the front",
    "no code below",
    "Bernoulli, mean",
    "5 %",
    "95 %",
];

/// A table for people.
#[must_use]
pub fn frontier_text(frontier: &Frontier) -> String {
    let mut table = Markdown::new(COLUMNS);
    frontier.rows().into_iter().for_each(|row| table.row(row));
    format!(
        "Wrong signs with b = {} adaptive liars, each partition's sign wrong with probability {}.\n\n{table}",
        frontier.b,
        plain(frontier.q)
    )
}

/// Comma-separated values with a header, a row for each code.
#[must_use]
pub fn frontier_csv(frontier: &Frontier) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record([
        "code",
        "ones",
        "redundancy",
        "heaviest",
        "error",
        "front",
        "lower_bound",
        "bernoulli_mean",
        "bernoulli_5",
        "bernoulli_95",
        "digest",
    ]);
    for (name, g, error) in frontier.all() {
        let point = frontier.point(g);
        let number = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:e}"));
        let bernoulli = |at: usize| number(point.and_then(|point| point.bernoulli).map(|all| all[at]));
        let _ = writer.write_record([
            name.to_owned(),
            g.ones().to_string(),
            g.redundancy().to_string(),
            heaviest(g).to_string(),
            format!("{error:e}"),
            frontier.on_front(g, error).to_string(),
            number(point.map(|point| point.least)),
            bernoulli(0),
            bernoulli(1),
            bernoulli(2),
            g.digest(),
        ]);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// One JSON document: `ecode/frontier/1`.
#[must_use]
pub fn frontier_json(frontier: &Frontier) -> Value {
    let code = |(name, g, error): (&str, &AllocationMatrix, f64)| {
        let rows: Vec<Vec<usize>> = (0..g.n()).map(|j| g.support(j).collect()).collect();
        let mut value = json!({
            "code": name, "ones": g.ones(), "redundancy": g.redundancy(), "heaviest": heaviest(g), "error": error,
            "front": frontier.on_front(g, error), "digest": g.digest(), "rows": rows,
        });
        if let Some(point) = frontier.point(g) {
            value["max_load"] = json!(point.max_load);
            value["lower_bound"] = json!(point.least);
            let names = |all: [f64; 3]| json!({"mean": all[0], "5": all[1], "95": all[2]});
            value["bernoulli"] = point.bernoulli.map_or(Value::Null, names);
        }
        value
    };
    let size = frontier.points.first().map(|point| (point.matrix.n(), point.matrix.k()));
    json!({
        "schema": "ecode/frontier/1", "n": size.map(|size| size.0), "k": size.map(|size| size.1), "b": frontier.b,
        "q": frontier.q, "liars": "adaptive",
        "codes": frontier.all().into_iter().map(code).collect::<Vec<_>>(),
    })
}

/// The error over the redundancy: a curve for the codes that were searched, for each kind of others, and for what no
/// code goes below; the band of Bernoulli codes.
fn chart(frontier: &Frontier) -> Chart<'static> {
    let mut series: Vec<Series> = Vec::new();
    let mut add = |name: &str, points: Vec<(f64, f64)>, band: Vec<(f64, f64, f64)>, marked: bool| {
        if !points.is_empty() {
            let look = Look::of(series.len());
            series.push(Series { name: name.to_owned(), look, points, band, marked });
        }
    };
    let by_load = |unlimited: bool| -> Vec<&FrontierPoint> {
        let all = frontier.points.iter();
        all.filter(|point| (point.max_load >= point.matrix.k()) == unlimited).collect()
    };
    let at = |point: &&FrontierPoint| (point.matrix.redundancy(), point.error);
    add("budgeted", by_load(true).iter().map(at).collect(), Vec::new(), true);
    add("budgeted, loads limited", by_load(false).iter().map(at).collect(), Vec::new(), true);
    // Bernoulli codes stand at the redundancy that was asked for; one band for each.
    let mut bernoulli: Vec<(f64, [f64; 3])> = by_load(true)
        .iter()
        .filter_map(|point| Some((point.matrix.redundancy(), point.bernoulli?)))
        .collect();
    bernoulli.dedup_by(|a, b| (a.0 - b.0).abs() < 1e-9);
    add(
        "Bernoulli, mean; 5 to 95 % shaded",
        bernoulli.iter().map(|&(r, [mean, ..])| (r, mean)).collect(),
        bernoulli.iter().map(|&(r, [_, low, high])| (r, low, high)).collect(),
        false,
    );
    let least = by_load(true).iter().map(|point| (point.matrix.redundancy(), point.least)).collect();
    add("no code below", least, Vec::new(), false);
    let mut kinds: Vec<&str> = Vec::new();
    for peer in &frontier.peers {
        if !kinds.contains(&peer.name.as_str()) {
            kinds.push(&peer.name);
        }
    }
    for kind in kinds {
        let named = frontier.peers.iter().filter(|peer| peer.name == kind);
        add(kind, named.map(|peer| (peer.matrix.redundancy(), peer.error)).collect(), Vec::new(), true);
    }
    let xs = series.iter().flat_map(|series| series.points.iter().map(|point| point.0));
    let x = Axis::over("redundancy r, mean partitions a worker", Scale::Linear, xs);
    let bands = series.iter().flat_map(|series| series.band.iter().flat_map(|band| [band.1, band.2]));
    let values = series.iter().flat_map(|series| series.points.iter().map(|point| point.1)).chain(bands);
    let decades: Vec<f64> = values.filter(|&value| value > 0.0).map(f64::log10).collect();
    let low = decades.iter().copied().fold(-1.0, f64::min).floor();
    let high = decades.iter().copied().fold(low + 1.0, f64::max).ceil();
    let y = Axis::between("", Scale::Logarithmic, 10_f64.powf(low), 10_f64.powf(high));
    let label = "Probability of a wrong sign over the redundancy";
    Chart { label, x, y, series, legend: true, size: (560.0, 340.0) }
}

/// The chart as an SVG file.
#[must_use]
pub fn frontier_svg(frontier: &Frontier) -> String {
    standalone(&chart(frontier).drawing().svg().into_string())
}

/// Everything as a page.
#[must_use]
pub fn frontier_page(frontier: &Frontier) -> String {
    let (n, b) = (frontier.points.first().map_or(0, |point| point.matrix.n()), frontier.b);
    let title = format!("What wrong signs cost: n = {n}, b = {b}");
    let header = COLUMNS.map(str::to_owned);
    let content = html! {
        h1 { (title) }
        p { "Each partition's sign is wrong independently with probability " (plain(frontier.q)) ", and " (b) " of " (n) " workers lie, the worst ones for each message. A decode is a wrong sign when it is not the true one. All figures are exact, but those of Bernoulli codes, which are over random draws." }
        figure {
            (chart(frontier).drawing().svg())
            figcaption { "Budgeted codes have been searched, so that better ones may exist; none is below the lowest curve, which is proved. A code that tolerates the liars errs only where most of the partitions' signs are wrong." }
        }
        h2 { "All codes" }
        (page::table("Codes by redundancy", &header, &frontier.rows()))
        p class="soft" { "On the front: no other code here is at least as good in ones, heaviest load and wrong signs, and better in one of them." }
        h2 { "The budgeted codes" }
        div class="grid" {
            @for point in &frontier.points {
                figure {
                    (PreEscaped(matrix_svg(&point.matrix, None)))
                    figcaption { (point.matrix.ones()) " ones, heaviest load " (heaviest(&point.matrix)) ": wrong with probability " (probability(point.error)) "." }
                }
            }
        }
    };
    page::page(&title, &content)
}
