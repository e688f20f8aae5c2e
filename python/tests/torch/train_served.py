"""One worker of a small training over grpc://: it saves checkpoints, goes on from its own, and says what it came to."""

import json
import os
import sys
import time
from pathlib import Path

import torch

from election_coding.torch import CodedSampler, CodedSignSGD, Reproducible, parameters_digest, steps

torch.set_num_threads(1)
Reproducible.settings()
torch.manual_seed(0)
DATA = torch.randn(256, 12)
LABELS = (DATA @ torch.randn(12, 4)).argmax(dim=1)


def model() -> torch.nn.Module:
    torch.manual_seed(1)
    layers = [torch.nn.Linear(12, 16), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 4)]
    return torch.nn.Sequential(*layers)


def gradient(net: torch.nn.Module, sampler: CodedSampler, step: int, i: int) -> None:
    rows = sampler.indices(step, i)
    torch.nn.functional.cross_entropy(net(DATA[rows]), LABELS[rows]).backward()


def alone(k: int, count: int) -> str:
    """The majority of k partitions, computed by one process."""
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    sampler = CodedSampler(256, k, 8)
    for step in range(count):
        total = torch.zeros(sum(p.numel() for p in net.parameters()))
        for i in range(k):
            net.zero_grad()
            with Reproducible(0, step, i):
                gradient(net, sampler, step, i)
            flat = torch.cat([p.grad.reshape(-1) for p in net.parameters()])
            total += torch.where(flat == 0, -1.0 if (step + i) % 2 else 1.0, flat.sign())
        start = 0
        for p in net.parameters():
            p.grad = total[start:start + p.numel()].sign().view_as(p)
            start += p.numel()
        optimizer.step()
    return parameters_digest(net.parameters())


def work(config: dict) -> None:
    net = model()
    optimizer = CodedSignSGD(net.parameters(), lr=0.01, momentum=0.9, code=None, exchange=f"grpc://{config['server']}",
                             keys=config["keys"], give_up_after=120)
    sampler = CodedSampler(256, optimizer.vote.k, 8)
    checkpoint = Path(config["checkpoint"])
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
    began, followed = optimizer.step_count, 0
    for step in steps(optimizer, config["steps"]):
        mine = optimizer.partitions()
        followed += not mine
        for i in mine:
            with optimizer.partition(i):
                gradient(net, sampler, step, i)
                if config["lies"]:
                    for p in net.parameters():
                        p.grad = -p.grad
        if mine:
            time.sleep(config["pause"])
        optimizer.step()
        if step % 20 == 19:
            beside = checkpoint.with_suffix(".new")
            torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, beside)
            os.replace(beside, checkpoint)
    told = {"digest": parameters_digest(net.parameters()), "began": began, "followed": followed,
            "metrics": optimizer.metrics(), "liars": optimizer.vote.liars, "n": optimizer.vote.n}
    Path(config["out"]).write_text(json.dumps(told))


if __name__ == "__main__":
    settings = json.loads(os.environ["CONFIG"])
    if settings.get("alone"):
        print(alone(settings["k"], settings["steps"]))
    else:
        work(settings)
    sys.exit(0)
