//! Curves of training runs: accuracy and loss against steps, bytes and estimated deployed time.
//!
//! # What is promised
//! - Runs that differ in their seed only are one curve: their mean, with a band from the lowest to the highest.
//! - A curve has the same colour and dash in all panels. No two entries of the legend are alike.
//! - A run whose code is not verified says so in the legend.

use maud::{Markup, html};
use serde_json::Value;

use super::chart::axis::{Axis, Scale};
use super::chart::lines::{Chart, LETTER, SAMPLE, Series, legend};
use super::chart::scene::{Mark, Scene};
use super::chart::style::{Ink, dash};
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
    /// The code and what is done to it.
    pub what: String,
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
        let attack = match config.liars() {
            0 => "nobody lies".to_owned(),
            b => format!("{b} lie: {}", config.attack.name()),
        };
        Self { name: shown(name), what: format!("{code}; {attack}"), config: config.clone(), log }
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

const UP: [Quantity; 2] = [
    ("test accuracy, %", Scale::Linear, |m| Some(100.0 * m.test_accuracy)),
    ("training loss", Scale::Linear, |m| m.train_loss),
];

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

fn groups(curves: &[Curve]) -> Vec<Group<'_>> {
    let short = short_names(curves);
    let mut groups: Vec<(&str, Value, Vec<&Curve>)> = Vec::new();
    for curve in curves {
        let settings = settings(&curve.config);
        let alike = groups.iter_mut().find(|(what, kept, runs)| {
            let seeds = runs.iter().all(|run| run.config.seed != curve.config.seed);
            *what == curve.what && *kept == settings && seeds
        });
        match alike {
            Some((_, _, runs)) => runs.push(curve),
            None => groups.push((&curve.what, settings, vec![curve])),
        }
    }
    // Settings in which the groups differ.
    let first = groups.first().map_or(Value::Null, |(_, settings, _)| settings.clone());
    let differ = |key: &str| groups.iter().any(|(_, settings, _)| settings[key] != first[key]);
    let keys: Vec<String> = groups
        .iter()
        .filter_map(|(_, settings, _)| settings.as_object())
        .flat_map(|settings| settings.keys().cloned())
        .fold(Vec::new(), |mut keys, key| {
            if !keys.contains(&key) {
                keys.push(key);
            }
            keys
        });
    let keys: Vec<String> = keys.into_iter().filter(|key| differ(key)).collect();
    let mut named: Vec<Group<'_>> = Vec::new();
    for (what, settings, runs) in groups {
        let of_group = |run: &&Curve| curves.iter().position(|curve| std::ptr::eq(curve, *run));
        let names: Vec<&str> = runs.iter().filter_map(of_group).map(|place| short[place].as_str()).collect();
        let mut name = format!("{}: {what}", common(&names));
        for key in &keys {
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
            name += &format!("; {key} {value}");
        }
        name += &match runs.as_slice() {
            [one] => format!("; seed {}", one.config.seed),
            _ => format!("; {} seeds", runs.len()),
        };
        // Whatever is alike still: number the entries.
        let again = named
            .iter()
            .filter(|group| group.name == name || group.name.starts_with(&format!("{name} (")))
            .count();
        if again > 0 {
            name += &format!(" ({})", again + 1);
        }
        named.push(Group { name, runs });
    }
    named
}

impl Group<'_> {
    /// The mean over the runs at every step that all of them logged, and around it the lowest and the highest.
    fn series(&self, place: usize, across: Reading, up: Reading) -> Series {
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
        Series { name: self.name.clone(), place, points, band, marked: false }
    }
}

/// The six panels; none where nothing can be drawn.
fn panels(groups: &[Group<'_>], size: (f64, f64)) -> Result<Vec<Scene>, NothingToDraw> {
    if groups.iter().all(|group| group.runs.iter().all(|run| run.log.is_empty())) {
        return Err(NothingToDraw);
    }
    let mut panels = Vec::new();
    for (up_name, up_scale, up) in UP {
        for (name, scale, across) in ACROSS {
            let series: Vec<Series> =
                groups.iter().enumerate().map(|(place, group)| group.series(place, across, up)).collect();
            let xs = series.iter().flat_map(|series| series.points.iter().map(|point| point.0));
            let ys = series.iter().flat_map(|series| {
                let band = series.band.iter().flat_map(|&(_, low, high)| [low, high]);
                series.points.iter().map(|point| point.1).chain(band)
            });
            let x = Axis::over(name, scale, xs);
            let x = if scale == Scale::Logarithmic { x.with_room() } else { x.with_zero() };
            let y = Axis::over(up_name, up_scale, ys).with_room();
            let label = format!("{up_name} against {name}");
            panels.push(Chart { label: &label, x, y, series, legend: false, size }.scene());
        }
    }
    Ok(panels)
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
    let names: Vec<(usize, &str)> =
        groups.iter().enumerate().map(|(place, group)| (place, group.name.as_str())).collect();
    legend(&mut sheet, &names);
    Ok(sheet)
}

/// The curves as an SVG file.
///
/// # Errors
/// [`NothingToDraw`].
pub fn curves_svg(curves: &[Curve]) -> Result<String, NothingToDraw> {
    Ok(super::chart::standalone(&sheet(curves)?.svg().into_string()))
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
fn entry(place: usize, name: &str) -> Markup {
    let mut sample = Scene::new("");
    (sample.width, sample.height) = (SAMPLE, LETTER);
    let points = vec![(0.0, LETTER / 2.0), (SAMPLE - 4.0, LETTER / 2.0)];
    sample.marks.push(Mark::Line { points, ink: Ink::Curve(place), width: 2.5, dash: dash(place) });
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
                curve.what.clone(),
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
        ul class="legend" { @for (place, group) in groups.iter().enumerate() { (entry(place, &group.name)) } }
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

    #[test]
    fn a_loss_that_is_not_finite_has_no_place() {
        let line = |step: u64, loss: f64| Metrics {
            step,
            epoch: 0.0,
            train_loss: Some(loss),
            test_loss: loss,
            test_accuracy: 0.5,
            test_auc: None,
            wrong_coordinates: None,
            bytes_up: step,
            bytes_down: step,
            wall_s: 0.0,
            deployed_s: 0.0,
            gradients: 0,
            verified: true,
            unverified: None,
            lost: Vec::new(),
        };
        let log = vec![line(0, f64::NAN), line(1, f64::INFINITY)];
        let run = Curve::unfinished("r", "code", &Config::default(), log);
        let svg = curves_svg(&[run]).unwrap_or_default();
        assert!(svg.contains("<circle") || svg.contains("<path"), "the accuracy is drawn");
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert_eq!(curves_svg(&[curve("r", "code", 0)]).unwrap_err(), NothingToDraw);
    }
}
