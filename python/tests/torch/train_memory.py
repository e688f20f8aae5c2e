"""One rank of short trainings in which each partition has a state: for each case the digest of the parameters at the end."""

import json
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist

from election_coding.torch import (
    CodedSampler, ErrorFeedback, Lion, Momentum, Muon, ReactiveVote, Reproducible, Unverified, parameters_digest,
)

config, out = json.loads(os.environ["CONFIG"]), Path(os.environ["OUT"])
rank = int(os.environ["RANK"])
torch.set_num_threads(1)
Reproducible.settings()
dist.init_process_group("gloo")
n, STEPS = dist.get_world_size(), 6
KINDS = {"momentum": Momentum, "feedback": ErrorFeedback, "lion": Lion, "muon": Muon}
torch.manual_seed(0)
DATA = torch.randn(300, 12)
LABELS = (DATA @ torch.randn(12, 4)).argmax(dim=1)


def model() -> torch.nn.Module:
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(12, 16), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 4))


def loss(net: torch.nn.Module, sampler: CodedSampler, step: int, i: int) -> torch.Tensor:
    rows = sampler.indices(step, i)
    return torch.nn.functional.cross_entropy(net(DATA[rows]), LABELS[rows])


def alone(kind: str, k: int) -> str:
    """What one process computes with all states at hand; momentum and error feedback by their formulas."""
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    sampler = CodedSampler(300, k, 6)
    d = sum(p.numel() for p in net.parameters())
    memory, states = KINDS[kind](), [[torch.zeros(d)] for _ in range(k)]
    for step in range(STEPS):
        total = torch.zeros(d)
        for i in range(k):
            net.zero_grad()
            with Reproducible(0, step, i):
                loss(net, sampler, step, i).backward()
            flat = torch.cat([p.grad.reshape(-1) for p in net.parameters()])
            if kind == "momentum":
                vector = 0.9 * states[i][0] + (1 - 0.9) * flat
                states[i] = [vector]
            elif kind == "feedback":
                vector = flat + states[i][0]
                states[i] = [vector - vector.abs().mean() * vector.sign()]
            else:
                vector, states[i] = memory.step(flat, states[i], [p.shape for p in net.parameters()])
            zero = -1.0 if (step + i) % 2 else 1.0
            total += torch.where(vector == 0, zero, vector.sign())
        start = 0
        for p in net.parameters():
            p.grad = total[start : start + p.numel()].sign().view_as(p)
            start += p.numel()
        optimizer.step()
    return parameters_digest(net.parameters())


def run(kind: str, fault: str = "", wrong: int = -1, gone: int = -1, save: int = -1, **more) -> dict:
    net = model()
    vote = ReactiveVote(net.parameters(), 1, memory=KINDS[kind](), deadline=30, **more)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    sampler = CodedSampler(300, vote.k, 6)
    # -2 is everybody but rank 0.
    if fault == "gives another state" and (rank == wrong or wrong == -2 and rank > 0):
        give = vote._states.give

        def other(i: int) -> torch.Tensor:
            state = give(i).clone()
            state[7] ^= 1
            return state

        vote._states.give = other
    try:
        while vote.step_count < STEPS:
            step = vote.step_count
            if step == 2 and rank == gone:
                return {}
            if step == 2 and fault == "a bit of its state" and rank == wrong:
                # The lowest bit of a small number: no sign changes by it.
                state = next(iter(vote._states._before.values()))[0]
                place = int(state.abs().argmax())
                state.view(torch.int32)[place] ^= 1
            todo = vote.partitions()
            while todo is not None:
                for i in todo:
                    with vote.partition(i):
                        loss(net, sampler, step, i).backward()
                        if rank == wrong and fault == "gradient" and step >= 1:
                            for p in net.parameters():
                                p.grad = -p.grad
                todo = vote.reduce()
            optimizer.step()
            if vote.step_count == save:
                kept = vote.state_dict()
                vote = ReactiveVote(net.parameters(), 1, memory=KINDS[kind](), deadline=30, **more)
                vote.load_state_dict(kept)
    except Unverified as error:
        return {"unverified": str(error)}
    return {"digest": parameters_digest(net.parameters()), "named": sorted(vote.named), "moved": vote.states_moved,
            "lost": sorted(vote.lost)}


results = {"alone": {}, "cases": []}
for kind in KINDS:
    results["alone"][kind] = alone(kind, n)
    for fault in ("", "gradient", "a bit of its state") if config["cases"] else ():
        for wrong in (1, 3) if fault else (-1,):
            results["cases"].append({"kind": kind, "fault": fault, "wrong": wrong, **run(kind, fault, wrong)})
if config["cases"]:
    results["resumed"] = run("momentum", save=3)
    results["rank 0"] = run("momentum", "gradient", 0)
# At last a rank goes: with a spare holder another gives the state, without one nobody can.
last = {"spare": lambda: run("lion", "gives another state", 1, 4, spare=1), "gone": lambda: run("momentum", "", -1, 4),
        "lost": lambda: run("momentum", "gives another state", -2, 4)}[config["last"]]()
if rank == 0:
    (out / "results.json").write_text(json.dumps({**results, "last": last}))
    time.sleep(1)
os._exit(0)
