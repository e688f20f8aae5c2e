//! Checks an enumeration record: what was counted, not proved.
//!
//! # What is promised
//! What can be had without counting must be right: every message is counted once, the mean number of wrong
//! workers is that of the rows, the worst message has the smallest margin, and a search that goes downhill meets no
//! worse one. Where there is little to count, or where it is asked for, everything is counted again. Otherwise the
//! counts remain the word of the program that made them, and a tolerant claim is not accepted.
//!
//! # Why nothing cheaper proves a count
//! One message among billions makes the difference. Looking again at parts that a challenge picks meets that one with the
//! probability that it lies in them, and sums such as those here (also of squares, or by pairs of workers) are met by moving other
//! messages. An interactive proof of the sum (C. Lund, L. Fortnow, H. Karloff, N. Nisan, *Algebraic methods for
//! interactive proof systems*, J. ACM 39, 1992) would do, but its polynomials have a degree of about n times the load in
//! every variable, and the prover evaluates them at as many points for each message that it counts: a thousand times
//! the work for 31 workers. A proof in cutting planes, or counting again, is the cheaper way to certainty.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::budget::{Budget, Stopped};
use super::certificate::{Certificate, Record, SideCount};
use super::options::Options;
use super::outcome::{Refused, invalid};
use super::recount::{Margins, Recount, choose};
use super::search::worse_message;
use super::sides::{complete, overturns, reductions};
use ecode_core::{AllocationMatrix, Formula, Outcome, TieRule, shown};

/// Up to so many votes (choices × workers) are counted again without being asked to.
const MOST_VOTES: u128 = 1 << 29;

/// What a consistent record says.
pub(crate) struct Counted {
    pub(crate) tolerant: bool,
    pub(crate) radius: Option<usize>,
    /// Whether the checker counted again.
    pub(crate) again: bool,
    pub(crate) note: String,
}

pub(crate) fn check(
    certificate: &Certificate,
    record: &Record,
    options: Options,
    checked: &mut Vec<String>,
) -> Result<Counted, Refused> {
    let budget = Budget::new(options.stopped);
    let claim = &certificate.claim;
    let (g, ties) = (&claim.matrix, claim.ties);
    complete(claim, record.sides.iter().map(|side| side.correct), &certificate.reductions)?;
    for side in &record.sides {
        totals(g, ties, side, &budget, checked)?;
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
    gapless(record)?;
    let tolerant = record.margin >= claim.b as i64;
    match &record.attack {
        Some(attack) if !tolerant => {
            overturns(claim, claim.b, attack, "counterexample")?;
            checked.push("the counterexample replays, which alone refutes the claim".to_owned());
        }
        None if tolerant => {}
        _ => return invalid("a record has a counterexample exactly where the claim is refuted"),
    }
    let recounts: Vec<Recount> =
        record.sides.iter().filter_map(|side| Recount::new(g, ties, side.correct)).collect();
    let votes = recounts.iter().map(Recount::choices).fold(0_u128, u128::saturating_add);
    let few = votes.saturating_mul(g.n() as u128) <= MOST_VOTES;
    let again = recounts.len() == record.sides.len() && (few || options.recount);
    if again {
        for (side, recount) in record.sides.iter().zip(recounts) {
            same(side, &recount.count(&budget)?)?;
        }
        checked.push("counted again here, by the definitions: every message".to_owned());
    } else if let Some(worse) = worse_message(g, ties, record.margin, &budget)? {
        return invalid(format!(
            "the smallest margin is said to be {}, but the message {} has {}",
            record.margin,
            shown(&worse.message.to_string()),
            worse.margin
        ));
    } else {
        checked.push("a search that goes downhill met no worse message, which proves nothing".to_owned());
    }
    checked.extend(reductions(claim));
    let parts = record.parts.len();
    let parts = format!("{parts} {}", if parts == 1 { "part" } else { "parts" });
    let note = if again {
        format!("this kind is re-run, not proved: it was counted in {parts}, and again here")
    } else {
        format!(
            "this kind is re-run, not proved: that the counts are right is the word of {}, and there are too many \
             messages to count them again unasked. To be sure, `ecode check --recount`, or count the {parts} again, with \
             `ecode verify --shard` or by a program of your own",
            shown(&certificate.program)
        )
    };
    Ok(Counted { tolerant, radius: usize::try_from(record.margin).ok(), again, note })
}

/// The parts follow on each other and cover every choice.
fn gapless(record: &Record) -> Result<(), Refused> {
    let mut at = 0;
    for part in &record.parts {
        if part.range.start != at || part.range.is_empty() {
            return invalid(format!("parts: choice {at} is where the next part should begin"));
        }
        at = part.range.end;
    }
    if at == record.choices {
        return Ok(());
    }
    invalid(format!("parts: they end at choice {at} of {}", record.choices))
}

/// Whether a side's counts are those that were counted here.
fn same(side: &SideCount, again: &Margins) -> Result<(), Refused> {
    let at = |list: &BTreeMap<i64, BigUint>, margin| list.get(&margin).cloned().unwrap_or_default();
    let mut margins = again.keys().chain(side.margins.keys());
    let Some(&margin) = margins.find(|&&margin| at(again, margin) != at(&side.margins, margin)) else {
        return Ok(());
    };
    let (is, stated) = (at(again, margin), at(&side.margins, margin));
    invalid(format!(
        "side {}: {stated} messages are said to have the margin {margin}, but {is} have it",
        u8::from(side.correct)
    ))
}

/// What is known of a side's counts without counting: how many messages there are, and how many votes on them
/// are wrong.
fn totals(
    g: &AllocationMatrix,
    ties: TieRule,
    side: &SideCount,
    budget: &Budget,
    checked: &mut Vec<String>,
) -> Result<(), Refused> {
    let name = format!("side {}", u8::from(side.correct));
    let formula = Formula::below(g, ties, 0, side.correct);
    let weight = formula.weight;
    let (counted, there) = (side.margins.values().sum::<BigUint>(), choose(g.k(), weight));
    if counted != there {
        let (counted, there) = (shown(&counted.to_string()), shown(&there.to_string()));
        return invalid(format!("{name}: {counted} messages are counted, but there are {there}"));
    }
    checked.push(format!(
        "{name}: {} messages are counted, C({}, {weight})",
        shown(&counted.to_string()),
        g.k()
    ));
    if ties == TieRule::Abstain && !g.all_loads_odd() {
        return Ok(());
    }
    // Without silent workers the margin is ⌊(n − [μ = 1]) / 2⌋ − (wrong workers): the sum of the latter can
    // be had worker by worker.
    let most = (g.n() as i64 - i64::from(side.correct)).div_euclid(2);
    let Some(wrong) = side.margins.iter().try_fold(BigUint::ZERO, |sum, (margin, messages)| {
        Some(sum + messages * u64::try_from(most.checked_sub(*margin)?).ok()?)
    }) else {
        return invalid(format!("{name}: no message can have a margin above {most}"));
    };
    // Workers that the same number of partitions turn, out of as many, are alike.
    let mut alike: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for turned in &formula.turned {
        *alike.entry((g.worker_load(turned.worker), turned.needed)).or_default() += 1;
    }
    let mut exact = BigUint::ZERO;
    for ((load, needed), workers) in alike {
        exact += turning(g.k(), load, needed, weight, budget)? * workers;
    }
    if wrong != exact {
        let (wrong, exact) = (shown(&wrong.to_string()), shown(&exact.to_string()));
        return invalid(format!(
            "{name}: {wrong} wrong votes are counted over all messages, but by the rows there are {exact}"
        ));
    }
    checked.push(format!(
        "{name}: {} wrong votes over all messages, as many as the rows make",
        shown(&wrong.to_string())
    ));
    Ok(())
}

/// How many choices of `weight` partitions out of k have at least `needed` of a row's `load`:
/// the sum of C(load, s)·C(k − load, weight − s), each summand from the one before.
fn turning(k: usize, load: usize, needed: usize, weight: usize, budget: &Budget) -> Result<BigUint, Stopped> {
    let least = needed.max((load + weight).saturating_sub(k));
    let most = load.min(weight);
    if least > most {
        return Ok(BigUint::ZERO);
    }
    let mut summand = choose(load, least) * choose(k - load, weight - least);
    let mut sum = summand.clone();
    for s in least..most {
        budget.spend(k)?;
        summand = summand * ((load - s) * (weight - s)) / ((s + 1) * (k + s + 1 - load - weight));
        sum += &summand;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summands_come_from_each_other() {
        for k in 1..12 {
            for (load, needed, weight) in
                (0..=k).flat_map(|l| (0..=l + 1).flat_map(move |h| (0..=k).map(move |w| (l, h, w))))
            {
                let plain: BigUint =
                    (needed..=load.min(weight)).map(|s| choose(load, s) * choose(k - load, weight - s)).sum();
                assert_eq!(turning(k, load, needed, weight, &Budget::new(&|| false)), Ok(plain));
            }
        }
    }
}
