//! Curves of training runs: accuracy and loss against steps, bytes and estimated deployed time.
//!
//! # What is promised
//! - Runs that differ in their seed only are one curve: their mean, with a band from the lowest to the highest.
//! - A scheme has one colour, whatever is done to it, in all panels. No two entries of the legend are alike.
//! - A panel has at most seven curves. The legend calls a grid's scheme as the grid's tables do.
//! - A run whose code is not verified says so in the legend.

use maud::{Markup, html};
use serde_json::Value;

use super::chart::axis::{Axis, Scale};
use super::chart::lines::{Chart, LETTER, SAMPLE, Series, legend};
use super::chart::scene::{Mark, Scene};
use super::chart::style::Look;
use super::chart::text::cut;
use super::numbers::{figures, plain, thousands};
use super::page;
use super::runs::run_label;
use ecode_core::shown;
use ecode_train::{Aggregator, Config, Metrics, Rule, Summary};

/// A run to draw: what is said of it, and its log.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What its owner calls it: the path of its folder.
    pub name: String,
    /// The code with the aggregator, which a colour stands for.
    pub scheme: String,
    /// What is done to it.
    pub situation: String,
    /// Whether the legend says scheme and situation only, as the tables of a grid do.
    pub of_grid: bool,
    /// How it is trained.
    pub config: Config,
    /// The lines of its log.
    pub log: Vec<Metrics>,
}

impl Curve {
    /// The curve of a run with a summary.
    #[must_use]
    pub fn of(name: &str, summary: &Summary, log: Vec<Metrics>) -> Self {
        Self::unfinished(name, &run_label(summary), &summary.config, log)
    }

    /// The curve of a run that has no summary yet: `code` says what it trains with.
    #[must_use]
    pub fn unfinished(name: &str, code: &str, config: &Config, log: Vec<Metrics>) -> Self {
        let situation = match config.liars() {
            0 => "nobody lies".to_owned(),
            b => format!("{b} lie: {}", config.attack.name()),
        };
        let (scheme, config) = (code.to_owned(), config.clone());
        Self { name: shown(name), scheme, situation, of_grid: false, config, log }
    }

    /// The same curve under the names that a grid's tables have: the scheme as the grid says it, and what it meets.
    #[must_use]
    pub fn in_grid(self, scheme: &str, meets: &str) -> Self {
        let situation = format!("{}, {meets}", self.situation);
        Self { scheme: shown(scheme), situation: shown(&situation), of_grid: true, ..self }
    }

    /// Scheme and situation.
    fn what(&self) -> String {
        format!("{}; {}", self.scheme, self.situation)
    }
}

/// How a code with an aggregator is called where there is no summary.
#[must_use]
pub fn code_label(name: &str, (n, b, r): (usize, Option<usize>, f64), rule: &Rule, verified: bool) -> String {
    let aggregator = match rule.aggregator {
        Aggregator::Vote => String::new(),
        _ => format!(" + {}", rule.name()),
    };
    let b = b.map_or(String::new(), |b| format!(", b {b}"));
    let verified = if verified { "" } else { ", UNVERIFIED" };
    format!("{}{aggregator} (n {n}{b}, r {}{verified})", shown(name), figures(r, 3))
}

/// Why curves cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot draw: no run has a line in its log")]
pub struct NothingToDraw;

/// Runs that differ in their seed only.
struct Group<'a> {
    name: String,
    runs: Vec<&'a Curve>,
    look: Look,
}

/// A function of a line of the log.
type Reading = fn(&Metrics) -> Option<f64>;

/// What is drawn over what: the axis' name, its scale, and its value.
type Quantity = (&'static str, Scale, Reading);

const ACROSS: [Quantity; 3] = [
    ("steps", Scale::Whole, |m| Some(m.step as f64)),
    // Votes and gradients differ by a factor of 32: only logarithms show both.
    ("megabytes sent, both ways, all workers", Scale::Logarithmic, |m| {
        Some((m.bytes_up + m.bytes_down) as f64 / 1e6).filter(|&bytes| bytes > 0.0)
    }),
    ("estimated deployed time, seconds", Scale::Linear, |m| Some(m.deployed_s)),
];

const LOSS: Quantity = ("training loss", Scale::Linear, |m| m.train_loss);

/// The configuration without what the legend says anyway, or what makes no difference between runs of one kind.
fn settings(config: &Config) -> Value {
    let named = ["code", "seed", "byzantine", "attack", "aggregator", "allow-unverified"];
    let mut settings = serde_json::to_value(config).unwrap_or_default();
    if let Some(settings) = settings.as_object_mut() {
        settings.retain(|key, _| !named.contains(&key.replace('_', "-").as_str()));
    }
    settings
}

/// The names without the folders that all of them lie in.
fn short_names(curves: &[Curve]) -> Vec<String> {
    let parts: Vec<Vec<&str>> =
        curves.iter().map(|curve| curve.name.split('/').filter(|part| !part.is_empty()).collect()).collect();
    let shortest = parts.iter().map(Vec::len).min().unwrap_or(0).saturating_sub(1);
    let alike = |place: &usize| parts.iter().all(|path| path[*place] == parts[0][*place]);
    let folders = (0..shortest).take_while(alike).count();
    // Of one run its last folder.
    let folders = if curves.len() == 1 { shortest } else { folders };
    parts.into_iter().map(|path| path[folders..].join("/")).collect()
}

/// What the names begin with, without what counts them.
fn common(names: &[&str]) -> String {
    let Some((first, rest)) = names.split_first() else { return String::new() };
    let same = |(place, c): &(usize, char)| {
        rest.iter().all(|name| name.get(*place..).is_some_and(|tail| tail.starts_with(*c)))
    };
    let prefix: String = first.char_indices().take_while(same).map(|(_, c)| c).collect();
    let counts = |c: char| c.is_ascii_digit() || "-_./ ".contains(c);
    let trimmed = prefix.trim_end_matches(counts);
    let seed =
        ["seed", "s"].iter().find_map(|end| trimmed.strip_suffix(end)).filter(|rest| rest.ends_with(counts));
    let trimmed = seed.unwrap_or(trimmed).trim_end_matches(|c: char| "-_./ ".contains(c));
    if rest.is_empty() || trimmed.is_empty() { (*first).to_owned() } else { trimmed.to_owned() }
}

/// The places of some curves' names among the different ones, in their order.
fn different<'a>(curves: &'a [Curve], of: impl Fn(&'a Curve) -> &'a str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for name in curves.iter().map(of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn groups(curves: &[Curve]) -> Vec<Group<'_>> {
    let short = short_names(curves);
    let mut groups: Vec<(String, Value, Vec<&Curve>)> = Vec::new();
    for curve in curves {
        // What was chosen for a grid's scheme is not said in its name.
        let settings = if curve.of_grid { Value::Null } else { settings(&curve.config) };
        let what = curve.what();
        let alike = groups.iter_mut().find(|(other, kept, runs)| {
            let seeds = runs.iter().all(|run| run.config.seed != curve.config.seed);
            *other == what && *kept == settings && seeds
        });
        match alike {
            Some((_, _, runs)) => runs.push(curve),
            None => groups.push((what, settings, vec![curve])),
        }
    }
    let keys = differing(&groups);
    let (schemes, situations) = (
        different(curves, |curve| curve.scheme.as_str()),
        different(curves, |curve| curve.situation.as_str()),
    );
    // Where every scheme is one group, or every situation has panels of its own, dashes are free to tell schemes apart.
    let apart = schemes.len() == groups.len() || (groups.len() > MOST && situations.len() > 1);
    let mut named: Vec<Group<'_>> = Vec::new();
    for (what, settings, runs) in groups {
        let Some(first) = runs.first() else { continue };
        let mut name = if first.of_grid {
            if situations.len() == 1 || apart { first.scheme.clone() } else { what }
        } else {
            let of_group = |run: &&Curve| curves.iter().position(|curve| std::ptr::eq(curve, *run));
            let names: Vec<&str> =
                runs.iter().filter_map(of_group).map(|place| short[place].as_str()).collect();
            format!("{}: {what}{}", common(&names), said(&settings, &keys))
        };
        name += &match runs.as_slice() {
            [one] => format!("; seed {}", one.config.seed),
            _ => format!("; {} seeds", runs.len()),
        };
        let place = |names: &[&str], name: &str| names.iter().position(|other| *other == name).unwrap_or(0);
        let (scheme, situation) = (place(&schemes, &first.scheme), place(&situations, &first.situation));
        // Whatever is alike still: number the entries.
        let again = named
            .iter()
            .filter(|group| group.runs[0].situation == first.situation)
            .filter(|group| group.name == name || group.name.starts_with(&format!("{name} (")))
            .count();
        if again > 0 {
            name += &format!(" ({})", again + 1);
        }
        let look = if apart { Look::of(scheme) } else { Look::of_scheme(scheme, situation + again) };
        named.push(Group { name, runs, look });
    }
    named
}

/// Settings in which the groups differ.
fn differing(groups: &[(String, Value, Vec<&Curve>)]) -> Vec<String> {
    let first = groups.first().map_or(Value::Null, |(_, settings, _)| settings.clone());
    let differ = |key: &str| groups.iter().any(|(_, settings, _)| settings[key] != first[key]);
    let mut keys: Vec<String> = Vec::new();
    for key in
        groups.iter().filter_map(|(_, settings, _)| settings.as_object()).flat_map(|settings| settings.keys())
    {
        if !keys.contains(key) && differ(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// Some settings, as a legend says them.
fn said(settings: &Value, keys: &[String]) -> String {
    let mut text = String::new();
    for key in keys {
        let value = match &settings[key] {
            Value::Null => continue,
            Value::String(text) => shown(text),
            Value::Number(number) => number.as_f64().map_or_else(
                || number.to_string(),
                |value| {
                    // Single precision in the configuration: as it was given there.
                    if f64::from(value as f32) == value {
                        plain((value as f32).to_string().parse().unwrap_or(value))
                    } else {
                        plain(value)
                    }
                },
            ),
            other => other.to_string(),
        };
        text += &format!("; {key} {value}");
    }
    text
}

impl Group<'_> {
    /// The mean over the runs at every step that all of them logged, and around it the lowest and the highest.
    fn series(&self, across: Reading, up: Reading) -> Series {
        let mut points = Vec::new();
        let mut band = Vec::new();
        let steps = self.runs.first().map(|run| run.log.iter().map(|line| line.step)).into_iter().flatten();
        for step in steps {
            let lines: Option<Vec<&Metrics>> =
                self.runs.iter().map(|run| run.log.iter().find(|line| line.step == step)).collect();
            let values = lines.and_then(|lines| {
                let value = |line: &&Metrics| Some((across(line)?, up(line)?));
                lines.iter().map(value).collect::<Option<Vec<(f64, f64)>>>()
            });
            let Some(values) =
                values.filter(|values| values.iter().all(|(x, y)| x.is_finite() && y.is_finite()))
            else {
                // A loss that is not finite, or not yet known, has no place.
                continue;
            };
            let count = values.len() as f64;
            let x = values.iter().map(|value| value.0).sum::<f64>() / count;
            let ys = values.iter().map(|value| value.1);
            points.push((x, ys.clone().sum::<f64>() / count));
            if values.len() > 1 {
                band.push((
                    x,
                    ys.clone().fold(f64::INFINITY, f64::min),
                    ys.fold(f64::NEG_INFINITY, f64::max),
                ));
            }
        }
        Series { name: self.name.clone(), look: self.look, points, band, marked: false }
    }
}

/// Curves in a panel, at most.
const MOST: usize = 7;

/// What the first row shows, and the length that its axis has at least: the metric of the tables.
fn metric(groups: &[Group<'_>]) -> (Quantity, f64) {
    let mut lines = groups.iter().flat_map(|group| &group.runs).flat_map(|run| &run.log).peekable();
    if lines.peek().is_some() && lines.all(|line| line.test_auc.is_some()) {
        return (("test AUC", Scale::Linear, |m| m.test_auc), 0.04);
    }
    (("test accuracy, %", Scale::Linear, |m| Some(100.0 * m.test_accuracy)), 4.0)
}

/// The axis over what some series show.
fn axis_over<'a>(name: &str, scale: Scale, series: impl IntoIterator<Item = &'a Series>, least: f64) -> Axis {
    let values = series.into_iter().flat_map(|series| {
        let band = series.band.iter().flat_map(|&(_, low, high)| [low, high]);
        series.points.iter().map(|point| point.1).chain(band)
    });
    Axis::over(name, scale, values).at_least(least).with_room()
}

/// The panels: six of all groups, or, where these are too many for one, of the tables' metric against the steps one for
/// each situation and so many schemes as it can hold. None where nothing can be drawn.
fn panels(groups: &[Group<'_>], size: (f64, f64)) -> Result<Vec<Scene>, NothingToDraw> {
    if groups.iter().all(|group| group.runs.iter().all(|run| run.log.is_empty())) {
        return Err(NothingToDraw);
    }
    let (metric, least) = metric(groups);
    if groups.len() > MOST {
        return Ok(crowded(groups, metric, least, size));
    }
    let mut panels = Vec::new();
    for ((up_name, up_scale, up), least) in [(metric, least), (LOSS, 0.0)] {
        for (name, scale, across) in ACROSS {
            let series: Vec<Series> = groups.iter().map(|group| group.series(across, up)).collect();
            let y = axis_over(up_name, up_scale, &series, least);
            let label = format!("{up_name} against {name}");
            panels.push(panel(&label, (name, scale), y, series, size));
        }
    }
    Ok(panels)
}

fn panel(label: &str, (name, scale): (&str, Scale), y: Axis, series: Vec<Series>, size: (f64, f64)) -> Scene {
    let x =
        Axis::over(name, scale, series.iter().flat_map(|series| series.points.iter().map(|point| point.0)));
    let x = if scale == Scale::Logarithmic { x.with_room() } else { x.with_zero() };
    Chart { label, x, y, series, legend: false, size }.scene()
}

/// A panel for each situation and at most [`MOST`] schemes, all with the same axis.
fn crowded(
    groups: &[Group<'_>],
    (up_name, up_scale, up): Quantity,
    least: f64,
    size: (f64, f64),
) -> Vec<Scene> {
    let (name, scale, across) = ACROSS[0];
    let mut situations: Vec<(&str, Vec<Series>)> = Vec::new();
    for group in groups {
        let situation = group.runs[0].situation.as_str();
        let series = group.series(across, up);
        match situations.iter_mut().find(|(other, _)| *other == situation) {
            Some((_, all)) => all.push(series),
            None => situations.push((situation, vec![series])),
        }
    }
    let y = axis_over(up_name, up_scale, situations.iter().flat_map(|(_, all)| all), least);
    let mut panels = Vec::new();
    for (situation, all) in situations {
        let each = all.len().div_ceil(all.len().div_ceil(MOST));
        for series in all.chunks(each) {
            let title = format!("{up_name}; {situation}");
            let y = y.clone().named(&cut(&title, LETTER, size.0 - 8.0));
            panels.push(panel(&format!("{title} against {name}"), (name, scale), y, series.to_vec(), size));
        }
    }
    panels
}

/// What the legend says, each entry once.
fn entries<'a>(groups: &'a [Group<'_>]) -> Vec<(Look, &'a str)> {
    let mut entries: Vec<(Look, &str)> = Vec::new();
    for group in groups {
        let entry = (group.look, group.name.as_str());
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// All panels in one picture, the legend below.
fn sheet(curves: &[Curve]) -> Result<Scene, NothingToDraw> {
    let groups = groups(curves);
    let mut sheet = Scene::new("Training curves");
    let panels = panels(&groups, (400.0, 250.0))?;
    for (number, panel) in panels.into_iter().enumerate() {
        let (column, row) = ((number % ACROSS.len()) as f64, (number / ACROSS.len()) as f64);
        let place = (column * panel.width, row * (panel.height + 8.0));
        sheet.width = sheet.width.max(place.0 + panel.width);
        sheet.height = sheet.height.max(place.1 + panel.height);
        sheet.place(panel, place);
    }
    legend(&mut sheet, &entries(&groups));
    Ok(sheet)
}

/// The curves as an SVG file.
///
/// # Errors
/// [`NothingToDraw`].
pub fn curves_svg(curves: &[Curve]) -> Result<String, NothingToDraw> {
    Ok(super::chart::standalone(&sheet(curves)?.svg().into_string()))
}

/// The curves as a PDF file of one page: vectors, letters as outlines.
///
/// # Errors
/// [`CurvesError`]: nothing to draw.
#[cfg(feature = "plot")]
pub fn curves_pdf(curves: &[Curve]) -> Result<Vec<u8>, CurvesError> {
    Ok(super::chart::pdf::pdf(&sheet(curves)?)?)
}

/// The curves as a PNG image.
///
/// # Errors
/// [`CurvesError`]: nothing to draw, or no room for the image.
#[cfg(feature = "plot")]
pub fn curves_png(curves: &[Curve]) -> Result<Vec<u8>, CurvesError> {
    Ok(super::chart::raster::png(&sheet(curves)?)?)
}

/// Why there is no image of curves.
#[cfg(feature = "plot")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CurvesError {
    /// No run has a line in its log.
    #[error(transparent)]
    Nothing(#[from] NothingToDraw),
    /// The image cannot be painted.
    #[error(transparent)]
    Image(#[from] super::chart::raster::DrawError),
}

/// A line of the page's legend.
fn entry(look: Look, name: &str) -> Markup {
    let mut sample = Scene::new("");
    (sample.width, sample.height) = (SAMPLE, LETTER);
    let points = vec![(0.0, LETTER / 2.0), (SAMPLE - 4.0, LETTER / 2.0)];
    sample.marks.push(Mark::Line { points, ink: look.ink(), width: 2.5, dash: look.dash() });
    html! { li { span class="sample" aria-hidden="true" { (sample.svg()) } (name) } }
}

/// The curves as a page: the panels, and a table of where every run ended.
///
/// # Errors
/// [`NothingToDraw`].
pub fn curves_html(curves: &[Curve]) -> Result<String, NothingToDraw> {
    let groups = groups(curves);
    let panels = panels(&groups, (420.0, 240.0))?;
    let bands = groups.iter().any(|group| group.runs.len() > 1);
    let header =
        ["run", "code", "seed", "steps", "test accuracy, %", "test loss", "megabytes"].map(str::to_owned);
    let rows: Vec<Vec<String>> = curves
        .iter()
        .zip(short_names(curves))
        .filter_map(|(curve, name)| {
            let last = curve.log.last()?;
            Some(vec![
                name,
                curve.what(),
                curve.config.seed.to_string(),
                thousands(last.step.into()),
                format!("{:.2}", 100.0 * last.test_accuracy),
                figures(last.test_loss, 4),
                figures((last.bytes_up + last.bytes_down) as f64 / 1e6, 4),
            ])
        })
        .collect();
    let content = html! {
        h1 { "Training curves" }
        ul class="legend" { @for (look, name) in entries(&groups) { (entry(look, name)) } }
        @if bands { p { "A curve of several seeds is their mean; its band goes from the lowest to the highest." } }
        div class="grid" {
            @for panel in &panels { figure { (panel.svg()) } }
        }
        h2 { "Where every run ended" }
        (page::table("Where every run ended", &header, &rows))
    };
    Ok(page::page("Training curves", &content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: u64, loss: f64) -> Metrics {
        Metrics {
            step,
            epoch: 0.0,
            train_loss: Some(loss),
            test_loss: loss,
            test_accuracy: 0.5,
            test_auc: None,
            validation_accuracy: None,
            validation_auc: None,
            wrong_coordinates: None,
            bytes_up: step,
            bytes_down: step,
            wall_s: 0.0,
            deployed_s: 0.0,
            gradients: 0,
            gradient_s: None,
            verified: true,
            unverified: None,
            lost: Vec::new(),
        }
    }

    fn curve(name: &str, what: &str, seed: u64) -> Curve {
        Curve::unfinished(name, what, &Config { seed, ..Config::default() }, Vec::new())
    }

    #[test]
    fn runs_that_differ_in_their_seed_are_one_curve_under_their_owners_name() {
        let runs = [
            curve("sw/n5/best/reverse/seed0", "algorithm1", 0),
            curve("sw/n5/best/reverse/seed1", "algorithm1", 1),
            curve("sw/n5/uncoded/reverse/seed0", "uncoded", 0),
        ];
        let names: Vec<String> = groups(&runs).into_iter().map(|group| group.name).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(
            names[0].starts_with("best/reverse: algorithm1; ") && names[0].ends_with("; 2 seeds"),
            "{names:?}"
        );
        assert!(names[1].starts_with("uncoded/reverse/seed0: uncoded; "), "{names:?}");
    }

    /// The same run twice, folders of one name, and a setting that differs: no two entries are alike.
    #[test]
    fn no_two_entries_of_the_legend_are_alike() {
        let mut other = curve("b/run", "code", 0);
        other.config.lr = Some(0.01);
        let runs = [curve("a/run", "code", 0), curve("a/run", "code", 0), other];
        let mut names: Vec<String> = groups(&runs).into_iter().map(|group| group.name).collect();
        assert!(names[2].contains("b/run") && names[2].contains("lr 0.01"), "{names:?}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 3, "{names:?}");
    }

    /// Curves of a grid with one line of log each: so many schemes under so many attacks, two seeds.
    fn grid(schemes: usize, attacks: &[ecode_train::Attack]) -> Vec<Curve> {
        let line = line(4, 1.0);
        let mut curves = Vec::new();
        for scheme in 0..schemes {
            for &attack in attacks {
                for seed in 0..2 {
                    let config =
                        Config { seed, attack, byzantine: Some(1), lr: Some(0.5), ..Config::default() };
                    let run = Curve::unfinished("r", "gluing (n 9)", &config, vec![line.clone()]);
                    curves.push(run.in_grid(&format!("scheme{scheme}"), "n 9, b 1"));
                }
            }
        }
        curves
    }

    /// A scheme has one colour under all attacks, and the name that the grid's table has.
    #[test]
    fn a_scheme_has_one_colour_and_its_own_name() {
        use ecode_train::Attack::{Omniscient, Reverse};
        let curves = grid(3, &[Reverse, Omniscient]);
        let groups = groups(&curves);
        assert_eq!(groups.len(), 6);
        assert_eq!(groups[0].name, "scheme0; 1 lie: reverse, n 9, b 1; 2 seeds");
        assert_eq!(groups[0].look.ink(), groups[1].look.ink());
        assert_ne!(groups[0].look.dash(), groups[1].look.dash());
        assert_ne!(groups[0].look.ink(), groups[2].look.ink());
        // One situation: nothing is said that is the same for all.
        assert_eq!(super::groups(&grid(2, &[Reverse]))[1].name, "scheme1; 2 seeds");
    }

    /// Twelve schemes under two attacks: four panels with six curves each, a legend with each scheme once.
    #[test]
    fn no_panel_has_more_than_seven_curves() {
        use ecode_train::Attack::{Omniscient, Reverse};
        let curves = grid(12, &[Reverse, Omniscient]);
        let groups = groups(&curves);
        let panels = panels(&groups, (400.0, 250.0)).unwrap_or_default();
        let dots = |panel: &Scene| panel.marks.iter().filter(|mark| matches!(mark, Mark::Dot { .. })).count();
        assert_eq!(panels.iter().map(dots).collect::<Vec<_>>(), [6, 6, 6, 6]);
        assert!(panels[2].label.starts_with("test accuracy, %; 1 lie: omniscient"), "{}", panels[2].label);
        assert_eq!(entries(&groups).len(), 12);
        // Seven are one panel for each of the six views.
        assert_eq!(
            super::panels(&super::groups(&grid(7, &[Reverse])), (400.0, 250.0)).map(|panels| panels.len()),
            Ok(6)
        );
    }

    /// A page of vectors, whose stream can be unpacked.
    #[cfg(feature = "plot")]
    #[test]
    fn a_pdf_is_one_page_of_vectors() {
        use std::io::Read as _;
        let bytes = curves_pdf(&grid(2, &[ecode_train::Attack::Reverse])).unwrap_or_default();
        assert!(bytes.starts_with(b"%PDF-1.") && bytes.ends_with(b"%%EOF"), "{}", bytes.len());
        let find = |what: &[u8]| bytes.windows(what.len()).position(|part| part == what);
        assert!(find(b"/MediaBox").is_some() && find(b"/Font").is_none());
        let start = find(b"stream\n").map_or(0, |at| at + 7);
        let mut content = String::new();
        let read = flate2::read::ZlibDecoder::new(&bytes[start..]).read_to_string(&mut content);
        assert!(read.is_ok() && content.contains(" l\n") && content.contains("\nS\n"), "{read:?}");
    }

    #[test]
    fn a_loss_that_is_not_finite_has_no_place() {
        let log = vec![line(0, f64::NAN), line(1, f64::INFINITY)];
        let run = Curve::unfinished("r", "code", &Config::default(), log);
        let svg = curves_svg(&[run]).unwrap_or_default();
        assert!(svg.contains("<circle") || svg.contains("<path"), "the accuracy is drawn");
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert_eq!(curves_svg(&[curve("r", "code", 0)]).unwrap_err(), NothingToDraw);
    }
}
