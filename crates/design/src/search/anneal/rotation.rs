//! Rotations: symmetries that families may be asked to have.

/// A rotation: points 0 to `order`·`cycles` − 1 lie in cycles of `order` points, the others stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Points in a cycle, at least 2.
    pub order: usize,
    /// Cycles.
    pub cycles: usize,
}

impl Rotation {
    /// The points that these are moved to.
    #[must_use]
    pub fn of(self, points: u32) -> u32 {
        let mask = (1_u32 << self.order) - 1;
        (0..self.cycles).fold(points, |turned, cycle| {
            let shift = cycle * self.order;
            let held = points >> shift & mask;
            let next = (held << 1 | held >> (self.order - 1)) & mask;
            turned & !(mask << shift) | next << shift
        })
    }

    /// The set and all its images, itself first.
    pub(super) fn orbit(self, points: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(points), move |&points| Some(self.of(points))).take(self.order)
    }

    /// The points that come after i in its cycle and i, as one set.
    pub(super) fn cycle_of(self, i: usize) -> u32 {
        if i < self.order * self.cycles {
            ((1 << self.order) - 1) << (i / self.order * self.order)
        } else {
            1 << i
        }
    }
}
