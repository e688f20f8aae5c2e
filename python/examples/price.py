"""What a coded step costs beyond its gradients, and what an audit and its digests cost, in one run.

    python examples/price.py            # five processes on this machine; ResNet-18's size for the step, a CNN for the audit
"""

import os
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import election_coding as ec
from election_coding.torch import Audit, CodedVote, Fingerprints, ReactiveVote, Reproducible

WORLD = 5


class ResNet18(torch.nn.Module):
    """He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016), for pictures of 32 x 32."""

    def __init__(self) -> None:
        super().__init__()

        def conv(a: int, b: int, stride: int, size: int = 3) -> torch.nn.Sequential:
            layer = torch.nn.Conv2d(a, b, size, stride, padding=size // 2, bias=False)
            return torch.nn.Sequential(layer, torch.nn.BatchNorm2d(b))

        self.stem = conv(3, 64, 1)
        self.blocks = torch.nn.ModuleList()
        before = 64
        for width in (64, 128, 256, 512):
            for stride in (1 if width == 64 else 2, 1):
                short = conv(before, width, stride, 1) if stride == 2 else torch.nn.Identity()
                self.blocks.append(torch.nn.ModuleList([conv(before, width, stride), conv(width, width, 1), short]))
                before = width
        self.head = torch.nn.Linear(512, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x).relu()
        for first, second, short in self.blocks:  # type: ignore[misc]
            x = (second(first(x).relu()) + short(x)).relu()
        return self.head(x.mean(dim=(2, 3)))


def rank(number: int) -> None:
    os.environ.update(RANK=str(number), WORLD_SIZE=str(WORLD), MASTER_ADDR="127.0.0.1", MASTER_PORT="29534")
    torch.set_num_threads(1)
    Reproducible.settings()
    dist.init_process_group("gloo")
    torch.manual_seed(1)
    model = ResNet18()
    d = sum(p.numel() for p in model.parameters())
    pictures, labels = torch.randn(32, 3, 32, 32), torch.randint(0, 10, (32,))

    def gradient(i: int) -> None:
        torch.nn.functional.cross_entropy(model(pictures), labels).backward()

    def cpu() -> float:
        # CPU seconds of this thread, which does all the computing: other processes and waiting do not count.
        return time.thread_time()

    def say(text: str) -> None:
        if number == 0:
            print(text, flush=True)

    say(f"{WORLD} ranks on one thread each, ResNet-18 with {d:,} parameters, 32 pictures a partition")
    for name, vote in (
        ("coded, n = 5, b = 1", CodedVote(model.parameters(), ec.design(WORLD, 1), deadline=600)),
        ("reactive, b = 1", ReactiveVote(model.parameters(), 1, deadline=600)),
    ):
        spent, count, sent = {"gradients": 0.0, "put": 0.0, "reduce": 0.0}, 0, 0
        for step in range(3):
            if step == 1:
                # The first step fills caches and is not measured.
                spent, count, sent = {"gradients": 0.0, "put": 0.0, "reduce": 0.0}, 0, vote.bytes_sent
            todo = vote.partitions()
            while todo is not None:
                for i in todo:
                    model.zero_grad()
                    start = cpu()
                    gradient(i)
                    spent["gradients"] += cpu() - start
                    start = cpu()
                    vote.put(i)
                    spent["put"] += cpu() - start
                    count += 1
                start = cpu()
                todo = vote.reduce()
                spent["reduce"] += cpu() - start
        told = [None] * WORLD
        dist.all_gather_object(told, (spent, count, vote.bytes_sent - sent))
        for j in (0, WORLD - 1):
            own, gradients, bytes_sent = told[j]
            share = (own["put"] + own["reduce"]) / own["gradients"]
            say(f"{name}, rank {j}: {gradients / 2:.0f} gradients of {own['gradients'] / gradients:.2f} s; packing "
                f"{own['put'] / gradients * 1e3:.0f} ms each, vote {own['reduce'] / 2 * 1e3:.0f} ms a step: "
                f"{share:.1%} beyond the gradients; {bytes_sent / 2:,.0f} bytes sent a step")
        heaviest = max(one[0]["gradients"] for one in told)
        whole = max(one[0]["put"] + one[0]["reduce"] for one in told[1:]) + told[0][0]["reduce"]
        say(f"{name}: {whole / heaviest:.1%} of the heaviest rank's gradients, its own part and rank 0's one after the other")
    say(f"DDP: a ring all-reduce of float32 sends {2 * (WORLD - 1) / WORLD * 4 * d:,.0f} bytes a rank and step")

    flat = torch.randn(64 << 18)
    digest, operations = Fingerprints(), Fingerprints(operations=True)
    digest(flat), operations(flat)
    for name, call in (("compiled", digest), ("tensor operations", operations), ("torch.hash_tensor", torch.hash_tensor)):
        start = cpu()
        call(flat)
        say(f"digest of 64 MiB of float32, {name}: {(cpu() - start) * 1e3:.0f} ms")

    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    parts = {"digests": 0.0, "computing": 0.0}

    def timed(i: int) -> None:
        start = cpu()
        gradient(i)
        parts["computing"] += cpu() - start

    audits = {}
    for every in (1, 10**9):
        audit = Audit(model, optimizer, b=1, every=every)
        parts["computing"] = 0.0
        if every > 1:
            # The first step is audited; the others are not.
            audit.backward(timed)
            optimizer.step()
            parts["computing"] = 0.0
        whole = 0.0
        for _ in range(2):
            start = cpu()
            audit.backward(timed)
            optimizer.step()
            whole += cpu() - start
        told = [None] * WORLD
        dist.all_gather_object(told, (whole, parts["computing"]))
        audits[every] = [sum(one[part] for one in told) / WORLD / 2 for part in (0, 1)]
    start = cpu()
    digest([p.grad for p in model.parameters()])
    one = cpu() - start
    plain, audited = audits[10**9], audits[1]
    say(f"digest of a gradient: {one * 1e3:.0f} ms, {one / plain[0]:.1%} of a step without audit ({plain[0]:.2f} s)")
    beyond = (audited[0] - audited[1]) - (plain[0] - plain[1])
    say(f"an audited step beyond its extra gradients: {beyond * 1e3:.0f} ms; every=100: {beyond / 100 / plain[0]:.2%} of a step, "
        f"every=10: {beyond / 10 / plain[0]:.2%}, every=1: {beyond / plain[0]:.1%}")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(rank, nprocs=WORLD)
