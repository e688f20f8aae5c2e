//! `ecode/verdict/1`.

use serde_json::{Value, json};

use super::number::whole;
use ecode_core::{Counterexample, Outcome};
use ecode_verify::Verdict;

fn worst_json(worst: &Outcome) -> Value {
    json!({
        "wrong": worst.wrong.count(),
        "margin": worst.margin,
        "message": worst.message.indices().collect::<Vec<_>>(),
        "workers": worst.wrong.indices().collect::<Vec<_>>(),
        "silent": worst.silent.indices().collect::<Vec<_>>(),
    })
}

/// An attack, as all documents have it.
pub(super) fn attack_json(attack: &Counterexample) -> Value {
    let sent: Vec<Option<u8>> = attack.sent.iter().map(|bit| bit.map(u8::from)).collect();
    json!({
        "message": attack.message.indices().collect::<Vec<_>>(),
        "byzantine": attack.byzantine.indices().collect::<Vec<_>>(),
        "sent": sent,
        "decoded": u8::from(attack.decoded),
        "correct": u8::from(attack.correct),
    })
}

/// What a matrix file says of its verification: the verdict in short, with the attack where it is refuted.
#[must_use]
pub fn verification_json(verdict: &Verdict, g: &ecode_core::AllocationMatrix) -> Value {
    let mut stored = json!({
        "verdict": verdict.word(),
        "b": verdict.b(),
        "radius": verdict.radius().exactly(),
        "ties": verdict.ties().name(),
        "method": verdict.method(),
    });
    if verdict.is_refuted() {
        stored["counterexample"] = verdict_json(verdict, g)["counterexample"].take();
    }
    stored
}

/// The verdict as the JSON object `ecode/verdict/1`.
#[must_use]
pub fn verdict_json(verdict: &Verdict, g: &ecode_core::AllocationMatrix) -> Value {
    let mut object = json!({
        "schema": "ecode/verdict/1",
        "digest": g.digest(),
        "n": g.n(),
        "k": g.k(),
        "b": verdict.b(),
        "ties": verdict.ties().name(),
        "verdict": verdict.word(),
        "radius": verdict.radius().exactly(),
        "worst": verdict.worst().map(worst_json),
        "counterexample": null,
        "method": verdict.method(),
        "messages": whole(verdict.messages()),
        "evaluated": whole(verdict.evaluated()),
        "elapsed_s": verdict.elapsed().as_secs_f64(),
        "threads": verdict.threads(),
    });
    if !verdict.radius().is_determined() {
        object["radius_at_least"] = json!(verdict.radius_at_least());
        object["radius_below"] = json!(verdict.radius_below());
    }
    if let Some(attack) = verdict.attack() {
        object["counterexample"] = attack_json(attack);
    }
    object
}
