//! Checks an enumeration record: what was counted, not proved.
//!
//! # What is promised
//! What can be had without counting must be right: every message is counted once, the mean number of wrong
//! workers is that of the rows, the worst message has the smallest margin. Where there are few messages all of them
//! are counted again, one by one, by the definitions. Where there are many the counts themselves remain the word of
//! the program that made them, and [`Accepted::note`](super::Accepted) says so.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::check::{Refused, overturns, reductions};
use super::{Certificate, Record, SideCount, Strength};
use ecode_core::{AllocationMatrix, Formula, Outcome, TieRule, deciding_sides};

/// Up to so many votes (messages × workers) are counted again.
const MOST_VOTES: u128 = 1 << 29;

/// What an accepted record shows.
pub(super) struct Recounted {
    pub(super) tolerant: bool,
    pub(super) radius: Option<usize>,
    pub(super) strength: Strength,
    pub(super) note: Option<String>,
}

pub(super) fn recount(
    certificate: &Certificate,
    record: &Record,
    checked: &mut Vec<String>,
) -> Result<Recounted, Refused> {
    let invalid = |what: String| Err(Refused::Invalid(what));
    let claim = &certificate.claim;
    let (g, ties) = (&claim.matrix, claim.ties);
    let needed = deciding_sides(g, ties);
    if record.sides.iter().map(|side| side.correct).ne(needed.iter().copied()) {
        let needed: Vec<String> = needed.iter().map(|&side| u8::from(side).to_string()).collect();
        return invalid(format!("this claim needs exactly the sides {}, in order", needed.join(", ")));
    }
    let expected = reductions(claim);
    if certificate.reductions != expected {
        return invalid(format!("reductions: expected {expected:?}, found {:?}", certificate.reductions));
    }
    let mut all = BigUint::ZERO;
    for side in &record.sides {
        all += totals(g, ties, side, checked)?;
    }
    let smallest = record.sides.iter().filter_map(|side| side.margins.keys().next()).min();
    let attained = Outcome::of(g, ties, &record.worst).margin;
    if (smallest, attained) != (Some(&record.margin), record.margin) {
        return invalid(format!(
            "the smallest margin is said to be {}, the worst message has {attained}, and the smallest that is counted is {}",
            record.margin,
            smallest.map_or("none".to_owned(), ToString::to_string)
        ));
    }
    checked
        .push(format!("the worst message replays: its margin is {attained}, the smallest that is counted"));
    let mut at = 0;
    for part in &record.parts {
        if part.range.start != at || part.range.is_empty() {
            return invalid(format!("parts: choice {at} is where the next part should begin"));
        }
        at = part.range.end;
    }
    if at != record.choices {
        return invalid(format!("parts: they end at choice {at} of {}", record.choices));
    }
    let tolerant = record.margin >= claim.b as i64;
    match &record.attack {
        Some(attack) if !tolerant => {
            overturns(claim, claim.b, attack)
                .map_err(|why| Refused::Invalid(format!("counterexample: {why}")))?;
            checked.push("the counterexample replays, which alone refutes the claim".to_owned());
        }
        None if tolerant => {}
        _ => return invalid("a record has a counterexample exactly where the claim is refuted".to_owned()),
    }
    let parts = record.parts.len();
    let strength = if all * g.n() <= BigUint::from(MOST_VOTES) && g.k() < 64 {
        for side in &record.sides {
            let weight = Formula::below(g, ties, 0, side.correct).weight;
            let again = count(g, ties, side.correct, weight);
            if again != side.margins {
                let (margin, is, said) = difference(&again, &side.margins);
                return invalid(format!(
                    "side {}: {said} messages are said to have the margin {margin}, but {is} have it",
                    u8::from(side.correct)
                ));
            }
        }
        checked.push("counted again here: every message, one by one, by the definitions".to_owned());
        Strength::Recounted
    } else {
        Strength::Stated
    };
    checked.extend(expected);
    let parts = format!("{parts} {}", if parts == 1 { "part" } else { "parts" });
    let note = match strength {
        Strength::Stated => format!(
            "this kind is re-run, not proved: that the counts are right is the word of {}, and there are too many \
             messages to count them again here. To be sure, count the {parts} again, with `ecode verify --shard` \
             or by a program of your own",
            certificate.program
        ),
        _ => format!("this kind is re-run, not proved: it was counted in {parts}, and again here"),
    };
    Ok(Recounted { tolerant, radius: usize::try_from(record.margin).ok(), strength, note: Some(note) })
}

/// What is known of a side's counts without counting: how many messages there are, which is returned, and how
/// many votes on them are wrong.
fn totals(
    g: &AllocationMatrix,
    ties: TieRule,
    side: &SideCount,
    checked: &mut Vec<String>,
) -> Result<BigUint, Refused> {
    let invalid = |what: String| Err(Refused::Invalid(what));
    let name = format!("side {}", u8::from(side.correct));
    let formula = Formula::below(g, ties, 0, side.correct);
    let weight = formula.weight;
    let (counted, there) = (side.margins.values().sum::<BigUint>(), choose(g.k(), weight));
    if counted != there {
        return invalid(format!("{name}: {counted} messages are counted, but there are {there}"));
    }
    checked.push(format!("{name}: {counted} messages are counted, C({}, {weight})", g.k()));
    if ties == TieRule::Abstain && !g.all_loads_odd() {
        return Ok(counted);
    }
    // Without silent workers the margin is ⌊(n − [μ = 1]) / 2⌋ − (wrong workers): the sum of the latter can
    // be had worker by worker.
    let most = (g.n() as i64 - i64::from(side.correct)).div_euclid(2);
    let Some(wrong) = side.margins.iter().try_fold(BigUint::ZERO, |sum, (margin, messages)| {
        Some(sum + messages * u64::try_from(most.checked_sub(*margin)?).ok()?)
    }) else {
        return invalid(format!("{name}: no message can have a margin above {most}"));
    };
    let turned = formula.turned.iter().map(|turned| {
        let load = g.worker_load(turned.worker);
        let seen = turned.needed..=load.min(weight);
        seen.map(|seen| choose(load, seen) * choose(g.k() - load, weight - seen)).sum::<BigUint>()
    });
    let exact: BigUint = turned.sum();
    if wrong != exact {
        return invalid(format!(
            "{name}: {wrong} wrong votes are counted over all messages, but by the rows there are {exact}"
        ));
    }
    checked.push(format!("{name}: {wrong} wrong votes over all messages, as many as the rows make"));
    Ok(counted)
}

/// C(n, x).
fn choose(n: usize, x: usize) -> BigUint {
    if x > n {
        return BigUint::ZERO;
    }
    (0..x.min(n - x)).fold(BigUint::from(1_u32), |product, i| product * (n - i) / (i + 1))
}

/// Margins by the definitions, message by message; k < 64.
fn count(g: &AllocationMatrix, ties: TieRule, correct: bool, weight: usize) -> BTreeMap<i64, BigUint> {
    let ones = if correct { g.k() - weight } else { weight };
    let rows: Vec<(u64, u32)> = (0..g.n()).map(|j| (g.row(j)[0], g.worker_load(j) as u32)).collect();
    let mut counts = vec![0_u64; 2 * g.n() + 3];
    let mut message = (1_u64 << ones) - 1;
    while message < 1 << g.k() {
        let (mut more, mut tied) = (0, 0);
        for &(row, load) in &rows {
            let twice = 2 * (row & message).count_ones();
            more += i64::from(twice > load);
            tied += i64::from(twice == load);
        }
        let fewer = g.n() as i64 - more - tied;
        // Votes for 1 and for 0.
        let (one, zero) = match ties {
            TieRule::Abstain => (more, fewer),
            TieRule::One => (more + tied, fewer),
            TieRule::Adversarial if !correct => (more + tied, fewer),
            TieRule::Zero | TieRule::Adversarial => (more, fewer + tied),
        };
        let lead = if correct { one - zero - 1 } else { zero - one };
        counts[(lead.div_euclid(2) + g.n() as i64 + 1) as usize] += 1;
        if message == 0 {
            break;
        }
        // The next number with as many ones (Gosper).
        let lowest = message & message.wrapping_neg();
        let carried = message + lowest;
        message = (((carried ^ message) >> 2) / lowest) | carried;
    }
    let filled = counts.into_iter().zip(-(g.n() as i64) - 1..).filter(|&(count, _)| count > 0);
    filled.map(|(count, margin)| (margin, BigUint::from(count))).collect()
}

/// The first margin on which two histograms differ, and what each says.
fn difference(a: &BTreeMap<i64, BigUint>, b: &BTreeMap<i64, BigUint>) -> (i64, BigUint, BigUint) {
    let at = |list: &BTreeMap<i64, BigUint>, margin| list.get(&margin).cloned().unwrap_or_default();
    let mut margins = a.keys().chain(b.keys()).copied().filter(|&margin| at(a, margin) != at(b, margin));
    let margin = margins.next().unwrap_or(0);
    (margin, at(a, margin), at(b, margin))
}
