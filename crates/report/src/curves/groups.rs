//! Which runs are one curve, what it is called, and how it looks.

use serde_json::Value;

use super::Curve;
use super::panels::{MOST, Reading};
use crate::chart::lines::Series;
use crate::chart::style::Look;
use crate::numbers::plain;
use ecode_core::shown;
use ecode_train::{Config, Metrics};

/// Runs that differ in their seed only.
pub(super) struct Group<'a> {
    pub(super) name: String,
    pub(super) runs: Vec<&'a Curve>,
    pub(super) look: Look,
}

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
pub(super) fn short_names(curves: &[Curve]) -> Vec<String> {
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

pub(super) fn groups(curves: &[Curve]) -> Vec<Group<'_>> {
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
    pub(super) fn series(&self, across: Reading, up: Reading) -> Series {
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
