"""Claims about the fewest ones: the proved checker accepts exactly those that the two theorems show which it has, says of
the other rules but exhaustion that it does not decide them, and for three workers accepts nothing that some matrix contradicts.
Certificates by exhaustion it accepts, and of their mutants exactly those that docs/check_bounds.py accepts.
Usage: bounds.py ECODE-VERIFIED COUNT FOLDER..."""

import copy
import importlib.util
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import model

verified, count, folders = sys.argv[1], int(sys.argv[2]), [pathlib.Path(name) for name in sys.argv[3:]]
rng = random.Random(4)
spec = importlib.util.spec_from_file_location("check_bounds", pathlib.Path(__file__).parents[2] / "docs" / "check_bounds.py")
check_bounds = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_bounds)


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


def beside(bound):
    """Whether docs/check_bounds.py accepts it."""
    try:
        check_bounds.check(bound)
        return True
    except check_bounds.Refused:
        return False


def renamed(family, n, fixed):
    """The same family but for names, rows of equal load in another order; the first partitions keep theirs."""
    places = list(range(fixed)) + rng.sample(range(fixed, n), n - fixed)
    family = [sum(1 << places[i] for i in range(n) if row >> i & 1) for row in family]
    return sorted(rng.sample(family, len(family)), key=int.bit_count)


def changed(bound):
    """One thing is changed at random."""
    bound = copy.deepcopy(bound)
    n, sets = bound["n"], bound["closed"]
    entry = rng.choice(sets)
    families = entry["families"]
    at = rng.randrange(len(families))
    family = families[at]
    kind = rng.choice(["ones", "b", "remove", "remove", "mask", "mask", "double", "rename", "light", "set", "order", "row"])
    if kind == "ones":
        bound["ones"] += rng.choice([-3, -1, 1, 2, 10])
    elif kind == "b":
        bound["b"] += rng.choice([-1, 1])
    elif kind == "remove":
        del families[at]
    elif kind == "mask" and family:
        i, flips = rng.randrange(len(family)), rng.sample(range(n), rng.choice([1, 2, 2, 2]))
        family[i] ^= sum(1 << x for x in flips)
    elif kind == "double":
        families.append(list(family))
    elif kind == "rename":
        families[at] = renamed(family, n, len(entry["singles"]))
    elif kind == "light":
        entry["empty" if rng.random() < 0.5 else "singles"] = rng.choice([0, 1, 2]) if rng.random() < 0.3 else [rng.randint(1, 3)]
    elif kind == "set":
        sets.append(copy.deepcopy(entry)) if rng.random() < 0.3 else sets.remove(entry)
    elif kind == "order":
        family.reverse()
    elif kind == "row":
        family.append(rng.randrange(1 << n))
    return bound


wrong = accepted = undecided = small = mutants = refused = 0
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
    # Few workers: every claim, with nothing listed and with the family without rows. What a code contradicts is refused.
    for n, b in [(3, 1), (5, 1), (5, 2), (7, 3)]:
        for ones, closed in itertools.product(range(0, n * n + 2), [[], [{"empty": 0, "singles": [], "families": [[]]}]]):
            bound = {"schema": "ecode/bound-certificate/1", "program": "test", "n": n, "b": b, "ones": ones, "rule": "exhaustion", "closed": closed}
            code = says(bound)
            right = 0 if beside(bound) else 4
            small += 1
            if code != right or (code == 0 and ones > FEWEST.get((n, b), ones)):
                wrong += 1
                print(f"{code}, not {right}: {bound}")
    for path in sorted(path for folder in folders for path in folder.glob("*.json")):
        bound = json.loads(path.read_text())
        code = says(bound)
        undecided += code == 3
        wrong += code != (0 if bound["rule"] == "exhaustion" else 3)
        if bound["rule"] != "exhaustion":
            continue
        for _ in range(count // (20 if bound["n"] > 7 else 2)):
            mutant = changed(bound)
            try:
                right = (0,) if beside(mutant) else (2, 4)
            except TypeError:
                right = (2, 4)
            code = says(mutant)
            mutants += 1
            refused += code != 0
            if code not in right or (code == 0 and mutant["ones"] > bound["ones"]):
                wrong += 1
                print(f"{code}, not {right}: {json.dumps(mutant)[:300]}")
print(f"bounds: {count} claims, {accepted} accepted, {undecided} certificates left undecided; "
      f"by exhaustion {small} small claims and {mutants} mutants, {refused} refused; {wrong} wrong")
sys.exit(wrong > 0)
