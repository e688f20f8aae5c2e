//! Naming certificates made of what was answered in a step, and signed.

use std::collections::{BTreeMap, BTreeSet};

use crate::naming::{PREMISES, SCHEMA, SHARE_SCHEMA, hexadecimal};
use crate::{Certificate, Claim, Digest, Header, Settlement, ShareStatement, Statement};

/// What workers sent against their own first digests, by worker and partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnContradictions {
    /// The digests of wrong vectors.
    pub vectors: BTreeMap<(usize, usize), Digest>,
    /// Second digests.
    pub seconds: BTreeMap<(usize, usize), Digest>,
    /// Wrong shares, with their senders' signatures.
    pub shares: BTreeMap<(usize, usize), (Claim, [u8; 64])>,
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
                share: None,
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
            if let Some((&(_, partition), (claim, signature))) =
                own.shares.range((worker, 0)..=(worker, usize::MAX)).next()
                && let Some(announced) =
                    first(partition).and_then(|digest| state(worker, partition, digest, false))
            {
                made.push(Certificate {
                    schema: SHARE_SCHEMA.into(),
                    share: Some(ShareStatement {
                        sizes: claim.sizes,
                        place: claim.place,
                        list: hexadecimal(&claim.list),
                        share: hexadecimal(&claim.share),
                        signature: hexadecimal(signature),
                    }),
                    ..certificate(worker, "share", vec![announced], Vec::new())
                });
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
