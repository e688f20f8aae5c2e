//! Promise: a certificate about failure domains is accepted where the verdict holds, in both systems and for every kind of
//! evidence, and refused for its own reason where anything in it was changed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_check::{
    DomainCertificate, DomainProof, Evidence, Options, Proofs, Refused, System, check_domains, is_domains,
};
use ecode_core::{AllocationMatrix, DomainSet, Domains, TieRule};
use ecode_design::construct::{algorithm1, full};
use ecode_prove::{NoCertificate, Scope, certify, certify_domains};
use ecode_verify::{Control, DomainRequest, Method, Rest, verify};

/// Proofs in DRAT take the feature.
const SYSTEMS: &[System] =
    if cfg!(feature = "sat") { &[System::CuttingPlanes, System::Drat] } else { &[System::CuttingPlanes] };

fn hosts(names: &str) -> Domains {
    Domains::of_workers(&names.split(' ').collect::<Vec<_>>()).unwrap()
}

fn certificate(
    g: &AllocationMatrix,
    domains: &Domains,
    b: usize,
    ties: TieRule,
    system: System,
) -> DomainCertificate {
    let verdict = DomainRequest::new(g, domains).b(b).ties(ties).decide(&Control::default()).unwrap();
    certify_domains(g, domains, &verdict, system, &Control::default()).unwrap()
}

fn check(certificate: &DomainCertificate) -> Result<bool, Refused> {
    check_domains(certificate, Options::default()).map(|accepted| accepted.tolerant)
}

/// Two hosts of two workers, light and heavy ones; one host of each is tolerated, two are not.
fn nine() -> (AllocationMatrix, Domains) {
    (algorithm1(9, 2).unwrap(), hosts("a a b b c d e f g"))
}

#[test]
fn every_number_of_domains_has_a_certificate_that_is_accepted() {
    let (mut each, mut largest, mut refuted) = (0, 0, 0);
    let all = [
        nine(),
        (algorithm1(9, 2).unwrap(), hosts("a b c d e f g h i")),
        (algorithm1(9, 3).unwrap(), hosts("a b c a b c d e f")),
        (full(6, 5).unwrap(), hosts("a a b b c c")),
        (full(7, 4).unwrap(), hosts("a a a b b c d")),
    ];
    for (g, domains) in all {
        for ties in TieRule::ALL {
            for b in 0..=domains.len() {
                for &system in SYSTEMS {
                    let made = certificate(&g, &domains, b, ties, system);
                    let tolerant = check(&made).unwrap();
                    let text = made.to_json();
                    assert!(is_domains(text.as_bytes()));
                    assert_eq!(DomainCertificate::parse(text.as_bytes()).unwrap(), made);
                    match &made.evidence {
                        DomainProof::EachSet(_) => each += 1,
                        DomainProof::Largest(_) => largest += 1,
                        DomainProof::Refutation(_) => refuted += 1,
                    }
                    assert_eq!(tolerant, !matches!(made.evidence, DomainProof::Refutation(_)));
                }
            }
        }
    }
    assert!(each > 20 && largest > 2 && refuted > 20, "{each}, {largest}, {refuted}");
}

#[test]
fn whatever_is_changed_is_found() {
    let g = algorithm1(9, 3).unwrap();
    let domains = hosts("a a b b c d e f g");
    let good = certificate(&g, &domains, 1, TieRule::Zero, System::CuttingPlanes);
    assert_eq!(check(&good), Ok(true));
    let invalid = |bad: &DomainCertificate, reason: &str| match check(bad).unwrap_err() {
        Refused::Invalid(text) => assert!(text.contains(reason), "{text}"),
        other => panic!("{other}"),
    };
    invalid(&DomainCertificate { digest: "sha256:00".to_owned(), ..good.clone() }, "the digest is");
    invalid(&DomainCertificate { b: 8, ..good.clone() }, "only 7 domains");
    invalid(&DomainCertificate { domains: hosts("a b"), ..good.clone() }, "named for 2 workers");
    // A proof for one claim is none for another: other domains, more of them, another matrix.
    let DomainProof::Largest(whole) = &good.evidence else { panic!("{:?}", good.evidence) };
    invalid(&DomainCertificate { domains: hosts("a a a a b c d e f"), ..good.clone() }, "the whole matrix");
    invalid(&DomainCertificate { b: 2, ..good.clone() }, "the whole matrix");
    let other = algorithm1(9, 1).unwrap();
    let other = DomainCertificate { digest: other.digest(), matrix: other, ..good.clone() };
    invalid(&other, "the whole matrix");
    let mut none = whole.clone();
    none.sides.clear();
    let evidence = DomainProof::Largest(none);
    assert!(check(&DomainCertificate { evidence, ..good.clone() }).is_err());
    // The proofs of the whole matrix are none of a case.
    let evidence = DomainProof::EachSet(vec![(DomainSet::from_indices(7, [0]), whole.clone())]);
    invalid(&DomainCertificate { evidence, ..good.clone() }, "the case a");
}

/// A set of lying domains with the proofs about the others.
fn case(g: &AllocationMatrix, domains: &Domains, lying: usize) -> (DomainSet, Proofs) {
    let lying = DomainSet::from_indices(domains.len(), [lying]);
    let control = Control::default();
    let rest = Rest::of(g, &domains.members_of(&lying)).unwrap().unwrap();
    let verdict = verify(&rest.matrix, Some(rest.b), TieRule::Adversarial, Method::Auto, &control).unwrap();
    let made = certify(&rest.matrix, &verdict, Scope::Claim, System::CuttingPlanes, &control).unwrap();
    let Evidence::CuttingPlanes(sides) = made.evidence else { panic!("{:?}", made.evidence) };
    (lying, Proofs { system: System::CuttingPlanes, sides, reductions: made.reductions })
}

/// Where each set has a proof of its own, none can be missing, stand for others, or be of everybody.
#[test]
fn every_set_of_domains_needs_its_case() {
    let g = algorithm1(9, 2).unwrap();
    let domains = hosts("x a a b b c d e f");
    let made = certificate(&g, &domains, 1, TieRule::Adversarial, System::CuttingPlanes);
    let cases: Vec<_> = (0..domains.len()).map(|lying| case(&g, &domains, lying)).collect();
    let with = |cases| DomainCertificate { evidence: DomainProof::EachSet(cases), ..made.clone() };
    assert_eq!(check(&with(cases.clone())), Ok(true));
    for gone in 0..cases.len() {
        let mut fewer = cases.clone();
        let (lying, _) = fewer.remove(gone);
        match check(&with(fewer)) {
            // Another domain has its rows, and more.
            Ok(tolerant) => assert!(tolerant && domains.members_of(&lying).count() == 1),
            Err(Refused::Invalid(text)) => assert!(text.contains("no case stands for"), "{text}"),
            Err(other) => panic!("{other}"),
        }
    }
    let missing = |gone: usize| {
        let kept: Vec<_> = cases.iter().filter(|(lying, _)| !lying.contains(gone)).cloned().collect();
        check(&with(kept)).is_err()
    };
    assert!((0..domains.len()).any(missing));
    // The proofs of one set are none of another, and nothing is tolerated where all lie.
    let mut changed = cases.clone();
    let proofs = changed[1].1.clone();
    changed[0].1 = proofs;
    assert!(check(&with(changed)).is_err());
    let mut everybody = cases.clone();
    everybody.push((DomainSet::full(domains.len()), cases[0].1.clone()));
    assert!(
        matches!(check(&with(everybody)), Err(Refused::Invalid(text)) if text.contains("nobody else is left"))
    );
}

#[test]
fn a_refutation_names_its_domains_and_replays() {
    let (g, domains) = nine();
    let b = domains.len();
    let made = certificate(&g, &domains, b, TieRule::Zero, System::CuttingPlanes);
    assert_eq!(check(&made), Ok(false));
    let DomainProof::Refutation(attack) = &made.evidence else { panic!("{:?}", made.evidence) };
    let fewest = attack.domains.count();
    let with = |b, domains| {
        let mut attack = attack.clone();
        attack.domains = domains;
        DomainCertificate { b, evidence: DomainProof::Refutation(attack), ..made.clone() }
    };
    assert_eq!(check(&with(fewest, attack.domains.clone())), Ok(false));
    assert!(check(&with(fewest - 1, attack.domains.clone())).is_err());
    assert!(check(&with(b, DomainSet::empty(domains.len()))).is_err());
    // What the definition alone has tried leaves nothing to replay.
    let tried = DomainRequest::new(&g, &domains).b(1).method(Method::Definition);
    let tried = tried.decide(&Control::default()).unwrap();
    let none = certify_domains(&g, &domains, &tried, System::CuttingPlanes, &Control::default());
    assert_eq!(none, Err(NoCertificate::NotProved));
}

#[test]
fn what_is_no_certificate_is_not_read() {
    let (g, domains) = (full(5, 3).unwrap(), hosts("a a b c d"));
    let text = certificate(&g, &domains, 1, TieRule::Zero, System::CuttingPlanes).to_json();
    let cases = [
        (text.replace("domain-certificate/1", "domain-certificate/2"), "schema"),
        (text.replace("\"a\",\"a\",", "\"a\","), "4 names for 5 workers"),
        (text.replace("\"a\",\"a\",", "\"\",\"a\","), "without a name"),
        (text.replace("\"verdict\":\"tolerant\"", "\"verdict\":\"refuted\""), "the verdict is"),
        (text.replace("\"kind\":\"each-set\"", "\"kind\":\"largest\""), "nothing else"),
        (text.replace("\"kind\":\"each-set\"", "\"kind\":\"many\""), "expected refutation"),
        (text.replace("\"system\":\"cutting-planes\"", "\"system\":\"word\""), "unknown proof"),
        (text.replace("\"lying\":[0]", "\"lying\":[4]"), "below 4"),
        (text.replace("\"kind\"", "\"more\":1,\"kind\""), "unknown field"),
        (format!("[{text}]"), "expected an object"),
    ];
    for (wrong, reason) in cases {
        assert_ne!(wrong, text, "{reason}");
        let error = DomainCertificate::parse(wrong.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}
