//! What is known of a code's radius, from below and from above.

use std::fmt;

use ecode_verify::{Radius, Verdict};

/// The largest b that is proven to be tolerated, and the smallest that is proven not to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RadiusBounds {
    tolerated: Option<usize>,
    refuted: Option<usize>,
}

impl RadiusBounds {
    /// What a verdict says.
    pub(super) fn of(verdict: &Verdict) -> Self {
        Self { tolerated: verdict.radius_at_least(), refuted: verdict.radius_below() }
    }

    /// What a count of all messages says.
    pub(super) fn counted(radius: Option<usize>) -> Self {
        Self { tolerated: radius, refuted: Some(radius.map_or(0, |radius| radius + 1)) }
    }

    /// What a message with this margin says.
    pub(super) fn of_message(margin: i64) -> Self {
        Self { tolerated: None, refuted: Some(usize::try_from(margin + 1).unwrap_or(0)) }
    }

    /// What both say together.
    pub(super) fn and(self, other: Self) -> Self {
        let refuted = [self.refuted, other.refuted].into_iter().flatten().min();
        Self { tolerated: self.tolerated.max(other.tolerated), refuted }
    }

    /// Whether no code can be what both say.
    pub(super) fn contradicts(self, other: Self) -> bool {
        let both = self.and(other);
        both.tolerated.zip(both.refuted).is_some_and(|(tolerated, refuted)| tolerated >= refuted)
    }

    /// The radius, as far as it is known.
    #[must_use]
    pub fn radius(self) -> Radius {
        match (self.tolerated, self.refuted) {
            (_, Some(0)) => Radius::FailsWithoutLiars,
            (Some(tolerated), Some(refuted)) if tolerated + 1 == refuted => Radius::Exactly(tolerated),
            (Some(tolerated), _) => Radius::AtLeast(tolerated),
            (None, _) => Radius::Unknown,
        }
    }

    /// The largest b that is proven to be tolerated.
    #[must_use]
    pub fn at_least(self) -> Option<usize> {
        self.tolerated
    }

    /// The smallest b that is proven not to be tolerated.
    #[must_use]
    pub fn below(self) -> Option<usize> {
        self.refuted
    }

    /// The smallest number of liars that is not proven to be tolerated.
    #[must_use]
    pub fn first_open(self) -> usize {
        self.tolerated.map_or(0, |tolerated| tolerated + 1)
    }
}

impl fmt::Display for RadiusBounds {
    /// `2`, `none`, `2 to 4`, `≥ 2`, `< 5` or `unknown`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.radius(), self.refuted) {
            (Radius::AtLeast(low), Some(high)) => write!(f, "{low} to {}", high - 1),
            (Radius::Unknown, Some(high)) => write!(f, "< {high}"),
            (radius, _) => radius.fmt(f),
        }
    }
}
