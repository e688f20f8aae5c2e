//! A decode and its account as messages, and those of an earlier time as a history.

use super::generated::{self, RowAt};
use super::happening::{Account, Decode, Past};
use super::history::History;

impl Past {
    /// These decodes, for workers that come back.
    pub(crate) fn history(self) -> History {
        History::with(self.from, self.most, self.decodes.into_iter().map(Into::into).collect())
    }
}

impl From<Decode> for generated::Decode {
    fn from(decode: Decode) -> Self {
        let Decode { step, block, negative, tied, loss, account } = decode;
        Self { step, block: block as u32, negative, tied, loss, account: account.map(Into::into), undone: 0 }
    }
}

impl From<generated::Decode> for Decode {
    fn from(message: generated::Decode) -> Self {
        let generated::Decode { step, block, negative, tied, loss, account, .. } = message;
        Self { step, block: block as usize, negative, tied, loss, account: account.map(Into::into) }
    }
}

impl From<Account> for generated::Account {
    fn from(account: Account) -> Self {
        let rows = |rows: Vec<(usize, u64)>| {
            rows.into_iter().map(|(row, step)| RowAt { row: row as u32, step }).collect()
        };
        Self {
            missing: account.missing as u32,
            unproved: !account.verified,
            lost: rows(account.lost),
            named: rows(account.named),
            unusual: account.unusual.into_iter().map(|row| row as u32).collect(),
        }
    }
}

impl From<generated::Account> for Account {
    fn from(message: generated::Account) -> Self {
        let rows = |rows: Vec<RowAt>| rows.into_iter().map(|at| (at.row as usize, at.step)).collect();
        Self {
            missing: message.missing as usize,
            verified: !message.unproved,
            lost: rows(message.lost),
            named: rows(message.named),
            unusual: message.unusual.into_iter().map(|row| row as usize).collect(),
        }
    }
}
