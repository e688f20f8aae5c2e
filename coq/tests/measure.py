"""What checking takes: for each certificate its kind, n and size, and the seconds of processor time (the least of three
runs) of `ecode check`, veripb on the extracted proof, and the proved checker, as rows of a table; "–" where it leaves
the file undecided.
Usage: measure.py ECODE-VERIFIED ECODE VERIPB CERTIFICATES..."""

import json
import pathlib
import resource
import subprocess
import sys
import tempfile


def seconds(command):
    best = None
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        got = subprocess.run(command, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if got.returncode == 3:
            return None
        if got.returncode:
            sys.exit(f"{command}: {got.stdout.decode()}{got.stderr.decode()}")
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = took if best is None else min(best, took)
    return best


def shown(took):
    return "–" if took is None else f"{took:.2f}"


def size(length):
    return f"{length / 1e6:.1f} MB" if length >= 1e6 else f"{length / 1e3:.0f} kB"


verified, ecode, veripb = sys.argv[1:4]
print("| certificate | n | b | size | `ecode check` | `veripb` | `ecode-verified` | ratio |\n|---|---|---|---|---|---|---|---|")
for name in sys.argv[4:]:
    c = json.loads(pathlib.Path(name).read_text())
    rust = seconds([ecode, "check", name])
    proved = seconds([verified, name])
    other = "–"
    if c.get("sides") and c["kind"] != "drat":
        with tempfile.TemporaryDirectory() as place:
            proof = pathlib.Path(place, "proof")
            subprocess.run([ecode, "check", name, "--extract", proof], capture_output=True, check=True)
            other = shown(sum(seconds([veripb, p.with_suffix(".opb"), p]) for p in sorted(proof.glob("*.pbp"))))
    print(f"| {c['kind']} | {c['n']} | {c['claim']['b']} | {size(pathlib.Path(name).stat().st_size)} | {shown(rust)} | {other} | {shown(proved)} | {f'{proved / rust:.1f}' if proved else '–'} |", flush=True)
