//! How a claim about failure domains is decided.
//!
//! # The order
//! 1. The message of all ones, and every message that is met later: one bad message refutes the claim.
//! 2. The whole matrix, asked for as many workers as the b largest domains have: one claim instead of many.
//! 3. Each set of b domains that matters, the largest first, by [`Request`] like any other claim.
//!
//! With `--method definition` nothing of this is used, with `all` both, and they must agree.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::oracle::{Tried, overturned_by_domains};
use super::rest::Rest;
use super::sets::Exchanges;
use super::verdict::{DomainCase, DomainConclusion, DomainEvidence, DomainVerdict};
use crate::control::Control;
use crate::engine::{Engine as _, Unsuitable};
use crate::gluing::Shape;
use crate::instance::Instance;
use crate::method::Method;
use crate::plan::Request;
use crate::verdict::{Verdict, VerifyError};
use crate::{Definition, Radius};
use ecode_core::{AllocationMatrix, DomainSet, Domains, Message, Outcome, TieRule};

/// So long the whole matrix is tried where there are no more than [`FEW`] sets.
const PATIENCE: Duration = Duration::from_secs(10);
/// Sets that may all be looked at one by one.
const FEW: u64 = 1000;
/// Beyond this, nobody is told how many sets there are.
const COUNTED: u64 = 1 << 20;

/// A question about a matrix and failure domains.
///
/// ```
/// use ecode_core::{AllocationMatrix, Domains};
/// use ecode_verify::{Control, DomainRequest, Radius};
/// // Seven workers hold everything: three are outvoted, whoever they are, and so is one host of three.
/// let g = AllocationMatrix::from_fn(7, 7, |_, _| true)?;
/// let hosts = Domains::of_workers(&["a", "a", "a", "b", "b", "c", "c"])?;
/// let verdict = DomainRequest::new(&g, &hosts).decide(&Control::default())?;
/// assert_eq!(verdict.radius(), Radius::Exactly(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DomainRequest<'a> {
    matrix: &'a AllocationMatrix,
    domains: &'a Domains,
    b: Option<usize>,
    ties: TieRule,
    method: Method,
    shape: Option<&'a Shape>,
}

/// What is known of a claim so far.
enum Settled {
    Tolerant(DomainEvidence),
    Refuted,
    Undecided(String),
}

/// What was met on the way.
struct Met<'a> {
    request: DomainRequest<'a>,
    exchanges: Exchanges,
    worst: Option<(i64, Outcome)>,
    sets: u64,
}

impl<'a> DomainRequest<'a> {
    /// Asks for the radius in domains under the default tie rule.
    ///
    /// # Panics
    /// When the domains are of other workers.
    #[must_use]
    pub fn new(matrix: &'a AllocationMatrix, domains: &'a Domains) -> Self {
        assert_eq!(domains.n(), matrix.n(), "domains of the matrix's workers");
        Self { matrix, domains, b: None, ties: TieRule::default(), method: Method::Auto, shape: None }
    }

    /// Asks whether any b domains are tolerated; `None` asks for the radius.
    ///
    /// # Panics
    /// When there are fewer than b domains.
    #[must_use]
    pub fn b(self, b: impl Into<Option<usize>>) -> Self {
        let b = b.into();
        assert!(b.is_none_or(|b| b <= self.domains.len()), "{b:?} of {} domains", self.domains.len());
        Self { b, ..self }
    }

    /// What a worker does whose own vote ties.
    #[must_use]
    pub fn ties(self, ties: TieRule) -> Self {
        Self { ties, ..self }
    }

    /// Who is to answer: what engines are asked about each set, or the definition.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// The shape by which the gluing theorem may prove the claim about the whole matrix. It is a hint, as in
    /// [`Request::shape`].
    #[must_use]
    pub fn shape(self, shape: Option<&'a Shape>) -> Self {
        Self { shape, ..self }
    }

    /// Decides. Without a b the verdict is about the radius, or about b = 0 where even that fails.
    ///
    /// # Errors
    /// [`VerifyError`]: a method that is not built or does not take a matrix, or contradicting engines.
    pub fn decide(&self, control: &Control) -> Result<DomainVerdict, VerifyError> {
        let start = Instant::now();
        let exchanges = Exchanges::of(self.matrix, self.domains);
        let mut met = Met { request: *self, exchanges, worst: None, sets: 0 };
        met.meets(&Message::full(self.matrix.k()));
        let mut verdict = DomainVerdict {
            b: self.b,
            ties: self.ties,
            conclusion: DomainConclusion::Undecided,
            at_least: None,
            worst: None,
            evidence: None,
            sets: 0,
            reason: None,
            elapsed: Duration::ZERO,
        };
        // For the radius: one number of domains after the other, up to the first that is too many.
        let numbers = self.b.map_or(0..=self.domains.len(), |b| b..=b);
        for b in numbers {
            match met.settle(b, control)? {
                Settled::Tolerant(evidence) => {
                    verdict.at_least = Some(b);
                    verdict.evidence = Some(evidence);
                }
                Settled::Refuted => break,
                Settled::Undecided(reason) => {
                    verdict.reason = Some(reason);
                    break;
                }
            }
        }
        (verdict.worst, verdict.sets) = (met.worst, met.sets);
        self.conclude(&mut verdict)?;
        verdict.elapsed = start.elapsed();
        Ok(verdict)
    }

    /// Draws the conclusion from what was proved and met, and replays what refutes.
    fn conclude(&self, verdict: &mut DomainVerdict) -> Result<(), VerifyError> {
        let b = match (self.b, verdict.radius()) {
            (Some(b), _) => b,
            (None, Radius::Exactly(radius)) => radius,
            (None, Radius::FailsWithoutLiars) => 0,
            (None, Radius::AtLeast(_) | Radius::Unknown) => {
                verdict.evidence = None;
                return Ok(());
            }
        };
        verdict.b = Some(b);
        let below = verdict.worst.as_ref().is_some_and(|(margin, _)| *margin < b as i64);
        if verdict.at_least.is_some_and(|proved| proved >= b) {
            if below {
                return Err(VerifyError::Replay("domains"));
            }
            verdict.conclusion = DomainConclusion::Tolerant;
        } else if let Some((_, worst)) = verdict.worst.as_ref().filter(|_| below) {
            let attack = self.domains.attack(self.matrix, self.ties, worst, b);
            let replays = |attack: &ecode_core::DomainCounterexample| {
                attack.replays(self.matrix, self.ties, self.domains, b)
            };
            let attack = attack.filter(replays).ok_or(VerifyError::Replay("domains"))?;
            verdict.conclusion = DomainConclusion::Refuted(Box::new(attack));
        }
        Ok(())
    }
}

impl Met<'_> {
    /// Counts a message by the definitions, and keeps it where it is worse than what was met.
    fn meets(&mut self, message: &Message) {
        let DomainRequest { matrix, domains, ties, .. } = self.request;
        let outcome = Outcome::of(matrix, ties, message);
        let margin = domains.margin(&outcome);
        let key = |margin, outcome: &Outcome| (margin, outcome.margin);
        if self.worst.as_ref().is_none_or(|(m, o)| key(margin, &outcome) < key(*m, o)) {
            self.worst = Some((margin, outcome));
        }
    }

    /// Whether a message was met that b domains overturn.
    fn beats(&self, b: usize) -> bool {
        self.worst.as_ref().is_some_and(|(margin, _)| *margin < b as i64)
    }

    fn settle(&mut self, b: usize, control: &Control) -> Result<Settled, VerifyError> {
        let DomainRequest { matrix, ties, method, .. } = self.request;
        match method {
            Method::Definition => self.try_all(b, control),
            Method::All if Definition.suits(Instance::new(matrix, ties)).is_ok() => {
                let tried = self.try_all(b, control)?;
                let decided = self.by_claims(b, control)?;
                match (&tried, &decided) {
                    (Settled::Tolerant(_), Settled::Refuted) | (Settled::Refuted, Settled::Tolerant(_)) => {
                        Err(VerifyError::Disagreement(format!(
                            "the definition and the claims about each set differ for {b} domains"
                        )))
                    }
                    _ => Ok(decided),
                }
            }
            _ => self.by_claims(b, control),
        }
    }

    /// By the definition alone.
    fn try_all(&mut self, b: usize, control: &Control) -> Result<Settled, VerifyError> {
        let DomainRequest { matrix, domains, ties, .. } = self.request;
        Ok(match overturned_by_domains(matrix, ties, domains, b, control)? {
            Tried::Never => Settled::Tolerant(DomainEvidence::Definition),
            Tried::Overturned(message) => {
                self.meets(&message);
                // What the definition overturns must have too small a margin.
                if !self.beats(b) {
                    return Err(VerifyError::Replay("definition"));
                }
                Settled::Refuted
            }
            Tried::Stopped => Settled::Undecided("stopped before everything was tried".to_owned()),
        })
    }

    /// By claims about workers.
    fn by_claims(&mut self, b: usize, control: &Control) -> Result<Settled, VerifyError> {
        if self.beats(b) {
            return Ok(Settled::Refuted);
        }
        let DomainRequest { matrix, domains, .. } = self.request;
        let sets = self.exchanges.count(b, COUNTED);
        let most = domains.largest(b);
        if sets > 1 && 2 * most < matrix.n() {
            let alone = domains.len() == domains.n();
            let limited = if sets <= FEW && !alone { control.within(PATIENCE) } else { control.clone() };
            let verdict = self.ask(matrix, most, self.request.shape, &limited)?;
            if verdict.is_tolerant() {
                return Ok(Settled::Tolerant(DomainEvidence::BySize(Box::new(verdict))));
            }
            if self.beats(b) {
                return Ok(Settled::Refuted);
            }
            if alone {
                // Domains of one worker each: this claim was the same.
                return Ok(Settled::Undecided(reason(&verdict)));
            }
        }
        self.each_set(b, sets, control)
    }

    /// Asks about workers, and keeps the message that was met.
    fn ask(
        &mut self,
        matrix: &AllocationMatrix,
        b: usize,
        shape: Option<&Shape>,
        control: &Control,
    ) -> Result<Verdict, VerifyError> {
        let DomainRequest { ties, method, .. } = self.request;
        let request = Request::new(matrix).b(b).ties(ties).method(method).shape(shape);
        let verdict = request.decide(&control.unwatched())?;
        if let Some(worst) = verdict.worst() {
            let message = worst.message.clone();
            self.meets(&message);
        }
        Ok(verdict)
    }

    fn each_set(&mut self, b: usize, sets: u64, control: &Control) -> Result<Settled, VerifyError> {
        control.begin(if sets < COUNTED { sets } else { 0 });
        let exchanges = self.exchanges.clone();
        let mut cases = Vec::new();
        let mut open = None;
        let broken = exchanges.visit(b, &mut |lying| {
            if control.stopped() {
                open = Some("stopped before every set of domains was looked at".to_owned());
                return ControlFlow::Break(Ok(()));
            }
            match self.set(lying, control) {
                Err(error) => return ControlFlow::Break(Err(error)),
                Ok(_) if self.beats(b) => return ControlFlow::Break(Ok(())),
                Ok(Some(verdict)) if verdict.is_tolerant() => {
                    cases.push(DomainCase { lying: lying.clone(), verdict });
                }
                Ok(Some(verdict)) if verdict.is_refuted() => {
                    return ControlFlow::Break(Err(VerifyError::Replay(verdict.method())));
                }
                // Another set may refute the claim.
                Ok(Some(verdict)) => {
                    open.get_or_insert_with(|| reason(&verdict));
                }
                Ok(None) => return ControlFlow::Break(Err(VerifyError::Replay("domains"))),
            }
            control.advance(1);
            ControlFlow::Continue(())
        });
        if let ControlFlow::Break(broken) = broken {
            broken?;
        }
        Ok(match open {
            _ if self.beats(b) => Settled::Refuted,
            Some(why) => Settled::Undecided(why),
            None => Settled::Tolerant(DomainEvidence::EachSet(cases)),
        })
    }

    /// Asks what the workers outside of some domains tolerate; none where there is nobody outside.
    fn set(&mut self, lying: &DomainSet, control: &Control) -> Result<Option<Verdict>, VerifyError> {
        let DomainRequest { matrix, domains, .. } = self.request;
        self.sets += 1;
        let rest: Result<_, Unsuitable> = Rest::of(matrix, &domains.members_of(lying));
        let Some(Rest { matrix, b }) = rest? else { return Ok(None) };
        self.ask(&matrix, b, None, control).map(Some)
    }
}

fn reason(verdict: &Verdict) -> String {
    verdict.reason().unwrap_or("an engine gave up").to_owned()
}
