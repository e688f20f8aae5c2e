//! What whoever asks for a check may decide.

/// How a check is done.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Asked now and then: whether to end.
    pub stopped: &'a dyn Fn() -> bool,
    /// Whether to count again what an enumeration counted, however long that takes.
    pub recount: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { stopped: &|| false, recount: false }
    }
}
