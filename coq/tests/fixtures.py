"""Every certificate in fixtures/: the proved checker accepts the valid ones and none of the others, with the exit code
of `ecode check` where that is at hand, docs/check.py says the same of each, and so does veripb of the proofs, where it
is at hand besides. It leaves undecided, with exit code 3, counts that it would have to do again and that are too long. Usage: fixtures.py ECODE-VERIFIED FOLDER [ECODE]"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import script

verified, folder, ecode = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
bad = undecided = proofs = 0
files = sorted(folder.glob("*/*.json"))
said = script.words(files)
veripb = ecode and shutil.which("veripb")
for file in files:
    got = subprocess.run([verified, file], capture_output=True, text=True)
    try:
        read = json.loads(file.read_text())
    except ValueError:
        read = {}
    kind = read.get("kind")
    left = (3,) if kind == "enumeration" else ()
    if file.parent.name == "valid":
        expected = (0,)
    else:
        expected = left + (() if file.parent.name == "unproved" else (2, 4))
    right = got.returncode in expected
    right = right and len(got.stdout.splitlines()) == 1 and got.stdout.startswith("s VERIFIED ") == (got.returncode == 0)
    undecided += got.returncode == 3
    if right and ecode and got.returncode != 3:
        theirs = subprocess.run([ecode, "check", file], capture_output=True, text=True)
        right = theirs.returncode == got.returncode
    right = right and (got.returncode == 3 or script.agrees(said[file], got.returncode))
    if right and veripb and got.returncode == 0 and kind != "drat" and read.get("sides"):
        with tempfile.TemporaryDirectory() as place:
            proof = pathlib.Path(place, "proof")
            subprocess.run([ecode, "check", file, "--extract", proof], capture_output=True, check=True)
            for side in proof.glob("*.pbp"):
                proofs += 1
                theirs = subprocess.run([veripb, side.with_suffix(".opb"), side], capture_output=True, text=True)
                right = right and "s VERIFIED UNSATISFIABLE" in theirs.stdout
    if not right:
        print(f"{file}: exit code {got.returncode}: {got.stdout}{got.stderr}")
        bad += 1
print(f"fixtures: {len(files)} certificates, {undecided} left undecided, {bad} wrong, compared with docs/check.py" + (" and ecode check" if ecode else "") + (f", {proofs} proofs with veripb" if veripb else ""))
sys.exit(bad > 0)
