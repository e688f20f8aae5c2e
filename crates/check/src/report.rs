//! What a check found, as text for people and as a document, `ecode/check/1`.

use serde_json::{Value, json};

use super::certificate::Certificate;
use super::outcome::{Accepted, Refused, Strength, Unproved};
use ecode_core::shown;

impl Certificate {
    /// What the check found, in some lines; `None` where an error says all.
    #[must_use]
    pub fn report(&self, outcome: &Result<Accepted, Refused>) -> Option<String> {
        let (head, checked, note) = match outcome {
            Ok(accepted) => {
                let word =
                    if accepted.strength == Strength::Theorem { "Valid by a theorem" } else { "Valid" };
                let sentence = self.sentence(accepted.tolerant, accepted.radius);
                (format!("{word}: {sentence}."), &accepted.checked, accepted.note.as_ref())
            }
            Err(Refused::Unproved(unproved)) => {
                let Unproved { radius, checked, note } = &**unproved;
                let sentence = self.sentence(true, *radius);
                let head = format!("Consistent, but not proved: {sentence}, if the count is right.");
                (head, checked, Some(note))
            }
            Err(_) => return None,
        };
        let g = &self.claim.matrix;
        let mut text = format!(
            "{head}\n\nmatrix   {} × {}, {}\nties     {}\nmade by  {}\n",
            g.n(),
            g.k(),
            g.digest(),
            self.claim.ties,
            shown(&self.program),
        );
        for line in checked {
            text += &format!("checked  {line}\n");
        }
        if let Some(note) = note {
            text += &format!("note     {note}\n");
        }
        Some(text)
    }

    /// The claim in words.
    fn sentence(&self, tolerant: bool, radius: Option<usize>) -> String {
        let can = if tolerant { "cannot overturn any vote" } else { "can overturn a vote" };
        let radius = radius.map_or(String::new(), |radius| format!(" (radius {radius})"));
        let b = self.claim.b;
        let workers = if b == 1 { "worker" } else { "workers" };
        format!("{b} Byzantine {workers} of {} {can}{radius}", self.claim.matrix.n())
    }

    /// The same as a document. `valid` is true only for what was shown, null where nothing contradicts the certificate
    /// and nothing proves it, false otherwise; `verdict` and `radius` are what was shown.
    #[must_use]
    pub fn document(&self, outcome: &Result<Accepted, Refused>) -> Value {
        let claim = &self.claim;
        let mut document = json!({
            "schema": "ecode/check/1",
            "valid": match outcome {
                Ok(_) => json!(true),
                Err(refused) if refused.exit_code() == 3 => Value::Null,
                Err(_) => json!(false),
            },
            "digest": claim.matrix.digest(),
            "n": claim.matrix.n(),
            "k": claim.matrix.k(),
            "b": claim.b,
            "ties": claim.ties.name(),
            "verdict": match outcome {
                Ok(accepted) if accepted.tolerant => "tolerant",
                Ok(_) => "refuted",
                Err(_) => "undecided",
            },
            "radius": outcome.as_ref().ok().and_then(|accepted| accepted.radius),
            "checked": [],
            "strength": null,
            "note": null,
        });
        match outcome {
            Ok(accepted) => {
                document["checked"] = json!(accepted.checked);
                document["strength"] = json!(accepted.strength.name());
                document["note"] = json!(accepted.note);
            }
            Err(Refused::Unproved(unproved)) => {
                document["checked"] = json!(unproved.checked);
                document["note"] = json!(unproved.note);
            }
            Err(refused) => document["note"] = json!(refused.to_string()),
        }
        document
    }
}
