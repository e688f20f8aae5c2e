"""One rank of eight: AdamW in bf16 on a small transformer and a CNN, with each kind of fault in turn. For each case three
short runs: masked, only warned of, and with every rank replaying its own gradients, as others do."""

import json
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist
from injected import KINDS, Injected

from election_coding.torch import Audit, Fingerprints, Reproducible, parameters_digest

config, out = json.loads(os.environ["CONFIG"]), Path(os.environ["OUT"])
rank = int(os.environ["RANK"])
torch.set_num_threads(1)
Reproducible.settings()
dist.init_process_group("gloo")
n, STEPS = dist.get_world_size(), config.get("steps", 4)


class Transformer(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(32, 32)
        block = torch.nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
        self.blocks = torch.nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        self.head = torch.nn.Linear(32, 32)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.embed(tokens)))


class Lion(torch.optim.Optimizer):
    """Chen et al., Symbolic Discovery of Optimization Algorithms (NeurIPS 2023), without weight decay."""

    def __init__(self, parameters: object, lr: float = 1e-3) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                mean = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.sub_((0.9 * mean + 0.1 * p.grad).sign(), alpha=group["lr"])
                mean.mul_(0.99).add_(p.grad, alpha=0.01)


class Muon(torch.optim.Optimizer):
    """torch's Muon for matrices, AdamW for the rest, as one optimizer."""

    def __init__(self, parameters: object) -> None:
        parameters = list(parameters)
        super().__init__(parameters, {})
        matrices = [p for p in parameters if p.ndim == 2]
        self.parts = [torch.optim.Muon(matrices), torch.optim.AdamW([p for p in parameters if p.ndim != 2])]
        for part in self.parts:
            # One state of both, as Audit reads it.
            part.state = self.state

    @torch.no_grad()
    def step(self) -> None:
        for part in self.parts:
            part.step()


METHODS = {"AdamW": lambda p: torch.optim.AdamW(p, lr=1e-3), "Lion": Lion, "Muon": Muon}


def build(name: str) -> torch.nn.Module:
    torch.manual_seed(1)
    if name == "transformer":
        return Transformer().to(torch.bfloat16)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 16, 10),
    ).to(torch.bfloat16)


def loss(name: str, model: torch.nn.Module, step: int, i: int) -> torch.Tensor:
    # Inside compute(i) the random numbers are those of this step and partition.
    if name == "transformer":
        tokens = torch.randint(0, 32, (4, 12))
        return torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1).float(), tokens.roll(-1, 1).flatten())
    pictures, labels = torch.randn(6, 1, 8, 8, dtype=torch.bfloat16), torch.randint(0, 10, (6,))
    return torch.nn.functional.cross_entropy(model(pictures).float(), labels)


def run(name: str, on_fault: str, kind: str | None = None, seed: int = 0, replay: bool = False, every: int = 1,
        steps: int = STEPS, ddp: bool = False, host: bool = False, method: str = "AdamW",
        accumulate: int = 1) -> tuple[str, Audit, bool]:
    model = build(name)
    if ddp:
        model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = METHODS[method](model.parameters())
    # Two ranks a host; a whole host may be wrong, so b is 2.
    hosts = [str(other // 2) for other in range(n)] if host else None
    audit = Audit(model, optimizer, b=2 if host else 1, every=every, on_fault=on_fault, domains=hosts)
    faulty = (seed * 3 + 1) % n
    if kind is not None and (rank // 2 == faulty // 2 if host else rank == faulty):
        Injected(kind, seed, model, optimizer, seed % 2 == 0, lambda: audit.step_count)
    digests, differs = Fingerprints(), False

    def compute(i: int) -> None:
        nonlocal differs
        own = replay and i == rank
        if own:
            before = torch.get_rng_state()
            loss(name, model, audit.step_count, i).backward()
            first = digests([p.grad for p in model.parameters()])
            model.zero_grad()
            torch.set_rng_state(before)
        for _ in range(accumulate):
            (loss(name, model, audit.step_count, i) / accumulate).backward()
        differs = differs or own and digests([p.grad for p in model.parameters()]) != first

    for _ in audit.steps(steps):
        if audit.backward(compute):
            optimizer.step()
    told = [None] * n
    dist.all_gather_object(told, differs)
    return parameters_digest(model.parameters()), audit, bool(told[faulty])


results = {"cases": [], "honest named": []}
for name in config["models"]:
    honest, quiet, _ = run(name, "mask")
    results["honest named"] += quiet.named
    for kind in [kind for kind in KINDS if kind.startswith(config.get("kinds", ""))]:
        for seed in config["seeds"]:
            faulty = (seed * 3 + 1) % n
            masked, audit, _ = run(name, "mask", kind, seed)
            warned, warning, replayed = run(name, "warn", kind, seed, replay=True)
            # A rank whose own parameters are wrong in the end has another digest: rank 0's may be right.
            ends = [None] * n
            dist.all_gather_object(ends, (masked, warned))
            results["cases"].append({
                "model": name, "kind": kind, "seed": seed, "faulty": faulty, "named": audit.named,
                "what": [fault.kind for fault in audit.faults], "repeats": [fault.repeats for fault in audit.faults],
                "masked is honest": all(end[0] == honest for end in ends),
                "has an effect": any(end[1] != honest for end in ends),
                "found by replay": replayed, "named when warned": warning.named,
                "certified": [fault.certificate is not None for fault in audit.faults],
            })
            if rank == 0 and audit.faults and audit.faults[0].certificate:
                (out / "naming.json").write_text(audit.faults[0].certificate)
if config.get("honest steps"):
    began = time.monotonic()
    named = []
    for name in config["models"]:
        named += run(name, "mask", steps=config["honest steps"])[1].named
    results["honest"] = {"steps": config["honest steps"], "named": named, "seconds": time.monotonic() - began}
results["methods"] = []
for method in config.get("methods", []):
    for kind in ("backward, two signs", "optimizer, a parameter"):
        for accumulate in (1, 3):
            more = {"method": method, "accumulate": accumulate}
            honest = run("transformer", "mask", **more)[0]
            masked, audit, _ = run("transformer", "mask", kind, 2, **more)
            ends = [None] * n
            dist.all_gather_object(ends, masked == honest)
            results["methods"].append([method, kind, accumulate, all(ends), audit.named, [f.kind for f in audit.faults]])
if config.get("rehearse"):
    # A rank that wavers, and one that is always wrong, before the first step; then an ordinary run.
    results["rehearse"] = []
    for steady in (None, False, True):
        model = build("cnn")
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        audit = Audit(model, optimizer, b=1)
        if rank == 3 and steady is not None:
            Injected("backward, two signs", 0, model, optimizer, steady, lambda: 1)
        said = ""
        try:
            audit.rehearse(lambda i: loss("cnn", model, 0, i).backward())
        except ValueError as error:
            said = str(error)
        for _ in audit.steps(2 if steady is None else 0):
            audit.backward(lambda i: loss("cnn", model, audit.step_count, i).backward())
            optimizer.step()
        ends = [None] * n
        dist.all_gather_object(ends, said)
        results["rehearse"].append([len(set(ends)) == 1, said, parameters_digest(model.parameters())])
    results["without"] = run("cnn", "mask", steps=2)[0]
if config.get("mixed"):
    torch.set_num_threads(1 + rank % 2)
    try:
        run(config["models"][0], "mask", steps=1)
    except ValueError as error:
        results["mixed"] = str(error)
    torch.set_num_threads(1)
if config.get("ddp"):
    # Models in DistributedDataParallel's wrapper, batch normalisation's buffers included.
    results["ddp"] = []
    for name in config["models"]:
        plain = run(name, "mask", steps=3)[0]
        wrapped, audit, _ = run(name, "mask", "backward, two signs", 2, steps=3, ddp=True)
        results["ddp"].append((wrapped == plain, audit.named))
if config.get("host"):
    name = config["models"][0]
    whole, audit, _ = run(name, "mask", "forward, eight bits", 2, steps=3, host=True)
    results["host"] = {"same": whole == run(name, "mask", steps=3, host=True)[0], "named": audit.named}
if config.get("rollback"):
    model = config["models"][0]
    honest = run(model, "mask", steps=9)[0]
    # A fault that stays, seen at the audit of step 3 or 6 only.
    back, audit, _ = run(model, "rollback", "backward, two signs", 2, every=3, steps=9)
    results["rollback"] = {"same": back == honest, "named": audit.named, "faulty": 7}
if rank == 0:
    (out / "results.json").write_text(json.dumps(results))
dist.barrier()
dist.destroy_process_group()
