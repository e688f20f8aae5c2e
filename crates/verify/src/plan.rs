//! How a claim is decided: which engines are asked, in which order, and for how long.

#[cfg(feature = "sat")]
use super::Sat;
use super::reduce::sides;
use super::verdict::{agree, run};
use super::{
    Branch, Conclusion, Control, Engine, Exhaustive, LocalSearch, Method, Structure, Unsuitable, Verdict,
    VerifyError, engines,
};
use ecode_core::{AllocationMatrix, TieRule};

/// Up to this many messages plain enumeration is faster than branch and bound (docs/performance.md).
const ENUMERABLE: u128 = 1 << 31;

/// Enumerations up to this many messages take a millisecond: nothing else is tried before.
const FEW: u128 = 1 << 20;

/// Decides the claim of `b` Byzantine workers, or of the radius when `b` is `None` (the verdict's b is
/// then the radius, or 0 where even b = 0 fails).
///
/// ```
/// use ecode_core::{AllocationMatrix, TieRule};
/// use ecode_verify::{Control, Method, Radius, verify};
/// // Three workers that hold everything: one liar is outvoted, two are not.
/// let g = AllocationMatrix::from_fn(3, 3, |_, _| true)?;
/// let verdict = verify(&g, None, TieRule::Adversarial, Method::Auto, &Control::default())?;
/// assert_eq!(verdict.radius(), Radius::Exactly(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`VerifyError`]: an unknown or unsuitable method, or contradicting engines.
pub fn verify(
    g: &AllocationMatrix,
    b: Option<usize>,
    ties: TieRule,
    method: Method,
    control: &Control,
) -> Result<Verdict, VerifyError> {
    match method {
        Method::Auto => {
            let choices = sides(g, ties).iter().fold(0_u128, |sum, side| sum.saturating_add(side.choices()));
            #[cfg(feature = "sat")]
            let sat: Option<Box<dyn Engine>> = Some(Box::new(Sat::default()));
            #[cfg(not(feature = "sat"))]
            let sat: Option<Box<dyn Engine>> = None;
            let mut tried = "";
            let mut known = None;
            if choices > FEW {
                if b.is_some() {
                    // One message is enough to refute, and most wrong claims are refuted by many.
                    let mut verdict = run(&LocalSearch::default(), g, b, ties, control)?;
                    if verdict.is_refuted() {
                        verdict.reason =
                            Some("a local search met a message that refutes the claim".to_owned());
                        return Ok(verdict);
                    }
                    known = verdict.worst;
                }
                // A trial that costs at most a fraction of the enumeration.
                let full = Structure::default();
                let structure = Structure {
                    most_states: full.most_states.min(choices >> 14),
                    most_choices: full.most_choices.min(choices >> 2),
                };
                let mut verdict = run(&structure, g, b, ties, control)?;
                if verdict.floor.is_some() {
                    verdict.reason = Some("the matrix falls apart into small components".to_owned());
                    return Ok(verdict);
                }
                tried = ", and no small components";
            }
            let (engine, reason): (&dyn Engine, String) = if choices <= ENUMERABLE {
                (&Exhaustive, format!("{choices} messages after merging equal partitions{tried}"))
            } else if Branch.suits(g, ties).is_ok() {
                (&Branch, format!("{choices} messages after merging equal partitions{tried}"))
            } else if let Some(sat) = sat.as_deref().filter(|sat| sat.suits(g, ties).is_ok()) {
                (sat, format!("too many messages for branch and bound{tried}"))
            } else {
                // Nothing takes it: a message that is as bad as can be found, and no floor.
                (&LocalSearch { work: 1 << 28 }, format!("too large for every engine{tried}"))
            };
            let mut verdict = run(engine, g, b, ties, control)?;
            if let Some(known) = known
                && verdict.conclusion == Conclusion::Undecided
                && verdict.worst.as_ref().is_none_or(|worst| known.margin < worst.margin)
            {
                verdict.worst = Some(known);
            }
            verdict.reason = Some(reason);
            Ok(verdict)
        }
        Method::All => {
            let engines = engines();
            let able: Vec<_> = engines.iter().filter(|engine| engine.suits(g, ties).is_ok()).collect();
            let mut verdicts = Vec::new();
            for engine in &able {
                verdicts.push(run(engine.as_ref(), g, b, ties, control)?);
            }
            agree(&verdicts)?;
            // The most informative answer: a decided one with the worst case, the fastest of those.
            let names: Vec<_> = verdicts.iter().map(|v| format!("{} ({})", v.method, v.word())).collect();
            let best = verdicts
                .into_iter()
                .min_by_key(|v| (v.conclusion == Conclusion::Undecided, v.worst_case().is_none(), v.elapsed));
            let mut best = best.ok_or_else(|| Unsuitable("no engine takes this matrix".to_owned()))?;
            best.reason = Some(format!("engines agree: {}", names.join(", ")));
            Ok(best)
        }
        named => {
            let engine = named.engine().ok_or(VerifyError::NotBuilt(named))?;
            engine.suits(g, ties)?;
            run(engine.as_ref(), g, b, ties, control)
        }
    }
}
