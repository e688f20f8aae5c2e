//! What a budgeted code promises where it is used: how seldom it decodes wrong, counted anew.

use ecode::analysis::{Adversary, Kind, Profile, enumerate};
use ecode::code::TieRule;
use ecode::format::MatrixFile;
use ecode::report::{plain, probability};
use ecode::verify::Control;

/// The number of liars that a budgeted code is made for; none of codes that are not budgeted.
pub(crate) fn liars(file: &MatrixFile) -> Option<usize> {
    let made = file.construction.as_ref()?;
    let budgeted = matches!(made["name"].as_str()?, "budget" | "budget search");
    let b = usize::try_from(made["b"].as_u64()?).ok()?;
    (budgeted && b <= file.matrix.n()).then_some(b)
}

/// How seldom it decodes wrong, at the q in the middle of those that its file names. What the file says of errors is
/// not looked at.
pub(crate) fn promise(file: &MatrixFile, b: usize, control: &Control) -> String {
    let named = file.construction.as_ref().and_then(|made| made["q"].as_array());
    let qs: Vec<f64> = named.into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
    let q = qs.get(qs.len() / 2).copied().filter(|q| (0.0..=0.5).contains(q)).unwrap_or(0.1);
    let error = || {
        let profile = Profile::exact(&enumerate(&file.matrix, control).ok()?, TieRule::Adversarial);
        let errors = profile.errors(Kind::Sign, Adversary::Adaptive, &[q], control).ok()?;
        Some(errors[0].worst().get(b)?.value())
    };
    let often = error().map_or("; how often is not known".to_owned(), |error| {
        format!(" with probability {} where each partition's is with {}", probability(error), plain(q))
    });
    let lying = if b == 1 { "liar" } else { "liars" };
    format!("with {b} adaptive {lying} a sign is decoded wrong{often}")
}
