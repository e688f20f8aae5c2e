"""Proofs in cutting planes and DRAT, changed at random: what a checker is not to accept of a false claim."""


def change(proof, rng):
    """A line gone, a line twice, or a word exchanged for another."""
    lines = proof.split("\n")
    at = rng.randrange(len(lines))
    what = rng.randrange(4)
    if what == 0:
        del lines[at]
    elif what == 1:
        lines.insert(at, rng.choice(lines))
    else:
        words = lines[at].split(" ")
        w = rng.randrange(len(words))
        words[w] = rng.choice(rng.choice(lines).split(" ") + ["+", "2 d", "s", "~x1", "1", "0", "-1", ";", "rup >= 1;"])
        lines[at] = " ".join(words)
    return "\n".join(lines)


def shorten(proof, rng):
    """Only what is needed to end: the contradiction is claimed at once, or of an inequality of the formula."""
    count = next((line[2:-1] for line in proof.split("\n") if line.startswith("f ")), "1")
    count = count if count.isdigit() else "1"
    last = rng.choice([f"rup >= 1;\nconclusion UNSAT : {int(count) + 1};", f"conclusion UNSAT : {rng.randrange(1, int(count) + 1)};"])
    return f"pseudo-Boolean proof version 3.0\nf {count};\n{last.replace('conclusion', 'output NONE;' + chr(10) + 'conclusion')}\nend pseudo-Boolean proof;\n"


def change_drat(proof, rng):
    """A line gone, a line twice, a line that is added instead of deleted, a literal gone, negated or exchanged."""
    lines = proof.split("\n")
    at = rng.randrange(len(lines))
    what = rng.randrange(6)
    words = lines[at].split(" ")
    w = rng.randrange(len(words))
    if what == 0:
        del lines[at]
    elif what == 1:
        lines.insert(at, rng.choice(lines))
    elif what == 2:
        lines[at] = lines[at].removeprefix("d ") if lines[at].startswith("d ") else f"d {lines[at]}"
    elif what == 3:
        lines[at] = " ".join(words[:w] + words[w + 1 :])
    elif what == 4:
        words[w] = words[w].removeprefix("-") if words[w].startswith("-") else f"-{words[w]}"
        lines[at] = " ".join(words)
    else:
        words[w] = rng.choice(rng.choice(lines).split(" "))
        lines[at] = " ".join(words)
    return "\n".join(lines)


def shorten_drat(proof, rng):
    """The end only, or the proof from somewhere on."""
    lines = proof.split("\n")
    return "0\n" if rng.random() < 0.5 else "\n".join(lines[rng.randrange(len(lines)) :])
