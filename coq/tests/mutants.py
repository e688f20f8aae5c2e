"""Changes valid certificates at random, digests made to fit, and fails when one is accepted whose claim is false, or
when docs/check.py, which shares nothing with the proved checker, says otherwise of one.
Usage: mutants.py ECODE-VERIFIED COUNT FOLDERS..."""

import copy
import importlib.util
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import model
import proofs
import script

verified, count, folders = sys.argv[1], int(sys.argv[2]), map(pathlib.Path, sys.argv[3:])
seeds = [json.loads(file.read_text()) for folder in folders for file in sorted(folder.glob("*.json"))]
seeds = [seed for seed in seeds if seed["k"] <= 12]
rng = random.Random(1)
spec = importlib.util.spec_from_file_location("check", script.SCRIPT)
clauses = importlib.util.module_from_spec(spec)
spec.loader.exec_module(clauses)


def change_claim(c):
    what = rng.randrange(4)
    claim = c["claim"]
    if what == 0:
        claim["b"] += rng.choice([1, -1, 1])
        if claim["b"] < 0:
            claim["b"] = 0
        if "radius" in claim and rng.random() < 0.7:
            claim["radius"] = claim["b"]
    elif what == 1:
        claim["ties"] = rng.choice(["adversarial", "zero", "one", "abstain"])
    elif what == 2 and "smallest_margin" in claim:
        claim["smallest_margin"] += rng.choice([1, -1])
    elif "radius" in claim:
        claim["radius"] += rng.choice([1, -1])


def change_matrix(c):
    for _ in range(rng.choice([1, 1, 2, 5])):
        j, i = rng.randrange(c["n"]), rng.randrange(c["k"])
        c["G"][j][i] ^= 1
    if rng.random() < 0.2:
        a, b = rng.randrange(c["n"]), rng.randrange(c["n"])
        c["G"][a] = list(c["G"][b])


def change_proof(c):
    if c.get("sides"):
        side = rng.choice(c["sides"])
        side["proof"] = (proofs.change_drat if c["kind"] == "drat" else proofs.change)(side["proof"], rng)


def shorten_proof(c):
    """Only what is needed to end: the contradiction is claimed at once."""
    if c.get("sides"):
        side = rng.choice(c["sides"])
        side["proof"] = (proofs.shorten_drat if c["kind"] == "drat" else proofs.shorten)(side["proof"], rng)


def change_attack(c):
    for name in ("counterexample", "tight"):
        if name in c:
            a = c[name]
            what = rng.randrange(3)
            if what == 0:
                a["sent"][rng.randrange(c["n"])] = rng.choice([0, 1, None])
            elif what == 1:
                a["message"] = sorted(set(a["message"]) ^ {rng.randrange(c["k"])})
            else:
                a["byzantine"] = sorted(set(a["byzantine"]) ^ {rng.randrange(c["n"])})
            if rng.random() < 0.5:
                a["correct"] = int(2 * len(a["message"]) > c["k"])
                a["decoded"] = int(a["sent"].count(1) > a["sent"].count(0))


def change_counts(c):
    if "counted" in c:
        margins = rng.choice(c["counted"])["margins"]
        a, b = rng.randrange(len(margins)), rng.randrange(len(margins))
        if rng.random() < 0.5:
            margins[a][0] += rng.choice([1, -1])
        else:
            margins[a][1], margins[b][1] = str(int(margins[a][1]) + 1), str(int(margins[b][1]) - 1)
        if rng.random() < 0.7:
            c["claim"]["smallest_margin"] = margins[0][0]


def change_shape(c):
    """Another cut, and another row: two bits at once keep loads odd, so that the premises are looked at."""
    if "shape" not in c:
        return
    shape = c["shape"]
    for _ in range(rng.choice([0, 1, 2])):
        at = rng.randrange(len(shape))
        points = lambda p: p if isinstance(p, int) else p["counted"] if isinstance(p, dict) else sum(map(points, p))
        m = points(shape[at])
        what = rng.randrange(4)
        if what == 0 and m > 1:
            cut = rng.randrange(1, m)
            shape[at : at + 1] = [cut, m - cut]
        elif what == 1 and len(shape) > 1:
            other = shape.pop(at)
            shape.insert(rng.randrange(len(shape) + 1), other)
        elif what == 2:
            shape[at] = rng.choice([m, {"counted": m}, [m], [{"counted": m}]])
        elif at + 1 < len(shape):
            shape[at : at + 2] = [points(shape[at]) + points(shape[at + 1])]
    for _ in range(rng.choice([0, 1, 1, 2])):
        row = rng.choice(c["G"])
        for i in rng.sample(range(c["k"]), 2):
            row[i] ^= 1
    if rng.random() < 0.3:
        a, b = rng.sample(range(c["n"]), 2)
        c["G"][a] = list(c["G"][b])


def fit(c):
    """Digests, reductions and sides as the changed claim has them."""
    c["digest"] = model.digest(c["G"])
    ties, b = c["claim"]["ties"], c["claim"].get("smallest_margin", c["claim"]["b"])
    if c["kind"] != "gluing" and (c.get("reductions") or c["kind"] != "refutation" or c.get("sides")):
        c["reductions"] = model.reductions(c["G"], ties)
    sides = model.deciding(c["G"], ties)
    for name in ("sides", "counted"):
        if c.get(name):
            c[name] = (c[name] + [copy.deepcopy(c[name][0]) for _ in sides])[: len(sides)]
            for side, mu in zip(c[name], sides):
                side["answer"] = mu
    for side in c.get("sides", []):
        if c["kind"] == "drat":
            side["formula"] = model.sha256(clauses.dimacs(*clauses.cnf(c["G"], ties, b, side["answer"])))
        else:
            side["formula"] = model.formula(c["G"], ties, b, side["answer"])


def true(c):
    """Whether the claim holds, by the definitions."""
    smallest = model.smallest_margin(c["G"], c["claim"]["ties"])
    claim = c["claim"]
    if (smallest >= claim["b"]) != (claim["verdict"] == "tolerant"):
        return False
    if "radius" in claim and claim["radius"] != smallest:
        return False
    return "smallest_margin" not in claim or claim["smallest_margin"] == smallest


changes = [change_claim, change_matrix, change_proof, shorten_proof, change_attack, change_counts, change_shape]
accepted = wrong = 0
seen = {}
with tempfile.TemporaryDirectory() as place:
    file = pathlib.Path(place, "mutant.json")
    # The model's digests are the files' own, or the comparison would be of nothing.
    for seed in seeds:
        c = copy.deepcopy(seed)
        fit(c)
        assert {k: v for k, v in c.items() if v} == {k: v for k, v in seed.items() if v}, "the model's digests differ"
    codes = {}
    for at in range(count):
        file = pathlib.Path(place, f"mutant-{at}.json")
        c = copy.deepcopy(rng.choice(seeds))
        for change in rng.sample(changes, rng.choice([1, 1, 2, 3])):
            change(c)
        if rng.random() < 0.9:
            fit(c)
        file.write_text(json.dumps(c))
        got = subprocess.run([verified, file], capture_output=True, text=True)
        seen[got.returncode] = seen.get(got.returncode, 0) + 1
        codes[file] = got.returncode
        if got.returncode == 0:
            accepted += 1
            if not true(c):
                wrong += 1
                print(f"accepted, but false: {json.dumps(c)}")
        elif got.returncode not in (2, 3, 4) or not got.stdout.startswith("s NOT "):
            wrong += 1
            print(f"exit code {got.returncode}: {got.stdout}{got.stderr}\n{json.dumps(c)}")
    for file, word in script.words(codes).items():
        if not script.agrees(word, codes[file]):
            wrong += 1
            print(f"exit code {codes[file]}, but docs/check.py says {word}: {file.read_text()}")
print(f"mutants: {count}, exit codes {dict(sorted(seen.items()))}, {accepted} accepted with claims that hold, docs/check.py agrees, {wrong} wrong")
sys.exit(wrong > 0)
