//! The picture of G: a row a worker, a column a partition, loads at the margins, and on a message which partitions
//! are its ones and which workers it turns wrong.

use super::chart::axis::round_step;
use super::chart::drawing::{Anchor, Drawing, Mark};
use super::chart::style::Ink;
use super::chart::text::width;
use ecode_core::{AllocationMatrix, Outcome};

/// The most rows or columns that are drawn one by one; larger matrices are drawn as densities.
const FINE: usize = 512;
/// Shades of a density.
const SHADES: usize = 16;
/// The longest bar of a load.
const BAR: f64 = 44.0;

/// The picture as SVG.
#[must_use]
pub fn matrix_svg(g: &AllocationMatrix, worst: Option<&Outcome>) -> String {
    Picture::new(g, worst).drawing().svg().into_string()
}

struct Picture<'a> {
    g: &'a AllocationMatrix,
    /// Where the rows and columns are drawn one by one.
    worst: Option<&'a Outcome>,
    /// So many rows and columns are one of the picture.
    block: usize,
    rows: usize,
    columns: usize,
    /// The side of a cell.
    cell: f64,
    /// The size of letters.
    letter: f64,
    left: f64,
    top: f64,
}

/// Of labels of this length along an axis, every so many are shown.
fn every(length: f64, cell: f64) -> usize {
    round_step((length / cell).max(1.0)) as usize
}

impl<'a> Picture<'a> {
    fn new(g: &'a AllocationMatrix, worst: Option<&'a Outcome>) -> Self {
        let (n, k) = (g.n(), g.k());
        let block = n.max(k).div_ceil(FINE);
        let (rows, columns) = (n.div_ceil(block), k.div_ceil(block));
        let cell = (520.0 / columns.max(rows) as f64).clamp(1.0, 20.0);
        // A phone shows the whole picture: the larger it is, the larger the letters.
        let letter = ((columns as f64 * cell + 110.0) / 36.0).clamp(11.0, 18.0);
        let left = width(&(n - 1).to_string(), letter) + 12.0;
        let worst = worst.filter(|_| block == 1);
        Self { g, worst, block, rows, columns, cell, letter, left, top: letter + 23.0 }
    }

    fn size(&self) -> (f64, f64) {
        (self.columns as f64 * self.cell, self.rows as f64 * self.cell)
    }

    fn x(&self, column: usize) -> f64 {
        self.left + column as f64 * self.cell
    }

    fn y(&self, row: usize) -> f64 {
        self.top + row as f64 * self.cell
    }

    fn drawing(&self) -> Drawing {
        let (n, k) = (self.g.n(), self.g.k());
        let mut drawing = Drawing::new(format!("Allocation matrix, {n} workers by {k} partitions"));
        if let Some(worst) = self.worst {
            drawing.description = format!(
                "The worst message {} turns the workers {} wrong: their rows are shaded and marked ✗, the message's \
                 partitions are marked ▼.",
                worst.message, worst.wrong
            );
        }
        let (width_, height) = self.size();
        drawing.width = self.left + width_ + self.letter;
        drawing.height = self.top + height + 10.0;
        self.shade_wrong_rows(&mut drawing);
        let place = [self.left - 2.0, self.top - 2.0, width_ + 3.0, height + 3.0];
        drawing.marks.push(Mark::Frame { place, ink: Ink::Line });
        self.ones(&mut drawing);
        self.numbers(&mut drawing);
        if self.block == 1 {
            self.worker_loads(&mut drawing);
            self.partition_loads(&mut drawing);
        }
        drawing
    }

    fn shade_wrong_rows(&self, drawing: &mut Drawing) {
        let Some(worst) = self.worst else { return };
        let width = self.size().0 + 4.0;
        let boxes =
            worst.wrong.indices().map(|j| [self.left - 2.0, self.y(j) - 0.5, width, self.cell]).collect();
        drawing.marks.push(Mark::Boxes { boxes, ink: Ink::Band, opacity: 1.0 });
        let down = |i: usize| {
            let (middle, half) = (self.x(i) + self.cell / 2.0, (self.cell * 0.35).clamp(1.5, 6.0));
            let (high, low) = (self.top - 12.0, self.top - 4.0);
            vec![(middle - half, high), (middle + half, high), (middle, low)]
        };
        let ones = worst.message.indices().map(down);
        drawing.marks.extend(ones.map(|points| Mark::Area { points, ink: Ink::Bad, opacity: 1.0 }));
    }

    /// By shade: the boxes of equally dense blocks of G. Large cells stand apart; of small ones whole runs are drawn
    /// at once.
    fn ones(&self, drawing: &mut Drawing) {
        let (n, k) = (self.g.n(), self.g.k());
        let gap = if self.cell >= 6.0 { 1.0 } else { 0.0 };
        let mut shades: Vec<Vec<[f64; 4]>> = vec![Vec::new(); SHADES + 1];
        for row in 0..self.rows {
            let shade = |column: usize| -> usize {
                let (mut ones, mut all) = (0, 0);
                for j in row * self.block..((row + 1) * self.block).min(n) {
                    for i in column * self.block..((column + 1) * self.block).min(k) {
                        ones += usize::from(self.g.holds(j, i));
                        all += 1;
                    }
                }
                (ones * SHADES).div_ceil(all)
            };
            let mut column = 0;
            while column < self.columns {
                let (start, here) = (column, shade(column));
                column += 1;
                while gap == 0.0 && column < self.columns && shade(column) == here {
                    column += 1;
                }
                let wide = (column - start) as f64 * self.cell - gap;
                shades[here].push([self.x(start), self.y(row), wide, self.cell - gap]);
            }
        }
        for (shade, boxes) in shades.into_iter().enumerate().skip(1).filter(|(_, boxes)| !boxes.is_empty()) {
            let opacity = shade as f64 / SHADES as f64;
            drawing.marks.push(Mark::Boxes { boxes, ink: Ink::One, opacity });
        }
    }

    /// The numbers of rows and columns, as many as there is room for.
    fn numbers(&self, drawing: &mut Drawing) {
        let wide = width(&(self.g.k() - 1).to_string(), self.letter) + 4.0;
        let high = self.letter * 1.1;
        // Of blocks only the first of ten numbers.
        let least =
            |count: usize| if self.block == 1 { 0.0 } else { (count as f64 / 10.0).ceil() * self.cell };
        for i in (0..self.columns).step_by(every(wide.max(least(self.columns)), self.cell)) {
            let at = (self.x(i) + self.cell / 2.0, self.top - 16.0);
            drawing.text(at, (i * self.block).to_string(), self.letter, Anchor::Middle, Ink::Soft);
        }
        for j in (0..self.rows).step_by(every(high.max(least(self.rows)), self.cell)) {
            let at = (self.left - 6.0, self.y(j) + self.cell / 2.0 + self.letter * 0.35);
            drawing.text(at, (j * self.block).to_string(), self.letter, Anchor::End, Ink::Soft);
        }
    }

    /// A bar for each worker, its load where there is room, and a cross where the message turns it.
    fn worker_loads(&self, drawing: &mut Drawing) {
        let loads = self.g.worker_loads();
        let most = loads.iter().max().copied().unwrap_or(0).max(1);
        let from = self.left + self.size().0 + 6.0;
        let wrong = |j: usize| self.worst.is_some_and(|worst| worst.wrong.contains(j));
        let (inset, thick) = self.bar();
        for bad in [false, true] {
            let boxes = (0..loads.len())
                .filter(|&j| wrong(j) == bad && loads[j] > 0)
                .map(|j| [from, self.y(j) + inset, BAR * loads[j] as f64 / most as f64, thick]);
            let boxes: Vec<[f64; 4]> = boxes.collect();
            let ink = if bad { Ink::Bad } else { Ink::One };
            if !boxes.is_empty() {
                drawing.marks.push(Mark::Boxes { boxes, ink, opacity: 0.6 });
            }
        }
        let mut right = from + BAR;
        if every(self.letter * 1.05, self.cell) == 1 {
            right += 6.0 + width(&most.to_string(), self.letter);
            for (j, load) in loads.iter().enumerate() {
                let at = (right, self.y(j) + self.cell / 2.0 + self.letter * 0.35);
                let ink = if wrong(j) { Ink::Bad } else { Ink::Soft };
                drawing.text(at, load.to_string(), self.letter, Anchor::End, ink);
            }
        }
        let arm = (self.cell * 0.3).clamp(1.0, 5.0);
        let middle = right + 6.0 + arm;
        for j in (0..loads.len()).filter(|&j| wrong(j)) {
            let at = self.y(j) + self.cell / 2.0;
            for side in [-1.0, 1.0] {
                let points = vec![(middle - arm, at - side * arm), (middle + arm, at + side * arm)];
                let width = (arm * 0.5).clamp(0.7, 2.0);
                drawing.marks.push(Mark::Line { points, ink: Ink::Bad, width, dash: &[] });
            }
        }
        drawing.width = drawing.width.max(middle + arm + 6.0);
    }

    /// A bar for each partition, its load where there is room.
    fn partition_loads(&self, drawing: &mut Drawing) {
        let loads = self.g.partition_loads();
        let most = loads.iter().max().copied().unwrap_or(0).max(1);
        let from = self.top + self.size().1 + 6.0;
        let (inset, thick) = self.bar();
        let boxes: Vec<[f64; 4]> = (0..loads.len())
            .filter(|&i| loads[i] > 0)
            .map(|i| [self.x(i) + inset, from, thick, BAR * loads[i] as f64 / most as f64])
            .collect();
        if !boxes.is_empty() {
            drawing.marks.push(Mark::Boxes { boxes, ink: Ink::One, opacity: 0.6 });
        }
        let mut bottom = from + BAR;
        if every(width(&most.to_string(), self.letter) + 3.0, self.cell) == 1 {
            bottom += self.letter + 2.0;
            for (i, load) in loads.iter().enumerate() {
                let at = (self.x(i) + self.cell / 2.0, bottom);
                drawing.text(at, load.to_string(), self.letter, Anchor::Middle, Ink::Soft);
            }
        }
        drawing.height = drawing.height.max(bottom + 8.0);
    }

    /// Bars and cells stand apart where there is room: where a bar begins in its cell, and how thick it is.
    fn bar(&self) -> (f64, f64) {
        if self.cell >= 6.0 { (0.15 * self.cell, 0.7 * self.cell) } else { (0.0, self.cell) }
    }
}
