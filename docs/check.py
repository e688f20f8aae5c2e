#!/usr/bin/env python3
"""Checks an ecode certificate with nothing but Python: docs/certificates.md in code.

It recomputes the matrix's digest and each side's formula with its digest, replays every attack by the definitions,
and says which sides must be proved. It does not replay proofs: `--extract` writes each side's formula, made
here, and its proof, for a checker such as veripb or rate. Exit code 0: everything that was checked holds; 1: it does not.
"""

import argparse
import hashlib
import json
import os
import sys


def sha256(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def matrix_digest(G):
    rows = "".join("".join(map(str, row)) + "\n" for row in G)
    return sha256(f"ecode/matrix/1\n{len(G)} {len(G[0])}\n{rows}")


def honest_vote(row, message, ties):
    """1, 0, or None for silence."""
    twice, load = 2 * sum(row[i] for i in message), sum(row)
    if twice != load:
        return int(twice > load)
    wrong = 1 - int(2 * len(message) > len(row))
    return {"adversarial": wrong, "zero": 0, "one": 1, "abstain": None}[ties]


def overturns(G, ties, b, attack):
    """Whether at most b Byzantine workers overturn the message, as the attack says."""
    n, k = len(G), len(G[0])
    message, liars, sent = attack["message"], attack["byzantine"], attack["sent"]
    if len(set(message)) != len(message) or not all(0 <= i < k for i in message):
        return False
    if len(set(liars)) != len(liars) or len(liars) > b or not all(0 <= j < n for j in liars) or len(sent) != n:
        return False
    for j in range(n):
        if j in liars:
            if sent[j] not in ((0, 1, None) if ties == "abstain" else (0, 1)):
                return False
        elif sent[j] != honest_vote(G[j], message, ties):
            return False
    correct, decoded = int(2 * len(message) > k), int(sent.count(1) > sent.count(0))
    return decoded != correct and (attack["correct"], attack["decoded"]) == (correct, decoded)


def deciding_sides(G, ties):
    """The correct answers whose formulas must have no solution (Theorem 3 of docs/theory.md)."""
    odd = all(sum(row) % 2 == 1 for row in G)
    if len(G) % 2 == 1 and (odd or ties in ("adversarial", "one")):
        return [0]
    if len(G[0]) % 2 == 1 and (odd or ties != "one"):
        return [1]
    return [0, 1]


def margin(G, ties, message):
    """How many Byzantine workers the message survives; negative where it decodes wrong with none."""
    correct = int(2 * len(message) > len(G[0]))
    votes = [honest_vote(row, message, ties) for row in G]
    return (votes.count(correct) - votes.count(1 - correct) - correct) // 2


def voters(G, ties, b, answer):
    """Who can be turned, as (worker, chosen partitions that turn it, units); units that overturn; the weight."""
    turned = []
    for j, row in enumerate(G):
        load = sum(row)
        if load % 2 == 1:
            turned.append((j, (load + 1) // 2, 2))
        elif ties == "abstain":
            turned += [(j, load // 2, 1), (j, load // 2 + 1, 1)]
        else:
            tie_is_wrong = ties == "adversarial" or ties == ("zero" if answer == 1 else "one")
            turned.append((j, load // 2 if tie_is_wrong else load // 2 + 1, 2))
    overturn = len(G) + 1 - answer - 2 * b
    if all(units == 2 for _, _, units in turned):
        turned = [(j, needed, 1) for j, needed, _ in turned]
        overturn = -(-overturn // 2)
    return turned, overturn, (len(G[0]) - 1) // 2 if answer == 1 else len(G[0]) // 2


def formula(G, ties, b, answer):
    """The OPB text of "some message with this answer has a margin below b": b Byzantine workers overturn it."""
    k = len(G[0])
    turned, overturn, most = voters(G, ties, b, answer)
    lines = []
    for place, (j, needed, _) in enumerate(turned):
        if needed > 0:
            row = "".join(f"1 x{i + 1} " for i in range(k) if G[j][i])
            lines.append(f"{row}-{needed} x{k + 1 + place} >= 0 ;")
    lines.append("".join(f"-1 x{i + 1} " for i in range(k)) + f">= {-most} ;")
    lines.append("".join(f"{t[2]} x{k + 1 + place} " for place, t in enumerate(turned)) + f">= {overturn} ;")
    return "\n".join([f"* #variable= {k + len(turned)} #constraint= {len(lines)}", *lines]) + "\n"


def totalizer(inputs, most, clauses, variables):
    """Literals d_1 … d_most, where d_i implies that at least i of the inputs are true."""
    if len(inputs) <= 1:
        return list(inputs)
    half = len(inputs) // 2
    left = totalizer(inputs[:half], most, clauses, variables)
    right = totalizer(inputs[half:], most, clauses, variables)
    outputs = []
    for _ in range(min(len(inputs), most)):
        variables[0] += 1
        outputs.append(variables[0])
    for i in range(len(left) + 1):
        for j in range(len(right) + 1):
            if i + j < len(outputs):
                clauses.append([-outputs[i + j], *left[i:i + 1], *right[j:j + 1]])
    return outputs


def dimacs(G, ties, b, answer):
    """The same formula as DIMACS text."""
    k = len(G[0])
    turned, overturn, most = voters(G, ties, b, answer)
    clauses, variables = [], [k + len(turned)]
    clauses.append([totalizer([-x for x in range(1, k + 1)], k - most, clauses, variables)[k - most - 1]])
    units = []
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


def check(certificate, folder):
    """Yields (what was checked, whether it holds)."""
    G, claim, kind = certificate["G"], certificate["claim"], certificate["kind"]
    ties, b = claim["ties"], claim["b"]
    yield "the schema is ecode/certificate/1", certificate["schema"] == "ecode/certificate/1"
    yield "G is n rows of k entries 0 or 1", len(G) == certificate["n"] and all(
        len(row) == certificate["k"] and all(entry in (0, 1) for entry in row) for row in G)
    yield "the digest is G's", certificate["digest"] == matrix_digest(G)
    yield "b is at most n", 0 <= b <= len(G)
    yield "the tie rule is one of the four", ties in ("adversarial", "zero", "one", "abstain")
    sides, least = certificate.get("sides", []), b
    if kind == "refutation":
        attack = certificate["counterexample"]
        yield "the verdict is refuted", claim["verdict"] == "refuted"
        yield f"an attack by at most {b} workers", overturns(G, ties, b, attack)
        least = claim.get("smallest_margin")
        yield "sides where a smallest margin is claimed", bool(sides) == (least is not None)
        yield "the attack's message has the smallest margin", not sides or margin(G, ties, attack["message"]) == least
    else:
        yield "the kind is cutting-planes or drat", kind in ("cutting-planes", "drat")
        yield "the verdict is tolerant", claim["verdict"] == "tolerant"
    if kind != "refutation" or sides:
        yield "every side is there that must be proved", [s["answer"] for s in sides] == deciding_sides(G, ties)
        for side in sides:
            text = (dimacs if kind == "drat" else formula)(G, ties, least, side["answer"])
            name = f"side-{side['answer']}"
            yield f"{name}: the formula is the claim's", side["formula"] == sha256(text)
            if folder:
                os.makedirs(folder, exist_ok=True)
                for end, content in zip(("cnf", "drat") if kind == "drat" else ("opb", "pbp"), (text, side["proof"])):
                    with open(os.path.join(folder, f"{name}.{end}"), "w", encoding="utf-8") as file:
                        file.write(content)
    if "tight" in certificate or "radius" in claim:
        yield "the radius is b", claim.get("radius") == b
        yield f"an attack by {b + 1} workers", overturns(G, ties, b + 1, certificate["tight"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("certificate", nargs="+")
    parser.add_argument("--extract", metavar="FOLDER", help="write formulas and proofs here")
    options = parser.parse_args()
    valid = True
    for name in options.certificate:
        try:
            with open(name, encoding="utf-8") as file:
                certificate = json.load(file)
            results = list(check(certificate, options.extract))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            results = [(f"a certificate: {type(error).__name__}: {error}", False)]
        for what, holds in results:
            print("ok  " if holds else "FAIL", what)
        holds = all(holds for _, holds in results)
        proofs = ", but for the proofs: --extract them for another checker" if holds and "sides" in certificate else ""
        print(f"{name}: {'valid' if holds else 'INVALID'}{proofs}")
        valid &= holds
    sys.exit(0 if valid else 1)


if __name__ == "__main__":
    main()
