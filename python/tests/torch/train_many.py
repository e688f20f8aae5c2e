"""One rank of many short trainings: for each case of the configuration, the digest of the parameters at the end."""

import itertools
import json
import os
from pathlib import Path

import torch
import torch.distributed as dist

import election_coding as ec
from election_coding.torch import (
    CodedSampler, CodedSignSGD, CodedVote, ReactiveVote, Reproducible, parameters_digest, steps,
)

config, out = json.loads(os.environ["CONFIG"]), Path(os.environ["OUT"])
rank = int(os.environ["RANK"])
torch.set_num_threads(1)
Reproducible.settings()
dist.init_process_group("gloo")
n = dist.get_world_size()
torch.manual_seed(0)
DATA = torch.randn(256, 12)
LABELS = (DATA @ torch.randn(12, 4)).argmax(dim=1)


def model() -> torch.nn.Module:
    torch.manual_seed(1)
    layers = [torch.nn.Linear(12, 16), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 4)]
    return torch.nn.Sequential(*layers)


def loss(net: torch.nn.Module, sampler: CodedSampler, step: int, i: int) -> torch.Tensor:
    rows = sampler.indices(step, i)
    noisy = DATA[rows] + 0.1 * torch.randn(len(rows), 12)
    return torch.nn.functional.cross_entropy(net(noisy), LABELS[rows])


def coded(code: ec.Code, liars: list[int], count: int, threads: int = 1, exchange: str = "pairs") -> CodedSignSGD:
    torch.set_num_threads(threads)
    net = model()
    optimizer = CodedSignSGD(net.parameters(), lr=0.01, momentum=0.9, code=code, deadline=60, exchange=exchange)
    sampler = CodedSampler(256, code.k, 8)
    for step in steps(optimizer, count):
        for i in optimizer.partitions():
            with optimizer.partition(i):
                loss(net, sampler, step, i).backward()
                if rank in liars:
                    for p in net.parameters():
                        p.grad = -p.grad
        optimizer.step()
    optimizer.digest = parameters_digest(net.parameters())
    return optimizer


def reactive(b: int, liars: list[int], count: int, lies=lambda step, i: True, **more) -> ReactiveVote:
    net = model()
    vote = ReactiveVote(net.parameters(), b, **more)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    sampler = CodedSampler(256, vote.k, 8)
    for step in steps(vote, count):
        todo = vote.partitions()
        while todo is not None:
            for i in todo:
                with vote.partition(i):
                    loss(net, sampler, step, i).backward()
                    if rank in liars and lies(step, i):
                        for p in net.parameters():
                            p.grad = -p.grad
            todo = vote.reduce()
        optimizer.step()
    vote.digest = parameters_digest(net.parameters())
    return vote


def alone(k: int, count: int) -> str:
    """The majority of k partitions, computed by one process."""
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    sampler = CodedSampler(256, k, 8)
    for step in range(count):
        total = 0
        for i in range(k):
            net.zero_grad()
            with Reproducible(0, step, i):
                loss(net, sampler, step, i).backward()
            flat = torch.cat([p.grad.reshape(-1) for p in net.parameters()])
            zero = -1.0 if (step + i) % 2 else 1.0
            total = total + torch.where(flat == 0, zero, flat.sign())
        start = 0
        for p in net.parameters():
            p.grad = total[start:start + p.numel()].sign().view_as(p)
            start += p.numel()
        optimizer.step()
    return parameters_digest(net.parameters())


results = {"alone": alone(n, 4)}
b = config["b"]
code = ec.design(n, b)
if config["kind"] == "coded":
    honest = coded(code, [], 4)
    results["honest"] = honest.digest
    results["cases"] = []
    sets = [list(s) for m in range(1, b + 1) for s in itertools.combinations(range(n), m)][:config["most"]]
    for number, liars in enumerate(sets):
        run = coded(code, liars, 4, threads=1 + (rank + number) % 2)
        full = [j for j in liars if code.loads[j] == code.k]
        results["cases"].append({"liars": liars, "digest": run.digest, "named": sorted(run.vote.liars), "full": full})
    too_many = coded(code, list(range(n - 1, n - 2 - b, -1)), 4)
    results["too many"] = too_many.digest
    results["int8"] = [coded(code, liars, 4, exchange="int8").digest for liars in ([], sets[-1])]
    results["metrics"] = honest.metrics()
    results["d"] = honest.vote.d
else:
    honest = reactive(b, [], 4)
    results["honest"], results["honest metrics"] = honest.digest, honest.metrics()
    results["cases"] = []
    sets = [list(s) for m in range(1, b + 1) for s in itertools.combinations(range(n), m)][:config["most"]]
    for number, liars in enumerate(sets):
        lies = [lambda step, i: True, lambda step, i: step == 2, lambda step, i: i % 3 == 0][number % 3]
        run = reactive(b, liars, 4, lies, total=number % 2 == 1)
        results["cases"].append({"liars": liars, "digest": run.digest, "named": sorted(run.named),
                                 "metrics": run.metrics()})
if rank == 0:
    (out / "results.json").write_text(json.dumps(results))
dist.barrier()
dist.destroy_process_group()
