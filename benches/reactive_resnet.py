"""What one step takes with ResNet-18 where b of n workers may lie: the best known vote code beside reactive redundancy.

Both ways train the same model (torchvision's ResNet-18 with a 3x3 first layer, 11,173,962 parameters) on the same batches for
a few steps, each by the signs that it decodes itself. Every partition's gradient is computed once a step and timed; a worker's
time is that of its partitions, its vote or digests; a step takes as long as its heaviest worker and then the server.
Seconds are those of one thread's processor time, so that other programs on the machine count for little.

    python benches/reactive_resnet.py            # with the Python package and torch: about five minutes on one core

At the end both must have the same parameters, bit for bit.
"""

import argparse
import hashlib
import time

import numpy as np
import torch
import torchvision

from election_coding import Code, design
from election_coding._election_coding import Judge
from election_coding.torch import pack_signs
from election_coding.torch.packing import unpack_signs


def model() -> torch.nn.Module:
    """ResNet-18 for images of 32x32."""
    torch.manual_seed(0)
    net = torchvision.models.resnet18(num_classes=10)
    net.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
    net.maxpool = torch.nn.Identity()
    return net.train()


def signs(net: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor) -> tuple[np.ndarray, float]:
    """The packed signs of a partition's gradient, and the seconds that they took."""
    start = time.thread_time()
    net.zero_grad()
    torch.nn.functional.cross_entropy(net(images), labels).backward()
    packed = pack_signs(torch.cat([p.grad.reshape(-1) for p in net.parameters()]))
    return packed.numpy(), time.thread_time() - start


def timed(work):
    start = time.thread_time()
    done = work()
    return done, time.thread_time() - start


def train(n: int, b: int, code: Code, reactive: bool, steps: int, batch: int):
    """The parameters' digest, and each step's seconds: gradients of the heaviest worker, what it sends, the server."""
    net = model()
    d = sum(p.numel() for p in net.parameters())
    judge = Judge(n, n, b)
    taken = []
    for step in range(steps):
        random = np.random.default_rng(step)
        images = torch.from_numpy(random.standard_normal((n, batch, 3, 32, 32), dtype=np.float32))
        labels = torch.from_numpy(random.integers(0, 10, (n, batch)))
        held = judge.begin(list(range(n)))
        rows = [[i for i in range(n) if j in held[i]] for j in range(n)] if reactive else [code.partitions(j) for j in range(n)]
        vectors, seconds = zip(*(signs(net, images[i], labels[i]) for i in range(n)), strict=True)
        busy = max(range(n), key=lambda j: sum(seconds[i] for i in rows[j]))
        gradients = sum(seconds[i] for i in rows[busy])
        if reactive:
            _, sending = timed(lambda: [judge.digest(i, vectors[i].tobytes()) for i in rows[busy]])
            # The server looks whether each vector is that of its digest, settles, and takes the majority.
            def decide():
                digests = [judge.digest(i, vectors[i].tobytes()) for i in range(n)]
                for i in range(n):
                    for j in held[i]:
                        judge.answer(j, i, digests[i])
                    judge.vector(held[i][0], i, digests[i])
                assert judge.next().word == "settled"
                return code.server_vote(list(vectors), d)
            decoded, server = timed(decide)
            judge.close(np.packbits(decoded < 0, bitorder="little").tobytes())
        else:
            _, sending = timed(lambda: code.worker_vote(busy, [vectors[i] for i in rows[busy]], d))
            votes = [code.worker_vote(j, [vectors[i] for i in rows[j]], d) for j in range(n)]
            decoded, server = timed(lambda: code.server_vote(votes, d))
        taken.append((gradients, sending, server))
        with torch.no_grad():
            direction, at = torch.from_numpy(decoded.astype(np.float32)), 0
            for p in net.parameters():
                p -= 1e-4 * direction[at : at + p.numel()].view_as(p)
                at += p.numel()
    parameters = torch.cat([p.detach().reshape(-1) for p in net.parameters()]).numpy()
    loads = max(len(row) for row in rows), sum(len(row) for row in rows) / n
    return hashlib.sha256(parameters.tobytes()).hexdigest(), np.array(taken), loads


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=3)
    arguments.add_argument("--batch", type=int, default=4, help="samples of a partition")
    arguments.add_argument("--sizes", default="9,2 31,3", help="n,b of each comparison")
    chosen = arguments.parse_args()
    torch.set_num_threads(1)
    print("| n, b | way | gradients a partition, heaviest load | gradients + sending + server, ms | step, s | ratio |")
    print("|---|---|---|---|---|---|")
    for size in chosen.sizes.split():
        n, b = map(int, size.split(","))
        code = design(n, b)
        ends, steps = [], []
        for name, reactive in (("vote code", False), ("reactive", True)):
            digest, taken, (heaviest, mean) = train(n, b, code, reactive, chosen.steps, chosen.batch)
            ends.append(digest)
            steps.append(taken.sum(axis=1))
            parts = " + ".join(f"{1e3 * part:.1f}" for part in np.median(taken, axis=0))
            ratio = f"{np.min(steps[1] / steps[0]):.3f} to {np.max(steps[1] / steps[0]):.3f}" if reactive else ""
            print(f"| {n}, {b} | {name} | {mean:.2f}, {heaviest} | {parts} | {np.median(steps[-1]):.2f} | {ratio} |", flush=True)
        assert ends[0] == ends[1], "both ways come to the same parameters"
        print(f"parameters after {chosen.steps} steps, both ways: {ends[0][:16]}", flush=True)


if __name__ == "__main__":
    main()
