//! Promise: a naming certificate is computed again from the data: a true one is shown whoever else was faulty, and one that b + 1
//! liars have made of an honest worker, which no replay of signatures refuses, is refused.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ecode_server::reactive::{Adversary, Digest, Header, Signer, Statement};
use ecode_train::data::{Data, DataSource};
use ecode_train::reactive::{Certificate, Journal, Naming, Plan};
use ecode_train::{Config, Finding, Scheme, Trainer, TrainingCode};

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Naming>>>);

impl Journal for Memory {
    fn keep(&mut self, naming: &Naming) -> Result<(), String> {
        self.0.lock().unwrap().push(naming.clone());
        Ok(())
    }
}

fn config(scheme: Scheme, adversary: Adversary) -> Config {
    Config { scheme, adversary, n: Some(9), b: Some(2), steps: Some(60), batch: 8, ..Config::default() }
}

fn trainer(config: &Config, data: &Data) -> Trainer {
    let plan = Plan::of_sizes(config).unwrap();
    let code = TrainingCode::holders(plan.matrix().unwrap(), plan.b, config.scheme.name());
    Trainer::new(config.clone(), code, data.clone()).unwrap()
}

/// The certificates of a run.
fn certificates(config: &Config, data: &Data) -> Vec<Certificate> {
    let journal = Memory::default();
    let mut trainer = trainer(config, data);
    trainer.keep_namings(Box::new(journal.clone()));
    while !trainer.finished() {
        trainer.advance().unwrap();
    }
    let kept = journal.0.lock().unwrap().clone();
    kept.into_iter().filter_map(|naming| naming.certificate).collect()
}

/// What the run without liars says of a certificate.
fn finding(config: &Config, data: &Data, certificate: &Certificate) -> Finding {
    let mut trainer = trainer(config, data);
    while trainer.state().step < certificate.step {
        trainer.replay().unwrap();
    }
    trainer.recompute(certificate).unwrap()
}

#[test]
fn true_certificates_are_shown_without_believing_anybody() {
    let data = DataSource::Synthetic.load().unwrap();
    for (scheme, adversary) in [
        (Scheme::Reactive, Adversary::Drip),
        (Scheme::Reactive, Adversary::Once),
        (Scheme::Reactive, Adversary::VectorOnly),
        (Scheme::Reactive, Adversary::Equivocate),
        (Scheme::OneRound, Adversary::Drip),
        (Scheme::OneRound, Adversary::VectorOnly),
    ] {
        let config = config(scheme, adversary);
        let all = certificates(&config, &data);
        assert!(!all.is_empty(), "{scheme:?}, {adversary:?}");
        for certificate in all {
            assert!(certificate.check().is_ok());
            let found = finding(&config, &data, &certificate);
            assert!(
                matches!(found, Finding::Wrong(_)),
                "{scheme:?}, {adversary:?}: {found:?}, {certificate:?}"
            );
        }
    }
}

fn bytes(text: &str) -> Digest {
    let byte = |place: usize| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).unwrap();
    std::array::from_fn(byte)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A certificate with the same claims about the same run, step and state, or others, that new keys have signed.
fn signed(header: &Header, worker: usize, b: usize, digests: &[(usize, usize, Digest)]) -> Certificate {
    let signer = |worker: usize| Signer::new([worker as u8 + 1; 32]);
    let statement = |&(worker, partition, digest): &(usize, usize, Digest)| Statement {
        worker,
        partition,
        of_vector: false,
        digest: hexadecimal(&digest),
        signature: hexadecimal(&signer(worker).sign(header, partition, &digest, false)),
    };
    Certificate {
        schema: "ecode/naming/1".into(),
        run: hexadecimal(&header.run),
        step: header.step,
        state: hexadecimal(&header.state),
        b,
        worker,
        rule: "contradicted".into(),
        keys: digests
            .iter()
            .map(|&(worker, ..)| (worker, hexadecimal(&signer(worker).key())))
            .collect::<BTreeMap<_, _>>(),
        statements: digests.iter().map(statement).collect(),
        premises: Vec::new(),
        share: None,
    }
}

/// What was signed can be said again by others: by b + 1 liars about an honest worker, or about another run or state.
#[test]
fn a_certificate_that_too_many_liars_made_is_refused() {
    let data = DataSource::Synthetic.load().unwrap();
    let config = config(Scheme::Reactive, Adversary::Drip);
    let certificate = certificates(&config, &data).swap_remove(0);
    let Certificate { worker: liar, step, b, statements, .. } = certificate.clone();
    let header = Header { run: bytes(&certificate.run), step, state: bytes(&certificate.state) };
    let digest = |of_liar: bool| {
        let one = statements.iter().find(|one| (one.worker == liar) == of_liar).unwrap();
        (one.partition, bytes(&one.digest))
    };
    let (partition, lie) = digest(true);
    let right = statements.iter().find(|one| one.worker != liar && one.partition == partition).unwrap();
    let right = bytes(&right.digest);
    let others: Vec<usize> = (0..9).filter(|&worker| worker != liar).take(b + 1).collect();
    let claims = |accused: Digest, contradicts: Digest| -> Vec<(usize, usize, Digest)> {
        let against = others.iter().map(|&worker| (worker, partition, contradicts));
        std::iter::once((liar, partition, accused)).chain(against).collect()
    };
    for (what, header, claims, expected) in [
        ("a true one", header, claims(lie, right), Finding::Wrong(partition)),
        ("an honest worker", header, claims(right, lie), Finding::Right),
        ("another run", Header { run: [7; 32], ..header }, claims(lie, right), Finding::OtherRun),
        ("another state", Header { state: [7; 32], ..header }, claims(lie, right), Finding::OtherState),
        ("another step", Header { step: step - 1, ..header }, claims(lie, right), Finding::OtherState),
    ] {
        let forged = signed(&header, liar, b, &claims);
        assert_eq!(forged.check(), Ok(()), "{what}: signatures alone do not tell");
        assert_eq!(finding(&config, &data, &forged), expected, "{what}");
    }
    // Other data, or another seed, are another run.
    let other = Config { seed: 1, ..config.clone() };
    assert_eq!(finding(&other, &data, &certificate), Finding::OtherRun);
}
