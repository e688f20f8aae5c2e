"""The definitions of docs/theory/condition.md, by brute force, and the digests of docs/formats.md: what the proved
checker is compared with. Shares nothing with it."""

import hashlib


def sha256(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def digest(G):
    return sha256(f"ecode/matrix/1\n{len(G)} {len(G[0])}\n" + "".join("".join(map(str, row)) + "\n" for row in G))


def vote(row, message, ties):
    load, seen = sum(row), sum(x & m for x, m in zip(row, message))
    if 2 * seen != load:
        return int(2 * seen > load)
    return {"adversarial": int(2 * sum(message) <= len(message)), "zero": 0, "one": 1, "abstain": None}[ties]


def margin(G, ties, message):
    answer = int(2 * sum(message) > len(message))
    votes = [vote(row, message, ties) for row in G]
    return (votes.count(answer) - votes.count(1 - answer) - answer) // 2


def messages(k):
    return ([bits >> i & 1 for i in range(k)] for bits in range(1 << k))


def smallest_margin(G, ties):
    return min(margin(G, ties, message) for message in messages(len(G[0])))


def deciding(G, ties):
    odd = all(sum(row) % 2 for row in G)
    if len(G) % 2 and (odd or ties in ("adversarial", "one")):
        return [0]
    return [1] if len(G[0]) % 2 and (odd or ties != "one") else [0, 1]


def reductions(G, ties):
    sides = deciding(G, ties)
    if len(sides) == 2:
        return []
    because = "all loads are odd" if all(sum(row) % 2 for row in G) else f"ties: {ties}"
    size = f"n = {len(G)}" if sides == [0] else f"k = {len(G[0])}"
    return [f"side {sides[0]} stands for both: {size} is odd and {because}"]


def formula(G, ties, b, mu):
    """The digest of the claim's formula."""
    n, k = len(G), len(G[0])
    voters = []
    for row in G:
        load = sum(row)
        half, beyond = (load + 1) // 2, load // 2 + 1
        if half == beyond:
            voters.append((row, half, 2))
        elif ties == "abstain":
            voters += [(row, half, 1), (row, beyond, 1)]
        else:
            wrong = ties == "adversarial" or (ties == "one") != bool(mu)
            voters.append((row, half if wrong else beyond, 2))
    bound = n - mu - 2 * b + 1
    if all(units == 2 for _, _, units in voters):
        voters = [(row, needed, 1) for row, needed, _ in voters]
        bound = -(-bound // 2)
    lines = []
    for place, (row, needed, _) in enumerate(voters):
        if needed:
            terms = "".join(f"1 x{i + 1} " for i in range(k) if row[i])
            lines.append(f"{terms}-{needed} x{k + 1 + place} >= 0 ;\n")
    lines.append("".join(f"-1 x{i + 1} " for i in range(k)) + f">= -{(k - mu) // 2} ;\n".replace("-0 ", "0 "))
    lines.append("".join(f"{units} x{k + 1 + place} " for place, (_, _, units) in enumerate(voters)) + f">= {bound} ;\n")
    return sha256(f"* #variable= {k + len(voters)} #constraint= {len(lines)}\n" + "".join(lines))
