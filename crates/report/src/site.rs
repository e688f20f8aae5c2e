//! The catalogue as a site: an index of all codes by n and b, and a page for each with its picture, a vote to play with,
//! what bounds it from below, and its files. The pages lie in one folder and name each other by relative links.

use maud::{Markup, html};

use super::codes::{COLUMNS_SAY, cells};
use super::numbers::{figures, thousands};
use super::page::{self, matrix_part, whole};
use ecode_design::search::Entry;
use ecode_verify::Verdict;

/// A code of the site, with what was verified of it.
#[derive(Clone, Debug)]
pub struct SiteCode {
    /// The code.
    pub entry: Entry,
    /// The verdict on it, which is tolerant.
    pub verdict: Verdict,
    /// Whether a certificate lies beside the page.
    pub certified: bool,
}

impl SiteCode {
    /// The name of the code's files, without their ends.
    #[must_use]
    pub fn stem(&self) -> String {
        let Self { entry, .. } = self;
        if entry.k() == entry.n() {
            format!("n{}-b{}", entry.n(), entry.b)
        } else {
            format!("n{}-k{}-b{}", entry.n(), entry.k(), entry.b)
        }
    }

    fn link(&self) -> String {
        format!("{}.html", self.stem())
    }

    /// The code in a few words.
    fn title(&self) -> String {
        let (n, k, b) = (self.entry.n(), self.entry.k(), self.entry.b);
        let liars = if b == 1 { "1 liar".to_owned() } else { format!("{b} liars") };
        let partitions = if k == n { String::new() } else { format!(", {k} partitions") };
        format!("{n} workers{partitions}, {liars}: {} ones", thousands(self.entry.ones() as u128))
    }

    /// How far the ones are known to be needed.
    fn minimal(&self) -> String {
        let least = self.entry.bound.least;
        if self.entry.optimal() {
            "minimal: no tolerant code has fewer ones".to_owned()
        } else {
            format!("no tolerant code has fewer than {} ones", thousands(least as u128))
        }
    }
}

/// The index: ones by n and b, each a link, and the same as a list.
#[must_use]
pub fn site_index(codes: &[SiteCode]) -> String {
    let mut sizes: Vec<(usize, usize)> = codes.iter().map(|code| (code.entry.n(), code.entry.k())).collect();
    sizes.dedup();
    let most = codes.iter().map(|code| code.entry.b).max().unwrap_or(0);
    let of = |size: (usize, usize), b: usize| {
        codes.iter().find(|code| (code.entry.n(), code.entry.k()) == size && code.entry.b == b)
    };
    let square = codes.iter().all(|code| code.entry.n() == code.entry.k());
    let header = ["code", "ones", "r", "Algorithm 1", "no fewer than", "by", "minimal", "found by"];
    let content = html! {
        h1 { "Codes that tolerate Byzantine workers" }
        p {
            "For n workers" @if square { " and as many partitions" } ", the code with the fewest ones that is known to tolerate b Byzantine "
            "workers, whatever they send. Each was verified when this site was written; its page has the matrix, a "
            "certificate, and a vote to play with."
        }
        h2 { "Ones, by n and b" }
        p { "A code with " strong { "=" } " is minimal: no tolerant code has fewer ones." }
        div class="scroll" tabindex="0" role="region" aria-label="Ones, by n and b" {
            table {
                thead { tr { th scope="col" { "n \\ b" } @for b in 1..=most { th scope="col" { (b) } } } }
                tbody {
                    @for &size in &sizes {
                        tr {
                            th scope="row" { (size.0) @if size.1 != size.0 { " (k = " (size.1) ")" } }
                            @for b in 1..=most {
                                td { @if let Some(code) = of(size, b) { (ones(code)) } }
                            }
                        }
                    }
                }
            }
        }
        h2 { "As a list" }
        div class="scroll" tabindex="0" role="region" aria-label="All codes" {
            table {
                thead { tr { @for name in header { th scope="col" { (name) } } } }
                tbody {
                    @for code in codes {
                        @let [_, _, _, ones, r, paper, least, rule, minimal, found] = cells(&code.entry);
                        tr {
                            td { a href=(code.link()) { (code.stem()) } }
                            @for cell in [ones, r, paper, least, rule, minimal, found] { td { (cell) } }
                        }
                    }
                }
            }
        }
        p { "The same for programs: " a href="codes.csv" { "codes.csv" } ", " a href="codes.json" { "codes.json" } "." }
        h2 { "What the columns say" }
        dl { @for (name, what) in COLUMNS_SAY { dt { (name) } dd { (what) } } }
    };
    page::page("Codes that tolerate Byzantine workers", &content)
}

/// A code's ones as a link, marked where it is minimal.
fn ones(code: &SiteCode) -> Markup {
    let label = format!("{}; {}", code.title(), code.minimal());
    html! { a href=(code.link()) title=(label) aria-label=(label) { (code.entry.ones()) } @if code.entry.optimal() { strong aria-hidden="true" { "=" } } }
}

/// The page of the code at this place of the list.
///
/// # Panics
/// When there is no such place.
#[must_use]
pub fn site_page(codes: &[SiteCode], place: usize) -> String {
    let code = &codes[place];
    let SiteCode { entry, verdict, certified } = code;
    let g = &entry.code.matrix;
    let stem = code.stem();
    let beside = |place: Option<usize>| place.and_then(|place| codes.get(place));
    let rows = [
        ("ones", format!("{}, r = {}", thousands(entry.ones() as u128), figures(g.redundancy(), 4))),
        (
            "Algorithm 1",
            entry.algorithm1.map_or("not made for these sizes".into(), |ones| format!("{ones} ones")),
        ),
        ("lower bound", format!("{} ({}; {})", code.minimal(), entry.bound.name, entry.bound.source)),
        ("found by", entry.found()),
        (
            "verified",
            format!("radius {}, ties {}, by {}", verdict.radius(), verdict.ties(), verdict.method()),
        ),
        ("digest", g.digest()),
    ];
    let content = html! {
        nav aria-label="Codes" {
            a href="index.html" { "All codes" }
            @if let Some(before) = beside(place.checked_sub(1)) { " · " a rel="prev" href=(before.link()) { "← " (before.stem()) } }
            @if let Some(after) = beside(place.checked_add(1)) { " · " a rel="next" href=(after.link()) { (after.stem()) " →" } }
        }
        h1 { (code.title()) }
        (page::facts("Facts", &rows))
        h2 { "Files" }
        ul {
            li { a href=(format!("{stem}.json")) { (stem) ".json" } ": the matrix, for ecode" }
            li { a href=(format!("{stem}.txt")) { (stem) ".txt" } ": the matrix, a line of zeros and ones a worker" }
            @if *certified {
                li { a href=(format!("{stem}.certificate.json")) { (stem) ".certificate.json" } ": what the verdict rests on" }
            }
        }
        p { "To see for yourself: " code { "ecode verify " (stem) ".json --b " (entry.b) }
            @if *certified { ", or " code { "ecode check " (stem) ".certificate.json" } ", which replays the proof" } "." }
        h2 { "The matrix" }
        (matrix_part(g, Some(verdict)))
    };
    whole(&code.title(), &content, super::play::fits(g))
}
