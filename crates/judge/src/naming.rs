//! Naming certificates (`ecode/naming/1`, and `ecode/naming/2` of wrong shares): signed answers that show a worker to be faulty
//! to whoever was not there.
//!
//! # What is promised
//! A certificate that [`Certificate::check`] accepts shows, where right workers compute the same bits, signatures cannot be
//! forged and at most b owners of its keys are faulty in that step, that the worker is one of them; by `two-digests`, `vector`
//! and `share` whoever else is faulty. Every
//! field is either signed or determined by what is signed: with any other value the certificate is refused.
//!
//! # References
//! docs/theory/reactive.md, Theorem 18. Signatures: Ed25519 (RFC 8032).

use std::collections::{BTreeMap, BTreeSet};

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};
use serde::{Deserialize, Serialize};

use crate::{Claim, Digest, Header, Sizes};

pub(crate) const SCHEMA: &str = "ecode/naming/1";

/// The schema of those that are about a share.
pub(crate) const SHARE_SCHEMA: &str = "ecode/naming/2";

/// The most premises of a certificate.
pub(crate) const PREMISES: usize = 6;

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

/// What a worker has signed of a share that it sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareStatement {
    /// How vectors are cut.
    pub sizes: Sizes,
    /// Which share, from 0.
    pub place: usize,
    /// The list that was sent, in hexadecimal.
    pub list: String,
    /// The BLAKE3 digest of the share that was sent, in hexadecimal.
    pub share: String,
    /// The signature, in hexadecimal.
    pub signature: String,
}

/// A naming with what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// `ecode/naming/1`, or `ecode/naming/2` where it is about a share.
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
    /// `contradicted`, `two-digests`, `vector` or `share`.
    pub rule: String,
    /// The workers' public keys, in hexadecimal.
    pub keys: BTreeMap<usize, String>,
    /// What was signed.
    pub statements: Vec<Statement>,
    /// Other namings of the step, which leave fewer who may be faulty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub premises: Vec<Certificate>,
    /// With the rule `share`: the share that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<ShareStatement>,
}

/// Why a certificate does not show what it claims.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamingError {
    /// It is not of this form.
    #[error("schema is '{0}'; expected {SCHEMA}, or {SHARE_SCHEMA} with the rule share")]
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

    /// Signs a digest of a slot that was computed once more: no certificate is made of it, since who is right and not
    /// reproducible may say something else then.
    #[must_use]
    pub fn sign_again(&self, header: &Header, partition: usize, digest: &Digest) -> [u8; 64] {
        *self.0.sk.sign(text(header, partition, digest, AGAIN), None)
    }

    /// Signs a share that is sent with its list.
    #[must_use]
    pub fn sign_share(&self, header: &Header, partition: usize, claim: &Claim) -> [u8; 64] {
        *self.0.sk.sign(text(header, partition, &claim.digest(header, partition), BYTES), None)
    }

    /// Signs a whole vector that is sent where vectors travel in shares: that these bytes were sent, and nothing of what was
    /// announced, so that no certificate is made of it.
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
    is_of(key, &text(header, partition, digest, u8::from(of_vector)), signature)
}

/// Whether a signature of a text is that of a key.
fn is_of(key: &Digest, text: &Digest, signature: &[u8; 64]) -> bool {
    PublicKey::new(*key).verify(text, &Signature::new(*signature)).is_ok()
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
    is_of(key, &text(header, partition, digest, BYTES), signature)
}

/// Whether a signature of a digest that was computed once more is that of a key ([`Signer::sign_again`]).
#[must_use]
pub fn signed_again(
    key: &Digest,
    header: &Header,
    partition: usize,
    digest: &Digest,
    signature: &[u8; 64],
) -> bool {
    is_of(key, &text(header, partition, digest, AGAIN), signature)
}

/// The kind of what is signed of shares.
const BYTES: u8 = 2;

/// The kind of what is said once more: a second digest that was asked for proves no lie.
const AGAIN: u8 = 3;

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

/// Bytes from small hexadecimal digits; none where they are none.
fn any_bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits: Vec<u8> = text.as_bytes().iter().map(digit).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// So many bytes from small hexadecimal digits.
fn bytes<const N: usize>(name: &str, text: &str) -> Result<[u8; N], NamingError> {
    let wrong = || NamingError::Field(format!("{name} is no {N} bytes in small hexadecimal digits"));
    any_bytes(text).and_then(|bytes| bytes.try_into().ok()).ok_or_else(wrong)
}

impl Certificate {
    /// Replays the certificate.
    ///
    /// # Errors
    /// [`NamingError`] where it does not show what it claims.
    pub fn check(&self) -> Result<(), NamingError> {
        if self.schema != if self.share.is_some() { SHARE_SCHEMA } else { SCHEMA } {
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
        if self.rule == "share" || self.share.is_some() {
            return self.wrong_share(&header, &statements);
        }
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

    /// Whether the share is none that a right worker sends under the digest that it announced.
    fn wrong_share(
        &self,
        header: &Header,
        statements: &[(usize, usize, bool, Digest)],
    ) -> Result<(), NamingError> {
        let fails = |why: &str| Err(NamingError::NotShown { worker: self.worker, why: why.to_owned() });
        let (Some(said), "share", [(worker, partition, false, announced)]) =
            (&self.share, self.rule.as_str(), statements)
        else {
            return fails("one announced digest and one share are expected");
        };
        if *worker != self.worker || !self.premises.is_empty() || self.b != 0 {
            return fails("a share rests on what its sender signed, and on nobody else");
        }
        let list = any_bytes(&said.list)
            .ok_or_else(|| NamingError::Field("list is no bytes in small hexadecimal digits".into()))?;
        let claim = Claim { sizes: said.sizes, list, place: said.place, share: bytes("share", &said.share)? };
        let key = bytes("a key", self.keys.get(worker).map_or("", String::as_str))?;
        let signature = bytes("a signature", &said.signature)?;
        if !signed_bytes(&key, header, *partition, &claim.digest(header, *partition), &signature) {
            return Err(NamingError::Signature { worker: *worker, partition: *partition });
        }
        if claim.contradicts(header, *partition, announced) {
            Ok(())
        } else {
            fails("the share is that of the digest")
        }
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
