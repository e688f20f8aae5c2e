"""One rank of many honest steps under `Audit`, every one audited: how many steps, and who was named (nobody should be).

A small network with dropout, AdamW in bf16: what a step costs here is digests, messages and the judge, which are what is
tried. The count so far is in the output folder while it runs. By hand, 10^5 steps of eight ranks:

    python tests/torch/honest_steps.py 8 100000
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

from election_coding.torch import Audit, Reproducible


def main(steps: int, out: Path) -> None:
    rank = int(os.environ["RANK"])
    torch.set_num_threads(1)
    Reproducible.settings()
    dist.init_process_group("gloo")
    torch.manual_seed(1)
    layers = [torch.nn.Linear(16, 16), torch.nn.GELU(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 4)]
    model = torch.nn.Sequential(*layers).to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    audit = Audit(model, optimizer, b=1)

    def compute(i: int) -> None:
        inputs = torch.randn(4, 16, dtype=torch.bfloat16)
        model(inputs).float().square().mean().backward()

    began = time.monotonic()
    for step in audit.steps(steps):
        audit.backward(compute)
        optimizer.step()
        if rank == 0 and ((step + 1) % 1000 == 0 or step + 1 == steps):
            seconds = round(time.monotonic() - began, 1)
            told = {"ranks": dist.get_world_size(), "steps": step + 1, "named": audit.named, "seconds": seconds}
            (out / "results.json").write_text(json.dumps(told) + "\n")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    if "RANK" in os.environ:
        main(json.loads(os.environ["CONFIG"])["steps"], Path(os.environ["OUT"]))
    else:
        world, count = int(sys.argv[1]), int(sys.argv[2])
        environment = {**os.environ, "CONFIG": json.dumps({"steps": count}), "OUT": ".", "MASTER_ADDR": "127.0.0.1",
                       "MASTER_PORT": "29536", "WORLD_SIZE": str(world), "OMP_NUM_THREADS": "1"}
        ranks = [subprocess.Popen([sys.executable, __file__], env={**environment, "RANK": str(r)}) for r in range(world)]
        sys.exit(max(process.wait() for process in ranks))
