//! Curves of training runs: accuracy and loss against steps, bytes and estimated deployed time.
//!
//! # What is promised
//! - Runs that differ in their seed only are one curve: their mean, with a band from the lowest to the highest.
//! - A scheme has one colour, whatever is done to it, in all panels. No two entries of the legend are alike.
//! - A panel has at most seven curves. The legend calls a grid's scheme as the grid's tables do.
//! - A run whose code is not verified says so in the legend.
mod groups;
mod panels;

use maud::{Markup, html};

use super::chart::drawing::{Drawing, Mark};
use super::chart::lines::{LETTER, SAMPLE};
use super::chart::style::Look;
use super::numbers::{figures, thousands};
use super::page;
use super::runs::run_label;
use ecode_core::shown;
use ecode_train::{Aggregator, Config, Metrics, Rule, Summary};
use groups::{groups, short_names};
use panels::{entries, panels, sheet};

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
    let mut sample = Drawing::new("");
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
        let dots =
            |panel: &Drawing| panel.marks.iter().filter(|mark| matches!(mark, Mark::Dot { .. })).count();
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
