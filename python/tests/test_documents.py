"""Promise: what README and docstrings show is what happens."""

import doctest
import os
from pathlib import Path

import election_coding
import election_coding._functions
import election_coding.simulate


def test_readme(tmp_path: Path) -> None:
    os.chdir(tmp_path)
    readme = Path(__file__).resolve().parents[1] / "README.md"
    failed, tried = doctest.testfile(str(readme), module_relative=False, optionflags=doctest.FAIL_FAST)
    assert tried >= 14 and failed == 0


def test_docstrings() -> None:
    for module in (election_coding, election_coding._functions, election_coding.simulate):
        failed, tried = doctest.testmod(module)
        assert tried >= 3 and failed == 0, module.__name__


def test_everything_public_is_documented() -> None:
    for name in election_coding.__all__:
        thing = getattr(election_coding, name)
        if name != "__version__":
            assert thing.__doc__, name
    for kind in (election_coding.Code, election_coding.Verdict, election_coding.Checked, election_coding.Rule):
        for name in vars(kind):
            if not name.startswith("_"):
                assert getattr(kind, name).__doc__, f"{kind.__name__}.{name}"
