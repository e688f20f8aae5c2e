//! How an outside solver is called.

use std::path::PathBuf;
use std::str::FromStr;

use ecode_core::shown;

/// How a solver is called: a program and its arguments, among them the names of the formula and the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolverCommand {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
}

/// Why a text is no solver's command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoSolver {
    /// Nothing but spaces.
    #[error("expected a program and its options, as in \"kissat -q\"")]
    Empty,
    /// A quotation mark without its partner, or a backslash at the end.
    #[error("a quotation mark has no partner, or a backslash nothing behind it")]
    Unquoted,
    /// Only one of the two files is named.
    #[error("name both {{cnf}} and {{proof}}, or neither: then both are put at the end, in this order")]
    HalfNamed,
    /// There is no such program.
    #[error("there is no program '{}'; `ecode doctor` says which solvers are here", shown(.0))]
    NotFound(String),
}

impl FromStr for SolverCommand {
    type Err = NoSolver;

    /// Words as a POSIX shell splits them: quotation marks and backslashes keep spaces, nothing is expanded. `{cnf}` and
    /// `{proof}` stand for the files; without them both are put at the end, as CaDiCaL and Kissat expect them.
    ///
    /// ```
    /// use ecode_prove::{NoSolver, SolverCommand};
    /// assert!("sh -c 'exec cat \"$1\"' my\\ solver {cnf} {proof}".parse::<SolverCommand>().is_ok());
    /// assert_eq!("sh '-q".parse::<SolverCommand>(), Err(NoSolver::Unquoted));
    /// ```
    fn from_str(text: &str) -> Result<Self, NoSolver> {
        let mut words = shlex::split(text).ok_or(NoSolver::Unquoted)?.into_iter();
        let name = words.next().ok_or(NoSolver::Empty)?;
        let mut arguments: Vec<String> = words.collect();
        let named = |mark: &str| arguments.iter().any(|word| word.contains(mark));
        match (named("{cnf}"), named("{proof}")) {
            (true, true) => {}
            (false, false) => arguments.extend(["{cnf}".to_owned(), "{proof}".to_owned()]),
            _ => return Err(NoSolver::HalfNamed),
        }
        let program = find_program(&name).ok_or(NoSolver::NotFound(name))?;
        Ok(Self { program, arguments })
    }
}

/// Where a program is: a path as it stands, a name in one of the folders of `PATH`.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains(std::path::MAIN_SEPARATOR) {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&folders).map(|folder| folder.join(name));
    places.find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_both_files_or_neither() {
        assert_eq!("  ".parse::<SolverCommand>(), Err(NoSolver::Empty));
        assert_eq!("sh -c {cnf}".parse::<SolverCommand>(), Err(NoSolver::HalfNamed));
        assert!(matches!("no-such-solver -q".parse::<SolverCommand>(), Err(NoSolver::NotFound(_))));
        let Ok(command) = "sh -q".parse::<SolverCommand>() else { panic!("a shell is everywhere") };
        assert_eq!(command.arguments, ["-q", "{cnf}", "{proof}"]);
    }

    #[test]
    fn words_are_those_of_a_shell() {
        let Ok(command) = r#"sh 'my solver/s.py' "a b" c\ d {cnf} {proof}"#.parse::<SolverCommand>() else {
            panic!("a shell is everywhere")
        };
        assert_eq!(command.arguments, ["my solver/s.py", "a b", "c d", "{cnf}", "{proof}"]);
    }
}
