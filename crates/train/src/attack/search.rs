//! The strongest attack of a family with one number, by line search against the server's own rule.
//!
//! # References
//! The search is that of ByzFL's optimal ALIE and IPM: from 0 in steps of 10 that double while the damage grows, then, from
//! the best so far, steps that shrink by 0.8; 20 looks in all.

/// Looks at most.
const LOOKS: usize = 20;
/// The first step.
const STEP: f64 = 10.0;
/// By what steps shrink.
const SHRINK: f64 = 0.8;

/// The number from 0 on that does the most damage of those that the search looks at.
pub(super) fn strongest(mut damage: impl FnMut(f64) -> f64) -> f64 {
    let (mut best, mut most) = (0.0, damage(0.0));
    let (mut step, mut looks, mut growing) = (STEP, LOOKS - 1, true);
    while looks > 0 {
        let done = damage(best + step);
        looks -= 1;
        if done > most {
            (best, most) = (best + step, done);
            step *= if growing { 2.0 } else { SHRINK };
        } else {
            growing = false;
            step *= SHRINK;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to a cliff, beyond which the server sees through the lie, the search comes near the cliff; where nothing does
    /// damage, nothing is done.
    #[test]
    fn the_search_comes_near_the_cliff() {
        let mut looks = Vec::new();
        let best = strongest(|x| {
            looks.push(x);
            if x < 25.0 { x } else { 0.0 }
        });
        // 10 does damage, 30 does not; 16 beyond 10 neither, 12.8 do.
        for (look, expected) in looks.iter().zip([0.0, 10.0, 30.0, 26.0, 22.8]) {
            assert!((look - expected).abs() < 1e-9, "{looks:?}");
        }
        assert!(looks.len() == 20 && (24.5..25.0).contains(&best), "{best} after {looks:?}");
        assert!(strongest(|_| 1.0).abs() < f64::EPSILON);
    }
}
