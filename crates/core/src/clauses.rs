//! The claim "G is not b-tolerant" as clauses, for SAT solvers, and the counting constraints that this takes.
//!
//! # What is promised
//! The clauses of a [`Formula`] are satisfiable exactly when its inequalities are. A satisfying assignment of
//! the clauses satisfies the inequalities on the variables that both have.
//!
//! # References
//! C. Sinz, *Towards an Optimal CNF Encoding of Boolean Cardinality Constraints*, CP 2005. O. Bailleux and
//! Y. Boufkhad, *Efficient CNF Encoding of Boolean Cardinality Constraints*, CP 2003.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::digest;
use super::formula::Formula;
use super::matrix::AllocationMatrix;

/// How "at least i of these literals are true" becomes clauses. Both encodings add outputs o₁ … o_u; oᵢ implies
/// that at least i of the literals are true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Sinz's sequential counter: it adds one literal after the other to a running count.
    SequentialCounter,
    /// Bailleux and Boufkhad's totalizer: it adds up the counts of two halves, in a balanced tree.
    #[default]
    Totalizer,
}

/// Clauses over the variables 1, 2, …; a literal is a variable or its negative, as in DIMACS.
#[derive(Clone, Debug, Default)]
pub struct Clauses {
    /// How many variables there are.
    pub variables: usize,
    /// The clauses.
    pub clauses: Vec<Vec<i32>>,
    /// How cardinalities are encoded.
    pub encoding: Encoding,
}

/// The largest number of clauses for which a proof is searched or replayed. With more, the work would not fit
/// into two gigabytes.
pub const MOST_CLAUSES: u64 = 1 << 21;

impl Clauses {
    /// How many clauses [`Self::demands`] adds for this number of inputs.
    #[must_use]
    pub fn demanded(encoding: Encoding, inputs: usize, most: usize) -> u64 {
        match encoding {
            Encoding::Totalizer => {
                // All inputs are halved again and again: two lengths a level.
                let mut sum = 0;
                let mut lengths = BTreeMap::from([(inputs, 1_u64)]);
                while let Some((len, times)) = lengths.pop_last().filter(|&(len, _)| len > 1) {
                    let (left, right) = (len / 2, len - len / 2);
                    let (a, b, outputs) = (left.min(most), right.min(most), len.min(most));
                    let clauses: usize = (0..=a).map(|i| outputs.saturating_sub(i).min(b + 1)).sum();
                    sum += times * clauses as u64;
                    *lengths.entry(left).or_default() += times;
                    *lengths.entry(right).or_default() += times;
                }
                sum
            }
            Encoding::SequentialCounter => {
                (0..inputs).map(|place| 2 * (place + 1).min(most) as u64 - 1).sum()
            }
        }
    }

    /// How many clauses [`Self::of`] gives.
    #[must_use]
    pub fn count(g: &AllocationMatrix, formula: &Formula) -> u64 {
        let encoding = Encoding::default();
        let rows = formula
            .turned
            .iter()
            .filter(|turned| turned.needed > 0)
            .map(|turned| 1 + Self::demanded(encoding, g.worker_load(turned.worker), turned.needed));
        let units: usize = formula.turned.iter().map(|turned| turned.units).sum();
        let last = usize::try_from(formula.overturn).unwrap_or(0);
        let reached = if last > 0 { 1 + Self::demanded(encoding, units, last) } else { 0 };
        1 + Self::demanded(encoding, formula.k, formula.k - formula.weight) + rows.sum::<u64>() + reached
    }

    /// No clauses yet, over this number of variables.
    #[must_use]
    pub fn new(variables: usize, encoding: Encoding) -> Self {
        Self { variables, clauses: Vec::new(), encoding }
    }

    /// The clauses of a side's formula. Its variables keep their numbers.
    ///
    /// # Panics
    /// When `g` is not the formula's matrix.
    #[must_use]
    pub fn of(g: &AllocationMatrix, formula: &Formula) -> Self {
        let mut clauses = Self::new(formula.variables(), Encoding::default());
        let k = formula.k;
        // At most `weight` are chosen: at least k − weight are not.
        let not_chosen: Vec<i32> = (1..=k as i32).map(|x| -x).collect();
        let rest = clauses.demands(&not_chosen, k - formula.weight);
        clauses.add(vec![rest[k - formula.weight - 1]]);
        let mut units = Vec::new();
        for (place, turned) in formula.turned.iter().enumerate() {
            let variable = (k + 1 + place) as i32;
            units.extend(std::iter::repeat_n(variable, turned.units));
            if turned.needed > 0 {
                let row: Vec<i32> = g.support(turned.worker).map(|i| i as i32 + 1).collect();
                let counts = clauses.demands(&row, turned.needed);
                let mut clause = vec![-variable];
                clause.extend(counts.get(turned.needed - 1));
                clauses.add(clause);
            }
        }
        if let Ok(overturn) = usize::try_from(formula.overturn)
            && overturn > 0
        {
            let counts = clauses.demands(&units, overturn);
            clauses.add(counts.get(overturn - 1).copied().into_iter().collect());
        }
        clauses
    }

    /// Adds a clause. A literal that stands in it twice is written once: some checkers warn of others.
    pub fn add(&mut self, clause: Vec<i32>) {
        let mut once: Vec<i32> = Vec::with_capacity(clause.len());
        for literal in clause {
            if !once.contains(&literal) {
                once.push(literal);
            }
        }
        self.clauses.push(once);
    }

    /// A variable that is in no clause yet.
    pub fn fresh(&mut self) -> i32 {
        self.variables += 1;
        self.variables as i32
    }

    /// Adds clauses, and returns literals d₁, d₂, … such that dᵢ implies "at least i of `inputs` are true". There
    /// are `most` of them, or as many as there are inputs if these are fewer.
    pub fn demands(&mut self, inputs: &[i32], most: usize) -> Vec<i32> {
        match self.encoding {
            Encoding::Totalizer => self.totalizer(inputs, most),
            Encoding::SequentialCounter => self.sequential(inputs, most),
        }
    }

    fn totalizer(&mut self, inputs: &[i32], most: usize) -> Vec<i32> {
        if inputs.len() <= 1 {
            return inputs.to_vec();
        }
        let (left, right) = inputs.split_at(inputs.len() / 2);
        let (a, b) = (self.totalizer(left, most), self.totalizer(right, most));
        let outputs: Vec<i32> = (0..inputs.len().min(most)).map(|_| self.fresh()).collect();
        // d_{i+j+1} ⇒ a_{i+1} ∨ b_{j+1}: i + j + 1 true inputs cannot be at most i on the left and at most j on
        // the right.
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                if let Some(&output) = outputs.get(i + j) {
                    let mut clause = vec![-output];
                    clause.extend(a.get(i));
                    clause.extend(b.get(j));
                    self.add(clause);
                }
            }
        }
        outputs
    }

    fn sequential(&mut self, inputs: &[i32], most: usize) -> Vec<i32> {
        let mut before: Vec<i32> = Vec::new();
        for (place, &input) in inputs.iter().enumerate() {
            let outputs: Vec<i32> = (0..(place + 1).min(most)).map(|_| self.fresh()).collect();
            for (i, &output) in outputs.iter().enumerate() {
                // At least i + 1 up to here: either i + 1 before, or i before and this one.
                let mut clause = vec![-output, input];
                clause.extend(before.get(i));
                self.add(clause);
                if i > 0 {
                    let mut clause = vec![-output, before[i - 1]];
                    clause.extend(before.get(i));
                    self.add(clause);
                }
            }
            before = outputs;
        }
        before
    }

    /// `sha256:` and the SHA-256 of [`Self::dimacs`] in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::sha256(self.dimacs().as_bytes())
    }

    /// The clauses as DIMACS text: the header, then one line a clause.
    #[must_use]
    pub fn dimacs(&self) -> String {
        let mut text = format!("p cnf {} {}\n", self.variables, self.clauses.len());
        for clause in &self.clauses {
            for literal in clause {
                // Writing to a String cannot fail.
                let _ = write!(text, "{literal} ");
            }
            text += "0\n";
        }
        text
    }
}
