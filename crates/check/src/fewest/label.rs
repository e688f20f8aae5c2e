//! Labels of families: what two families that differ by names only usually have in common.
//!
//! # What is promised
//! A label is the family itself with its partitions renamed, so that light rows stay what they are, and its rows put in
//! order. So families with one label differ by names only. The converse is not needed: were it false, a certificate would be
//! refused that is right.

/// How families with certain light rows are labelled.
pub(super) struct Label {
    /// For each partition, how many light rows hold nothing else. Partitions of S come first, in falling order.
    singles: Vec<usize>,
}

impl Label {
    pub(super) fn new(n: usize, singles: &[usize]) -> Self {
        let mut all = singles.to_vec();
        all.resize(n, 0);
        Self { singles: all }
    }

    /// The label of a family.
    pub(super) fn of(&self, family: &[u16]) -> Vec<u16> {
        let rows = family.iter().map(|row| row.count_ones() as usize).collect();
        let mut best = None;
        self.search(family, self.singles.clone(), rows, &mut best);
        best.unwrap_or_default()
    }

    /// Refines the colours of partitions and rows by each other. Where different rows keep one colour, each of them is tried
    /// as the first; the least outcome is the label.
    fn search(
        &self,
        family: &[u16],
        mut partitions: Vec<usize>,
        mut rows: Vec<usize>,
        best: &mut Option<Vec<u16>>,
    ) {
        let mut colours = 0;
        loop {
            let seen = |i: usize| {
                let mut seen: Vec<usize> =
                    (0..rows.len()).filter(|&j| family[j] >> i & 1 == 1).map(|j| rows[j]).collect();
                seen.sort_unstable();
                (partitions[i], seen)
            };
            partitions = ranks(&(0..partitions.len()).map(seen).collect::<Vec<_>>());
            let seen = |j: usize| {
                let mut seen: Vec<usize> = (0..partitions.len())
                    .filter(|&i| family[j] >> i & 1 == 1)
                    .map(|i| partitions[i])
                    .collect();
                seen.sort_unstable();
                (rows[j], seen)
            };
            rows = ranks(&(0..rows.len()).map(seen).collect::<Vec<_>>());
            let now = distinct(&partitions) + distinct(&rows);
            if now == colours {
                break;
            }
            colours = now;
        }
        for colour in 0..rows.len() {
            let mut alike: Vec<u16> =
                (0..rows.len()).filter(|&j| rows[j] == colour).map(|j| family[j]).collect();
            alike.sort_unstable();
            alike.dedup();
            if alike.len() > 1 {
                for first in alike {
                    let apart =
                        |(j, &of): (usize, &usize)| 2 * of + usize::from(of == colour && family[j] != first);
                    let rows = rows.iter().enumerate().map(apart).collect();
                    self.search(family, partitions.clone(), rows, best);
                }
                return;
            }
        }
        let label = self.renamed(family, &rows);
        if best.as_ref().is_none_or(|best| label < *best) {
            *best = Some(label);
        }
    }

    /// The family with its partitions put in the order of their light rows and then of the rows that hold them.
    fn renamed(&self, family: &[u16], colours: &[usize]) -> Vec<u16> {
        let mut order: Vec<usize> = (0..family.len()).collect();
        order.sort_by_key(|&j| (family[j].count_ones(), colours[j]));
        let mut partitions: Vec<usize> = (0..self.singles.len()).collect();
        partitions.sort_by_key(|&i| {
            let held = order.iter().fold(0_u32, |held, &j| held << 1 | u32::from(family[j] >> i & 1));
            std::cmp::Reverse((self.singles[i], held))
        });
        let renamed = |&j: &usize| {
            partitions.iter().enumerate().fold(0_u16, |row, (to, &i)| row | (family[j] >> i & 1) << to)
        };
        let mut rows: Vec<u16> = order.iter().map(renamed).collect();
        rows.sort_unstable_by_key(|row| (row.count_ones(), *row));
        rows
    }
}

/// For each value, how many different ones are smaller.
fn ranks<T: Ord>(values: &[T]) -> Vec<usize> {
    let mut sorted: Vec<&T> = values.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    values.iter().map(|value| sorted.partition_point(|other| *other < value)).collect()
}

fn distinct(colours: &[usize]) -> usize {
    colours.iter().max().map_or(0, |most| most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rotations and a few swaps of the partitions outside S, and the rows in another order: the label stays, and what it names
    /// has the same wins.
    #[test]
    fn names_do_not_matter_and_nothing_else_is_forgotten() {
        let n = 9;
        let label = Label::new(n, &[2, 1]);
        let families: [&[u16]; 5] = [
            &[0b111, 0b1_1100, 0b1_1111_0000],
            &[0b1_0000_0011, 0b1_0000_0101, 0b1_1000_0001, 0b0_0111_1100],
            &[0b111_0000, 0b1_1100_0000, 0b1_0011_0000, 0b111_0011],
            &[0b111, 0b111, 0b11_1000],
            &[],
        ];
        let rename = |row: u16, to: &dyn Fn(usize) -> usize| {
            (0..n).filter(|i| row >> i & 1 == 1).fold(0_u16, |row, i| row | 1 << to(i))
        };
        let wins = |family: &[u16]| {
            let all = (0..1_u16 << n).filter(|message| message.count_ones() == 4);
            let won = |message: u16| {
                family.iter().filter(|&row| 2 * (row & message).count_ones() > row.count_ones()).count()
            };
            // With the light rows told apart from the rest.
            let mut wins: Vec<(u16, usize)> = all.map(|message| (message & 0b11, won(message))).collect();
            wins.sort_unstable();
            wins
        };
        let mut labels = Vec::new();
        for family in families {
            let expected = label.of(family);
            assert_eq!(wins(family), wins(&expected));
            assert!(expected.is_sorted_by_key(|row| row.count_ones()));
            for turn in 0..7 {
                let to = |i: usize| if i < 2 { i } else { 2 + (3 * (i - 2) + turn) % 7 };
                let mut renamed: Vec<u16> = family.iter().map(|&row| rename(row, &to)).collect();
                renamed.reverse();
                renamed.sort_by_key(|row| row.count_ones());
                assert_eq!(label.of(&renamed), expected, "{family:?}, turned by {turn}");
            }
            // Partition 0 has two light rows and partition 1 has one.
            let swap = |i: usize| if i < 2 { 1 - i } else { i };
            let swapped: Vec<u16> = family.iter().map(|&row| rename(row, &swap)).collect();
            assert_eq!(label.of(&swapped) == expected, wins(&swapped) == wins(family));
            labels.push(expected);
        }
        labels.dedup();
        assert_eq!(labels.len(), families.len());
    }
}
