//! `--q`: one probability, a list, or a range.

use std::str::FromStr;

use ecode::search::q_range;

/// Probabilities of one partition's wrong sign.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Qs(Vec<f64>);

impl Default for Qs {
    fn default() -> Self {
        Self(vec![0.1])
    }
}

impl Qs {
    /// One by one; of a range nine points.
    pub(crate) fn list(self) -> Vec<f64> {
        self.0
    }
}

impl FromStr for Qs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |text: &str| -> Result<f64, String> {
            let q = text.trim().parse().ok().filter(|&q: &f64| q > 0.0 && q < 0.5);
            q.ok_or_else(|| {
                let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
                format!("'{shown}': expected a probability above 0 and below 0.5, as in 0.1, 0.05,0.1 or 0.05..0.2")
            })
        };
        if let Some((least, most)) = text.split_once("..") {
            let (least, most) = (one(least)?, one(most)?);
            return if least < most {
                Ok(Self(q_range(least, most)))
            } else {
                Err(format!("{least}..{most} is empty"))
            };
        }
        text.split(',').map(one).collect::<Result<_, _>>().map(Self)
    }
}
