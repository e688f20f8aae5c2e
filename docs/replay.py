#!/usr/bin/env python3
"""Trains a run of ecode again, from what docs/randomness.md says and with nothing of ecode's, and compares the parameters.

Usage: replay.py RUN...       each a folder that `ecode train` has written; exit code 0 where every SHA-256 is the same, else 1
       replay.py --vectors    the test vectors of docs/randomness.md

Needs Python 3.9 and NumPy, and expf of the system's C library, which the program calls too. It covers logistic regression on
MNIST's files with votes: any code with odd k and odd loads, momentum at the server or the workers, weight decay, samples held
out, and the attacks none, reverse, omniscient, random and constant. Whatever else a run has is refused by name.
"""

import ctypes
import ctypes.util
import gzip
import hashlib
import json
import pathlib
import sys

import numpy as np

F = np.float32
ORDER, ATTACK, BYZANTINE, VALIDATION = 2, 4, 5, 16
EXPF = ctypes.CDLL(ctypes.util.find_library("m") or "libm.so.6").expf
EXPF.restype, EXPF.argtypes = ctypes.c_float, [ctypes.c_float]


def key(seed):
    """Eight words of 32 bits from a seed: PCG32 (XSH-RR) after each step of its linear generator."""
    words = []
    for _ in range(8):
        seed = (seed * 0x5851F42D4C957F2D + 0xA17654E46FBE17F3) % 2**64
        x, turn = ((seed >> 18 ^ seed) >> 27) % 2**32, seed >> 59
        words.append((x >> turn | x << (32 - turn)) % 2**32)
    return words


def chacha8(words, number):
    """The words of one stream: ChaCha with 8 rounds, a block counter of 64 bits, and the stream's number as nonce."""
    counter = 0
    while True:
        tail = [counter % 2**32, counter >> 32, number % 2**32, number >> 32]
        start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *words, *tail]
        x = list(start)
        for _ in range(4):
            # Four columns, then four diagonals.
            for slant in (0, 1):
                for i in range(4):
                    a, b, c, d = (4 * part + (i + slant * part) % 4 for part in range(4))
                    for into, add, mix, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                        x[into] = (x[into] + x[add]) % 2**32
                        mixed = x[mix] ^ x[into]
                        x[mix] = (mixed << turn | mixed >> (32 - turn)) % 2**32
        yield from ((one + other) % 2**32 for one, other in zip(x, start))
        counter += 1


def stream(seed, purpose, step=0, index=0):
    """Numbers of 64 bits, the low word first."""
    words = chacha8(key(seed), purpose << 56 | index << 40 | step)
    while True:
        low = next(words)
        yield next(words) << 32 | low


def permutation(numbers, length):
    """Fisher and Yates, from the end; a number below m is the high half of 64 random bits times m."""
    order = list(range(length))
    for place in range(length - 1, 0, -1):
        other = next(numbers) * (place + 1) >> 64
        order[place], order[other] = order[other], order[place]
    return order


def idx(folder, name, head):
    """The bytes of an IDX file behind its header; none where there is no such file."""
    for file in (folder / name, folder / f"{name}.gz"):
        if file.is_file():
            data = file.read_bytes()
            data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            sizes = np.frombuffer(data[4:head], ">u4")
            return np.frombuffer(data[head:], np.uint8).reshape([int(size) for size in sizes])
    return None


def samples(folder):
    """Pixels and labels to train on: the training pair, or of the only pair all but every fifth."""
    pairs = {
        name: (idx(folder, f"{name}-images-idx3-ubyte", 16), idx(folder, f"{name}-labels-idx1-ubyte", 8))
        for name in ("train", "t10k")
    }
    present = [name for name, (images, _) in pairs.items() if images is not None]
    images, labels = pairs[present[0]]
    images = images.reshape(len(images), -1)
    if len(present) == 1:
        kept = np.arange(len(images)) % 5 != 4
        images, labels = images[kept], labels[kept]
    return images.astype(F) / F(255), labels.astype(int)


def gradient(weights, rows, labels):
    """The mean gradient of one partition. Sums go in the order of the features, the classes and the samples."""
    logits = np.zeros((len(rows), 10), F)
    for feature in np.flatnonzero(rows.any(axis=0)):
        logits += rows[:, feature, None] * weights[feature]
    logits += weights[-1]
    # The largest is taken off before the exponential.
    shifted = logits - logits.max(axis=1, keepdims=True)
    shares = np.array([[EXPF(float(value)) for value in row] for row in shifted], F)
    total = np.zeros(len(rows), F)
    for column in shares.T:
        total += column
    shares /= total[:, None]
    shares[np.arange(len(rows)), labels] -= F(1)
    slopes = np.zeros_like(weights)
    for row, share in zip(rows, shares):
        used = np.flatnonzero(row)
        slopes[used] += row[used, None] * share
        slopes[-1] += share
    return slopes * (F(1) / F(len(rows)))


def require(holds, what):
    if not holds:
        raise SystemExit(f"replay.py: {what}")


def coins(seed, step, worker, d):
    numbers = stream(seed, ATTACK, step, worker)
    words = np.array([next(numbers) for _ in range(-(-d // 64))], "<u8")
    return np.unpackbits(words.view(np.uint8), bitorder="little")[:d].astype(bool)


def replay(run):
    """The SHA-256 of the parameters of a run, computed anew."""
    config = json.loads((run / "run.json").read_text())["settled"]
    held = {
        "model": "logistic", "aggregator": "vote", "scheme": "vote", "gradient-noise": 0.0, "zero-sign": "balanced",
        "lr-decay-epochs": [], "epochs": None, "batch-reduction": 1.0, "split": "shuffled",
    }  # fmt: skip
    for name, value in held.items():
        require(config.get(name, value) == value, f"{run}: {name} is {config.get(name)}; only {value} is covered")
    require(config["data"].startswith("mnist:"), f"{run}: the data are {config['data']}; only mnist is covered")
    matrix = np.array(json.loads((run / "matrix.json").read_text())["G"], bool)
    n, k = matrix.shape
    loads = matrix.sum(axis=1)
    require(k % 2 == 1 and (loads % 2 == 1).all(), f"{run}: k or a load is even; only odd ones are covered")
    seed, steps, each = config["seed"], config["steps"] or 500, config["batch"]
    rows, labels = samples(pathlib.Path(config["data"].removeprefix("mnist:")))
    count = int(config.get("validation", 0) * len(rows) + 0.5)
    if count:
        out = permutation(stream(seed, VALIDATION), len(rows))[:count]
        kept = np.delete(np.arange(len(rows)), out)
        rows, labels = rows[kept], labels[kept]
    liars, sets = config["byzantine"] or 0, config["byzantine-set"]
    if sets == "random":
        lying = permutation(stream(seed, BYZANTINE), n)[:liars]
    else:
        require(sets == "first", f"{run}: byzantine-set is {sets}; only random and first are covered")
        lying = list(range(liars))
    attack = config["attack"]
    require(
        attack in ("none", "reverse", "omniscient", "random", "constant"),
        f"{run}: attack {attack} is not covered",
    )
    rate, eta, decay = F(config["lr"] or 1e-4), F(config["momentum"]), F(config["weight-decay"])
    at_workers = config["momentum-at"] == "worker"
    weights = np.zeros((rows.shape[1] + 1, 10), F)
    velocity = np.zeros(weights.size, F)
    momentum = np.zeros((k, weights.size), F)
    per_epoch = len(rows) // (k * each)
    for step in range(steps):
        epoch, place = divmod(step, per_epoch)
        if place == 0:
            order = permutation(stream(seed, ORDER, epoch), len(rows))
        batch = order[place * k * each : (place + 1) * k * each]
        messages = np.zeros((k, weights.size), bool)
        for i in range(k):
            chosen = batch[i * each : (i + 1) * each]
            slope = gradient(weights, rows[chosen], labels[chosen]).reshape(-1)
            if at_workers:
                slope = momentum[i] = eta * momentum[i] + (F(1) - eta) * slope
            # A gradient of exactly zero is negative where step + partition is odd.
            messages[i] = slope < 0 if (step + i) % 2 == 0 else slope <= 0
        right = 2 * messages.sum(axis=0) > k
        votes = 2 * (matrix.astype(int) @ messages) > loads[:, None]
        for worker in lying:
            if attack == "reverse":
                votes[worker] ^= True
            elif attack == "omniscient":
                votes[worker] = ~right
            elif attack == "constant":
                votes[worker] = True
            elif attack == "random":
                votes[worker] = coins(seed, step, worker, weights.size)
        direction = np.sign(n - 2 * votes.sum(axis=0)).astype(F)
        flat = weights.reshape(-1)
        velocity = (F(0) if at_workers else eta) * velocity + direction + decay * flat
        flat -= rate * velocity
    return "sha256:" + hashlib.sha256(weights.astype("<f4").tobytes()).hexdigest()


def vectors():
    """What docs/randomness.md prints, line by line."""
    lines = [f"key 0: {' '.join(f'{word:08x}' for word in key(0))}"]
    for numbers in ((0, 2, 0, 0), (0, 2, 1, 0), (1, 5, 0, 0), (7, 4, 3, 2)):
        first = stream(*numbers)
        lines.append(f"stream {' '.join(map(str, numbers))}: {' '.join(f'{next(first):016x}' for _ in range(3))}")
    for seed, purpose, length in ((0, 2, 10), (1, 5, 9), (3, 16, 9)):
        drawn = permutation(stream(seed, purpose), length)
        lines.append(f"permutation {seed} {purpose} {length}: {' '.join(map(str, drawn))}")
    return lines


def main(arguments):
    require(arguments, "no run; see --help")
    if arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0
    if arguments == ["--vectors"]:
        print("\n".join(vectors()))
        return 0
    same = True
    for name in arguments:
        run = pathlib.Path(name)
        said = json.loads((run / "summary.json").read_text())["parameters_digest"]
        found = replay(run)
        same &= said == found
        print(f"{name}: {found}, {'as the summary says' if said == found else f'but the summary says {said}'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
