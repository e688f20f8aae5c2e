//! Promise: a naming certificate is accepted as it was made, for every rule, and refused with any field changed; nobody can
//! make one of an honest worker from what b liars sign.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use ecode_judge::{
    Assignment, Certificate, Claim, Digest, Header, Next, OwnContradictions, Settlement, ShareStatement,
    Signer, Sizes, certify,
};
use serde_json::Value;

const HEADER: Header = Header { run: [1; 32], step: 7, state: [2; 32] };

fn signer(worker: usize) -> Signer {
    Signer::new([worker as u8 + 1; 32])
}

/// Everybody has signed what it sent.
#[allow(clippy::unnecessary_wraps, reason = "others may not have signed")]
fn signs(worker: usize, partition: usize, digest: &Digest, of_vector: bool) -> Option<(Digest, [u8; 64])> {
    let signer = signer(worker);
    Some((signer.key(), signer.sign(&HEADER, partition, digest, of_vector)))
}

fn digest(partition: usize, lie: usize) -> Digest {
    HEADER.digest(partition, &[lie as u8])
}

/// Two certificates: worker 0 is contradicted by 1, 2 and 3; worker 4 needs worker 0 as a premise.
fn contradicted() -> Vec<Certificate> {
    let assignment = Assignment { holders: vec![vec![0, 1, 2], vec![0, 3, 2], vec![4, 1, 2]] };
    let mut settlement = Settlement::new(&assignment, &[0, 1, 2, 3, 4], 2);
    for (partition, holders) in assignment.holders.iter().enumerate() {
        for &worker in holders {
            let lie = usize::from(worker == 0 || worker == 4);
            settlement.digest(worker, partition, digest(partition, lie));
            settlement.vector(worker, partition, digest(partition, lie));
        }
    }
    while let Next::Trip { fetches, .. } = settlement.next(&mut |_| 0) {
        for fetch in fetches {
            settlement.vector(fetch.worker, fetch.partition, fetch.digest);
        }
    }
    assert_eq!(settlement.named().count(), 2);
    certify(&settlement, &HEADER, 2, &OwnContradictions::default(), &signs)
}

/// By a wrong vector, and by two digests.
fn self_contradicted() -> Vec<Certificate> {
    let assignment = Assignment { holders: vec![vec![0, 1, 2], vec![3, 1, 2]] };
    let mut settlement = Settlement::new(&assignment, &[0, 1, 2, 3, 4], 2);
    for (partition, holders) in assignment.holders.iter().enumerate() {
        holders.iter().for_each(|&worker| settlement.digest(worker, partition, digest(partition, 0)));
    }
    settlement.vector(0, 0, digest(0, 1));
    settlement.digest(3, 1, digest(1, 1));
    settlement.next(&mut |_| 0);
    let vectors = BTreeMap::from([((0, 0), digest(0, 1))]);
    let seconds = BTreeMap::from([((3, 1), digest(1, 1))]);
    let own = OwnContradictions { vectors, seconds, ..OwnContradictions::default() };
    certify(&settlement, &HEADER, 2, &own, &signs)
}

/// Worker 2 sends a share that is not in the list of its digest, worker 4 the list of another vector.
fn wrong_shares() -> Vec<Certificate> {
    let sizes = Sizes { threshold: 2, holders: 3, length: 10 };
    let list = |story: u8| {
        let shares = (0..3).flat_map(|place| *blake3::hash(&[story, place]).as_bytes());
        sizes.head().into_iter().chain(shares).collect::<Vec<u8>>()
    };
    let announced = HEADER.digest(0, &list(0));
    let assignment = Assignment { holders: vec![vec![2, 4, 0]] };
    let mut settlement = Settlement::new(&assignment, &[0, 2, 4], 2).without_primaries();
    let mut own = OwnContradictions::default();
    for (worker, place, story) in [(2, 0, 0), (4, 1, 1)] {
        settlement.digest(worker, 0, announced);
        let share = *blake3::hash(&[1, place as u8]).as_bytes();
        let claim = Claim { sizes, list: list(story), place, share };
        assert!(claim.contradicts(&HEADER, 0, &announced));
        let signature = signer(worker).sign_share(&HEADER, 0, &claim);
        own.shares.insert((worker, 0), (claim, signature));
        settlement.vector(worker, 0, digest(0, 7));
    }
    settlement.next(&mut |_| 0);
    certify(&settlement, &HEADER, 2, &own, &signs)
}

fn all() -> Vec<Certificate> {
    [contradicted(), self_contradicted(), wrong_shares()].concat()
}

#[test]
fn true_certificates_are_accepted() {
    let all = all();
    let rules: Vec<(usize, &str, usize)> =
        all.iter().map(|one| (one.worker, one.rule.as_str(), one.premises.len())).collect();
    assert_eq!(
        rules,
        [
            (0, "contradicted", 0),
            (4, "contradicted", 1),
            (0, "vector", 0),
            (3, "two-digests", 0),
            (2, "share", 0),
            (4, "share", 0)
        ]
    );
    for certificate in all {
        assert_eq!(certificate.check(), Ok(()));
        let text = serde_json::to_string(&certificate).unwrap();
        assert_eq!(serde_json::from_str::<Certificate>(&text).unwrap(), certificate);
    }
}

/// Every leaf of a document, changed.
fn changed(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, inner)| {
                changed(inner).into_iter().map(|inner| {
                    let mut map = map.clone();
                    map.insert(key.clone(), inner);
                    Value::Object(map)
                })
            })
            .collect(),
        Value::Array(list) => {
            let mut all: Vec<Value> = (0..list.len())
                .flat_map(|place| changed(&list[place]).into_iter().map(move |inner| (place, inner)))
                .map(|(place, inner)| {
                    let mut list = list.clone();
                    list[place] = inner;
                    Value::Array(list)
                })
                .collect();
            for place in 0..list.len() {
                let mut shorter = list.clone();
                shorter.remove(place);
                all.push(Value::Array(shorter));
                let mut longer = list.clone();
                longer.push(list[place].clone());
                all.push(Value::Array(longer));
            }
            all
        }
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            vec![(number + 1).into(), number.saturating_sub(1).into()]
                .into_iter()
                .filter(|other: &Value| other != value)
                .collect()
        }
        Value::String(text) => {
            let mut all = vec![Value::String(String::new()), Value::String(text.to_uppercase())];
            for place in [0, text.len() / 2, text.len() - 1] {
                let other = if text.as_bytes()[place] == b'0' { "1" } else { "0" };
                let mut text = text.clone();
                text.replace_range(place..=place, other);
                all.push(Value::String(text));
            }
            all.into_iter().filter(|other| other != value).collect()
        }
        Value::Bool(bit) => vec![Value::Bool(!bit)],
        Value::Null => Vec::new(),
    }
}

#[test]
fn every_changed_field_is_refused() {
    let mut tried = 0;
    for certificate in all() {
        for other in changed(&serde_json::to_value(&certificate).unwrap()) {
            if let Ok(other) = serde_json::from_value::<Certificate>(other) {
                assert!(other.check().is_err(), "{other:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

/// What a right worker signs of its share shows nothing, whoever has it: its list is that of its digest, and holds its share.
#[test]
fn a_right_share_makes_no_certificate() {
    for certificate in wrong_shares() {
        let said = certificate.share.clone().unwrap();
        let list: Vec<u8> = (0..said.list.len() / 2)
            .map(|at| u8::from_str_radix(&said.list[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let worker = certificate.worker;
        let share = said.sizes.listed(&list, said.place).unwrap();
        let claim = Claim { sizes: said.sizes, list: list.clone(), place: said.place, share };
        let announced = HEADER.digest(0, &list);
        assert!(!claim.contradicts(&HEADER, 0, &announced));
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut forged = certificate.clone();
        forged.statements[0].digest = hex(&announced);
        forged.statements[0].signature = hex(&signer(worker).sign(&HEADER, 0, &announced, false));
        forged.share = Some(ShareStatement {
            share: hex(&share),
            signature: hex(&signer(worker).sign_share(&HEADER, 0, &claim)),
            ..said
        });
        let error = forged.check().unwrap_err().to_string();
        assert!(error.contains("the share is that of the digest"), "{error}");
    }
}

/// Two liars of b = 2 sign whatever they like: it takes three signers to contradict an honest worker.
#[test]
fn liars_cannot_make_one_of_an_honest_worker() {
    let assignment = Assignment { holders: vec![vec![2, 0, 1]] };
    let mut settlement = Settlement::new(&assignment, &[0, 1, 2], 1);
    for (worker, lie) in [(0, 1), (1, 1), (2, 0)] {
        settlement.digest(worker, 0, digest(0, lie));
    }
    // Under b = 1 two contradict worker 2, which is then named: beyond the promise.
    settlement.next(&mut |_| 0);
    let forged = certify(&settlement, &HEADER, 1, &OwnContradictions::default(), &signs);
    assert_eq!(forged.iter().map(|one| one.worker).collect::<Vec<_>>(), [2]);
    assert!(forged[0].check().is_ok(), "it says b = 1, and two lie");
    assert!(Certificate { b: 2, ..forged[0].clone() }.check().is_err(), "under b = 2 it shows nothing");
    // A premise without its own evidence does not help.
    let premise = Certificate { worker: 1, b: 2, ..forged[0].clone() };
    let helped = Certificate { b: 2, premises: vec![premise], ..forged[0].clone() };
    assert!(helped.check().is_err());
}
