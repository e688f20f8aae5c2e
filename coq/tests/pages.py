"""The pages and the proofs name each other: every statement that a page of docs/ names under "In Coq" is one of
theorems.txt, which Coq prints; every statement there stands in the table of coq/README.md; and what the table gives to a
page, that page names, and the file holds it. Needs no Coq. Usage: pages.py ROOT"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
coq, docs = root / "coq", root / "docs"
bad = []

proved = set(re.findall(r"^@?([A-Za-z_][A-Za-z0-9_']*)$", (coq / "theorems.txt").read_text(), re.M))
closed = (coq / "theorems.txt").read_text().count("Closed under the global context")
if closed != len(proved) or not proved:
    bad.append(f"theorems.txt: {len(proved)} statements, {closed} of them rest on nothing")
printed = re.findall(r"^Check @?(\w+)\.\nPrint Assumptions @?(\w+)\.$", (coq / "Theorems.v").read_text(), re.M)
if any(a != b for a, b in printed) or {a for a, _ in printed} != proved:
    bad.append("Theorems.v and theorems.txt do not have the same statements")


def named(text):
    return re.findall(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+)*)`", text)


# Each paragraph that begins so.
on_page = {}
for page in sorted(docs.rglob("*.md")):
    for paragraph in re.findall(r"^In Coq: .*?(?=\n\n|\Z)", page.read_text(), re.M | re.S):
        # Tie rules are quoted as well.
        names = [name for name in named(paragraph) if name not in ("adversarial", "zero", "one", "abstain")]
        on_page.setdefault(page.name, set()).update(names)
        bad += [f"{page.name} names {name}, which theorems.txt does not have" for name in names if name not in proved]

in_table = {}
for line in (coq / "README.md").read_text().splitlines():
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    if len(cells) != 4 or not cells[3].endswith(".v") and ".v" not in cells[3]:
        continue
    page = cells[0] if cells[0].endswith(".md") else cells[0] + ".md"
    text = "\n".join((coq / file).read_text() for file in re.findall(r"\w+\.v", cells[3]))
    for name in named(cells[2]):
        in_table.setdefault(name, []).append(page)
        if name not in proved:
            bad.append(f"coq/README.md names {name}, which theorems.txt does not have")
        if not re.search(rf"\b(?:Theorem|Lemma|Corollary) {name}\b", text):
            bad.append(f"{name} is not in {cells[3]}")
        if name not in on_page.get(page, ()):
            bad.append(f"{page} does not name {name}")
bad += [f"coq/README.md's table lacks {name}" for name in sorted(proved - in_table.keys())]
for page, names in on_page.items():
    bad += [f"coq/README.md's table lacks {name} of {page}" for name in sorted(names) if page not in in_table.get(name, ())]

print("\n".join(bad), end="\n" if bad else "")
print(f"pages: {len(proved)} statements, {sum(map(len, on_page.values()))} named on {len(on_page)} pages, {len(bad)} mistakes")
sys.exit(bool(bad))
