#!/usr/bin/env python3
"""`--method auto` beside each single engine, on families of matrices: a table in Markdown.

    benches/plan.py [ECODE [SECONDS]]

Each cell: processor seconds (all threads together) and megabytes; `-` where an engine did not decide within SECONDS
(5) or does not take the matrix. The claim is the radius that `auto` finds, or b = 0 where there is none; "worst"
asks for the worst case. Nothing but the program and Python is needed.
"""
import itertools
import json
import os
import random
import resource
import subprocess
import sys
import tempfile

ECODE = sys.argv[1] if len(sys.argv) > 1 else "target/release/ecode"
SECONDS = sys.argv[2] if len(sys.argv) > 2 else "5"
ENGINES = ["auto", "exhaustive", "branch", "structure", "sat"]


def odd(row, k, draw):
    row = set(row)
    return row ^ {draw.randrange(k)} if len(row) % 2 == 0 else row


def families():
    """Name, rows, number of partitions, whether the worst case is asked for."""
    for n, b, rows in [(37, 3, 8), (43, 4, 10), (51, 10, 10), (75, 6, 20), (101, 10, 30)]:
        draw, single = random.Random(n), (n - 1) // 2 - b
        local = []
        for _ in range(rows):
            start = draw.randrange(single, n - 8)
            local.append(draw.sample(range(start, start + 9), draw.choice([3, 5, 7])))
        matrix = [[i] for i in range(single)] + local
        yield f"singles, {rows} local, full ({n})", matrix + [range(n)] * (n - len(matrix)), n, False
    for n, load in [(39, 7), (51, 15)]:
        offsets = random.Random(n).sample(range(n), load)
        yield f"circulant ({n}, load {load})", [[(j + o) % n for o in offsets] for j in range(n)], n, False
    for n, load in [(51, 5), (101, 7), (501, 9)]:
        rows = [[(j + o) % n for o in range(load)] for j in range(n)]
        yield f"cyclic ({n}, load {load})", rows, n, False
    rows = [[(j + o) % 51 for o in range(5)] for j in range(51)]
    yield "cyclic (51, load 5), worst", rows, 51, True
    for n, load in [(39, 4), (41, 6)]:
        draw = random.Random(n)
        yield f"even loads ({n}, {load})", [draw.sample(range(n), load) for _ in range(n)], n, False
    q = 7
    points = [v for v in itertools.product(range(q), repeat=3) if next((x for x in v if x), 0) == 1]
    lines = [[i for i, p in enumerate(points) if sum(a * b for a, b in zip(l, p)) % q == 0] for l in points]
    yield "projective plane of order 7", lines, len(points), False
    squares = {x * x % 43 for x in range(1, 43)}
    yield "Paley 43", [[i for i in range(43) if (i - j) % 43 in squares] for j in range(43)], 43, False
    cells = list(itertools.product(range(7), repeat=2))
    mols = [[i for i, (x, y) in enumerate(cells) if (y - m * x) % 7 == c] for m in range(3) for c in range(7)]
    yield "MOLS of order 7, 3 classes", mols, 49, False
    hamming = [[i - 1 for i in range(1, 64) if bin(i & j).count("1") % 2] for j in range(1, 64)]
    yield "Hamming 63", hamming, 63, False
    yield "girth 6 (61, load 3)", [[j, (2 * j + 1) % 61, (5 * j + 3) % 61] for j in range(61)], 61, False
    for n in (31, 35):
        draw = random.Random(n)
        rows = [odd([i for i in range(n) if draw.random() < 0.5], n, draw) for _ in range(n)]
        yield f"dense {n}, worst", rows, n, True
    for n, load, full in [(41, 9, 21), (45, 11, 25)]:
        rows = [[(2 * j + o) % n for o in range(load)] for j in range(n - full)] + [range(n)] * full
        yield f"intervals and {full} full ({n})", rows, n, False


def run(path, *arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["/usr/bin/time", "-f", "%M", ECODE, "verify", path, "--json", "-q", "--timeout", SECONDS + "s"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    verdict = json.loads(done.stdout) if done.stdout else None
    return verdict, seconds, int(done.stderr.split()[-1]) // 1024


def main():
    print("| matrix | claim | first | " + " | ".join(f"`{engine}`" for engine in ENGINES) + " |")
    print("|---" * (3 + len(ENGINES)) + "|")
    for name, rows, k, worst in families():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "g.txt")
            with open(path, "w") as file:
                for row in map(set, rows):
                    file.write("".join("1" if i in row else "0" for i in range(k)) + "\n")
            found, _, _ = run(path)
            b = found["radius"] or 0
            cells, first = [], "-"
            for engine in ENGINES:
                asked = ["--worst-case"] if worst else ["--b", str(b)]
                verdict, seconds, megabytes = run(path, *asked, "--method", engine)
                decided = verdict and verdict["verdict"] != "undecided"
                if worst:
                    decided = decided and float(verdict["elapsed_s"]) < float(SECONDS)
                if decided and engine == "auto":
                    first = verdict["method"]
                cells.append(f"{seconds:.2f} s, {megabytes}" if decided else "-")
            claim = "worst case" if worst else f"b = {b}, {found['verdict']}"
            print(f"| {name} | {claim} | {first} | " + " | ".join(cells) + " |", flush=True)


main()
