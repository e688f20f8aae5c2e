//! Promise: Lemma 26 of docs/theory/bounds.md. Any two proper sets of 6 points, and any four of 10, can be untied at
//! once, and so can the larger systems from which no two like points can be taken.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

/// A system of `sets` sets of points, by classes: `points[τ]` lie in exactly the sets of the mask τ.
struct Systems {
    sets: usize,
    points: Vec<usize>,
    seen: usize,
    tied: usize,
}

impl Systems {
    fn of(sets: usize) -> Self {
        Self { sets, points: vec![0; 1 << sets], seen: 0, tied: 0 }
    }

    fn size(&self, set: usize) -> usize {
        (0..self.points.len()).filter(|class| class >> set & 1 == 1).map(|class| self.points[class]).sum()
    }

    /// Goes through all systems of proper sets on m points with at most so many in a class that no two like points can
    /// be taken from, or through all of them. Complements and other orders of the sets are left out.
    fn run(&mut self, class: usize, left: usize, most: usize, irreducible: bool) {
        if class + 1 == self.points.len() {
            if left <= most {
                self.points[class] = left;
                self.decide(irreducible);
                self.points[class] = 0;
            }
            return;
        }
        for here in 0..=left.min(most) {
            self.points[class] = here;
            self.run(class + 1, left - here, most, irreducible);
        }
        self.points[class] = 0;
    }

    fn decide(&mut self, irreducible: bool) {
        let m: usize = self.points.iter().sum();
        let sizes: Vec<usize> = (0..self.sets).map(|set| self.size(set)).collect();
        let proper = |size: &usize| size % 2 == 0 && *size >= 2 && 2 * size <= m;
        if !sizes.iter().all(proper) || sizes.windows(2).any(|pair| pair[0] > pair[1]) {
            return;
        }
        if irreducible && self.reducible(&sizes, m) {
            return;
        }
        self.seen += 1;
        self.tied += usize::from(!self.untie(0, m / 2, &vec![0; self.sets], &sizes));
    }

    /// Whether two points of one class can go so that all sets stay proper.
    fn reducible(&self, sizes: &[usize], m: usize) -> bool {
        (0..self.points.len()).filter(|&class| self.points[class] >= 2).any(|class| {
            (0..self.sets).all(|set| {
                let size = sizes[set] - 2 * (class >> set & 1);
                size >= 2 && size + 2 <= m - 2
            })
        })
    }

    /// Whether half of the points can be chosen so that no set has half of its own among them.
    fn untie(&self, class: usize, left: usize, chosen: &[usize], sizes: &[usize]) -> bool {
        if class == self.points.len() {
            return left == 0 && chosen.iter().zip(sizes).all(|(&chosen, &size)| 2 * chosen != size);
        }
        (0..=self.points[class].min(left)).any(|here| {
            let chosen: Vec<usize> =
                chosen.iter().enumerate().map(|(set, &before)| before + here * (class >> set & 1)).collect();
            self.untie(class + 1, left - here, &chosen, sizes)
        })
    }
}

#[test]
fn two_proper_sets_of_six_points_are_untied_at_once() {
    let mut systems = Systems::of(2);
    systems.run(0, 6, 6, false);
    assert!(systems.seen > 0);
    assert_eq!(systems.tied, 0);
}

#[test]
fn four_proper_sets_of_ten_points_are_untied_at_once() {
    let mut systems = Systems::of(4);
    systems.run(0, 10, 10, false);
    assert!(systems.seen > 5000, "{}", systems.seen);
    assert_eq!(systems.tied, 0);
}

/// In a system that cannot be reduced a class has at most two points, so there are at most 20 in all.
#[test]
fn larger_systems_that_cannot_be_reduced_are_untied_too() {
    let mut seen = Vec::new();
    for m in [12, 14, 16, 18, 20] {
        let mut systems = Systems::of(4);
        systems.run(0, m, 2, true);
        assert_eq!(systems.tied, 0, "m = {m}");
        seen.push(systems.seen > 0);
    }
    assert_eq!(seen, [true, false, true, false, false]);
}

/// The numbers are sharp: three sets of eight points, and the pairs of six, cannot always be untied.
#[test]
fn more_sets_cannot_always_be_untied() {
    for m in [6, 8] {
        let mut systems = Systems::of(3);
        systems.run(0, m, m, false);
        assert!(systems.tied > 0, "m = {m}");
    }
}
