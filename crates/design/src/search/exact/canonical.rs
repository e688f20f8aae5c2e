//! One family of all that differ by names only.

use std::collections::HashSet;

/// The least of all families that differ from this one only by the names of partitions outside the
/// light rows, of like partitions inside, and of rows of one load.
pub(super) fn canonical(n: usize, light: &[u16], heavy: &[u16]) -> Vec<u16> {
    // Colours of partitions: how many light rows hold only it.
    let points: Vec<u64> =
        (0..n).map(|i| light.iter().filter(|&&row| row == 1 << i).count() as u64).collect();
    let rows: Vec<u64> = heavy.iter().map(|row| u64::from(row.count_ones())).collect();
    let mut best = None;
    order(heavy, &points, &points, rows, &mut best);
    best.map_or(Vec::new(), |(_, rows)| rows)
}

fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// Refines the colours of rows by those of their partitions and back, and where rows stay alike tries
/// each of them as the first.
fn order(
    heavy: &[u16],
    light: &[u64],
    start: &[u64],
    mut rows: Vec<u64>,
    best: &mut Option<(Vec<u64>, Vec<u16>)>,
) {
    let n = start.len();
    let mut points = start.to_vec();
    let mut distinct = 0;
    loop {
        points = (0..n)
            .map(|i| {
                let sum = heavy
                    .iter()
                    .zip(&rows)
                    .filter(|(row, _)| **row >> i & 1 == 1)
                    .fold(0_u64, |sum, (_, &colour)| sum.wrapping_add(mix(colour)));
                mix(points[i].wrapping_mul(31).wrapping_add(sum))
            })
            .collect();
        rows = heavy
            .iter()
            .zip(&rows)
            .map(|(row, &colour)| {
                let sum = (0..n)
                    .filter(|i| row >> i & 1 == 1)
                    .fold(0_u64, |sum, i| sum.wrapping_add(mix(points[i])));
                mix(colour.wrapping_mul(37).wrapping_add(sum))
            })
            .collect();
        let count = rows.iter().collect::<HashSet<_>>().len();
        if count == distinct {
            break;
        }
        distinct = count;
    }
    // The colour whose rows are not all equal, the smallest.
    let mut colours = rows.clone();
    colours.sort_unstable();
    colours.dedup();
    for colour in colours {
        let mut members: Vec<usize> = (0..rows.len()).filter(|&j| rows[j] == colour).collect();
        members.sort_by_key(|&j| heavy[j]);
        members.dedup_by_key(|j| heavy[*j]);
        if members.len() > 1 {
            for member in members {
                let mut chosen = rows.clone();
                for j in 0..rows.len() {
                    if rows[j] == colour && heavy[j] == heavy[member] {
                        chosen[j] = mix(colour ^ 0x9e37_79b9_7f4a_7c15);
                    }
                }
                order(heavy, light, &points, chosen, best);
            }
            return;
        }
    }
    // Rows in the order of load and colour; then the partitions by what holds them.
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.sort_by_key(|&j| (heavy[j].count_ones(), rows[j]));
    let mut columns: Vec<(u64, u64)> = (0..n)
        .map(|i| {
            let held = places.iter().fold(0_u64, |held, &j| held << 1 | u64::from(heavy[j] >> i & 1));
            (light[i], held)
        })
        .collect();
    columns.sort_unstable_by(|a, b| b.cmp(a));
    let key: Vec<u64> = columns.iter().map(|&(light, held)| light << 32 | held).collect();
    if best.as_ref().is_none_or(|(least, _)| key < *least) {
        let row = |bit: usize| {
            columns
                .iter()
                .enumerate()
                .fold(0_u16, |row, (i, (_, held))| row | ((held >> bit & 1) as u16) << i)
        };
        *best = Some((key, (0..places.len()).rev().map(row).collect()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Names do not matter to the canonical form, and it is one of the family's own.
        #[test]
        fn the_canonical_form_forgets_names(
            rows in prop::collection::vec(1_u16..127, 1..6),
            order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
            turn in 0..6_usize,
        ) {
            let mut rows = rows;
            rows.sort_by_key(|row| row.count_ones());
            let mut renamed: Vec<u16> = rows
                .iter()
                .map(|row| (0..7).filter(|i| row >> i & 1 == 1).fold(0, |to, i| to | 1 << order[i]))
                .collect();
            let turn = turn % renamed.len();
            renamed.rotate_left(turn);
            renamed.sort_by_key(|row| row.count_ones());
            let form = canonical(7, &[], &rows);
            prop_assert_eq!(&form, &canonical(7, &[], &renamed));
            prop_assert_eq!(&form, &canonical(7, &[], &form));
            // The same wins: how many messages win how many rows.
            let wins = |rows: &[u16]| {
                let mut counts = vec![0; rows.len() + 1];
                for message in (0..128_u16).filter(|m| m.count_ones() == 3) {
                    counts[rows.iter().filter(|&row| 2 * (row & message).count_ones() > row.count_ones()).count()] += 1;
                }
                counts
            };
            prop_assert_eq!(wins(&form), wins(&rows));
        }
    }
}
