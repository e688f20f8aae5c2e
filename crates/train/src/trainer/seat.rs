//! Who takes part in a step of a scheme that detects lies.

use ecode_server::reactive::Header;

use crate::reactive::{Ledger, Table};

/// Who takes part in a step.
#[derive(Clone)]
pub(super) struct Seat {
    pub(super) header: Header,
    pub(super) table: Table,
    /// The liars that were not named before it.
    pub(super) lying: Vec<usize>,
}

impl Seat {
    /// What liars know, where an attack is rehearsed.
    #[cfg(feature = "grpc")]
    pub(super) fn rehearsal(&self) -> Option<(Vec<Vec<usize>>, Vec<usize>)> {
        (!self.lying.is_empty()).then(|| (self.table.assignment.holders.clone(), self.lying.clone()))
    }

    /// The table as it is where evidence of other steps has named somebody since.
    pub(super) fn table_now(&self, ledger: &Ledger) -> Table {
        let retired = |worker: &usize| !ledger.records[*worker].takes_part();
        let Table { asleep, present, .. } = &self.table;
        Table {
            asleep: asleep.iter().copied().filter(|worker| !retired(worker)).collect(),
            retired: present.iter().copied().filter(retired).collect(),
            ..self.table.clone()
        }
    }
}
