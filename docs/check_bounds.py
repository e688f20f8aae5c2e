#!/usr/bin/env python3
"""Checks certificates of lower bounds (ecode/bound-certificate/1) with nothing but Python: docs/certificates.md in code.

Usage: check_bounds.py CERTIFICATE...
The rule "exhaustion" is checked as docs/theory/exhaustion.md, Proposition 49, says: every family that is listed is grown by every row.
The rules that are formulas are worked out. The rule "second moment" is left to `ecode check`.
Exit code 0: valid; 1: no certificate, or it does not show what it claims; 3: a rule that this script does not check.
"""

import itertools
import json
import pathlib
import sys

MOST = 15


class Refused(Exception):
    """Why a certificate is not accepted."""


class Unchecked(Exception):
    """A rule that is not for this script."""


def require(holds, what):
    if not holds:
        raise Refused(what)


def number(value, least, most):
    require(type(value) is int and least <= value <= most, f"expected a number from {least} to {most}: {value!r:.40}")
    return value


def list_of(value, what, most):
    require(type(value) is list and len(value) <= most, f"expected a list of at most {most}: {what}")
    return value


def load(row):
    return row.bit_count()


class Messages:
    """The messages of weight t = (n - 1)/2. A set of them is a number, a bit for each."""

    def __init__(self, n):
        self.n = n
        self.every = [sum(1 << i for i in chosen) for chosen in itertools.combinations(range(n), n // 2)]
        self.winning = {}

    def those(self, true):
        return sum(1 << x for x, message in enumerate(self.every) if true(message))

    def win(self, row):
        """Those that hold at least half of a row: its worker can be wrong."""
        if row not in self.winning:
            self.winning[row] = self.those(lambda message: 2 * load(message & row) >= load(row))
        return self.winning[row]

    def win_at_least(self, rows, least):
        """Those that win at least so many of the rows."""
        reached = [(1 << len(self.every)) - 1] + [0] * least
        for row in rows:
            for count in range(least, 0, -1):
                reached[count] |= reached[count - 1] & self.win(row)
        return reached[least]


def label(n, singles, family):
    """The family with its partitions renamed (light rows stay) and its rows in order: the same for two families only if they
    differ by names. The least over the orders that a refinement of colours leaves."""
    single = list(singles) + [0] * (n - len(singles))
    best = []

    def ranks(values):
        rank = {value: at for at, value in enumerate(sorted(set(values)))}
        return [rank[value] for value in values]

    def search(partitions, rows):
        colours = 0
        while True:
            partitions = ranks([(partitions[i], tuple(sorted(rows[j] for j, row in enumerate(family) if row >> i & 1)))
                                for i in range(n)])
            rows = ranks([(rows[j], tuple(sorted(partitions[i] for i in range(n) if row >> i & 1)))
                          for j, row in enumerate(family)])
            now = len(set(partitions)) + len(set(rows))
            if now == colours:
                break
            colours = now
        for colour in sorted(set(rows)):
            alike = sorted({row for row, its in zip(family, rows) if its == colour})
            if len(alike) > 1:
                for first in alike:
                    search(partitions, [2 * its + (its == colour and row != first) for row, its in zip(family, rows)])
                return
        order = sorted(range(len(family)), key=lambda j: (load(family[j]), rows[j]))
        places = sorted(range(n), key=lambda i: (-single[i], [-(family[j] >> i & 1) for j in order]))
        renamed = [sum(1 << to for to, i in enumerate(places) if row >> i & 1) for row in family]
        best.append(tuple(sorted(renamed, key=lambda row: (load(row), row))))

    search(single, [load(row) for row in family])
    return min(best)


def light_rows(most):
    """How many rows are empty, and how many hold nothing but each partition of S."""
    def singles(left, largest):
        yield ()
        for first in range(1, min(left, largest) + 1):
            for rest in singles(left - first, first):
                yield (first, *rest)
    return [(empty, chosen) for empty in range(most + 1) for chosen in singles(most - empty, most)]


class Case:
    """One choice of light rows: the other rows have at most `ones` ones in all."""

    def __init__(self, messages, b, ones, empty, singles):
        self.messages, self.n, self.b, self.singles = messages, messages.n, b, singles
        self.light = [0] * empty + [1 << i for i, rows in enumerate(singles) for _ in range(rows)]
        self.heavy = self.n - len(self.light)
        self.ones = ones - sum(singles)
        n, s = self.n, len(singles)
        self.classes = []
        for j in range(s + 1):
            those = messages.those(lambda message: load(message & ((1 << s) - 1)) == j)
            wins = {n: 0}
            for weight in range(3, n, 2):
                rows = [(1 << a) - 1 | ((1 << weight - a) - 1) << s for a in range(max(0, weight - n + s), min(weight, s) + 1)]
                wins[weight] = min((messages.win(row) & those).bit_count() for row in rows)
            least = {lightest: self.table(wins, lightest) for lightest in wins}
            light = sum((messages.win(row) & those).bit_count() for row in self.light)
            self.classes.append((those, those.bit_count() * (n // 2 - b) - light, least))

    def table(self, wins, lightest):
        """The least wins of so many rows, none lighter, with at most so many ones."""
        table = [[0] * (self.ones + 1)]
        for _ in range(self.heavy):
            table.append([min((table[-1][sum_ - weight] + its for weight, its in wins.items() if lightest <= weight <= sum_),
                              default=float("inf")) for sum_ in range(self.ones + 1)])
        return table

    def has_room(self, family):
        lacking, left = self.heavy - len(family), self.ones - sum(map(load, family))
        if left < 0:
            return False
        missing = [max(0, 2 * self.b + 1 - (self.singles[i] if i < len(self.singles) else 0) - sum(row >> i & 1 for row in family))
                   for i in range(self.n)]
        if max(missing) > lacking or sum(missing) > left:
            return False
        lightest = load(family[-1]) if family else 3
        return all(sum((self.messages.win(row) & those).bit_count() for row in family) + least[lightest][lacking][left] <= most
                   for those, most, least in self.classes)

    def further(self, family):
        """Every row that can come next, but for the names of partitions that the same rows hold."""
        alike = {}
        for i in range(self.n):
            alike.setdefault(tuple(row >> i & 1 for row in self.light + list(family)), []).append(i)
        lightest = load(family[-1]) if family else 3
        for counts in itertools.product(*(range(len(members) + 1) for members in alike.values())):
            if sum(counts) % 2 == 1 and lightest <= sum(counts) < self.n:
                yield sum(1 << i for members, count in zip(alike.values(), counts) for i in members[:count])

    def closed(self, families):
        labels = set()
        for at, family in enumerate(families):
            loads = [load(number(row, 0, 2**self.n - 1)) for row in list_of(family, "a family", self.heavy)]
            require(all(its % 2 == 1 and 3 <= its < self.n for its in loads), f"family {at}: a load is not odd, from 3 to n - 2")
            require(loads == sorted(loads), f"family {at}: a row is lighter than the one before it")
            labels.add(label(self.n, self.singles, family))
        require(() in labels or not self.has_room([]), "the family without rows is not listed")
        for at, family in enumerate(families):
            lacking = self.heavy - len(family)
            require(sum(map(load, family)) + self.n * lacking > self.ones,
                    f"family {at} with full rows beside it is a code with fewer ones")
            tight = self.messages.win_at_least(self.light + family, self.n // 2 - self.b)
            for row in self.further(family) if lacking else ():
                grown = family + [row]
                if not self.messages.win(row) & tight and self.has_room(grown):
                    require(label(self.n, self.singles, grown) in labels, f"family {at} with the row {row:#b} is not listed")


def check(file):
    require(type(file) is dict and file.get("schema") == "ecode/bound-certificate/1", "the schema is none that this script reads")
    known = {"schema", "program", "n", "b", "ones", "rule", "cases", "closed"}
    require(set(file) <= known and known - {"cases", "closed"} <= set(file), "a field is missing, or one too many")
    n, b = number(file["n"], 3, 4096), number(file["b"], 1, 2048)
    ones = number(file["ones"], 1, n * n)
    require(n % 2 == 1 and b <= n // 2, "n is not odd, or b above (n - 1)/2")
    rule, t = file["rule"], n // 2
    formulas = {"columns": (True, n * (2 * b + 1)), "two rows": (b + 1 == t, n * n - n - 1),
                "three rows": (n >= 9 and b + 2 == t, n * n - 2 * n - 4)}
    if rule in formulas:
        holds, least = formulas[rule]
        require("cases" not in file and "closed" not in file, f"the rule {rule} has no evidence")
        require(holds and ones <= least, f"the rule {rule} does not show it")
    elif rule == "exhaustion":
        require(n <= MOST and "cases" not in file, f"exhaustion is for n up to {MOST}, and has no cases")
        sets = {}
        for entry in list_of(file.get("closed", []), "closed", 75):
            require(type(entry) is dict and set(entry) == {"empty", "singles", "families"}, "a list of families has other fields")
            singles = tuple(number(rows, 1, n) for rows in list_of(entry["singles"], "singles", n))
            key = number(entry["empty"], 0, n), singles
            require(key not in sets, f"the light rows {key} are there twice")
            sets[key] = list_of(entry["families"], "families", 1 << 18)
        messages = Messages(n)
        for empty, singles in light_rows(t - b):
            families = sets.pop((empty, singles), [])
            if sum(singles) < ones:
                Case(messages, b, ones - 1, empty, singles).closed(families)
        require(not sets, "some light rows are none of such a code")
    elif rule == "second moment":
        raise Unchecked("the rule second moment is for `ecode check`")
    else:
        raise Refused("the rule is none")
    return f"no code of {n} workers and {n} partitions that tolerates b = {b} has fewer than {ones} ones"


def main(names):
    codes = {0}
    for name in names:
        try:
            print(f"{name}: valid: {check(json.loads(pathlib.Path(name).read_bytes()))}")
        except Unchecked as why:
            print(f"{name}: not checked: {why}")
            codes.add(3)
        except (Refused, OSError, ValueError, RecursionError) as why:
            print(f"{name}: INVALID: {why}")
            codes.add(1)
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
