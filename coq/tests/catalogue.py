"""The best code known for every odd n up to MOST and every b: `ecode` designs it and writes a certificate, the proved
checker accepts it, and Coq proves the claim as a theorem. Usage: catalogue.py ECODE-VERIFIED COQ-FOLDER ECODE [MOST]"""

import pathlib
import subprocess
import sys
import tempfile

verified, coq, ecode = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
most = int(sys.argv[4]) if len(sys.argv) > 4 else 31
here = pathlib.Path(__file__).parent
codes = 0
with tempfile.TemporaryDirectory() as place:
    place = pathlib.Path(place)
    for n in range(3, most + 1, 2):
        files = []
        for b in range(1, (n - 1) // 2 + 1):
            code, claim = place / "code.json", place / f"claim-{n}-{b}.json"
            for command in (
                [ecode, "design", "-q", "--n", str(n), "--b", str(b), "-o", code],
                [ecode, "verify", "-q", code, "--certificate", claim],
            ):
                got = subprocess.run(command, capture_output=True, text=True)
                if got.returncode:
                    sys.exit(f"({n}, {b}): {got.stdout}{got.stderr}")
            got = subprocess.run([verified, claim], capture_output=True, text=True)
            if got.returncode or f"s VERIFIED TOLERANT n={n} k={n} b={b} ties=adversarial" not in got.stdout:
                sys.exit(f"({n}, {b}): {got.stdout}{got.stderr}")
            files.append(claim)
        done = subprocess.run([sys.executable, here / "theorems.py", verified, coq, *files], capture_output=True, text=True)
        print(f"n = {n}: {done.stdout.strip()}", flush=True)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        codes += len(files)
print(f"catalogue: {codes} codes of up to {most} workers are theorems")
