"""The worst-case distortion as the papers on redundancy schemes count it: every set of q liars, in Python with NumPy.

Beside it, the same by `ecode distortion`, one q after the other, in the same run.

    python3 benches/distortion.py target/release/ecode

Sets that would take longer than ten seconds are not counted: their time is the number of sets over the pace of the
largest count before, and marked with a ~.
"""

import csv
import io
import itertools
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

def squares(order: int, replicas: int) -> np.ndarray:
    """Workers × files: worker s·l + a holds the cell (i, j) when (s + 1)·i + j ≡ a mod l, for a prime l."""
    cells = [(i, j) for i in range(order) for j in range(order)]
    rows = [[int(((s + 1) * i + j) % order == a) for i, j in cells] for s in range(replicas) for a in range(order)]
    return np.array(rows)


def shifts(width: int, size: int) -> np.ndarray:
    """Workers × files of a Ramanujan bigraph, case 2: worker a·s + x holds the file c·s + y when y ≡ x + a·c mod s."""
    files = [(c, y) for c in range(width) for y in range(size)]
    return np.array([[int((x + a * c) % size == y) for c, y in files] for a in range(size) for x in range(size)])


SCHEMES = [
    ("MOLS, l = 5, r = 3", squares(5, 3), 7),
    ("Ramanujan, m = s = 5", shifts(5, 5), 12),
    ("MOLS, l = 7, r = 5", squares(7, 5), 17),
    ("MOLS, l = 7, r = 7", squares(7, 7), 12),
]


def worst(held: np.ndarray, liars: int) -> int:
    """The most files of which some q workers hold half of the copies."""
    half = -(-held.sum(axis=0) // 2)
    return max(int((held[list(some)].sum(axis=0) >= half).sum()) for some in itertools.combinations(range(len(held)), liars))


def main() -> None:
    ecode = sys.argv[1]
    for scheme, held, most in SCHEMES:
        file = Path(tempfile.mkdtemp()) / "matrix.csv"
        np.savetxt(file, held, fmt="%d", delimiter=",")
        pace = None
        print(f"{scheme}\n{'q':>3} {'sets':>15} {'c_max':>6} {'Python':>12} {'ecode':>9}")
        for liars in range(1, most + 1):
            sets = math.comb(len(held), liars)
            if pace is None or sets / pace < 10:
                start = time.perf_counter()
                counted = worst(held, liars)
                took = time.perf_counter() - start
                pace = sets / took if sets > 1000 else None
                shown = f"{took:.2f} s"
            else:
                counted, shown = None, f"~{sets / pace:.3g} s"
            start = time.perf_counter()
            command = [ecode, "distortion", str(file), "--liars", str(liars), "--csv", "-q"]
            made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            took = time.perf_counter() - start
            row = next(csv.DictReader(io.StringIO(made)))
            assert row["exact"] == "true", row
            assert counted in (None, int(row["overturned"])), (scheme, liars, counted, row)
            print(f"{liars:>3} {sets:>15} {row['overturned']:>6} {shown:>12} {took:>7.2f} s", flush=True)


if __name__ == "__main__":
    main()
