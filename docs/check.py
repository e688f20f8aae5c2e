#!/usr/bin/env python3
"""Checks ecode certificates with nothing but Python: docs/certificates.md in code.

Usage: check.py [--extract FOLDER] CERTIFICATE...
It recomputes everything that a certificate names: digests, formulas, margins, attacks, which sides must be proved, and
small enumerations message by message. It does not replay proofs: `--extract` writes each side's formula, made here,
and its proof, for a checker such as veripb or rate. Exit code 0: everything that was checked holds; 1: it does not.
"""

import collections
import hashlib
import itertools
import json
import math
import pathlib
import sys


def sha256(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def honest_vote(row, message, ties):
    """1, 0, or None for silence."""
    twice, load = 2 * sum(row[i] for i in message), sum(row)
    if twice != load:
        return int(twice > load)
    wrong = 1 - int(2 * len(message) > len(row))
    return {"adversarial": wrong, "zero": 0, "one": 1, "abstain": None}[ties]


def subset(indices, size):
    return len(set(indices)) == len(indices) and all(0 <= i < size for i in indices)


def overturns(G, ties, b, attack):
    """Whether at most b Byzantine workers overturn the message, as the attack says."""
    n, k = len(G), len(G[0])
    message, liars, sent = attack["message"], attack["byzantine"], attack["sent"]
    if not (subset(message, k) and subset(liars, n) and len(liars) <= b and len(sent) == n):
        return False
    lies = (0, 1, None) if ties == "abstain" else (0, 1)
    honest = all(sent[j] in (lies if j in liars else [honest_vote(G[j], message, ties)]) for j in range(n))
    correct, decoded = int(2 * len(message) > k), int(sent.count(1) > sent.count(0))
    return honest and decoded != correct and (attack["correct"], attack["decoded"]) == (correct, decoded)


def deciding_sides(G, ties):
    """The correct answers whose formulas must have no solution (Theorem 3 of docs/theory.md)."""
    odd = all(sum(row) % 2 for row in G)
    if len(G) % 2 and (odd or ties in ("adversarial", "one")):
        return [0]
    return [1] if len(G[0]) % 2 and (odd or ties != "one") else [0, 1]


def margin(G, ties, message):
    """How many Byzantine workers the message survives; negative where it decodes wrong with none."""
    correct = int(2 * len(message) > len(G[0]))
    votes = [honest_vote(row, message, ties) for row in G]
    return (votes.count(correct) - votes.count(1 - correct) - correct) // 2


def voters(G, ties, b, answer):
    """Who can be turned, as (worker, chosen partitions that turn it, units); units that overturn; the weight."""
    turned = []
    tie_is_wrong = ties == "adversarial" or ties == ("zero" if answer == 1 else "one")
    for j, row in enumerate(G):
        half, beyond = (sum(row) + 1) // 2, sum(row) // 2 + 1
        if half != beyond and ties == "abstain":
            turned += [(j, half, 1), (j, beyond, 1)]
        else:
            turned.append((j, half if tie_is_wrong else beyond, 2))
    overturn = len(G) + 1 - answer - 2 * b
    if all(units == 2 for _, _, units in turned):
        turned = [(j, needed, 1) for j, needed, _ in turned]
        overturn = -(-overturn // 2)
    return turned, overturn, (len(G[0]) - 1) // 2 if answer == 1 else len(G[0]) // 2


def opb(G, ties, b, answer):
    """The OPB text of "some message with this answer has a margin below b": b Byzantine workers overturn it."""
    k = len(G[0])
    turned, overturn, most = voters(G, ties, b, answer)
    lines = ["".join(f"1 x{i + 1} " for i in range(k) if G[j][i]) + f"-{needed} x{k + 1 + place} >= 0 ;"
             for place, (j, needed, _) in enumerate(turned) if needed > 0]
    lines.append("".join(f"-1 x{i + 1} " for i in range(k)) + f">= {-most} ;")
    lines.append("".join(f"{t[2]} x{k + 1 + place} " for place, t in enumerate(turned)) + f">= {overturn} ;")
    return "\n".join([f"* #variable= {k + len(turned)} #constraint= {len(lines)}", *lines]) + "\n"


def totalizer(inputs, most, clauses, variables):
    """Literals d_1 … d_most, where d_i implies that at least i of the inputs are true."""
    if len(inputs) <= 1:
        return list(inputs)
    halves = inputs[:len(inputs) // 2], inputs[len(inputs) // 2:]
    left, right = (totalizer(half, most, clauses, variables) for half in halves)
    outputs = [variables[0] + 1 + i for i in range(min(len(inputs), most))]
    variables[0] += len(outputs)
    for i, j in itertools.product(range(len(left) + 1), range(len(right) + 1)):
        if i + j < len(outputs):
            clauses.append([-outputs[i + j], *left[i:i + 1], *right[j:j + 1]])
    return outputs


def dimacs(G, ties, b, answer):
    """The same formula as DIMACS text."""
    k = len(G[0])
    turned, overturn, most = voters(G, ties, b, answer)
    clauses, variables, units = [], [k + len(turned)], []
    clauses.append([totalizer([-x for x in range(1, k + 1)], k - most, clauses, variables)[k - most - 1]])
    for place, (j, needed, unit) in enumerate(turned):
        y = k + 1 + place
        units += [y] * unit
        if needed > 0:
            counts = totalizer([i + 1 for i in range(k) if G[j][i]], needed, clauses, variables)
            clauses.append([-y, *counts[needed - 1:needed]])
    if overturn > 0:
        clauses.append(totalizer(units, overturn, clauses, variables)[overturn - 1:overturn])
    lines = [f"p cnf {variables[0]} {len(clauses)}", *(" ".join(map(str, [*clause, 0])) for clause in clauses)]
    return "\n".join(lines) + "\n"


def enumeration(certificate, G, ties, least):
    """An enumeration record: what can be had without counting, and small counts again."""
    n, k, worst = len(G), len(G[0]), certificate["worst"]
    for side in certificate["counted"]:
        margins, answer = {m: int(messages) for m, messages in side["margins"]}, side["answer"]
        turned, _, weight = voters(G, ties, 0, answer)
        yield f"side-{answer}: every message is counted", sum(margins.values()) == math.comb(k, weight)
        if ties != "abstain" or all(sum(row) % 2 for row in G):
            loads = [(sum(G[j]), needed) for j, needed, _ in turned]
            yield f"side-{answer}: the wrong votes are those of the rows", sum(
                messages * ((n - answer) // 2 - m) for m, messages in margins.items()) == sum(
                math.comb(load, s) * math.comb(k - load, weight - s)
                for load, needed in loads for s in range(needed, min(load, weight) + 1))
        if n * math.comb(k, weight) <= 2 * 10**6:
            messages = itertools.combinations(range(k), k - weight if answer else weight)
            again = collections.Counter(margin(G, ties, message) for message in messages)
            yield f"side-{answer}: counted again, message by message", again == margins
    smallest = min(m for side in certificate["counted"] for m, _ in side["margins"])
    yield "the worst message has the smallest margin", subset(worst, k) and margin(G, ties, worst) == least == smallest
    cuts = ["0", *(end for part in certificate["parts"] for end in (part["from"], part["to"])), certificate["choices"]]
    yield "the parts leave no gap", cuts[::2] == cuts[1::2] and len(set(cuts)) == len(cuts) // 2


def check(certificate, folder):
    """Yields (what was checked, whether it holds)."""
    G, claim, kind = certificate["G"], certificate["claim"], certificate["kind"]
    ties, b, least, attack = claim["ties"], claim["b"], claim.get("smallest_margin"), certificate.get("counterexample")
    yield "the schema is ecode/certificate/1", certificate["schema"] == "ecode/certificate/1"
    yield "G is n rows of k entries 0 or 1", len(G) == certificate["n"] and all(
        len(row) == certificate["k"] and all(entry in (0, 1) for entry in row) for row in G)
    lines = [f"ecode/matrix/1\n{len(G)} {len(G[0])}", *("".join(map(str, row)) for row in G)]
    yield "the digest is G's", certificate["digest"] == sha256("\n".join(lines) + "\n")
    yield "b is at most n", 0 <= b <= len(G)
    yield "the tie rule and the kind are known", ties in ("adversarial", "zero", "one", "abstain") and kind in (
        "refutation", "cutting-planes", "drat", "enumeration")
    sides = certificate.get("counted" if kind == "enumeration" else "sides", [])
    refuted = kind == "refutation" or kind == "enumeration" and least < b
    yield "the verdict is what the evidence says", claim["verdict"] == ("refuted" if refuted else "tolerant")
    if kind != "refutation" or sides:
        yield "every side is there that must be", [side["answer"] for side in sides] == deciding_sides(G, ties)
    yield f"an attack by at most {b} workers where it is refuted", refuted == (attack is not None) and (
        not refuted or overturns(G, ties, b, attack))
    if kind == "refutation":
        yield "sides where a smallest margin is claimed", bool(sides) == (least is not None)
        yield "the attack's message has the smallest margin", not sides or margin(G, ties, attack["message"]) == least
    for side in sides if kind != "enumeration" else []:
        text = (dimacs if kind == "drat" else opb)(G, ties, least if refuted else b, side["answer"])
        yield f"side-{side['answer']}: the formula is the claim's", side["formula"] == sha256(text)
        for end, content in zip(("cnf", "drat") if kind == "drat" else ("opb", "pbp"), (text, side["proof"])):
            if folder:
                (folder / f"side-{side['answer']}.{end}").write_text(content, encoding="utf-8")
    if kind == "enumeration":
        yield from enumeration(certificate, G, ties, least)
        yield "the radius is the smallest margin", claim.get("radius", -1) == max(least, -1)
        yield "no further attack", "tight" not in certificate
    elif "tight" in certificate or "radius" in claim:
        yield "the radius is b", claim.get("radius") == b
        yield f"an attack by {b + 1} workers", overturns(G, ties, b + 1, certificate["tight"])


if __name__ == "__main__":
    names, folder, failed = sys.argv[1:], None, False
    if names[:1] == ["--extract"] and len(names) > 1:
        folder, names = pathlib.Path(names[1]), names[2:]
        folder.mkdir(parents=True, exist_ok=True)
    if not names or names[0].startswith("-"):
        sys.exit(__doc__)
    for name in names:
        try:
            results = list(check(json.loads(pathlib.Path(name).read_text(encoding="utf-8")), folder))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            results = [(f"a certificate: {type(error).__name__}: {error}", False)]
        print(*(f"{'ok  ' if holds else 'FAIL'} {what}" for what, holds in results), sep="\n")
        holds = all(holds for _, holds in results)
        print(f"{name}: {'valid' if holds else 'INVALID'}, as far as can be told without replaying proofs")
        failed |= not holds
    sys.exit(int(failed))
