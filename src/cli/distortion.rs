//! `ecode distortion`: how many files q liars overturn, under a redundancy scheme that takes a majority for each file.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, ensure};
use clap::Args;
use ecode::analysis::{Spectrum, distribution, mean_distortion};
use ecode::certificate::{NoCertificate, certify_distortion};
use ecode::code::{AllocationMatrix, Domains, TieRule};
use ecode::report::{
    Distorted, Point, Sets, distortion_csv, distortion_json, distortion_svg, distortion_text,
    domain_distortion_json, domain_distortion_text,
};
use ecode::verify::{Assignment, Control, Distortion, DomainDistortion, Method};

use super::common::Common;
use super::domains::DomainsFlag;
use super::ending::{Contradiction, Ending};
use super::enumerate::Parts;
use super::{code, distortion_parts, input, output, verify, watch};

/// Worst-case distortion: the most files whose majority q liars overturn, for any redundancy scheme
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode distortion mols:l=5,r=3\n  ecode distortion matrix.json --liars all --json\n  \
                  ecode distortion mols:l=5,r=3 ramanujan:m=3,s=5 groups:n=15,r=3 --svg curves.svg\n  \
                  ecode distortion mols:l=5,r=3 --liars 3 --distribution\n  \
                  ecode distortion mols:l=5,r=3 --domains racks.txt      whole racks lie\n  \
                  ecode distortion mols:l=5,r=3 --liars 3 --certificate claim.json && ecode check claim.json\n  \
                  ecode distortion mols:l=7,r=5 --liars 9 --shard 3/8 -o part-3.json    one of 8 parts, for `ecode merge`\n  \
                  ecode distortion mols:l=7,r=5 --liars 9 --checkpoint count.json       can be killed and run again\n\n\
                  DRACO, DETOX, ByzShield and Aspis give each file (a partition) to several workers, and take a \
                  majority for each. Liars overturn a file of which they hold at least half of the copies. c_max(q) is \
                  the most files that q liars overturn, over all sets of them, and ε its share of all files.\n\n\
                  Exit codes: 0 all exact, 2 bad input, 3 not all settled: what is known is printed"
)]
pub(crate) struct DistortionCommand {
    /// The assignments: matrix files (json, csv, tsv, txt, npy, npz, mtx, alist by extension), or constructions, as in
    /// mols:l=5,r=3
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Numbers of liars, as in 1,2,5-8, or all [default: those below half of the workers, up to 10^9 sets of them]
    #[arg(long, value_name = "LIST")]
    liars: Option<Liars>,
    /// So many workers' copies are missing besides, the worst that there are
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(super) stragglers: usize,
    /// Which engine answers, as in `ecode verify`
    #[arg(long, default_value = "auto", value_name = "METHOD", value_parser = verify::methods())]
    pub(super) method: Method,
    /// Count also how many sets of liars overturn how many files: every set is looked at
    #[arg(long, conflicts_with = "stragglers")]
    pub(super) distribution: bool,
    /// Write here a proof that no set overturns more: for one assignment and one number of liars
    #[arg(long, value_name = "FILE", requires = "liars", conflicts_with = "stragglers")]
    certificate: Option<PathBuf>,
    /// Draw ε over the number of liars into this SVG file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    svg: Option<PathBuf>,
    #[command(flatten)]
    domains: DomainsFlag,
    #[command(flatten)]
    pub(super) parts: Parts,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(super) json: bool,
}

/// Which numbers of liars are asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Liars {
    All,
    These(Vec<usize>),
}

impl FromStr for Liars {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let expected = || format!("'{text}': expected all, or numbers as in 1,2,5-8");
        let number = |text: &str| text.parse::<u16>().map(usize::from).map_err(|_| expected());
        let mut list = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            list.extend(number(first)?..=number(last)?);
        }
        list.sort_unstable();
        list.dedup();
        if list.is_empty() { Err(expected()) } else { Ok(Self::These(list)) }
    }
}

/// Without `--liars` a number with more sets than this is left out.
const MOST_SETS: u128 = 1_000_000_000;

impl Liars {
    /// The numbers for an assignment, in increasing order.
    fn of(
        asked: Option<&Self>,
        assignment: &Assignment<'_>,
        stragglers: usize,
    ) -> anyhow::Result<Vec<usize>> {
        let workers = assignment.files().k();
        ensure!(stragglers <= workers, "--stragglers {stragglers}: there are only {workers} workers");
        let most = workers - stragglers;
        match asked {
            Some(Self::All) => Ok((0..=most).collect()),
            Some(Self::These(list)) => {
                if let Some(liars) = list.iter().find(|&&liars| liars > most) {
                    let besides = if stragglers > 0 { " besides the stragglers" } else { "" };
                    anyhow::bail!("--liars {liars}: there are only {most} workers{besides}");
                }
                Ok(list.clone())
            }
            None => {
                let few = |&liars: &usize| {
                    assignment.instance(liars).sides().iter().all(|side| side.messages() <= MOST_SETS)
                };
                Ok((1..=most).take_while(|&liars| 2 * liars < workers).take_while(few).collect())
            }
        }
    }
}

impl DistortionCommand {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let documents = output::Documents::new(&[
            output::Documents::json(self.json),
            ("--csv", self.csv.then_some(Path::new("-"))),
            ("--svg", self.svg.as_deref()),
            ("--certificate", self.certificate.as_deref()),
            ("--part", self.parts.part.as_deref()),
            ("--checkpoint", self.parts.checkpoint.as_deref()),
        ])?;
        let control = common.control();
        let mut all = Vec::new();
        for path in &self.files {
            let name = input::name(path);
            // The tie rule makes no difference to who holds what.
            let matrix = code::resolve_path(path, TieRule::Adversarial, &control)?.matrix;
            let assignment = Assignment::new(&matrix).with_context(|| name.clone())?;
            if let Some(domains) = self.domains.read(matrix.n(), &control)? {
                return self.of_domains(&name, &assignment, &domains, &control, common, &documents);
            }
            let liars =
                Liars::of(self.liars.as_ref(), &assignment, self.stragglers).with_context(|| name.clone())?;
            let one = self.files.len() == 1 && liars.len() == 1;
            if self.certificate.is_some() {
                ensure!(
                    one,
                    "--certificate is about one assignment and one number of liars, as in --liars 3"
                );
            }
            if self.parts.asked() {
                ensure!(
                    one,
                    "--shard and --checkpoint are about one assignment and one number of liars, as in --liars 3"
                );
                return distortion_parts::run(
                    &self,
                    name,
                    &assignment,
                    liars[0],
                    &control,
                    common,
                    &documents,
                );
            }
            let points = watch::with_unit(&control, common.quiet, "sets", || {
                assignment.points(&liars, self.stragglers, self.method, &control)
            });
            all.push(self.looked_at(
                name,
                &assignment,
                points.map_err(verify::known)?,
                &matrix,
                &control,
                common,
            )?);
        }
        self.publish(&all, &control, common, &documents)
    }

    /// Writes and prints what was found, and says how it ends.
    pub(super) fn publish(
        &self,
        all: &[Distorted],
        control: &Control,
        common: &Common,
        documents: &output::Documents,
    ) -> anyhow::Result<Ending> {
        let mut ending = if all.iter().all(Distorted::is_exact) { Ending::Done } else { Ending::Undecided };
        if let (Some(path), [one]) = (&self.certificate, all) {
            ending = certify(path, one, control, common)?;
        }
        if let Some(path) = &self.svg {
            output::write(path, distortion_svg(all).as_bytes())?;
        }
        if self.json {
            output::print(&distortion_json(all).to_string())?;
        } else if self.csv {
            output::print(&distortion_csv(all))?;
        } else {
            documents.report(&distortion_text(all))?;
        }
        Ok(ending)
    }

    /// The numbers of liars are of domains.
    fn of_domains(
        &self,
        name: &str,
        assignment: &Assignment<'_>,
        domains: &Domains,
        control: &Control,
        common: &Common,
        documents: &output::Documents,
    ) -> anyhow::Result<Ending> {
        ensure!(self.files.len() == 1, "--domains is about one assignment: its workers stand in them");
        ensure!(
            !self.distribution
                && self.stragglers == 0
                && self.certificate.is_none()
                && self.svg.is_none()
                && !self.parts.asked(),
            "--domains: not with --distribution, --stragglers, --certificate, --svg, --shard or --checkpoint, which count \
             workers"
        );
        ensure!(!self.csv, "--domains prints a table, or one document with --json");
        ensure!(self.method == Method::Auto, "--method {}: sets of domains are all looked at", self.method);
        let all = domains.len();
        let numbers = match &self.liars {
            Some(Liars::All) => (0..=all).collect(),
            Some(Liars::These(list)) => list.clone(),
            None => (1..=all).take_while(|&q| 2 * q < all).collect(),
        };
        if let Some(q) = numbers.iter().find(|&&q| q > all) {
            anyhow::bail!("--liars {q}: there are only {all} domains");
        }
        let points = watch::with_unit(control, common.quiet, "sets of domains", || {
            numbers.iter().map(|&q| assignment.worst_of_domains(domains, q, control)).collect::<Vec<_>>()
        });
        if self.json {
            output::print(&domain_distortion_json(name, assignment.matrix(), domains, &points).to_string())?;
        } else {
            documents.report(&domain_distortion_text(name, assignment.matrix(), domains, &points))?;
        }
        let exact = points.iter().all(DomainDistortion::is_exact);
        Ok(if exact { Ending::Done } else { Ending::Undecided })
    }

    fn looked_at(
        &self,
        name: String,
        assignment: &Assignment<'_>,
        points: Vec<Distortion>,
        matrix: &AllocationMatrix,
        control: &Control,
        common: &Common,
    ) -> anyhow::Result<Distorted> {
        let mut seen = Vec::new();
        for worst in points {
            let sets = if self.distribution {
                watch::with_unit(control, common.quiet, "sets", || {
                    distribution(assignment, worst.liars, control)
                })?
            } else {
                None
            };
            seen.push((worst, sets));
        }
        Ok(described(name, matrix, self.stragglers, seen))
    }
}

/// What was found of one assignment, with what its shape tells besides.
pub(super) fn described(
    name: String,
    matrix: &AllocationMatrix,
    stragglers: usize,
    points: Vec<(Distortion, Option<Sets>)>,
) -> Distorted {
    let spectrum = Spectrum::of(matrix);
    let alone = stragglers == 0;
    let point = |(worst, sets): (Distortion, Option<Sets>)| Point {
        mean: alone.then(|| mean_distortion(matrix, worst.liars)),
        spectral: spectrum.filter(|_| alone).and_then(|spectrum| spectrum.bound(worst.liars)),
        sets,
        worst,
    };
    Distorted {
        name,
        matrix: matrix.clone(),
        stragglers,
        second: spectrum.map(|spectrum| spectrum.second),
        points: points.into_iter().map(point).collect(),
    }
}

/// Writes the proof of the one point that there is.
pub(super) fn certify(
    path: &Path,
    one: &Distorted,
    control: &Control,
    common: &Common,
) -> anyhow::Result<Ending> {
    let Some(point) = one.points.first().filter(|point| point.worst.is_exact()) else {
        output::remark!("{} was not written: the worst case was not determined", path.display());
        return Ok(Ending::Undecided);
    };
    let Distortion { liars, files, worst, .. } = &point.worst;
    let made = watch::with_progress(control, common.quiet, || {
        certify_distortion(&one.matrix, *liars, *files, Some(worst), control)
    });
    match made {
        Ok(certificate) => {
            output::write(path, certificate.to_json().as_bytes())?;
            Ok(Ending::Done)
        }
        Err(NoCertificate::Contradiction) => Err(Contradiction(
            "the engine and the claim's formula contradict each other; please report this matrix".to_owned(),
        )
        .into()),
        Err(error) => {
            output::remark!("{} was not written: {error}", path.display());
            Ok(Ending::Undecided)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_liars_are_read() {
        assert_eq!("all".parse(), Ok(Liars::All));
        assert_eq!("3,1-2,2".parse(), Ok(Liars::These(vec![1, 2, 3])));
        for wrong in ["", "a", "2-1", "1,", "-1", "99999", "1-2-3"] {
            assert!(wrong.parse::<Liars>().is_err(), "{wrong}");
        }
    }
}
