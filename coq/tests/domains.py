"""Certificates about failure domains: the proved checker accepts those in the folder, and nothing that is false: thousands
are changed at random, digests made to fit, and it fails when one is accepted whose claim does not hold by the definitions,
over all messages and all sets of domains. Usage: domains.py ECODE-VERIFIED COUNT FOLDER"""

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

verified, count, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
seeds = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
rng = random.Random(3)


def numbers(names):
    """Domains are numbered in the order in which they are first named."""
    return [list(dict.fromkeys(names)).index(name) for name in names]


def tolerated(G, domain_of, b, ties):
    """Of those who lie all answer wrong: whatever else they sent, no fewer right votes would come in, and no more wrong ones."""
    sets = [set(s) for s in itertools.combinations(range(max(domain_of) + 1), b)]
    for message in model.messages(len(G[0])):
        answer = int(2 * sum(message) > len(message))
        votes = [model.vote(row, message, ties) for row in G]
        for lying in sets:
            sent = [1 - answer if domain in lying else vote for domain, vote in zip(domain_of, votes)]
            if int(sent.count(1) > sent.count(0)) != answer:
                return False
    return True


def rest(c, lying):
    """What the others must tolerate: their rows, twice for an odd number of liars, and how many workers."""
    G = [row for row, domain in zip(c["G"], numbers(c["domains"])) if domain not in lying]
    liars = len(c["G"]) - len(G)
    return (G, liars // 2) if liars % 2 == 0 else ([row for row in G for _ in range(2)], liars)


def fit_proof(proof, G, b, ties):
    proof["reductions"] = model.reductions(G, ties)
    sides = model.deciding(G, ties)
    proof["sides"] = (proof["sides"] + [copy.deepcopy(proof["sides"][0]) for _ in sides])[: len(sides)] if proof["sides"] else []
    for side, mu in zip(proof["sides"], sides):
        side["answer"], side["formula"] = mu, model.formula(G, ties, b, mu)


def fit(c):
    """Digests, reductions and sides as the changed claim has them."""
    c["digest"] = model.digest(c["G"])
    ties, b = c["claim"]["ties"], c["claim"]["b"]
    if "largest" in c:
        sizes = sorted(map(numbers(c["domains"]).count, set(numbers(c["domains"]))), reverse=True)
        fit_proof(c["largest"], c["G"], sum(sizes[:b]), ties)
    for case in c.get("cases", []):
        G, workers = rest(c, case["lying"])
        if G:
            fit_proof(case["proof"], G, workers, ties)
    if c.get("counterexample"):
        a = c["counterexample"]
        a["correct"] = int(2 * len(a["message"]) > c["k"])
        a["decoded"] = int(a["sent"].count(1) > a["sent"].count(0))


def every_proof(c):
    return ([c["largest"]] if "largest" in c else []) + [case["proof"] for case in c.get("cases", [])]


def change_claim(c):
    if rng.random() < 0.7:
        c["claim"]["b"] = max(0, c["claim"]["b"] + rng.choice([1, -1]))
    else:
        c["claim"]["ties"] = rng.choice(["adversarial", "zero", "one", "abstain"])


def change_matrix(c):
    for _ in range(rng.choice([1, 1, 2, 5])):
        c["G"][rng.randrange(c["n"])][rng.randrange(c["k"])] ^= 1
    if rng.random() < 0.3:
        a, b = rng.sample(range(c["n"]), 2)
        c["G"][a] = list(c["G"][b])


def change_domains(c):
    for _ in range(rng.choice([1, 1, 2])):
        c["domains"][rng.randrange(c["n"])] = rng.choice(c["domains"] + ["another"])


def change_lying(c):
    for case in rng.sample(c["cases"], 1) if c.get("cases") else [c] if "lying" in c else []:
        case["lying"] = sorted(set(case["lying"]) ^ {rng.randrange(max(numbers(c["domains"])) + 1)})


def change_cases(c):
    if c.get("cases"):
        if rng.random() < 0.7:
            c["cases"].pop(rng.randrange(len(c["cases"])))
        else:
            rng.choice(c["cases"])["proof"] = copy.deepcopy(rng.choice(c["cases"])["proof"])


def change_proof(c):
    sides = [side for proof in every_proof(c) for side in proof["sides"]]
    if sides:
        side = rng.choice(sides)
        side["proof"] = (proofs.change if rng.random() < 0.6 else proofs.shorten)(side["proof"], rng)


def change_attack(c):
    if "counterexample" in c:
        a, what = c["counterexample"], rng.randrange(3)
        if what == 0:
            a["sent"][rng.randrange(c["n"])] = rng.choice([0, 1, None])
        elif what == 1:
            a["message"] = sorted(set(a["message"]) ^ {rng.randrange(c["k"])})
        else:
            a["byzantine"] = sorted(set(a["byzantine"]) ^ {rng.randrange(c["n"])})


def change_kind(c):
    """Evidence for one set of domains, or for the largest ones, offered for all."""
    if c.get("cases") and rng.random() < 0.5:
        case = c["cases"][0]
        c["kind"], c["largest"] = "largest", case["proof"]
        del c["cases"]
    elif "largest" in c:
        b = c["claim"]["b"]
        c["kind"], c["cases"] = "each-set", [{"lying": list(range(b)), "proof": c["largest"]}]
        del c["largest"]


def true(c):
    holds = c["claim"]["b"] <= len(set(c["domains"])) and tolerated(c["G"], numbers(c["domains"]), c["claim"]["b"], c["claim"]["ties"])
    return holds == (c["claim"]["verdict"] == "tolerant")


changes = [change_claim, change_matrix, change_domains, change_lying, change_cases, change_proof, change_attack, change_kind]
accepted = wrong = 0
with tempfile.TemporaryDirectory() as place:
    for seed in seeds:
        c = copy.deepcopy(seed)
        fit(c)
        assert c == seed, "the digests here differ"
        assert c["k"] > 9 or true(c)
    small = [seed for seed in seeds if seed["k"] <= 9]
    file = pathlib.Path(place, "mutant.json")
    for at in range(len(seeds) + count):
        c = copy.deepcopy(seeds[at] if at < len(seeds) else rng.choice(small))
        if at >= len(seeds):
            for change in rng.sample(changes, rng.choice([1, 1, 2, 3])):
                change(c)
            if rng.random() < 0.9:
                fit(c)
        file.write_text(json.dumps(c))
        got = subprocess.run([verified, file], capture_output=True, text=True)
        begins = "s VERIFIED " if got.returncode == 0 else "s NOT "
        fine = got.returncode in (0, 2, 4) and len(got.stdout.splitlines()) == 1 and got.stdout.startswith(begins)
        accepted += got.returncode == 0
        if not fine or at < len(seeds) and got.returncode != 0 or got.returncode == 0 and not true(c):
            wrong += 1
            print(f"exit code {got.returncode}: {got.stdout}{got.stderr}\n{json.dumps(c)}")
print(f"domains: {len(seeds)} certificates, {count} changed, {accepted - len(seeds)} of them accepted with claims that hold, {wrong} wrong")
sys.exit(wrong > 0)
