"""What docs/check.py, the checker in plain Python, says of certificates."""

import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).parents[2] / "docs" / "check.py"


def words(files):
    """`valid`, `consistent` or `INVALID` for each file."""
    said = {}
    files = list(files)
    for at in range(0, len(files), 500):
        batch = files[at : at + 500]
        got = subprocess.run([sys.executable, "-B", SCRIPT, *batch], capture_output=True, text=True)
        lines = got.stdout.splitlines()
        assert len(lines) == len(batch), got.stderr
        for file, line in zip(batch, lines):
            said[file] = line.removeprefix(f"{file}: ").split()[0].rstrip(",:")
    return said


def agrees(word, code):
    """Whether the exit code of ecode-verified says the same. It leaves long counts undecided, 3; the script
    calls a count that it would have to believe consistent, which the proved checker may have done again."""
    return word in {0: ("valid", "consistent"), 3: ("valid", "consistent")}.get(code, ("INVALID",))
