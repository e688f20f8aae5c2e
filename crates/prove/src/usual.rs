//! The certificate that a verdict gets where nobody asks for a certain kind.

use std::time::Duration;

use super::glue::certify_gluing;
use super::make::{NoCertificate, Scope, certify};
use ecode_check::{Certificate, System};
use ecode_core::AllocationMatrix;
use ecode_verify::{Control, Shape, Verdict};

/// So long a proof in cutting planes is looked for where the gluing theorem would do.
const SOLVER_TIME: Duration = Duration::from_secs(10);

/// Writes down what a verdict rests on: for a tolerant one a proof in cutting planes. Where none is found in ten seconds
/// and the cut of a glued code is known, the cut.
///
/// # Errors
/// [`NoCertificate`].
pub fn certify_usual(
    g: &AllocationMatrix,
    verdict: &Verdict,
    scope: Scope,
    shape: Option<&Shape>,
    control: &Control,
) -> Result<Certificate, NoCertificate> {
    let planes = |control: &Control| certify(g, verdict, scope, System::CuttingPlanes, control);
    let Some(shape) = shape.filter(|_| verdict.is_tolerant()) else { return planes(control) };
    match planes(&control.within(SOLVER_TIME)) {
        Err(NoCertificate::NoProof(_)) => certify_gluing(g, verdict, shape).or_else(|_| planes(control)),
        certificate => certificate,
    }
}
