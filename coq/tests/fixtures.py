"""Every certificate in fixtures/: the proved checker accepts the valid ones and none of the others, with the exit code
of `ecode check` where that is at hand. It leaves undecided, with exit code 3: DRAT proofs, and counts that it would have
to do again and that are too long. Usage: fixtures.py ECODE-VERIFIED FOLDER [ECODE]"""

import json
import pathlib
import subprocess
import sys

verified, folder, ecode = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
bad = undecided = 0
files = sorted(folder.glob("*/*.json"))
for file in files:
    got = subprocess.run([verified, file], capture_output=True, text=True)
    try:
        kind = json.loads(file.read_text()).get("kind")
    except ValueError:
        kind = None
    left = (3,) if kind in ("drat", "enumeration") else ()
    if file.parent.name == "valid":
        expected = (3,) if kind == "drat" else (0,)
    else:
        expected = left + (() if file.parent.name == "unproved" else (2, 4))
    right = got.returncode in expected
    right = right and len(got.stdout.splitlines()) == 1 and got.stdout.startswith("s VERIFIED ") == (got.returncode == 0)
    undecided += got.returncode == 3
    if right and ecode and got.returncode != 3:
        theirs = subprocess.run([ecode, "check", file], capture_output=True, text=True)
        right = theirs.returncode == got.returncode
    if not right:
        print(f"{file}: exit code {got.returncode}: {got.stdout}{got.stderr}")
        bad += 1
print(f"fixtures: {len(files)} certificates, {undecided} left undecided, {bad} wrong" + (", compared with ecode check" if ecode else ""))
sys.exit(bad > 0)
