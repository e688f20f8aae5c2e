//! A refutation step by step, so that a reader can replay it by hand.

use std::fmt::Write as _;

use ecode_core::{AllocationMatrix, Counterexample, TieRule, honest_vote};

fn bit(sent: Option<bool>) -> &'static str {
    match sent {
        Some(true) => "1",
        Some(false) => "0",
        None => "nothing",
    }
}

/// Tells a counterexample: the message, every worker's vote, who lies, the tally, the wrong outcome.
#[must_use]
pub fn refutation(g: &AllocationMatrix, ties: TieRule, attack: &Counterexample) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "1. The message is 1 on partitions {}: {} of {} are ones, so the correct answer is {}.",
        attack.message,
        attack.message.count(),
        g.k(),
        u8::from(attack.correct)
    );
    let _ = writeln!(text, "2. Each worker votes over its own partitions:");
    for j in 0..g.n() {
        let (seen, load) = (g.ones_seen(j, &attack.message), g.worker_load(j));
        let honest = honest_vote(g, ties, j, &attack.message);
        let tied = if 2 * seen == load { format!(", a tie ({ties})") } else { String::new() };
        let lie = if attack.byzantine.contains(j) {
            format!("; Byzantine, sends {}", bit(attack.sent[j]))
        } else {
            String::new()
        };
        let _ = writeln!(text, "   worker {j}: {seen} of {load} are ones{tied} -> {}{lie}", bit(honest));
    }
    let liars = match attack.byzantine.count() {
        0 => "Nobody needs to lie.".to_owned(),
        1 => format!("Worker {} lies.", attack.byzantine.indices().next().unwrap_or(0)),
        _ => format!("Workers {} lie.", attack.byzantine),
    };
    let _ = writeln!(text, "3. {liars}");
    let count = |wanted| attack.sent.iter().filter(|&&sent| sent == wanted).count();
    let silent = count(None);
    let nothing = if silent > 0 { format!(", {silent} nothing") } else { String::new() };
    let _ = writeln!(
        text,
        "4. The server receives {} ones and {} zeros{nothing}: it decodes {}, but the correct answer is {}.",
        count(Some(true)),
        count(Some(false)),
        u8::from(attack.decoded),
        u8::from(attack.correct)
    );
    text
}
