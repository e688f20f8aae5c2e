"""One rank of three whose model is compiled (torch.compile): an honest run, and one in which rank 1 flips a bit in one step."""

import json
import os
from pathlib import Path

import torch
import torch.distributed as dist

from election_coding.torch import Audit, Reproducible, parameters_digest

rank = int(os.environ["RANK"])
torch.set_num_threads(1)
Reproducible.settings()
dist.init_process_group("gloo")


def run(wrong: int) -> tuple[str, list[int]]:
    torch.manual_seed(1)
    layers = [torch.nn.Linear(16, 32), torch.nn.GELU(), torch.nn.LayerNorm(32), torch.nn.Linear(32, 16)]
    model = torch.nn.Sequential(*layers).to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    compiled = torch.compile(model)
    audit = Audit(model, optimizer, b=1)

    def compute(i: int) -> None:
        inputs = torch.randn(8, 16, dtype=torch.bfloat16)
        (compiled(inputs) - inputs).float().square().mean().backward()
        if rank == wrong and audit.step_count == 3:
            model[0].weight.grad.view(torch.int16)[1, 1] ^= 1

    audit.rehearse(compute)
    for _ in audit.steps(6):
        if audit.backward(compute):
            optimizer.step()
    return parameters_digest(model.parameters()), audit.named


honest, faulty = run(-1), run(1)
if rank == 0:
    told = {"honest": honest, "faulty": faulty, "graphs": torch._dynamo.utils.counters["stats"]["unique_graphs"]}
    (Path(os.environ["OUT"]) / "results.json").write_text(json.dumps(told))
dist.barrier()
dist.destroy_process_group()
