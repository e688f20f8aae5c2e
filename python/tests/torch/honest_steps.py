"""One rank of many steps under `Audit`, every one audited: how many steps, and who was named: nobody, in honest ones.

A small network with dropout, AdamW in bf16: what a step costs here is digests, messages and the judge, which are what is
tried. The count so far is in the output folder while it runs. By hand, 10^5 steps of eight ranks in five runs, each with
parameters and data of its own:

    for seed in 1 2 3 4 5; do python tests/torch/honest_steps.py 8 20000 $seed && mv results.json honest-$seed.json; done
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


def main(steps: int, out: Path, seed: int = 1, wrong_in: int = -1) -> None:
    """`wrong_in` is a step in which rank 5 flips the lowest bit of one gradient."""
    rank = int(os.environ["RANK"])
    torch.set_num_threads(1)
    Reproducible.settings()
    dist.init_process_group("gloo")
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(16, 16), torch.nn.GELU(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 4)]
    model = torch.nn.Sequential(*layers).to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    audit = Audit(model, optimizer, b=1, seed=seed)

    def compute(i: int) -> None:
        inputs = torch.randn(4, 16, dtype=torch.bfloat16)
        model(inputs).float().square().mean().backward()
        if rank == 5 and audit.step_count == wrong_in:
            model[0].weight.grad.view(torch.int16)[3, 3] ^= 1

    began = time.monotonic()
    for step in audit.steps(steps):
        audit.backward(compute)
        optimizer.step()
        if rank == 0 and ((step + 1) % 1000 == 0 or step + 1 == steps):
            seconds = round(time.monotonic() - began, 1)
            told = {"ranks": dist.get_world_size(), "steps": step + 1, "seed": seed,
                    "named": [[fault.rank, fault.step] for fault in audit.faults], "seconds": seconds}
            (out / "results.json").write_text(json.dumps(told) + "\n")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    if "RANK" in os.environ:
        main(out=Path(os.environ["OUT"]), **json.loads(os.environ["CONFIG"]))
    else:
        world, count, seed = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
        environment = {**os.environ, "CONFIG": json.dumps({"steps": count, "seed": seed}), "OUT": ".", "MASTER_ADDR": "127.0.0.1",
                       "MASTER_PORT": "29536", "WORLD_SIZE": str(world), "OMP_NUM_THREADS": "1"}
        ranks = [subprocess.Popen([sys.executable, __file__], env={**environment, "RANK": str(r)}) for r in range(world)]
        sys.exit(max(process.wait() for process in ranks))
