"""Random matrices under every tie rule: the smallest margin and the number of messages of each margin, by the
definitions in Python, as enumeration records. The proved checker must accept the right ones and refuse those that are
off by one. Usage: matrices.py ECODE-VERIFIED COUNT"""

import collections
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import model

verified, count = sys.argv[1], int(sys.argv[2])
rng = random.Random(2)


def record(G, ties):
    n, k = len(G), len(G[0])
    counted, worst = [], None
    for mu in model.deciding(G, ties):
        tally = collections.Counter()
        for chosen in itertools.combinations(range(k), (k - mu) // 2):
            message = [int((i in chosen) != bool(mu)) for i in range(k)]
            z = model.margin(G, ties, message)
            tally[z] += 1
            if worst is None or z < worst[0]:
                worst = (z, [i for i in range(k) if message[i]])
        counted.append({"answer": mu, "margins": [[z, str(tally[z])] for z in sorted(tally)]})
    smallest, message = worst
    b = max(0, smallest)
    claim = {"verdict": "tolerant", "b": b, "ties": ties, "smallest_margin": smallest, "radius": b}
    attack = {}
    if smallest < 0:
        bits = [int(i in message) for i in range(k)]
        sent = [model.vote(row, bits, ties) for row in G]
        correct = int(2 * len(message) > k)
        claim = {"verdict": "refuted", "b": 0, "ties": ties, "smallest_margin": smallest}
        attack = {"counterexample": {"message": message, "byzantine": [], "sent": sent, "decoded": 1 - correct, "correct": correct}}
    c = {
        "schema": "ecode/certificate/1", "program": "test", "digest": model.digest(G), "n": n, "k": k, "G": G,
        "claim": claim, **attack,
        "kind": "enumeration", "reductions": model.reductions(G, ties), "worst": message, "counted": counted,
        "choices": "1", "parts": [{"from": "0", "to": "1", "contents": "sha256:" + 64 * "0"}],
    }
    return c


def run(file, c):
    file.write_text(json.dumps(c))
    return subprocess.run([verified, file], capture_output=True, text=True)


wrong = records = 0
with tempfile.TemporaryDirectory() as place:
    file = pathlib.Path(place, "record.json")
    for _ in range(count):
        n, k, density = rng.randint(1, 8), rng.randint(1, 8), rng.random()
        G = [[int(rng.random() < density) for _ in range(k)] for _ in range(n)]
        ties = rng.choice(["adversarial", "zero", "one", "abstain"])
        # The sides that decide have the smallest margin of all messages (Theorems 2 and 3).
        smallest = model.smallest_margin(G, ties)
        c = record(G, ties)
        records += 1
        assert c["claim"]["smallest_margin"] == smallest, (G, ties)
        got = run(file, c)
        if got.returncode:
            wrong += 1
            print(f"refused: {got.stdout}{got.stderr}{json.dumps(c)}")
        margins = rng.choice(c["counted"])["margins"]
        if rng.random() < 0.5 or len(margins) < 2:
            c["claim"]["smallest_margin"] += 1
            if smallest >= 0:
                c["claim"]["b"] += 1
                c["claim"]["radius"] += 1
            for side in c["counted"]:
                for pair in side["margins"]:
                    pair[0] += 1
        else:
            a, b = rng.sample(range(len(margins)), 2)
            margins[a][1], margins[b][1] = str(int(margins[a][1]) + 1), str(int(margins[b][1]) - 1)
        if run(file, c).returncode == 0:
            wrong += 1
            print(f"accepted, but false: {json.dumps(c)}")
print(f"matrices: {count} drawn, {records} records, right and wrong ones, {wrong} mistakes")
sys.exit(wrong > 0)
