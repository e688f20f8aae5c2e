//! "Any b failure domains are tolerated": the claim, its certificate, and its check.
//!
//! # What is promised
//! What [`check_domains`] accepts as tolerant follows from the definitions, from Theorems 41 to 43 of docs/theory/domains.md, and
//! from proofs that are replayed by [`check_with`]: for each set of lying domains that is named one about the matrix of the other
//! workers, which is made here, and every set of b domains is compared with those. What it accepts as refuted is a
//! counterexample that replays.

mod json;

use std::collections::{BTreeMap, BTreeSet};

use super::certificate::{Certificate, Evidence, SideProof, System};
use super::check::check_with;
use super::options::Options;
use super::outcome::{Refused, invalid};
use ecode_core::{
    AllocationMatrix, Claim, DomainCounterexample, DomainSet, Domains, MAX_SIZE, TieRule, shown,
};

pub use json::is_domains;

/// More sets of b domains are not compared with the proofs.
const MOST_SETS: usize = 1 << 20;

/// A claim about failure domains with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainCertificate {
    /// The program that made it.
    pub program: String,
    /// The allocation matrix.
    pub matrix: AllocationMatrix,
    /// What the digest is said to be.
    pub digest: String,
    /// Which worker stands in which domain.
    pub domains: Domains,
    /// How many domains may lie.
    pub b: usize,
    /// What a worker sends whose own vote ties.
    pub ties: TieRule,
    /// What shows that the claim holds or does not.
    pub evidence: DomainProof,
}

/// What shows that a claim about failure domains holds or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainProof {
    /// It does not: an attack by b domains or fewer.
    Refutation(DomainCounterexample),
    /// It does: the matrix tolerates as many workers as the b largest domains have.
    Largest(Proofs),
    /// It does: for every set of b domains one that costs as much or more is here, with a proof that the others tolerate it.
    EachSet(Vec<(DomainSet, Proofs)>),
}

/// Proofs that a matrix tolerates a number of workers, both of which are known from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proofs {
    /// In which system.
    pub system: System,
    /// For each side that decides a proof.
    pub sides: Vec<SideProof>,
    /// What was left out, and why it may be.
    pub reductions: Vec<String>,
}

/// What an accepted certificate has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedDomains {
    /// Whether any b domains are tolerated.
    pub tolerant: bool,
    /// What was checked, a sentence each.
    pub checked: Vec<String>,
}

/// Checks a certificate about failure domains.
///
/// # Errors
/// [`Refused`] with the reason.
pub fn check_domains(
    certificate: &DomainCertificate,
    options: Options<'_>,
) -> Result<AcceptedDomains, Refused> {
    let DomainCertificate { matrix: g, domains, b, ties, .. } = certificate;
    if certificate.digest != g.digest() {
        return invalid(format!("the digest is {}, but G's is {}", shown(&certificate.digest), g.digest()));
    }
    if domains.n() != g.n() {
        return invalid(format!("domains are named for {} workers, but G has {}", domains.n(), g.n()));
    }
    if *b > domains.len() {
        return invalid(format!("b is {b}, but there are only {} domains", domains.len()));
    }
    let mut checked = Vec::new();
    let tolerant = match &certificate.evidence {
        DomainProof::Refutation(attack) => {
            if !attack.replays(g, *ties, domains, *b) {
                return invalid("the counterexample does not replay");
            }
            checked.push(format!(
                "the counterexample replays: {} of at most {b} domains turn the answer {} into {}",
                attack.domains.count(),
                u8::from(attack.attack.correct),
                u8::from(attack.attack.decoded)
            ));
            false
        }
        DomainProof::Largest(proofs) => {
            let workers = domains.largest(*b);
            proved(g.clone(), workers, *ties, proofs, options)
                .map_err(|refused| within("the whole matrix", refused))?;
            checked.push(format!(
                "the matrix tolerates {workers} workers, and {}: {}",
                domains.largest_in_words(*b),
                counted(proofs)
            ));
            true
        }
        DomainProof::EachSet(cases) => {
            for (lying, proofs) in cases {
                let name = format!("the case {}", shown(&domains.names_of(lying).join(", ")));
                let Some((rest, workers)) = others(g, domains, lying)? else {
                    return invalid(format!("{name}: nobody else is left, so it is not tolerated"));
                };
                proved(rest, workers, *ties, proofs, options).map_err(|refused| within(&name, refused))?;
            }
            let sets = covered(g, domains, *b, cases, options)?;
            checked.push(format!(
                "for {} sets of lying domains the other workers are proved to tolerate them",
                cases.len()
            ));
            checked.push(format!(
                "each of the {sets} ways to choose b = {b} domains has no rows but those of one of these sets"
            ));
            true
        }
    };
    Ok(AcceptedDomains { tolerant, checked })
}

fn counted(proofs: &Proofs) -> String {
    match proofs.sides.len() {
        1 => "one side is proved".to_owned(),
        sides => format!("{sides} sides are proved"),
    }
}

/// A refusal with the part that it is about.
fn within(name: &str, refused: Refused) -> Refused {
    match refused {
        Refused::Malformed(why) => Refused::Malformed(format!("{name}: {why}")),
        Refused::Invalid(why) => Refused::Invalid(format!("{name}: {why}")),
        Refused::TooLarge(why) => Refused::TooLarge(format!("{name}: {why}")),
        other => other,
    }
}

/// What the workers outside of these domains must tolerate, so that the domains overturn nothing; none where nobody is outside.
fn others(
    g: &AllocationMatrix,
    domains: &Domains,
    lying: &DomainSet,
) -> Result<Option<(AllocationMatrix, usize)>, Refused> {
    let honest: Vec<usize> = (0..g.n()).filter(|&j| !lying.contains(domains.of()[j])).collect();
    let liars = g.n() - honest.len();
    // An odd number of liars is compared with every honest row taken twice.
    let copies = 1 + liars % 2;
    let workers = liars * copies / 2;
    if honest.is_empty() {
        return Ok(None);
    }
    let rows: Vec<Vec<usize>> =
        honest.iter().flat_map(|&j| std::iter::repeat_n(g.support(j).collect(), copies)).collect();
    if rows.len() > MAX_SIZE {
        return Err(Refused::TooLarge(format!(
            "a claim about {} rows; at most {MAX_SIZE} are read",
            rows.len()
        )));
    }
    match AllocationMatrix::from_supports(g.k(), &rows) {
        Ok(matrix) => Ok(Some((matrix, workers))),
        Err(error) => invalid(error.to_string()),
    }
}

/// Replays the proofs that a matrix tolerates so many workers.
fn proved(
    matrix: AllocationMatrix,
    b: usize,
    ties: TieRule,
    proofs: &Proofs,
    options: Options<'_>,
) -> Result<(), Refused> {
    let Proofs { system, sides, reductions } = proofs.clone();
    let certificate = Certificate {
        program: String::new(),
        digest: matrix.digest(),
        claim: Claim { matrix, b, ties },
        tolerant: true,
        radius: None,
        evidence: match system {
            System::CuttingPlanes => Evidence::CuttingPlanes(sides),
            System::Drat => Evidence::Drat(sides),
        },
        tight: None,
        reductions,
    };
    check_with(&certificate, options).map(|_| ())
}

/// Compares every set of b domains with the cases; how many sets there are.
///
/// Workers with equal rows vote alike, so a set whose rows are among those of a case, with their repetitions, lowers the lead on no
/// message by more than the case does.
fn covered(
    g: &AllocationMatrix,
    domains: &Domains,
    b: usize,
    cases: &[(DomainSet, Proofs)],
    options: Options<'_>,
) -> Result<usize, Refused> {
    let mut kinds: BTreeMap<&[u64], usize> = BTreeMap::new();
    for j in 0..g.n() {
        let next = kinds.len();
        kinds.entry(g.row(j)).or_insert(next);
    }
    // How often each kind of row stands in each domain.
    let mut rows = vec![vec![0_usize; kinds.len()]; domains.len()];
    for (j, &domain) in domains.of().iter().enumerate() {
        rows[domain][kinds[g.row(j)]] += 1;
    }
    let sum = |set: &mut dyn Iterator<Item = usize>| {
        let mut sum = vec![0_usize; kinds.len()];
        set.for_each(|domain| sum.iter_mut().zip(&rows[domain]).for_each(|(sum, rows)| *sum += rows));
        sum
    };
    let proved: Vec<Vec<usize>> = cases.iter().map(|(lying, _)| sum(&mut lying.indices())).collect();
    let mut seen: BTreeSet<Vec<usize>> = BTreeSet::new();
    let mut sets = 0;
    let mut next: Option<Vec<usize>> = Some((0..b).collect());
    while let Some(set) = next.take() {
        next = following(&set, domains.len());
        sets += 1;
        if sets > MOST_SETS {
            return Err(Refused::TooLarge(format!("more than {MOST_SETS} sets of domains are not compared")));
        }
        if (options.stopped)() {
            return Err(Refused::Stopped);
        }
        let rows = sum(&mut set.iter().copied());
        if seen.contains(&rows) {
            continue;
        }
        let among = |case: &&Vec<usize>| rows.iter().zip(case.iter()).all(|(rows, case)| rows <= case);
        if !proved.iter().any(|case| among(&case)) {
            let set = DomainSet::from_indices(domains.len(), set);
            let names = shown(&domains.names_of(&set).join(", "));
            return invalid(format!("no case stands for the domains {names}"));
        }
        seen.insert(rows);
    }
    Ok(sets)
}

/// The set of as many numbers below `all` that follows in lexicographic order.
fn following(set: &[usize], all: usize) -> Option<Vec<usize>> {
    let place = (0..set.len()).rev().find(|&place| set[place] < all - set.len() + place)?;
    let first = set[place] + 1;
    Some(set[..place].iter().copied().chain(first..first + set.len() - place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_comes_once() {
        for (all, b) in (0..8).flat_map(|all| (0..=all).map(move |b| (all, b))) {
            let mut sets = vec![(0..b).collect::<Vec<usize>>()];
            while let Some(next) = sets.last().and_then(|set| following(set, all)) {
                sets.push(next);
            }
            let binomial = (0..b).fold(1, |ways, i| ways * (all - i) / (i + 1));
            assert_eq!(sets.len(), binomial, "{b} of {all}");
            assert!(sets.is_sorted_by(|a, b| a < b));
            assert!(sets.iter().all(|set| set.is_sorted_by(|a, b| a < b) && set.iter().all(|&x| x < all)));
        }
    }
}
