"""Prints the valid certificates as Coq theorems and lets Coq prove them, in one file; none may rest on an axiom.
Usage: theorems.py ECODE-VERIFIED COQ-FOLDER CERTIFICATES..."""

import pathlib
import subprocess
import sys
import tempfile

verified, coq = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
files = []
for name in map(pathlib.Path, sys.argv[3:]):
    files += sorted(name.glob("*.json")) if name.is_dir() else [name]
text, theorems, undecided = "", 0, 0
for at, file in enumerate(files):
    printed = subprocess.run([verified, "--coq", file], capture_output=True, text=True)
    if printed.returncode == 3:
        undecided += 1
        continue
    if printed.returncode:
        sys.exit(f"{file}: {printed.stdout}{printed.stderr}")
    head, body = printed.stdout.split("\n\n", 1)
    imports = "\n".join(line for line in head.splitlines() if line.startswith(("From ", "Import ")))
    notations = "\n".join(line for line in head.splitlines() if line.startswith("Local "))
    if not text:
        text = imports + "\n"
    text += f"Module C{at}.\n{notations}\n{body}\nEnd C{at}.\n"
    theorems += ("\n" + body).count("\nTheorem ")
with tempfile.TemporaryDirectory() as place:
    pathlib.Path(place, "Claims.v").write_text(text)
    got = subprocess.run(["coqc", "-Q", coq, "Election", "Claims.v"], cwd=place, capture_output=True, text=True)
closed = got.stdout.count("Closed under the global context")
print(f"theorems: {theorems} claims of {len(files) - undecided} certificates, {closed} proved by Coq without an axiom, {undecided} certificates left undecided")
if got.returncode or closed != theorems:
    sys.exit(got.stdout + got.stderr)
