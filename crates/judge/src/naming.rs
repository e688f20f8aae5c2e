//! Naming certificates (`ecode/naming/1`): signed answers that show a worker to be faulty to whoever was not there.
//!
//! # What is promised
//! A certificate that [`Certificate::check`] accepts shows, where signatures cannot be forged and at most b owners of its keys
//! are faulty in that step, that the worker is one of them; by `two-digests` and `vector` whoever else is faulty. Every
//! field is either signed or determined by what is signed: with any other value the certificate is refused.
//!
//! # References
//! docs/theory/reactive.md, Theorem 18. Signatures: Ed25519 (RFC 8032).

use std::collections::{BTreeMap, BTreeSet};

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};
use serde::{Deserialize, Serialize};

use crate::{Digest, Header, Settlement};

const SCHEMA: &str = "ecode/naming/1";

/// The most premises of a certificate.
const PREMISES: usize = 6;

/// What a worker has signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Who.
    pub worker: usize,
    /// The partition.
    pub partition: usize,
    /// Whether it is the digest of the vector that was sent, not the digest that was announced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_vector: bool,
    /// The digest, in hexadecimal.
    pub digest: String,
    /// The signature, in hexadecimal.
    pub signature: String,
}

/// A naming with what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// `ecode/naming/1`.
    pub schema: String,
    /// The run's digest, in hexadecimal.
    pub run: String,
    /// The step, from 0.
    pub step: u64,
    /// The digest of the state before it, in hexadecimal.
    pub state: String,
    /// How many workers may be faulty in the step; 0 where the worker contradicts itself, which rests on nobody else.
    pub b: usize,
    /// The worker that is named.
    pub worker: usize,
    /// `contradicted`, `two-digests` or `vector`.
    pub rule: String,
    /// The workers' public keys, in hexadecimal.
    pub keys: BTreeMap<usize, String>,
    /// What was signed.
    pub statements: Vec<Statement>,
    /// Other namings of the step, which leave fewer who may be faulty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub premises: Vec<Certificate>,
}

/// Why a certificate does not show what it claims.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamingError {
    /// It is not of this form.
    #[error("schema is '{0}'; expected {SCHEMA}")]
    Schema(String),
    /// A field does not hold what it should.
    #[error("{0}")]
    Field(String),
    /// A signature is not the worker's.
    #[error("the signature of worker {worker} for partition {partition} is wrong")]
    Signature {
        /// The worker.
        worker: usize,
        /// The partition.
        partition: usize,
    },
    /// The statements do not show it by the rule.
    #[error("it does not show that worker {worker} is faulty: {why}")]
    NotShown {
        /// The worker.
        worker: usize,
        /// What is missing.
        why: String,
    },
}

/// A worker's key.
pub struct Signer(KeyPair);

impl Signer {
    /// The key of a seed.
    #[must_use]
    pub fn new(seed: Digest) -> Self {
        Self(KeyPair::from_seed(Seed::new(seed)))
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> Digest {
        *self.0.pk
    }

    /// Signs a digest of a slot: the one that is announced, or that of a vector that is sent.
    #[must_use]
    pub fn sign(&self, header: &Header, partition: usize, digest: &Digest, of_vector: bool) -> [u8; 64] {
        *self.0.sk.sign(text(header, partition, digest, u8::from(of_vector)), None)
    }

    /// Signs bytes that are sent where vectors travel in shares: that these were sent, and nothing of what was announced, so
    /// that no certificate is made of it.
    #[must_use]
    pub fn sign_bytes(&self, header: &Header, partition: usize, bytes: &[u8]) -> [u8; 64] {
        *self.0.sk.sign(text(header, partition, &header.digest(partition, bytes), BYTES), None)
    }
}

/// Whether a signature of a digest of a slot is that of a key.
#[must_use]
pub fn signed(
    key: &Digest,
    header: &Header,
    partition: usize,
    digest: &Digest,
    of_vector: bool,
    signature: &[u8; 64],
) -> bool {
    let signature = Signature::new(*signature);
    PublicKey::new(*key).verify(text(header, partition, digest, u8::from(of_vector)), &signature).is_ok()
}

/// Whether a signature of bytes that were sent, of this digest, is that of a key ([`Signer::sign_bytes`]).
#[must_use]
pub fn signed_bytes(
    key: &Digest,
    header: &Header,
    partition: usize,
    digest: &Digest,
    signature: &[u8; 64],
) -> bool {
    let signature = Signature::new(*signature);
    PublicKey::new(*key).verify(text(header, partition, digest, BYTES), &signature).is_ok()
}

/// The kind of what is signed of shares.
const BYTES: u8 = 2;

/// What is signed.
fn text(header: &Header, partition: usize, digest: &Digest, kind: u8) -> Digest {
    let mut hasher =
        blake3::Hasher::new_derive_key("ecode 1 signed: run, step, state, partition, kind, digest");
    hasher.update(&header.run).update(&header.step.to_le_bytes()).update(&header.state);
    hasher.update(&(partition as u64).to_le_bytes()).update(&[kind]).update(digest);
    *hasher.finalize().as_bytes()
}

/// Bytes in hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// So many bytes from small hexadecimal digits.
fn bytes<const N: usize>(name: &str, text: &str) -> Result<[u8; N], NamingError> {
    let wrong = || NamingError::Field(format!("{name} is no {N} bytes in small hexadecimal digits"));
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits: Vec<u8> = text.as_bytes().iter().map(digit).collect::<Option<_>>().ok_or_else(wrong)?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    if digits.len() != 2 * N {
        return Err(wrong());
    }
    bytes.try_into().map_err(|_| wrong())
}

impl Certificate {
    /// Replays the certificate.
    ///
    /// # Errors
    /// [`NamingError`] where it does not show what it claims.
    pub fn check(&self) -> Result<(), NamingError> {
        if self.schema != SCHEMA {
            return Err(NamingError::Schema(self.schema.clone()));
        }
        let header =
            Header { run: bytes("run", &self.run)?, step: self.step, state: bytes("state", &self.state)? };
        let mut keys: BTreeMap<usize, [u8; 32]> = BTreeMap::new();
        for (&worker, key) in &self.keys {
            keys.insert(worker, bytes("a key", key)?);
        }
        let different: BTreeSet<&[u8; 32]> = keys.values().collect();
        if different.len() < keys.len() {
            return Err(NamingError::Field("two workers have one key".into()));
        }
        let mut statements = Vec::new();
        for statement in &self.statements {
            let Statement { worker, partition, of_vector, .. } = *statement;
            let wrong = || NamingError::Signature { worker, partition };
            let key =
                keys.get(&worker).ok_or_else(|| NamingError::Field(format!("worker {worker} has no key")))?;
            let digest: Digest = bytes("a digest", &statement.digest)?;
            let signature = bytes("a signature", &statement.signature)?;
            if !signed(key, &header, partition, &digest, of_vector, &signature) {
                return Err(wrong());
            }
            statements.push((worker, partition, of_vector, digest));
        }
        let signers: BTreeSet<usize> = statements.iter().map(|statement| statement.0).collect();
        if let Some(worker) = keys.keys().find(|worker| !signers.contains(worker)) {
            return Err(NamingError::Field(format!("worker {worker} has a key and signs nothing")));
        }
        self.premises()?;
        self.shown(&statements)
    }

    /// The premises are certificates of the same step, under the same b, about others.
    fn premises(&self) -> Result<(), NamingError> {
        let mut named = BTreeSet::from([self.worker]);
        for premise in &self.premises {
            premise.check()?;
            let same = (&premise.run, premise.step, &premise.state) == (&self.run, self.step, &self.state);
            let b = if premise.rule == "contradicted" { self.b } else { 0 };
            if !same || premise.b != b {
                return Err(NamingError::Field("a premise is of another run, step, state or b".into()));
            }
            if !named.insert(premise.worker) {
                return Err(NamingError::Field(format!("worker {} is named twice", premise.worker)));
            }
            let known = |worker: &usize| {
                self.keys.get(worker).is_none_or(|key| Some(key) == premise.keys.get(worker))
            };
            if !premise.keys.keys().all(known) {
                return Err(NamingError::Field("a worker has another key in a premise".into()));
            }
        }
        Ok(())
    }

    /// Whether the statements show it by the rule, and hold nothing else.
    fn shown(&self, statements: &[(usize, usize, bool, Digest)]) -> Result<(), NamingError> {
        let fails = |why: &str| Err(NamingError::NotShown { worker: self.worker, why: why.to_owned() });
        let pair = |kinds: [bool; 2]| match statements {
            [first, second] => {
                first.0 == self.worker
                    && second.0 == self.worker
                    && first.1 == second.1
                    && [first.2, second.2] == kinds
                    && first.3 != second.3
                    && self.premises.is_empty()
                    && self.b == 0
            }
            _ => false,
        };
        match self.rule.as_str() {
            "two-digests" if pair([false, false]) => Ok(()),
            "two-digests" => fails("two digests of one slot are expected"),
            "vector" if pair([false, true]) => Ok(()),
            "vector" => fails("a digest and the digest of another vector of one slot are expected"),
            "contradicted" => {
                let mut own: BTreeMap<usize, Digest> = BTreeMap::new();
                for &(worker, partition, of_vector, digest) in statements {
                    if of_vector || (worker == self.worker && own.insert(partition, digest).is_some()) {
                        return fails("one announced digest a partition is expected of it");
                    }
                }
                let mut against = BTreeSet::new();
                let mut answered = BTreeSet::new();
                for &(worker, partition, _, digest) in statements.iter().filter(|said| said.0 != self.worker)
                {
                    if own.get(&partition).is_none_or(|own| *own == digest) || !against.insert(worker) {
                        return fails("each other worker contradicts it once");
                    }
                    answered.insert(partition);
                }
                if own.keys().any(|partition| !answered.contains(partition)) {
                    return fails("a digest of it is contradicted by nobody");
                }
                if self.premises.iter().any(|premise| against.contains(&premise.worker)) {
                    return fails("a worker that was named before does not count");
                }
                let needed = (self.b + 1).checked_sub(self.premises.len());
                if needed == Some(against.len()) && !against.is_empty() {
                    Ok(())
                } else {
                    fails(&format!(
                        "{} workers contradict it, exactly b + 1 − premises = {} + 1 − {} are expected",
                        against.len(),
                        self.b,
                        self.premises.len()
                    ))
                }
            }
            other => fails(&format!("'{other}' is no rule")),
        }
    }
}

/// What workers sent against their own first digests, by worker and partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnContradictions {
    /// The digests of wrong vectors.
    pub vectors: BTreeMap<(usize, usize), Digest>,
    /// Second digests.
    pub seconds: BTreeMap<(usize, usize), Digest>,
}

/// Who signed what: a worker's public key, and its signature of a digest of a partition, announced or of a vector; none
/// where it has not signed that.
pub type Signed<'a> = &'a dyn Fn(usize, usize, &Digest, bool) -> Option<(Digest, [u8; 64])>;

/// Certificates of the workers that a settlement has named, from what was answered in it and signed; `own` is what
/// workers sent against their own digests. Somebody whose naming rests on what the server computed itself has none.
#[must_use]
pub fn certify(
    settlement: &Settlement,
    header: &Header,
    b: usize,
    own: &OwnContradictions,
    signed: Signed<'_>,
) -> Vec<Certificate> {
    let answers = settlement.all_answers();
    let state = |worker: usize, partition: usize, digest: &Digest, of_vector: bool| {
        let (key, signature) = signed(worker, partition, digest, of_vector)?;
        let (digest, signature) = (hexadecimal(digest), hexadecimal(&signature));
        Some((key, Statement { worker, partition, of_vector, digest, signature }))
    };
    let certificate =
        |worker: usize, rule: &str, signed: Vec<(Digest, Statement)>, premises: Vec<Certificate>| {
            let keys = signed.iter().map(|(key, statement)| (statement.worker, hexadecimal(key))).collect();
            let statements = signed.into_iter().map(|(_, statement)| statement).collect();
            Certificate {
                schema: SCHEMA.into(),
                run: hexadecimal(&header.run),
                step: header.step,
                state: hexadecimal(&header.state),
                b: if rule == "contradicted" { b } else { 0 },
                worker,
                rule: rule.into(),
                keys,
                statements,
                premises,
            }
        };
    let mut made: Vec<Certificate> = Vec::new();
    let mut open: Vec<usize> = settlement.named().map(|named| named.worker).collect();
    loop {
        let before = made.len();
        open.retain(|&worker| {
            let first = |partition: usize| answers[partition].get(&worker);
            let pair = |others: &BTreeMap<(usize, usize), Digest>, of_vector: bool| {
                let (&(_, partition), digest) = others.range((worker, 0)..=(worker, usize::MAX)).next()?;
                let announced = state(worker, partition, first(partition)?, false)?;
                Some(vec![announced, state(worker, partition, digest, of_vector)?])
            };
            if let Some(statements) = pair(&own.seconds, false) {
                made.push(certificate(worker, "two-digests", statements, Vec::new()));
                return false;
            }
            if let Some(statements) = pair(&own.vectors, true) {
                made.push(certificate(worker, "vector", statements, Vec::new()));
                return false;
            }
            // Who contradicts it, each once: all of them, or, where that is too few, all but those who are shown to be
            // faulty, of whom then fewer are needed.
            let contradict = |premises: &[Certificate]| -> BTreeMap<usize, usize> {
                let mut against = BTreeMap::new();
                for (partition, slot) in answers.iter().enumerate() {
                    let Some(own) = slot.get(&worker) else { continue };
                    for (&other, digest) in *slot {
                        if digest != own && !premises.iter().any(|premise| premise.worker == other) {
                            against.entry(other).or_insert(partition);
                        }
                    }
                }
                against
            };
            let enough = |premises: &[Certificate]| {
                let needed = (b + 1).checked_sub(premises.len()).filter(|&needed| needed > 0)?;
                let against = contradict(premises);
                (against.len() >= needed).then_some((against, needed))
            };
            let (premises, (against, needed)) = match (enough(&[]), enough(&made)) {
                (Some(enough), _) => (Vec::new(), enough),
                // Each premise holds its own: they must not grow without bound.
                (None, Some(enough)) if made.len() <= PREMISES => (made.clone(), enough),
                _ => return true,
            };
            let against: Vec<(usize, usize)> = against.into_iter().take(needed).collect();
            let partitions: BTreeSet<usize> = against.iter().map(|&(_, partition)| partition).collect();
            let own = partitions.iter().map(|&partition| state(worker, partition, first(partition)?, false));
            let others = against.iter().map(|&(other, i)| state(other, i, answers[i].get(&other)?, false));
            let Some(statements) = own.chain(others).collect::<Option<Vec<_>>>() else { return true };
            made.push(certificate(worker, "contradicted", statements, premises));
            false
        });
        if made.len() == before {
            return made;
        }
    }
}
