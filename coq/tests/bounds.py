"""Claims about the fewest ones: the proved checker accepts exactly those that the two theorems show which it has, says of
the other rules that it does not decide them, and for three workers accepts nothing that some matrix contradicts.
Usage: bounds.py ECODE-VERIFIED COUNT FOLDER"""

import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import model

verified, count, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
rng = random.Random(4)


def fewest(n, b):
    """The fewest ones of a matrix that tolerates b under the rule adversarial, by going through all matrices."""
    rows = list(itertools.product([0, 1], repeat=n))
    return min(sum(map(sum, G)) for G in itertools.combinations_with_replacement(rows, n) if model.smallest_margin(G, "adversarial") >= b)


FEWEST = {(3, b): fewest(3, b) for b in (0, 1)}


def shown(n, b, ones, rule):
    """The exit code that is right."""
    if n % 2 == 0 or b > n // 2:
        return 4
    if rule == "columns":
        return 0 if ones <= n * (2 * b + 1) else 4
    if rule == "two rows":
        return 0 if b > 0 and 2 * b + 3 == n and ones <= n * n - n - 1 else 4
    return 3


wrong = accepted = undecided = 0
with tempfile.TemporaryDirectory() as place:
    file = pathlib.Path(place, "bound.json")

    def says(bound):
        file.write_text(json.dumps(bound))
        got = subprocess.run([verified, file], capture_output=True, text=True)
        claim = "n={n} b={b} ones={ones}".format(**bound)
        fine = got.stdout.startswith(f"s VERIFIED BOUND {claim} rule=" if got.returncode == 0 else "s NOT ")
        return got.returncode if fine and len(got.stdout.splitlines()) == 1 else f"{got.returncode}: {got.stdout}{got.stderr}"

    for at in range(count):
        n = rng.choice([1, 2, 3, 5, 7, 8, 9, 31, 301, 4095]) if at % 3 else 3
        t = n // 2
        b = max(0, rng.choice([0, 1, t - 2, t - 1, t, t + 1]))
        least = rng.choice([n * (2 * b + 1), n * n - n - 1, n * n - 2 * n - 4])
        ones, rule = max(0, least + rng.choice([-1, 0, 0, 1, 2])), rng.choice(["columns", "two rows", "two rows", "three rows", "second moment"])
        bound = {"schema": "ecode/bound-certificate/1", "program": "test", "n": n, "b": b, "ones": ones, "rule": rule}
        code = says(bound)
        accepted += code == 0
        false = code == 0 and ones > FEWEST.get((n, b), ones)
        if code != shown(n, b, ones, rule) or false:
            wrong += 1
            print(f"{code}: {bound}")
    for path in sorted(folder.glob("*.json")):
        code = says(json.loads(path.read_text()))
        undecided += code == 3
        wrong += code not in (0, 3)
print(f"bounds: {count} claims, {accepted} accepted, {undecided} certificates in {folder.name} left undecided, {wrong} wrong")
sys.exit(wrong > 0)
