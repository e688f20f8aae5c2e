//! Parts of an enumeration: what one machine counted, and how parts become a verdict, or a worst-case distortion.
//!
//! # What is promised
//! - A [`Part`] that [`Part::check`] accepts speaks of the matrix that it contains, counts exactly as many messages
//!   as its range of ranks stands for, and its worst message has the smallest margin that it counts and lies in its
//!   range. That the counts *are* right is the word of the program that wrote it.
//! - [`merge`] gives a verdict only where the parts are about one question and cover every rank exactly once, and
//!   where all that they count adds up to as many wrong votes as the rows of the matrix make.
//! - The same claim and range give the same bytes, on any machine and at any number of threads.

mod json;
mod question;

use std::ops::Range;
use std::time::Duration;

use num_bigint::BigUint;

pub use question::{Asked, Question};

use super::count::{Count, Enumeration};
use super::distortion::Distortion;
use super::engine::Unsuitable;
use super::verdict::{Verdict, VerifyError};
use ecode_core::shown;

/// What was counted over a range of ranks ([`Enumeration`]): a shard's result, or a checkpoint on the way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The program that counted.
    pub program: String,
    /// What is asked.
    pub question: Question,
    /// Which shard this is, or is to become, of how many; shards count from 0.
    pub shard: (u64, u64),
    /// How many choices the whole enumeration has.
    pub total: u64,
    /// The ranks that were counted.
    pub range: Range<u64>,
    /// What was counted.
    pub count: Count,
}

/// Why a part is not accepted, or parts do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// The file is no part at all.
    #[error("not a part of an enumeration: {0}")]
    Malformed(String),
    /// The part contradicts itself or the definitions.
    #[error("{0}")]
    Invalid(String),
    /// The parts do not fit together.
    #[error("{0}")]
    Unfit(String),
    /// The matrix has too many messages to enumerate.
    #[error(transparent)]
    Unsuitable(#[from] Unsuitable),
}

/// The program's name in files.
pub(crate) const PROGRAM: &str = concat!("ecode ", env!("CARGO_PKG_VERSION"));

/// Of more shards than this the missing ones are not looked up.
const MOST_NAMED: u64 = 1 << 16;

impl Part {
    /// A part that was counted by this program.
    #[must_use]
    pub fn new(
        question: Question,
        all: &Enumeration,
        shard: (u64, u64),
        range: Range<u64>,
        count: Count,
    ) -> Self {
        Self { program: PROGRAM.to_owned(), question, shard, total: all.total(), range, count }
    }

    /// Reads `ecode/part/1` and checks it.
    ///
    /// # Errors
    /// [`PartError`] with the reason.
    pub fn parse(bytes: &[u8]) -> Result<Self, PartError> {
        let part = json::parse(bytes)?;
        part.check()?;
        Ok(part)
    }

    /// Writes `ecode/part/1`.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// `sha256:` and the SHA-256 of what the file says, in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        json::digest(self)
    }

    /// What this part alone shows: a refutation, or nothing.
    ///
    /// # Errors
    /// [`VerifyError::Replay`], and [`VerifyError::Unsuitable`] where a distortion was asked about.
    pub fn verdict(&self, elapsed: Duration) -> Result<Verdict, VerifyError> {
        self.question.verdict(&self.count, self.range.end - self.range.start, false, elapsed)
    }

    /// What this part alone shows of a distortion: a set of liars, and the bound that needs no counting.
    ///
    /// # Errors
    /// [`VerifyError::Replay`], and [`VerifyError::Unsuitable`] where a tolerance was asked about.
    pub fn distortion(&self, elapsed: Duration) -> Result<Distortion, VerifyError> {
        self.question.distortion(&self.count, self.range.end - self.range.start, false, elapsed)
    }

    /// Checks everything that can be checked without counting again.
    ///
    /// # Errors
    /// [`PartError`] with the reason.
    pub fn check(&self) -> Result<(), PartError> {
        let invalid = |what: String| Err(PartError::Invalid(what));
        self.question.check()?;
        let all = self.question.enumeration()?;
        if self.total != all.total() {
            return invalid(format!(
                "it says that there are {} choices, but there are {}",
                self.total,
                all.total()
            ));
        }
        let (index, of) = self.shard;
        if index >= of {
            return invalid(format!("shard {index} of {of}: shards count from 0"));
        }
        let whole = all.shard(index, of);
        if self.range.start != whole.start || self.range.end < whole.start || self.range.end > whole.end {
            return invalid(format!(
                "shard {index} of {of} has the choices {} to {}, but this part {} to {}",
                whole.start, whole.end, self.range.start, self.range.end
            ));
        }
        if self.count.margins.len() != all.sides().len() {
            return invalid(format!("{} sides, but {} decide", self.count.margins.len(), all.sides().len()));
        }
        for ((answer, margins), messages) in
            all.sides().into_iter().zip(&self.count.margins).zip(all.messages(self.range.clone()))
        {
            let counted: BigUint = margins.values().sum();
            if counted != messages {
                return invalid(format!(
                    "side {}: {counted} messages are counted, but the choices {} to {} stand for {messages}",
                    u8::from(answer),
                    self.range.start,
                    self.range.end
                ));
            }
        }
        let smallest = self.count.margins.iter().filter_map(|margins| margins.keys().next()).min();
        let Some(worst) = &self.count.worst else {
            return match smallest {
                None => Ok(()),
                Some(margin) => invalid(format!("no message with the smallest margin {margin} is given")),
            };
        };
        if all.outcome(&worst.message) != *worst {
            return invalid("the worst message does not replay through the definitions".to_owned());
        }
        if smallest != Some(&worst.margin) {
            return invalid(format!(
                "the worst message has the margin {}, but the smallest that is counted is {}",
                worst.margin,
                smallest.map_or("none".to_owned(), ToString::to_string)
            ));
        }
        if all.rank(&worst.message).is_none_or(|rank| !self.range.contains(&rank)) {
            return invalid("the worst message is not one of this part's".to_owned());
        }
        Ok(())
    }
}

/// All parts of an enumeration put together. Only [`merge`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    program: String,
    question: Question,
    sides: Vec<bool>,
    count: Count,
    total: u64,
    parts: Vec<(Range<u64>, String)>,
}

/// Puts parts together. `parts` come with the names by which errors call them.
///
/// # Errors
/// [`PartError`]: different claims or programs, an overlap or a gap; counts that cannot all be right.
pub fn merge(parts: Vec<(String, Part)>) -> Result<Whole, PartError> {
    let unfit = |what: String| Err(PartError::Unfit(what));
    let mut parts = parts;
    parts.sort_by_key(|(_, part)| (part.range.start, part.range.end));
    let Some((first_name, first)) = parts.first() else { return unfit("there is no part".to_owned()) };
    let all = first.question.enumeration()?;
    for (name, part) in &parts {
        part.check().map_err(|error| match error {
            PartError::Invalid(what) => PartError::Invalid(format!("{name}: {what}")),
            error => error,
        })?;
        let (ours, theirs) = (&first.question, &part.question);
        if theirs.matrix != ours.matrix {
            return unfit(format!(
                "{first_name} is about the matrix {}, {name} about {}",
                ours.matrix.digest(),
                theirs.matrix.digest()
            ));
        }
        if let Some((ours, theirs)) = ours.asked.differs(&theirs.asked) {
            return unfit(format!("{first_name} is about {ours}, {name} about {theirs}"));
        }
        if part.program != first.program {
            return unfit(format!(
                "{first_name} was counted by {}, {name} by {}",
                shown(&first.program),
                shown(&part.program)
            ));
        }
    }
    let (question, program, of) = (first.question.clone(), first.program.clone(), first.shard.1);
    // Where all parts are shards of one number, a gap is called by theirs.
    let alike = of <= MOST_NAMED && parts.iter().all(|(_, part)| part.shard.1 == of);
    let of = if alike { of } else { 0 };
    let missing = |gap: Range<u64>| {
        let overlaps = |shard: Range<u64>| shard.start < gap.end && gap.start < shard.end;
        let shards = (0..of).filter(|&index| overlaps(all.shard(index, of)));
        let shards: Vec<String> = shards.take(10).map(|index| format!("{index}/{of}")).collect();
        let named = if shards.is_empty() {
            String::new()
        } else {
            format!("; not whole: shard {}", shards.join(", "))
        };
        format!("the choices {} to {} of {} are in no part{named}", gap.start, gap.end, all.total())
    };
    let mut count = all.nothing();
    let (mut at, mut before) = (0, String::new());
    let mut list = Vec::new();
    for (name, part) in parts {
        if part.range.start > at {
            return unfit(missing(at..part.range.start));
        }
        if part.range.start < at && !part.range.is_empty() {
            return unfit(format!("{before} and {name} both have the choice {}", part.range.start));
        }
        if part.range.is_empty() {
            continue;
        }
        (at, before) = (part.range.end, name);
        list.push((part.range.clone(), part.digest()));
        count.add(part.count);
    }
    if at < all.total() {
        return unfit(missing(at..all.total()));
    }
    // Each part counts as many messages as it should; whether in the right places, all of them together tell.
    let exact = all.losses().into_iter().zip(all.counted_losses(&count.margins));
    for (answer, (exact, counted)) in all.sides().into_iter().zip(exact) {
        if let Some(counted) = counted.filter(|counted| *counted != exact.clone().into()) {
            return Err(PartError::Invalid(format!(
                "some part counts wrong: on side {} all votes against the answer add up to {}, but by the rows to {}",
                u8::from(answer),
                counted / 2,
                exact / 2_u32
            )));
        }
    }
    Ok(Whole { program, question, sides: all.sides(), count, total: all.total(), parts: list })
}

impl Whole {
    /// What one run counted from beginning to end.
    ///
    /// # Errors
    /// [`PartError`], when it is not the whole.
    pub fn of(part: Part) -> Result<Self, PartError> {
        merge(vec![("the count".to_owned(), part)])
    }

    /// The program that counted the parts.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// What was asked.
    #[must_use]
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// μ on each deciding side.
    #[must_use]
    pub fn sides(&self) -> &[bool] {
        &self.sides
    }

    /// What was counted, by side.
    #[must_use]
    pub fn count(&self) -> &Count {
        &self.count
    }

    /// How many choices were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The parts' ranges and digests, in order.
    #[must_use]
    pub fn parts(&self) -> &[(Range<u64>, String)] {
        &self.parts
    }

    /// The verdict, its worst message replayed through the definitions. That every message was counted right
    /// is the word of the program that wrote the parts.
    ///
    /// # Errors
    /// [`VerifyError::Replay`], and [`VerifyError::Unsuitable`] where a distortion was asked about.
    pub fn verdict(&self, elapsed: Duration) -> Result<Verdict, VerifyError> {
        self.question.verdict(&self.count, self.total, true, elapsed)
    }

    /// The worst-case distortion, its worst set counted again by the definitions. That every set was counted right is
    /// the word of the program that wrote the parts.
    ///
    /// # Errors
    /// [`VerifyError::Replay`], and [`VerifyError::Unsuitable`] where a tolerance was asked about.
    pub fn distortion(&self, elapsed: Duration) -> Result<Distortion, VerifyError> {
        self.question.distortion(&self.count, self.total, true, elapsed)
    }
}
