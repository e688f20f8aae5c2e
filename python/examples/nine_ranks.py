"""Trains with nine ranks of which two compute wrong, three times: honest, under a code, reactively. The digests agree.

    python examples/nine_ranks.py              # starts nine processes on this machine, over gloo
    torchrun --nproc-per-node 9 examples/nine_ranks.py
"""

import os

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import election_coding as ec
from election_coding.torch import (
    CodedSampler, CodedVote, ReactiveVote, Reproducible, parameters_digest, steps,
)

STEPS, WRONG = 20, (3, 8)


def data() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    inputs = torch.randn(900, 20)
    return inputs, (inputs @ torch.randn(20, 5)).argmax(dim=1)


def train(kind: str, wrong: tuple[int, ...]) -> tuple[str, float, str]:
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(20, 64), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(64, 5))
    optimizer = torch.optim.SGD(model.parameters(), lr=3e-3, momentum=0.9)
    inputs, labels = data()
    vote = (
        CodedVote(model.parameters(), ec.design(9, 2))
        if kind == "coded"
        else ReactiveVote(model.parameters(), b=2)
    )
    sampler = CodedSampler(len(inputs), 9, 10)

    def compute(step: int, i: int) -> None:
        with vote.partition(i):
            rows = sampler.indices(step, i)
            torch.nn.functional.cross_entropy(model(inputs[rows]), labels[rows]).backward()
            if dist.get_rank() in wrong:
                for parameter in model.parameters():
                    parameter.grad = -parameter.grad

    for step in steps(vote, STEPS):
        if isinstance(vote, CodedVote):
            for i in vote.partitions():
                compute(step, i)
            vote.reduce()
        else:
            todo = vote.partitions()
            while todo is not None:
                for i in todo:
                    compute(step, i)
                todo = vote.reduce()
        optimizer.step()
    model.eval()
    right = (model(inputs).argmax(dim=1) == labels).float().mean()
    told = f"proved wrong: {vote.liars}" if isinstance(vote, CodedVote) else f"named: {vote.named}"
    return parameters_digest(model.parameters()), float(right), told


def rank(number: int = -1, port: str = "29533") -> None:
    if number >= 0:
        os.environ.update(RANK=str(number), WORLD_SIZE="9", MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    torch.set_num_threads(1)
    Reproducible.settings()
    dist.init_process_group("gloo")
    digests = set()
    for name, kind, wrong in (("honest", "coded", ()), ("coded", "coded", WRONG), ("reactive", "reactive", WRONG)):
        digest, right, told = train(kind, wrong)
        digests.add(digest)
        if dist.get_rank() == 0:
            print(f"{name:9} {digest[:16]}  right on {right:.1%} of the data  {told}", flush=True)
    if dist.get_rank() == 0:
        print("the same parameters, bit for bit" if len(digests) == 1 else "DIFFERENT PARAMETERS", flush=True)
    dist.barrier()
    dist.destroy_process_group()
    if len(digests) > 1:
        raise SystemExit(1)


if __name__ == "__main__":
    if "RANK" in os.environ:
        rank()
    else:
        mp.spawn(rank, nprocs=9)
