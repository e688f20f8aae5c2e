"""Prints the valid certificates as Coq theorems and lets Coq prove them, in one file; none may rest on an axiom.
Usage: theorems.py ECODE-VERIFIED COQ-FOLDER CERTIFICATES..."""

import json
import pathlib
import subprocess
import sys
import tempfile

verified, coq = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
files = []
for name in map(pathlib.Path, sys.argv[3:]):
    files += sorted(name.glob("*.json")) if name.is_dir() else [name]
text, theorems = "", 0
for at, file in enumerate(files):
    if json.loads(file.read_text()).get("kind") == "drat":
        continue
    printed = subprocess.run([verified, "--coq", file], capture_output=True, text=True)
    if printed.returncode:
        sys.exit(f"{file}: {printed.stdout}{printed.stderr}")
    head, body = printed.stdout.split("\nDefinition G", 1)
    imports = "\n".join(line for line in head.splitlines() if line.startswith(("From ", "Import ")))
    notations = "\n".join(line for line in head.splitlines() if line.startswith("Local "))
    if not text:
        text = imports + "\n"
    text += f"Module C{at}.\n{notations}\nDefinition G{body}\nEnd C{at}.\n"
    theorems += body.count("\nTheorem ")
with tempfile.TemporaryDirectory() as place:
    pathlib.Path(place, "Claims.v").write_text(text)
    got = subprocess.run(["coqc", "-Q", coq, "Election", "Claims.v"], cwd=place, capture_output=True, text=True)
closed = got.stdout.count("Closed under the global context")
print(f"theorems: {theorems} claims of {len(files)} certificates, {closed} proved by Coq without an axiom")
if got.returncode or closed != theorems:
    sys.exit(got.stdout + got.stderr)
