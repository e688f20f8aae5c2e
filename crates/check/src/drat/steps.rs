//! The steps of a DRAT proof, one after the other, without a copy of the proof.

use crate::budget::Budget;
use crate::proof::{Wrong, integer, malformed, quoted};

/// A clause that is added or deleted.
#[derive(Default)]
pub(super) struct Step {
    pub(super) deletes: bool,
    pub(super) literals: Vec<i32>,
}

/// In which spelling the proof is written.
enum Spelling {
    /// A clause a line, ended by 0, over so many variables.
    Certificate(i32),
    /// Text as solvers write it: comments, a clause on several lines or several on one, no 0 at the very end.
    Text,
    /// A step is `a` or `d`, then literals of seven bits a byte (2·variable, and 1 more for a negation), then 0.
    Binary,
}

/// Reads a proof step by step.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    spelling: Spelling,
    line: usize,
    /// Line ends that were read.
    ends: usize,
    step: Step,
}

impl<'a> Reader<'a> {
    pub(super) fn certificate(proof: &'a [u8], variables: usize) -> Self {
        Self::new(proof, Spelling::Certificate(variables as i32))
    }

    /// Binary proofs end every clause with a byte 0, which no text has.
    pub(super) fn outside(proof: &'a [u8]) -> Self {
        Self::new(proof, if proof.contains(&0) { Spelling::Binary } else { Spelling::Text })
    }

    fn new(rest: &'a [u8], spelling: Spelling) -> Self {
        Self { rest, spelling, line: 0, ends: 0, step: Step::default() }
    }

    /// The line that was read last, from 1; in a binary proof the step.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The step that was read last.
    pub(super) fn step(&self) -> &Step {
        &self.step
    }

    /// Reads the next step; false at the end.
    pub(super) fn next(&mut self, budget: &Budget) -> Result<bool, Wrong> {
        self.step.literals.clear();
        self.step.deletes = false;
        match self.spelling {
            Spelling::Certificate(variables) => self.whole_line(variables, budget),
            Spelling::Text => self.text(budget),
            Spelling::Binary => self.binary(budget),
        }
    }

    /// The next line, without its end.
    fn take_line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    fn whole_line(&mut self, variables: i32, budget: &Budget) -> Result<bool, Wrong> {
        let Some(line) = self.take_line() else { return Ok(false) };
        budget.spend(line.len() + 1)?;
        let rest = line.strip_prefix(b"d ");
        self.step.deletes = rest.is_some();
        let mut ended = false;
        for token in words(rest.unwrap_or(line)) {
            match integer(token).and_then(|number| i32::try_from(number).ok()) {
                _ if ended => return malformed(format!("{} after the clause's 0", quoted(token))),
                Some(0) => ended = true,
                Some(literal) if (-variables..=variables).contains(&literal) => {
                    self.step.literals.push(literal);
                }
                _ => return malformed(format!("{} is no literal of the formula", quoted(token))),
            }
        }
        if ended { Ok(true) } else { malformed("a clause ends with 0") }
    }

    /// The next word, on whatever line.
    fn take_word(&mut self) -> Option<&'a [u8]> {
        let blank = self.rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (space, rest) = self.rest.split_at(blank);
        self.ends += space.iter().filter(|&&byte| byte == b'\n').count();
        let (word, rest) = rest.split_at(rest.iter().take_while(|byte| !byte.is_ascii_whitespace()).count());
        self.rest = rest;
        if word.is_empty() {
            return None;
        }
        self.line = self.ends + 1;
        Some(word)
    }

    fn text(&mut self, budget: &Budget) -> Result<bool, Wrong> {
        let mut begun = false;
        let mut before = self.rest.len();
        while let Some(word) = self.take_word() {
            budget.spend(before - self.rest.len())?;
            before = self.rest.len();
            match integer(word).and_then(|number| i32::try_from(number).ok()) {
                Some(0) => return Ok(true),
                Some(literal) if literal != i32::MIN => {
                    self.step.literals.push(literal);
                    begun = true;
                }
                None if word == b"d" && !begun && !self.step.deletes => self.step.deletes = true,
                // A comment, up to the end of its line.
                None if word[0] == b'c' && !begun && !self.step.deletes => {
                    let end = self.rest.iter().position(|&byte| byte == b'\n');
                    self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
                }
                _ => return malformed(format!("{} is no literal", quoted(word))),
            }
        }
        // The 0 of the last clause may be missing.
        Ok(begun)
    }

    fn binary(&mut self, budget: &Budget) -> Result<bool, Wrong> {
        let Some((kind, rest)) = self.rest.split_first() else { return Ok(false) };
        self.rest = rest;
        self.line += 1;
        self.step.deletes = match kind {
            b'a' => false,
            b'd' => true,
            _ => return malformed(format!("byte {kind} is neither 'a' nor 'd'")),
        };
        loop {
            let (mut number, mut shift) = (0_u64, 0);
            loop {
                let Some((byte, rest)) = self.rest.split_first() else { return malformed("it is cut off") };
                self.rest = rest;
                number |= u64::from(byte & 127) << shift;
                shift += 7;
                if *byte < 128 {
                    break;
                }
                if shift > 35 {
                    return malformed("a literal is too long");
                }
            }
            budget.spend(1)?;
            if number == 0 {
                return Ok(true);
            }
            let sign = if number % 2 == 1 { -1 } else { 1 };
            match i32::try_from(number / 2) {
                Ok(variable) if variable > 0 => self.step.literals.push(sign * variable),
                _ => return malformed(format!("{number} is no literal")),
            }
        }
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(proof: &[u8]) -> Result<Vec<(bool, Vec<i32>)>, Wrong> {
        let budget = Budget::new(&|| false);
        let mut reader = Reader::outside(proof);
        let mut steps = Vec::new();
        while reader.next(&budget)? {
            steps.push((reader.step().deletes, reader.step().literals.clone()));
        }
        Ok(steps)
    }

    #[test]
    fn binary_proofs_are_read() {
        // 63 is 126 = 7e; −64 is 129 = 81 01; 8193 is 16386 = 82 80 01.
        let bytes = [b'a', 0x7e, 0x81, 0x01, 0, b'd', 0x82, 0x80, 0x01, 0, b'a', 0];
        assert_eq!(read(&bytes), Ok(vec![(false, vec![63, -64]), (true, vec![8193]), (false, vec![])]));
        let cut = [b'a', 0, b'a', 0x7e, 0x81];
        for wrong in [&cut[..], &[b'x', 0], &[b'a', 1, 0], &[b'a', 255, 255, 255, 255, 255, 255, 255, 0]] {
            assert!(matches!(read(wrong), Err(Wrong::Malformed(_))), "{wrong:?}");
        }
    }

    #[test]
    fn text_is_read_as_solvers_write_it() {
        let text = b"c made by a solver\r\n  1 -2 0 d 3\n 4 0\n\nc c\n0\n5 6";
        let steps = [(false, vec![1, -2]), (true, vec![3, 4]), (false, vec![]), (false, vec![5, 6])];
        assert_eq!(read(text), Ok(steps.to_vec()));
        for wrong in ["1 x 0", "1 d 2 0", "d d 1 0", "99999999999 0", "-2147483648 0", "+1 0", "\u{fffd}"] {
            assert!(matches!(read(wrong.as_bytes()), Err(Wrong::Malformed(_))), "{wrong}");
        }
    }
}
