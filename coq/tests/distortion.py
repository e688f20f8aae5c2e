"""Certificates about distortion: the proved checker accepts those in the folder, and nothing that is false: thousands
are changed at random, digests made to fit, and it fails when one is accepted whose claim does not hold over all
sets of liars, or when docs/check.py says otherwise of one. Usage: distortion.py ECODE-VERIFIED COUNT FOLDER"""

import copy
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import model
import proofs
import script

verified, count, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
seeds = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
rng = random.Random(2)


def overturned(G, liars):
    return sum(2 * sum(G[j][i] for j in liars) >= sum(row[i] for row in G) for i in range(len(G[0])))


def formula(G, liars, files):
    """The digest of the claim's formula, from docs/formats.md."""
    n, k, lines = len(G), len(G[0]), []
    for i in range(k):
        holders = [j for j in range(n) if G[j][i]]
        if holders:
            lines.append("".join(f"1 x{j + 1} " for j in holders) + f"-{(len(holders) + 1) // 2} x{n + 1 + i} >= 0 ;\n")
    lines.append("".join(f"-1 x{j + 1} " for j in range(n)) + f">= {-liars} ;\n")
    lines.append("".join(f"1 x{n + 1 + i} " for i in range(k)) + f">= {files + 1} ;\n")
    return model.sha256(f"* #variable= {n + k} #constraint= {len(lines)}\n" + "".join(lines))


def fit(c):
    c["digest"] = model.digest(c["G"])
    c["formula"] = formula(c["G"], c["liars"], c["files"])


def change_claim(c):
    name = rng.choice(["liars", "files"])
    c[name] = max(0, c[name] + rng.choice([1, -1]))


def change_matrix(c):
    for _ in range(rng.choice([1, 1, 2, 5])):
        c["G"][rng.randrange(c["n"])][rng.randrange(c["k"])] ^= 1


def change_proof(c):
    c["proof"] = proofs.change(c["proof"], rng)


def shorten_proof(c):
    c["proof"] = proofs.shorten(c["proof"], rng)


def change_worst(c):
    what = rng.randrange(3)
    if what == 0:
        c["worst"] = sorted(set(c.get("worst") or []) ^ {rng.randrange(c["n"])})
    elif what == 1:
        c["worst"] = sorted(rng.sample(range(c["n"]), min(c["liars"], c["n"])))
        if rng.random() < 0.5:
            c["files"] = overturned(c["G"], c["worst"])
    else:
        c["worst"] = None


def true(c):
    """Whether the claim holds, by the definition."""
    worst = c.get("worst")
    attained = worst is None or len(worst) <= c["liars"] and overturned(c["G"], worst) == c["files"]
    sets = itertools.combinations(range(c["n"]), c["liars"])
    return attained and all(overturned(c["G"], liars) <= c["files"] for liars in sets)


def says(file):
    got = subprocess.run([verified, file], capture_output=True, text=True)
    line = got.stdout
    fine = len(line.splitlines()) == 1 and line.startswith("s VERIFIED DISTORTION " if got.returncode == 0 else "s NOT ")
    return got.returncode if fine else f"{got.returncode} {line}{got.stderr}"


accepted = wrong = 0
with tempfile.TemporaryDirectory() as place:
    for seed in seeds:
        c = copy.deepcopy(seed)
        fit(c)
        assert c == seed, "the digests here differ"
    codes = {file: says(file) for file in sorted(folder.glob("*.json"))}
    wrong += sum(code != 0 for code in codes.values())
    for at in range(count):
        file = pathlib.Path(place, f"mutant-{at}.json")
        c = copy.deepcopy(rng.choice(seeds))
        for change in rng.sample([change_claim, change_matrix, change_proof, shorten_proof, change_worst], rng.choice([1, 1, 2, 3])):
            change(c)
        if rng.random() < 0.9:
            fit(c)
        file.write_text(json.dumps(c))
        codes[file] = says(file)
        if codes[file] == 0:
            accepted += 1
            if not true(c):
                wrong += 1
                print(f"accepted, but false: {json.dumps(c)}")
    for file, word in script.words(codes).items():
        if codes[file] not in (0, 2, 3, 4) or not script.agrees(word, codes[file]):
            wrong += 1
            print(f"exit code {codes[file]}, but docs/check.py says {word}: {file.read_text()}")
print(f"distortion: {len(seeds)} certificates accepted, {count} changed, {accepted} of them accepted with claims that hold, docs/check.py agrees, {wrong} wrong")
sys.exit(wrong > 0)
