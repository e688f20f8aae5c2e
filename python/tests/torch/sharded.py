"""One rank of six: three replicas of a transformer, each in two shards (FSDP2), with a fault on one rank. For each fault the
digests of all ranks' shards at the end, beside those of the run without it."""

import json
import os
from pathlib import Path

import torch
import torch.distributed as dist
from injected import flip
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from election_coding.torch import Audit, FaultFound, Reproducible, parameters_digest
from election_coding.torch.replicas import local

config, out = json.loads(os.environ["CONFIG"]), Path(os.environ["OUT"])
rank = int(os.environ["RANK"])
torch.set_num_threads(1)
Reproducible.settings()
dist.init_process_group("gloo")
mesh = init_device_mesh("cpu", (3, 2), mesh_dim_names=("replica", "shard"))
FAULTY, STEPS = 3, 4
"""Rank 3 is the second shard of replica 1."""


def build(kind: torch.dtype, mixed: bool) -> torch.nn.Module:
    torch.manual_seed(1)
    block = torch.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
    layers = [torch.nn.Embedding(32, 16), torch.nn.TransformerEncoder(block, 2, enable_nested_tensor=False)]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(16, 32)).to(kind)
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32) if mixed else MixedPrecisionPolicy()
    for layer in model[1].layers:
        fully_shard(layer, mesh=mesh["shard"], mp_policy=policy)
    fully_shard(model, mesh=mesh["shard"], mp_policy=policy)
    return model


def run(on_fault: str, where: str | None = None, every: int = 1, steps: int = STEPS, mixed: bool = False,
        steady: bool = True) -> tuple[str, Audit]:
    model = build(torch.float32 if mixed else torch.bfloat16, mixed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    audit = Audit(model, optimizer, b=1, every=every, on_fault=on_fault, mesh=mesh)
    wrong = rank == FAULTY and where is not None
    calls = 0

    def due() -> bool:
        nonlocal calls
        calls += 1
        return wrong and audit.step_count >= 1 and (steady or calls % 2 == 0)

    def forward(module: torch.nn.Module, inputs: object, result: torch.Tensor) -> torch.Tensor:
        return result + (flip(result, [5, 9], 2) - result).detach() if due() else result

    def stepped(*_: object) -> None:
        if wrong and audit.step_count == 2:
            parameter = next(p for p in model.parameters() if local(p).numel())
            held = local(parameter.detach() if where == "parameter" else optimizer.state[parameter]["exp_avg"])
            held.copy_(flip(held, [0], 4))

    if where == "forward":
        model[1].layers[0].linear1.register_forward_hook(forward)
    if where in ("parameter", "state"):
        optimizer.register_step_post_hook(stepped)

    def compute(i: int) -> None:
        for _ in range(2):
            tokens = torch.randint(0, 32, (3, 6))
            loss = torch.nn.functional.cross_entropy(model(tokens).flatten(0, 1).float(), tokens.roll(1, 1).flatten())
            # Two micro-batches are accumulated.
            (loss / 2).backward()
        if where == "gradient" and due():
            parameter = list(model.parameters())[-2]
            held = local(parameter.grad)
            held.copy_(flip(held, [0], 8 * held.element_size() - 1))

    for _ in audit.steps(steps):
        if audit.backward(compute):
            optimizer.step()
    return parameters_digest(local(p) for p in model.parameters()), audit


def everywhere(own: str) -> list[str]:
    told: list = [None] * dist.get_world_size()
    dist.all_gather_object(told, own)
    return told


honest = {mixed: everywhere(run("mask", mixed=mixed)[0]) for mixed in (False, True)}
results = {"honest": honest[False], "unaudited": everywhere(run("mask", every=10**9)[0]), "cases": []}
for where in ("forward", "gradient", "parameter", "state"):
    for mixed, steady in ((False, True), (True, False)):
        own, audit = run("mask", where, mixed=mixed, steady=steady)
        warned, _ = run("warn", where, mixed=mixed, steady=steady)
        results["cases"].append({
            "where": where, "mixed": mixed, "steady": steady, "same": everywhere(own) == honest[mixed],
            "effect": everywhere(warned) != honest[mixed],
            "faults": [[f.rank, f.kind, f.ranks, f.repeats, f.certificate is not None] for f in audit.faults],
        })
back, audit = run("rollback", "gradient", every=3, steps=7)
results["rollback"] = {"same": everywhere(back) == everywhere(run("mask", steps=7)[0]), "named": audit.named}
try:
    run("stop", "forward")
except FaultFound as error:
    results["stop"] = error.faults[0].to_json()
try:
    Audit(build(torch.float32, False), b=1)
except ValueError as error:
    results["no mesh"] = str(error)
if rank == 0:
    (out / "results.json").write_text(json.dumps(results))
dist.barrier()
dist.destroy_process_group()
