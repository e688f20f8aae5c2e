"""Eight ranks train with AdamW in bf16; one of them flips a bit of one gradient now and then. It is named and masked.

    python examples/one_wrong_of_eight.py      # starts eight processes on this machine, over gloo
    torchrun --nproc-per-node 8 examples/one_wrong_of_eight.py
"""

import os

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from election_coding.torch import Audit, Reproducible, json_lines, parameters_digest

WRONG, STEPS = 5, 12


def train(wrong: int | None, on_fault: str) -> tuple[str, Audit]:
    torch.manual_seed(1)
    layers = [torch.nn.Linear(32, 64), torch.nn.GELU(), torch.nn.Dropout(0.1), torch.nn.Linear(64, 32)]
    model = torch.nn.Sequential(*layers).to(torch.bfloat16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    hooks = [json_lines()] if dist.get_rank() == 0 and wrong is not None and on_fault == "mask" else []
    audit = Audit(model, optimizer, b=1, every=1, on_fault=on_fault, on_named=hooks)

    def compute(i: int) -> None:
        # The random numbers are those of this step and partition, on whichever rank.
        inputs = torch.randn(16, 32, dtype=torch.bfloat16)
        (model(inputs) - inputs.roll(1, 1)).float().square().mean().backward()
        if dist.get_rank() == wrong and audit.step_count % 4 == 3:
            model[0].weight.grad.view(torch.int16)[7, 7] ^= 1 << 13

    for _ in audit.steps(STEPS):
        if audit.backward(compute):
            optimizer.step()
    return parameters_digest(model.parameters()), audit


def rank(number: int = -1) -> None:
    if number >= 0:
        os.environ.update(RANK=str(number), WORLD_SIZE="8", MASTER_ADDR="127.0.0.1", MASTER_PORT="29535")
    torch.set_num_threads(1)
    Reproducible.settings()
    dist.init_process_group("gloo")
    honest, _ = train(None, "mask")
    masked, audit = train(WRONG, "mask")
    unmasked, _ = train(WRONG, "warn")
    if dist.get_rank() == 0:
        print("no fault      ", honest[:16])
        print("fault, masked ", masked[:16], "named:", audit.named)
        print("fault, used   ", unmasked[:16], flush=True)
    dist.barrier()
    dist.destroy_process_group()
    if masked != honest or audit.named != [WRONG]:
        raise SystemExit(1)


if __name__ == "__main__":
    if "RANK" in os.environ:
        rank()
    else:
        mp.spawn(rank, nprocs=8)
