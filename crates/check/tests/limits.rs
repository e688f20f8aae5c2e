//! Promise: a certificate at the limit of what a claim or a check may be is still checked, and the one beyond it is
//! refused for that reason.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use ecode_check::{Certificate, Evidence, MOST_TERMS, Refused, SideProof, Strength, System, check};
use ecode_core::{AllocationMatrix, Claim, Message, Outcome, TieRule, deciding_sides};

fn valid(name: &str) -> Certificate {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/certificates/valid").join(name);
    Certificate::parse(&std::fs::read(file).unwrap()).unwrap()
}

/// A certificate of this claim, without a proof.
fn certificate(g: &AllocationMatrix, ties: TieRule, b: usize, evidence: Evidence) -> Certificate {
    Certificate {
        program: "limits".to_owned(),
        claim: Claim { matrix: g.clone(), b, ties },
        tolerant: !matches!(evidence, Evidence::Refutation { .. }),
        radius: None,
        digest: g.digest(),
        evidence,
        tight: None,
        reductions: Vec::new(),
    }
}

#[test]
fn as_many_liars_as_workers_may_be_claimed_and_not_one_more() {
    let g = AllocationMatrix::from_fn(3, 3, |_, _| true).unwrap();
    let attack = Outcome::of(&g, TieRule::Zero, &Message::full(3)).attack(&g, TieRule::Zero, 3).unwrap();
    let of =
        |b| certificate(&g, TieRule::Zero, b, Evidence::Refutation { attack: attack.clone(), worst: None });
    assert!(!check(&of(3)).unwrap().tolerant);
    let refused = check(&of(4)).unwrap_err();
    assert_eq!(refused, Refused::Invalid("b is 4, but there are only 3 workers".to_owned()));
}

/// A formula has a term for each one of G, under the rule `abstain` two: 4096 × 3074 ones are too many for that rule.
#[test]
fn a_formula_of_too_many_terms_is_too_large_to_be_replayed() {
    let g = AllocationMatrix::from_fn(4096, 3074, |_, _| true).unwrap();
    assert!(g.ones() < MOST_TERMS && 2 * g.ones() > MOST_TERMS);
    let side = |correct| SideProof { correct, formula: String::new(), proof: String::new() };
    let sides = deciding_sides(&g, TieRule::Abstain).into_iter().map(side).collect();
    let refused = check(&certificate(&g, TieRule::Abstain, 1, Evidence::CuttingPlanes(sides))).unwrap_err();
    assert!(matches!(&refused, Refused::TooLarge(why) if why.contains("terms is not replayed")), "{refused}");
}

/// 512 full rows: some millions of clauses, which are counted and not made.
#[test]
fn too_many_clauses_are_not_replayed() {
    let g = AllocationMatrix::from_fn(512, 512, |_, _| true).unwrap();
    let side = |correct| SideProof { correct, formula: String::new(), proof: String::new() };
    let sides = deciding_sides(&g, TieRule::Zero).into_iter().map(side).collect();
    let refused = check(&certificate(&g, TieRule::Zero, 1, Evidence::Drat(sides))).unwrap_err();
    assert!(
        matches!(&refused, Refused::Invalid(why) if why.contains("clauses, but at most 2097152 are replayed")),
        "{refused}"
    );
}

/// Whoever asks for what others are to replay gets the proofs that the certificate holds, and the margin that they show.
#[test]
fn the_proofs_are_those_of_the_evidence() {
    let tolerant = valid("tolerant.json");
    let Evidence::CuttingPlanes(sides) = &tolerant.evidence else { panic!("cutting planes") };
    assert_eq!(tolerant.evidence.proofs(3), Some((3, &sides[..])));
    let Evidence::Enumeration(_) = valid("record.json").evidence else { panic!("a record") };
    assert_eq!(valid("record.json").evidence.proofs(1), None);
    assert_eq!("cutting-planes".parse(), Ok(System::CuttingPlanes));
    assert_eq!("drat".parse(), Ok(System::Drat));
    assert!("resolution".parse::<System>().is_err());
}

/// A refuted claim's attack is a proof; that its margin is the smallest is the word of the count, unless it is counted again.
#[test]
fn a_refuted_count_shows_a_radius_only_where_it_was_counted_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/certificates/unproved");
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    for bytes in files {
        let mut certificate = Certificate::parse(&bytes).unwrap();
        let Evidence::Enumeration(record) = &mut certificate.evidence else { panic!("a record") };
        // The same count refutes one liar more, by the worst message that it names.
        let (g, ties) = (certificate.claim.matrix.clone(), certificate.claim.ties);
        let b = usize::try_from(record.margin).unwrap() + 1;
        record.attack = Outcome::of(&g, ties, &record.worst).attack(&g, ties, b);
        assert!(record.attack.is_some());
        (certificate.claim.b, certificate.tolerant) = (b, false);
        let accepted = check(&certificate).unwrap();
        assert_eq!((accepted.tolerant, accepted.strength), (false, Strength::Proved));
        assert_eq!(accepted.radius, None, "nobody proved that no message is worse");
    }
    // A small count is done again, and shows the radius.
    let record = check(&valid("record.json")).unwrap();
    assert_eq!((record.strength, record.radius.is_some()), (Strength::Recounted, true));
}
