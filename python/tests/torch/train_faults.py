"""One rank of a training in which ranks are killed or hang, or that goes on from a checkpoint; writes its digest."""

import json
import os
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

import election_coding as ec
from election_coding.torch import CodedVote, ReactiveVote, Reproducible, Unverified, parameters_digest, steps

config, out = json.loads(os.environ["CONFIG"]), Path(os.environ["OUT"])
rank = int(os.environ["RANK"])
torch.set_num_threads(1)
Reproducible.settings()
dist.init_process_group("gloo")
n, b = dist.get_world_size(), config["b"]
torch.manual_seed(0)
data = torch.randn(64, 6)
labels = (data @ torch.randn(6, 3)).argmax(dim=1)
net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
if config["kind"] == "coded":
    vote = CodedVote(net.parameters(), ec.design(n, b), liars=config.get("liars"), deadline=config["deadline"])
else:
    vote = ReactiveVote(net.parameters(), b, deadline=config["deadline"])
checkpoint = out / "checkpoint.pt"
if config.get("resume"):
    state = torch.load(config["resume"], weights_only=True)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    vote.load_state_dict(state["vote"])


def compute(step: int, i: int) -> None:
    with vote.partition(i):
        rows = [(step * 8 + i * 3 + j) % 64 for j in range(6)]
        torch.nn.functional.cross_entropy(net(data[rows]), labels[rows]).backward()
        if rank in config.get("wrong", []):
            for p in net.parameters():
                p.grad = -p.grad


try:
    for step in steps(vote, config["steps"]):
        if step == config.get("at") and rank in config.get("act", []):
            # The test kills this rank or lets it hang here.
            (out / f"ready{rank}").touch()
            time.sleep(3600)
        if config["kind"] == "coded":
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
        if step + 1 == config.get("save") and rank == 0:
            torch.save(
                {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "vote": vote.state_dict()}, checkpoint
            )
except Unverified as error:
    (out / f"unverified{rank}").write_text(str(error))
    sys.exit(3)
named = getattr(vote, "named", None) or getattr(vote, "liars", {})
told = {"digest": parameters_digest(net.parameters()), "lost": sorted(vote.lost), "named": sorted(named),
        "step": vote.step_count, "metrics": vote.metrics()}
(out / f"results{rank}.json").write_text(json.dumps(told))
if rank == 0:
    (out / "results.json").write_text(json.dumps(told))
    # It keeps the store of the process group until the others are done with it.
    time.sleep(0.5)
sys.exit(0)
