#!/usr/bin/env python3
"""Checks ecode certificates with nothing but Python: docs/certificates.md in code, proofs included.

Usage: check.py [--recount] [--extract FOLDER] CERTIFICATE...
Everything that a certificate names is computed here: digests, formulas, margins, attacks, which sides must be proved, small
counts message by message, the premises of the gluing theorem. Proofs are replayed step by step, the plainest way; `--extract` writes
each side's formula, made here, and its proof, for checkers such as veripb or rate. `--recount` counts again whatever that takes.
Exit code 0: valid; 1: no certificate, or it does not show what it claims; 3: a count that would have to be believed.
"""

import collections
import hashlib
import itertools
import json
import math
import pathlib
import re
import sys

RULES = ("adversarial", "zero", "one", "abstain")
LIMIT = 2**63 - 1


class Refused(Exception):
    """Why a certificate is not accepted."""


class Unproved(Exception):
    """Nothing contradicts the certificate, and nothing proves it."""


def require(holds, what):
    if not holds:
        raise Refused(what)


def sha256(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


# The file: every field has its type, none is unknown, none stands twice.

def once(pairs):
    fields = dict(pairs)
    require(len(fields) == len(pairs), "a field stands twice")
    return fields


def whole(least, most):
    return lambda value: type(value) is int and least <= value <= most


def text(value):
    return type(value) is str


def digits(most):
    return lambda value: text(value) and re.fullmatch("0|[1-9][0-9]{0,1299}", value) and int(value) <= most


def one_of(*values):
    return lambda value: text(value) and value in values


def items(entry, most=4096):
    return lambda value: type(value) is list and len(value) <= most and all(map(entry, value))


def fields(needed, optional=None):
    """An object with these fields; an optional one may be null, which says the same as its absence."""
    def matches(value):
        if type(value) is not dict or not set(needed) <= set(value) <= set(needed) | set(optional or {}):
            return False
        return all(test(value[name]) for name, test in needed.items()) and all(
            value.get(name) is None or test(value[name]) for name, test in (optional or {}).items())
    return matches


def points(shape):
    """How many points a cut into parts has; 0 where it is none."""
    if whole(1, 4096)(shape):
        return shape
    if type(shape) is dict:
        return shape["counted"] if set(shape) == {"counted"} and whole(1, 4096)(shape["counted"]) else 0
    inner = [points(part) for part in shape] if type(shape) is list else []
    return sum(inner) if all(inner) else 0


BIT = whole(0, 1)
NUMBER = whole(0, 2**64 - 1)
MARGIN = whole(-2**63, LIMIT)
INDICES = items(NUMBER)
ATTACK = fields({"message": INDICES, "byzantine": INDICES, "decoded": BIT, "correct": BIT,
                 "sent": items(lambda bit: bit is None or BIT(bit))})
CLAIM = fields({"verdict": one_of("tolerant", "refuted"), "b": NUMBER, "ties": one_of(*RULES)},
               {"radius": NUMBER, "smallest_margin": MARGIN})
SIDE = fields({"answer": BIT, "formula": text, "proof": text})
COUNTED = fields({"answer": BIT, "margins": items(
    lambda pair: type(pair) is list and len(pair) == 2 and MARGIN(pair[0]) and digits(10**1300)(pair[1]), 8194)})
PART = fields({"from": digits(2**64 - 1), "to": digits(2**64 - 1),
               "contents": lambda value: text(value) and re.fullmatch("sha256:[0-9a-f]{64}", value)})
CERTIFICATE = fields(
    {"schema": one_of("ecode/certificate/1"), "program": text, "digest": text, "n": NUMBER, "k": NUMBER,
     "G": items(items(BIT)), "claim": CLAIM,
     "kind": one_of("refutation", "cutting-planes", "drat", "gluing", "enumeration")},
    {"reductions": items(text, 1), "counterexample": ATTACK, "sides": items(SIDE, 2), "tight": ATTACK,
     "shape": lambda shape: type(shape) is list and 1 <= points(shape) <= 4096, "worst": INDICES,
     "counted": items(COUNTED, 2), "choices": digits(2**64 - 1), "parts": items(PART, 2**20)})


DISTORTION = fields(
    {"schema": one_of("ecode/distortion-certificate/1"), "program": text, "digest": text, "n": NUMBER, "k": NUMBER,
     "G": items(items(BIT)), "liars": NUMBER, "files": NUMBER, "formula": text, "proof": text}, {"worst": INDICES})


def document(data):
    """What a file says, whatever it is."""
    def no_number(name):
        raise Refused(f"{name} is no whole number")
    said = json.loads(data.decode(), object_pairs_hook=once, parse_float=no_number, parse_constant=no_number,
                      parse_int=lambda digits: int(digits) if digits != "-0" else no_number(digits))
    json.dumps(said, ensure_ascii=False).encode()  # Fails on half a character.
    return said


def read(certificate):
    """A certificate as a dictionary without nulls."""
    if type(certificate) is dict and text(certificate.get("schema")):
        require(certificate["schema"] == "ecode/certificate/1", "the schema is none that this checker reads")
    require(CERTIFICATE(certificate), "a field is missing, unknown or not of its type")
    require(all(certificate.get(name, []) is not None for name in ("reductions", "sides")), "a list is null")
    for part in (certificate, certificate["claim"]):
        for name in [name for name, value in part.items() if value is None]:
            del part[name]
    G, n, k = certificate["G"], certificate["n"], certificate["k"]
    require(n > 0 and k > 0 and len(G) == n and all(len(row) == k for row in G), "G is n rows of k entries")
    for attack in (certificate.get("counterexample"), certificate.get("tight")):
        require(attack is None or increasing(attack["message"], k) and increasing(attack["byzantine"], n)
                and len(attack["sent"]) == n, "an attack on n workers and k partitions")
    require(increasing(certificate.get("worst", []), k), "worst is a list of partitions")
    for side in certificate.get("counted", []):
        margins = [margin for margin, _ in side["margins"]]
        require(margins == sorted(set(margins)) and all(count != "0" for _, count in side["margins"]),
                "margins are in increasing order, with messages above zero")
    kind, sides = certificate["kind"], certificate.get("sides", [])
    counts = [name in certificate for name in ("worst", "counted", "choices", "parts")]
    least, attack = "smallest_margin" in certificate["claim"], "counterexample" in certificate
    require(all(counts) if kind == "enumeration" else not any(counts), "what was counted, for an enumeration")
    require((kind == "gluing") == ("shape" in certificate), "a shape, for gluing")
    require({"enumeration": not sides and least, "refutation": attack and least == bool(sides),
             "gluing": not (attack or sides or least)}.get(kind, sides and not attack and not least),
            f"kind {kind} has what it needs and nothing else")
    return certificate


def increasing(indices, below):
    return all(i < j for i, j in zip(indices, indices[1:])) and (not indices or indices[-1] < below)


# The definitions (docs/theory.md, sections 1 to 3).

def honest_vote(row, message, ties):
    """1, 0, or None for silence."""
    twice, load = 2 * sum(row[i] for i in message), sum(row)
    if twice != load:
        return int(twice > load)
    wrong = 1 - int(2 * len(message) > len(row))
    return {"adversarial": wrong, "zero": 0, "one": 1, "abstain": None}[ties]


def overturns(G, ties, b, attack):
    """Whether at most b Byzantine workers overturn the message, as the attack says."""
    message, liars, sent = attack["message"], attack["byzantine"], attack["sent"]
    lies = (0, 1, None) if ties == "abstain" else (0, 1)
    honest = all(sent[j] in (lies if j in liars else [honest_vote(G[j], message, ties)]) for j in range(len(G)))
    correct, decoded = int(2 * len(message) > len(G[0])), int(sent.count(1) > sent.count(0))
    said = attack["correct"], attack["decoded"]
    return len(liars) <= b and honest and decoded != correct and said == (correct, decoded)


def odd_loads(G):
    return all(sum(row) % 2 for row in G)


def deciding_sides(G, ties):
    """The correct answers whose formulas must have no solution (Theorem 3 of docs/theory.md)."""
    if len(G) % 2 and (odd_loads(G) or ties in ("adversarial", "one")):
        return [0]
    return [1] if len(G[0]) % 2 and (odd_loads(G) or ties != "one") else [0, 1]


def reductions(G, ties):
    sides = deciding_sides(G, ties)
    because = "all loads are odd" if odd_loads(G) else f"ties: {ties}"
    size = f"n = {len(G)}" if sides == [0] else f"k = {len(G[0])}"
    return [f"side {sides[0]} stands for both: {size} is odd and {because}"] if len(sides) == 1 else []


def margin(G, ties, message):
    """How many Byzantine workers the message survives; negative where it decodes wrong with none."""
    correct = int(2 * len(message) > len(G[0]))
    votes = [honest_vote(row, message, ties) for row in G]
    return (votes.count(correct) - votes.count(1 - correct) - correct) // 2


# The formulas (docs/formats.md, "The claim as a formula").

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


def inequalities(G, ties, b, answer):
    """"Some message with this answer has a margin below b": pairs (terms, at least), a term (coefficient, variable)."""
    return system(G, *voters(G, ties, b, answer))


def system(G, turned, overturn, most):
    """"At most so many columns turn rows of so many units"."""
    k = len(G[0])
    rows = [([(1, i + 1) for i in range(k) if G[j][i]] + [(-needed, k + 1 + place)], 0)
            for place, (j, needed, _) in enumerate(turned) if needed > 0]
    weight = ([(-1, i + 1) for i in range(k)], -most)
    return [*rows, weight, ([(t[2], k + 1 + place) for place, t in enumerate(turned)], overturn)], k + len(turned)


def opb(formula, variables):
    lines = ["".join(f"{a} x{x} " for a, x in terms) + f">= {least} ;" for terms, least in formula]
    return "\n".join([f"* #variable= {variables} #constraint= {len(lines)}", *lines]) + "\n"


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
            clauses.append(list(dict.fromkeys([-outputs[i + j], *left[i:i + 1], *right[j:j + 1]])))
    return outputs


def cnf(G, ties, b, answer):
    """The same formula as clauses, and how many variables they have."""
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
    return clauses, variables[0]


def dimacs(clauses, variables):
    lines = [" ".join(map(str, [*clause, 0])) for clause in clauses]
    return "\n".join([f"p cnf {variables} {len(clauses)}", *lines]) + "\n"


# Proofs in cutting planes. An inequality is ({literal: coefficient above 0}, degree); ~x is -x.

def words(line):
    return re.findall("[^ \t\n\f\r]+", line)


def trim(line):
    return line.strip(" \t\n\f\r")


def lines_of(proof):
    lines = proof.split("\n")
    return lines if lines[-1] else lines[:-1]


def integer(word, least=-2**63, most=LIMIT):
    require(re.fullmatch("-?[0-9]{1,4000}", word) and (least < 0 or word[0] != "-"), f"'{word[:50]}' is no number")
    require(least <= int(word) <= most, f"'{word[:50]}' is too large or too small")
    return int(word)


def bounded(terms, degree):
    require(sum(terms.values()) <= LIMIT and -2**63 <= degree <= LIMIT, "a number grows beyond 64 bits")
    return terms, degree


def normal(terms, degree):
    """From pairs (coefficient, literal)."""
    by_variable = collections.Counter()
    for a, literal in terms:
        by_variable[abs(literal)] += a if literal > 0 else -a
        degree -= a if literal < 0 else 0
    degree -= sum(a for a in by_variable.values() if a < 0)
    return bounded({x if a > 0 else -x: abs(a) for x, a in sorted(by_variable.items()) if a}, degree)


def plus(first, second):
    pairs = [(a, literal) for terms, _ in (first, second) for literal, a in terms.items()]
    return normal(pairs, bounded({}, first[1] + second[1])[1])


def denied(inequality):
    terms, degree = inequality
    return bounded({-literal: a for literal, a in terms.items()}, sum(terms.values()) - degree + 1)


def conflict(known, repeat=True):
    """Whether propagation from nothing assigned leads to an inequality that cannot hold. Without `repeat` each is looked at once."""
    false, again = set(), True
    while again:
        again = False
        for terms, degree in known:
            slack = sum(a for literal, a in terms.items() if literal not in false) - degree
            if slack < 0:
                return True
            for literal, a in terms.items():
                if a > slack and literal not in false and -literal not in false:
                    false.add(-literal)
                    again = repeat
    return False


class CuttingPlanes:
    """Replays a proof, line by line."""

    def __init__(self, formula, variables):
        self.variables = variables
        self.known = {number + 1: normal(*entry) for number, entry in enumerate(formula)}
        self.last = len(self.known)

    def literal(self, word):
        name = re.fullmatch("(~?)x([0-9]{1,20})", word)
        require(name and 1 <= int(name[2]) <= self.variables, f"'{word[:50]}' is no variable of the formula")
        return -int(name[2]) if name[1] else int(name[2])

    def number(self, word):
        number = integer(word, 0)
        require(number in self.known, f"there is no inequality {number}")
        return number

    def inequality(self, line):
        left, found, right = line.partition(">=")
        require(found, "expected '>='")
        tokens = words(left)
        require(len(tokens) % 2 == 0 and len(tokens) <= 4 * self.variables + 2, "coefficients and variables in turn")
        pairs = [(integer(a), self.literal(x)) for a, x in zip(tokens[::2], tokens[1::2])]
        return normal(pairs, integer(trim(right)))

    def pol(self, tokens):
        stack = []
        while tokens:
            token, operation = tokens.pop(0), tokens[0] if tokens[:1] in (["*"], ["d"]) else None
            require(stack or not (operation or token in "+s"), "an operation needs an inequality")
            if operation:
                tokens.pop(0)
                number, (terms, degree) = integer(token, 1), stack.pop()
                if operation == "*":
                    result = bounded({literal: a * number for literal, a in terms.items()}, degree * number)
                else:
                    result = {literal: -(-a // number) for literal, a in terms.items()}, -(-degree // number)
            elif token == "+":
                require(len(stack) > 1, "'+' needs two inequalities")
                result = plus(stack.pop(-2), stack.pop())
            elif token == "s":
                terms, degree = stack.pop()
                most = max(degree, 0)
                result = {literal: min(a, most) for literal, a in terms.items() if most}, degree
            elif token[0] in "x~":
                result = {self.literal(token): 1}, 0
            else:
                result = self.known[self.number(token)]
            stack.append(result)
        require(len(stack) == 1, "one inequality should remain")
        return stack[0]

    def red(self, line):
        left, found, substitution = line.partition(" : ")
        require(found, "expected an inequality, ':' and a substitution")
        claimed, image, tokens = self.inequality(left), {}, words(substitution)
        require(len(tokens) % 3 == 0, "expected 'x1 -> x2' and so on")
        for old, arrow, new in zip(tokens[::3], tokens[1::3], tokens[2::3]):
            require(arrow == "->" and self.literal(old) > 0, "only variables are replaced")
            image[self.literal(old)] = self.literal(new)
        known = [(dict(terms), degree) for terms, degree in self.known.values()]
        for goal, needed in [(claimed, True), *((entry, False) for entry in known)]:
            terms, degree = goal
            pairs = [(a, image.get(x, x) if x > 0 else -image.get(-x, -x)) for x, a in terms.items()]
            rewritten = normal(pairs, degree)
            if needed or rewritten not in known:
                require(conflict([*known, denied(claimed), denied(rewritten)]),
                        "the substitution does not keep every inequality")
        return claimed

    def replay(self, proof):
        stage = "start"
        for line in filter(None, map(trim, lines_of(proof))):
            if line[0] == "%":
                continue
            if stage == "start":
                require(line == "pseudo-Boolean proof version 3.0", "expected the first line")
                stage = "steps"
                continue
            require(line[-1] == ";", "a line ends with ';'")
            rule, _, rest = line[:-1].partition(" ")
            derived = None
            if stage == "steps" and rule == "f":
                require(integer(trim(rest), 0) == self.last, f"the formula has {self.last} inequalities")
            elif stage == "steps" and rule == "pol":
                derived = self.pol(words(rest))
            elif stage == "steps" and rule == "rup":
                claimed, found, hints = rest.partition(" : ")
                derived = self.inequality(claimed)
                known = [*self.known.values(), denied(derived)]
                if found:
                    known = [denied(derived) if word == "~" else self.known[self.number(word)] for word in words(hints)]
                require(conflict(known, not found), "propagation does not lead to a conflict")
            elif stage == "steps" and rule == "red":
                derived = self.red(rest)
            elif stage == "steps" and rule == "del":
                require(rest.startswith("id "), "expected 'del id'")
                for number in words(rest[3:]):
                    del self.known[self.number(number)]
            elif stage == "steps" and rule == "output" and trim(rest) == "NONE":
                stage = "output"
            elif stage == "output" and rule == "conclusion":
                require(rest.startswith("UNSAT :"), "expected 'conclusion UNSAT : ' and a number")
                terms, degree = self.known[self.number(trim(rest[7:]))]
                require(sum(terms.values()) < degree, "the last inequality is no contradiction")
                stage = "concluded"
            elif stage == "concluded" and rule == "end" and trim(rest) == "pseudo-Boolean proof":
                stage = "end"
            else:
                raise Refused(f"'{rule[:50]}' is not expected here")
            if derived is not None:
                self.last += 1
                self.known[self.last] = derived
        require(stage == "end", "the proof ends before its conclusion")


# DRAT proofs of which every step follows by unit propagation.

def propagated(clauses, true):
    """What unit propagation makes true besides; None on a conflict."""
    true, again = set(true), True
    if any(-literal in true for literal in true):
        return None
    while again:
        again = False
        for clause in clauses:
            if not true.intersection(clause):
                free = [literal for literal in clause if -literal not in true]
                if not free:
                    return None
                if len(free) == 1:
                    true.add(free[0])
                    again = True
    return true


def replay_drat(clauses, variables, proof):
    def clause_of(literals):
        clause = frozenset(literals)
        return None if any(-literal in clause for literal in clause) else clause
    known = collections.Counter(filter(None.__ne__, map(clause_of, clauses)))
    for line in lines_of(proof):
        deletes = line.startswith("d ")
        numbers = [integer(word, -variables, variables) for word in words(line[2 * deletes:])]
        require(numbers[-1:] == [0] and 0 not in numbers[:-1], "a clause ends with 0")
        clause = clause_of(numbers[:-1])
        if clause is None:
            continue
        if deletes:
            if known[clause] > 1:
                known[clause] -= 1
            elif known[clause] == 1:
                # A clause that makes a literal true by itself is kept, which is always sound.
                true = propagated(known, ()) or set()
                if len(clause & true) != 1 or any(-literal not in true for literal in clause - true):
                    del known[clause]
            continue
        require(propagated(known, {-literal for literal in clause}) is None, "propagation does not lead to a conflict")
        if not clause:
            return
        known[clause] += 1
    raise Refused("the empty clause is not reached")


# Enumeration records.

def alike(columns):
    """Equal entries merged: how often each stands."""
    return list(collections.Counter(columns).items())


def choices_of(sizes, total):
    """Every way to take so many in all out of classes of these sizes."""
    if not sizes:
        yield from [()] if total == 0 else []
        return
    for first in range(max(0, total - sum(sizes[1:])), min(sizes[0], total) + 1):
        yield from ((first, *rest) for rest in choices_of(sizes[1:], total - first))


def how_many(sizes, total):
    ways = [1] + [0] * total
    for size in sizes:
        ways = [sum(ways[max(0, taken - size):taken + 1]) for taken in range(total + 1)]
    return ways[total]


def counted_again(G, ties, answer, weight):
    """Messages by margins, by the definitions: of equal columns it matters only how many are ones."""
    classes = alike(zip(*G))
    ones = len(G[0]) - weight if answer else weight
    places = [[i for i in range(len(G[0])) if tuple(row[i] for row in G) == column] for column, _ in classes]
    histogram = collections.Counter()
    for choice in choices_of([size for _, size in classes], ones):
        message = [i for taken, place in zip(choice, places) for i in place[:taken]]
        histogram[margin(G, ties, message)] += math.prod(
            math.comb(size, taken) for taken, (_, size) in zip(choice, classes))
    return histogram


def enumeration(certificate, G, ties, b, least, recount):
    """An enumeration record: what can be had without counting, and small counts again; whether that was done."""
    n, k, worst, attack = len(G), len(G[0]), certificate["worst"], certificate.get("counterexample")
    votes, again = 0, []
    for side in certificate["counted"]:
        margins, answer = {m: int(messages) for m, messages in side["margins"]}, side["answer"]
        turned, _, weight = voters(G, ties, 0, answer)
        require(sum(margins.values()) == math.comb(k, weight), "every message is counted once")
        if ties != "abstain" or odd_loads(G):
            loads = collections.Counter((sum(G[j]), needed) for j, needed, _ in turned)
            require(all(m <= (n - answer) // 2 for m in margins), "no margin is larger than without any wrong vote")
            require(sum(messages * ((n - answer) // 2 - m) for m, messages in margins.items()) == sum(
                times * math.comb(load, s) * math.comb(k - load, weight - s) for (load, needed), times in loads.items()
                for s in range(needed, min(load, weight) + 1)), "the wrong votes are those of the rows")
        votes += n * how_many([size for _, size in alike(zip(*G))], k - weight if answer else weight)
        again.append((margins, answer, weight))
    smallest = min((m for side in certificate["counted"] for m, _ in side["margins"]), default=None)
    require(margin(G, ties, worst) == least == smallest, "the worst message has the smallest margin")
    cuts = ["0", *(end for part in certificate["parts"] for end in (part["from"], part["to"])), certificate["choices"]]
    require(cuts[::2] == cuts[1::2] and all(int(p["from"]) < int(p["to"]) for p in certificate["parts"]),
            "the parts leave no gap")
    require((least < b) == (attack is not None), "a counterexample exactly where the claim is refuted")
    require(attack is None or overturns(G, ties, b, attack), "the counterexample replays")
    if not recount and votes > 2 * 10**6:
        return False
    for margins, answer, weight in again:
        require(counted_again(G, ties, answer, weight) == margins, "counted again, message by message")
    return True


# The gluing theorem (docs/theory/lighter.md).

def gluing(G, b, shape):
    n, t = len(G), (len(G) - 1) // 2
    require(n == len(G[0]) and n % 2 == 1 and 1 <= b <= t and odd_loads(G), "n = k and all loads are odd, 1 <= b <= t")
    rows = [[i for i in range(n) if row[i]] for row in G]
    alone = [row[0] for row in rows if len(row) == 1]
    require(len(alone) == len(set(alone)) == t - b, "t - b workers hold one partition each, all different")
    inside = [i for i in range(n) if i not in alone]
    require(sum(map(points, shape)) == len(inside), "the parts have as many points as there are")
    local = [row for row in rows if 1 < len(row) < n]
    require(all(i in inside for row in local for i in row), "local rows hold no partition that is held alone")
    valid(shape, [[inside.index(i) for i in row] for row in local], b, t)


def valid(shape, rows, b, t):
    """Whether the rows win at most max(0, |K| - b) with any K of at most t points, part by part."""
    before = 0
    for part in shape:
        m = points(part)
        own = [([i - before for i in row if i >= before], sum(i < before for i in row))
               for row in rows if before <= max(row) < before + m]
        if type(part) is int:
            enumerated(m, own, before, b, t)
        elif type(part) is dict:
            loads = sorted(len(new) for new, _ in own)
            require(not any(old for _, old in own) and all(load >= 2 * (b + i) + 1 for i, load in enumerate(loads)),
                    "a counted part has rows inside it that are heavy enough")
        else:
            over = sorted((old for _, old in own if old), reverse=True)
            require(m >= 2 * b and before >= m - 1 and over == [m + 1 - 2 * i for i in range(1, b + 1)]
                    and all(len(new) == m for new, old in own if old), "b rows over the whole part, as the lemma wants them")
            family = [new for new, old in own if not old]
            require(len(family) <= m - 2 * b, "at most m - 2b rows inside the part")
            valid(part, family, b, t)
        before += m


def enumerated(m, own, before, b, t):
    kinds = alike(tuple(i in new for new, _ in own) for i in range(m))
    for choice in itertools.product(*(range(size + 1) for _, size in kinds)):
        inside = sum(choice)
        if inside > t:
            continue
        seen = [sum(taken for taken, (kind, _) in zip(choice, kinds) if kind[row]) for row in range(len(own))]
        most = min(before, t - inside)
        for c in [*range(min(b, most + 1)), *([most] if most >= b else [])]:
            won = sum(2 * (s + min(c, old)) > len(new) + old for s, (new, old) in zip(seen, own))
            require(won <= (max(0, inside + c - b) if c < b else inside), "a part wins too many rows")


# Distortion: liars overturn a file when they hold half of its copies or more (docs/schemes.md).

def distortion(certificate, folder):
    """"No so many liars overturn more than so many files": columns of G take the part of rows, and liars that of ones."""
    require(DISTORTION(certificate), "a field is missing, unknown or not of its type")
    G, n, k, liars = (certificate[name] for name in ("G", "n", "k", "liars"))
    require(0 < n <= 4096 and 0 < k <= 4096 and len(G) == n and all(len(row) == k for row in G), "G is n rows of k entries")
    require(certificate["digest"] == digest(G), "the digest is G's")
    require(liars <= n, "liars are at most n")
    copies = [[row[file] for row in G] for file in range(k)]
    require(all(map(any, copies)), "every file is held")
    worst = certificate.get("worst")
    if worst is not None:
        require(increasing(worst, n) and len(worst) <= liars, "the worst set is of so many liars at most")
        lost = sum(2 * sum(holders[j] for j in worst) >= sum(holders) for holders in copies)
        require(lost == certificate["files"], "the worst set overturns so many files")
    turned = [(file, (sum(holders) + 1) // 2, 1) for file, holders in enumerate(copies)]
    formula = system(copies, turned, certificate["files"] + 1, liars)
    require(certificate["formula"] == sha256(opb(*formula)), "the formula is the claim's")
    for end, content in (("opb", opb(*formula)), ("pbp", certificate["proof"])):
        if folder:
            (folder / f"distortion.{end}").write_text(content, encoding="utf-8", newline="\n")
    CuttingPlanes(*formula).replay(certificate["proof"])
    return "replayed"


# A certificate.

def digest(G):
    return sha256("\n".join([f"ecode/matrix/1\n{len(G)} {len(G[0])}", *("".join(map(str, row)) for row in G)]) + "\n")


def check(data, folder=None, recount=False):
    """What was checked, in words. Raises Refused or Unproved."""
    said = document(data)
    if type(said) is dict and said.get("schema") == "ecode/distortion-certificate/1":
        return distortion(said, folder)
    certificate = read(said)
    G, claim, kind = certificate["G"], certificate["claim"], certificate["kind"]
    ties, b, least, attack = claim["ties"], claim["b"], claim.get("smallest_margin"), certificate.get("counterexample")
    said, sides, tight = certificate.get("reductions", []), certificate.get("sides", []), certificate.get("tight")
    require(certificate["digest"] == digest(G), "the digest is G's")
    require(b <= len(G), "b is at most n")
    answers = [side["answer"] for side in (certificate["counted"] if kind == "enumeration" else sides)]
    if answers or kind == "enumeration":
        require(answers == deciding_sides(G, ties), "every side is there that must be")
        require(said == reductions(G, ties), "what was left out is said")
    else:
        require(not said, "nothing was left out")
    again = kind == "enumeration" and enumeration(certificate, G, ties, b, least, recount)
    if kind == "refutation":
        require(overturns(G, ties, b, attack), "the counterexample replays")
        require(not sides or margin(G, ties, attack["message"]) == least, "the smallest margin is the message's")
    for side in sides:
        answer = side["answer"]
        formula = (cnf if kind == "drat" else inequalities)(G, ties, least if kind == "refutation" else b, answer)
        written = (dimacs if kind == "drat" else opb)(*formula)
        require(side["formula"] == sha256(written), f"side {answer}: the formula is the claim's")
        for end, content in zip(("cnf", "drat") if kind == "drat" else ("opb", "pbp"), (written, side["proof"])):
            if folder:
                (folder / f"side-{answer}.{end}").write_text(content, encoding="utf-8", newline="\n")
        replay_drat(*formula, side["proof"]) if kind == "drat" else CuttingPlanes(*formula).replay(side["proof"])
    if kind == "gluing":
        gluing(G, b, certificate["shape"])
    refuted = kind == "refutation" or kind == "enumeration" and least < b
    require(claim["verdict"] == ("refuted" if refuted else "tolerant"), "the verdict is what the evidence says")
    if kind in ("enumeration", "refutation"):
        require(tight is None, "no further attack")
        shown = least if kind == "enumeration" and least >= 0 else None
        require(claim.get("radius") == shown, "the radius is the smallest margin that was counted, if any")
    else:
        require(tight is None or overturns(G, ties, b + 1, tight), "an attack by b + 1 workers")
        require(claim.get("radius") == (b if tight else None), "the radius is b, where an attack by b + 1 shows it")
    if kind == "enumeration" and not refuted and not again:
        raise Unproved("the counts are the word of the program that made them; --recount counts again")
    return {"gluing": "by the gluing theorem", "enumeration": "counted again" if again else "the refutation"}.get(
        kind, "replayed")


def main(names):
    folder, recount, codes = None, False, set()
    while names[:1] in (["--extract"], ["--recount"]):
        if names.pop(0) == "--recount":
            recount = True
        elif names:
            folder = pathlib.Path(names.pop(0))
            folder.mkdir(parents=True, exist_ok=True)
    if not names or names[0].startswith("-"):
        sys.exit(__doc__)
    for name in names:
        try:
            outcome, code = f"valid ({check(pathlib.Path(name).read_bytes(), folder, recount)})", 0
        except Unproved as why:
            outcome, code = f"consistent, but NOT PROVED: {why}", 3
        except (Refused, OSError, ValueError, RecursionError) as why:
            outcome, code = f"INVALID: {ascii(str(why))[1:-1][:200]}", 1
        print(f"{ascii(name)[1:-1]}: {outcome}")
        codes.add(code)
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
