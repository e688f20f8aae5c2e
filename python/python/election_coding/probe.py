"""Which of my GPUs is wrong? Every rank computes the same small step; the odd one out is named.

    torchrun --nproc-per-node 8 -m election_coding.probe
    srun --ntasks-per-node 8 python -m election_coding.probe
    torchrun --nproc-per-node 8 -m election_coding.probe --demo-fault 3

No training code is touched and no database of right answers is needed: ranks on the same kind of device, with the same
driver and libraries, must come to the same bits, and most of them are right. A rank that comes to other bits when it is
asked again is *not reproducible*, which is told apart from *wrong*; a fault that comes and goes looks like that, too.

Exit codes: 0 nobody is named, 1 somebody is, 2 wrong usage, 3 it cannot be told who is wrong. The same on every rank.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from .torch.data import Reproducible
from .torch.digests import Fingerprints
from .torch.kinds import device_kind

__all__ = ["judge", "main", "micro_step", "measure"]

EXAMPLES = """examples:
  torchrun --nproc-per-node 8 -m election_coding.probe
  torchrun --nproc-per-node 8 -m election_coding.probe --small --json
  torchrun --nproc-per-node 8 -m election_coding.probe --demo-fault 3
"""


def micro_step(device: torch.device, size: int, seed: int) -> dict[str, list[torch.Tensor]]:
    """What every rank computes, by the name of the operation: results and gradients.

    Args:
        size: 1 for a test on a CPU; 16 fills a GPU.
        seed: of the inputs.
    """
    generator = torch.Generator().manual_seed(seed)
    results: dict[str, list[torch.Tensor]] = {}

    def random(*shape: int, kind: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(*shape, generator=generator).to(device, kind).requires_grad_()

    def note(name: str, out: torch.Tensor, *inputs: torch.Tensor) -> None:
        gradients = torch.autograd.grad(out.float().square().mean(), inputs)
        results[name] = [out.detach(), *gradients]

    width = 64 * size
    for kind in (torch.float32, torch.bfloat16):
        short = {torch.float32: "fp32", torch.bfloat16: "bf16"}[kind]
        a, b = random(width, width, kind=kind), random(width, width, kind=kind)
        note(f"matrix product {short}", a @ b, a, b)
        q, k, v = (random(2, 4, 32 * size, 32, kind=kind) for _ in range(3))
        note(f"attention {short}", torch.nn.functional.scaled_dot_product_attention(q, k, v), q, k, v)
        x, gain = random(width, width, kind=kind), random(width, kind=kind)
        note(f"normalisation {short}", torch.nn.functional.layer_norm(x, (width,), gain), x, gain)
        image, kernel = random(4, 8, 16 * size, 16 * size, kind=kind), random(8, 8, 3, 3, kind=kind)
        note(f"convolution {short}", torch.nn.functional.conv2d(image, kernel, padding=1), image, kernel)
        x = random(width, width, kind=kind)
        note(f"reduction {short}", torch.logsumexp(x, dim=1) + x.exp().sum(dim=1).log1p(), x)
        x = random(width, width, kind=kind)
        note(f"elementwise {short}", torch.nn.functional.gelu(x) * x.tanh(), x)
    return results


def measure(
    device: torch.device,
    size: int,
    rounds: int,
    spoil: Callable[[str, list[torch.Tensor]], None] | None = None,
) -> tuple[dict[str, str], list[str]]:
    """This rank's digests by operation, and the operations that came out differently when asked again.

    Args:
        rounds: how often each operation is computed, 2 or more.
        spoil: what a demonstration does to a result.
    """
    digest = Fingerprints(b"probe")
    first: dict[str, str] = {}
    unsteady = set()
    for _ in range(max(rounds, 2)):
        for name, tensors in micro_step(device, size, seed=7).items():
            if spoil is not None:
                spoil(name, tensors)
            text = digest(tensors).hex()
            if first.setdefault(name, text) != text:
                unsteady.add(name)
    return first, sorted(unsteady)


def judge(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Who is wrong, from what every rank answered: `class`, `digests` and `unsteady`.

    A rank is wrong where more than half of its class agree on a result and it has another one. Ranks that are not
    reproducible take part in no majority.
    """
    unsteady = [rank for rank, answer in enumerate(answers) if answer["unsteady"]]
    classes: dict[str, list[int]] = {}
    for rank, answer in enumerate(answers):
        classes.setdefault(answer["class"], []).append(rank)
    wrong: dict[int, list[str]] = {}
    unclear: list[str] = []
    for name, ranks in classes.items():
        steady = [rank for rank in ranks if rank not in unsteady]
        for operation in sorted({operation for rank in steady for operation in answers[rank]["digests"]}):
            values: dict[str | None, list[int]] = {}
            for rank in steady:
                values.setdefault(answers[rank]["digests"].get(operation), []).append(rank)
            if len(values) < 2:
                continue
            most = max(values.values(), key=len)
            if 2 * len(most) <= len(ranks):
                unclear.append(f"{operation}: {len(values)} results among the {len(ranks)} ranks of {name}")
                continue
            for rank in steady:
                if rank not in most:
                    wrong.setdefault(rank, []).append(operation)
    return {
        "schema": "ecode/probe/1",
        "ranks": len(answers),
        "wrong": sorted(wrong),
        "not_reproducible": unsteady,
        "operations": {str(rank): wrong.get(rank, answers[rank]["unsteady"]) for rank in sorted({*wrong, *unsteady})},
        "hosts": {str(rank): answers[rank]["host"] for rank in sorted({*wrong, *unsteady})},
        "classes": {name: ranks for name, ranks in sorted(classes.items())},
        "unclear": unclear,
        "unchecked": sorted(rank for ranks in classes.values() if len(ranks) < 3 for rank in ranks),
    }


def main(arguments: Iterable[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m election_coding.probe",
        description="Names the rank that computes wrong. Run it under torchrun or srun, one process a device.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--small", action="store_true", help="small operations, for a CPU")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each is computed (3)")
    parser.add_argument("--device", help="cpu or cuda; without it cuda where there is one (not run on a GPU)")
    parser.add_argument("--demo-fault", type=int, metavar="RANK", help="flips one bit of one result of this rank")
    parser.add_argument("--demo-flicker", type=int, metavar="RANK", help="the same, but only now and then")
    parser.add_argument("--json", action="store_true", help="rank 0 prints one JSON document")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="for ranks that do not answer")
    given = parser.parse_args(None if arguments is None else list(arguments))
    _from_slurm()
    if "RANK" not in os.environ:
        parser.error("no RANK in the environment: run it under torchrun or srun")
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    for option in ("demo_fault", "demo_flicker"):
        number = getattr(given, option)
        if number is not None and not 0 <= number < world:
            parser.error(f"--{option.replace('_', '-')} {number}: there are ranks 0 to {world - 1}")
    if given.rounds < 2:
        parser.error("--rounds: 2 or more, or nothing is computed twice")
    kind = given.device or ("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(kind, int(os.environ.get("LOCAL_RANK", 0))) if kind == "cuda" else torch.device(kind)
    if kind == "cpu":
        torch.set_num_threads(1)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    Reproducible.settings()
    calls = 0

    def spoil(name: str, tensors: list[torch.Tensor]) -> None:
        nonlocal calls
        if name == "matrix product bf16":
            calls += 1
            if given.demo_fault == rank or given.demo_flicker == rank and calls == 2:
                tensors[0].view(torch.int16)[5, 3] ^= 1

    began = time.monotonic()
    digests, unsteady = measure(device, 2 if given.small else 16, given.rounds, spoil)
    seconds = time.monotonic() - began
    # Answers are small and go over the CPU, whatever the device.
    dist.init_process_group("gloo", timeout=timedelta(seconds=given.timeout))
    answers: list[Any] = [None] * world
    own = {"class": device_kind(device), "host": platform.node(), "digests": digests, "unsteady": unsteady}
    dist.all_gather_object(answers, own)
    told = judge(answers)
    told["seconds"] = round(seconds, 2)
    if rank == 0:
        print(json.dumps(told) if given.json else _words(told), flush=True)
    with contextlib.suppress(RuntimeError):
        dist.barrier()
    dist.destroy_process_group()
    if told["wrong"] or told["not_reproducible"]:
        return 1
    return 3 if told["unclear"] or told["unchecked"] else 0


def _from_slurm() -> None:
    """srun says the same under other names; MASTER_ADDR has to be given where there are several hosts."""
    for own, slurm in (("RANK", "SLURM_PROCID"), ("WORLD_SIZE", "SLURM_NTASKS"), ("LOCAL_RANK", "SLURM_LOCALID")):
        if own not in os.environ and slurm in os.environ:
            os.environ[own] = os.environ[slurm]
    if os.environ.get("SLURM_NNODES", "1") == "1":
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29511")


def _words(told: dict[str, Any]) -> str:
    lines = []
    for rank in told["wrong"]:
        operations = ", ".join(told["operations"][str(rank)])
        lines.append(f"rank {rank} on {told['hosts'][str(rank)]} is WRONG: {operations}")
    for rank in told["not_reproducible"]:
        operations = ", ".join(told["operations"][str(rank)])
        lines.append(f"rank {rank} on {told['hosts'][str(rank)]} is not reproducible: {operations}")
    lines += [f"it cannot be told who is wrong: {text}" for text in told["unclear"]]
    if told["unchecked"]:
        lines.append(f"not checked, fewer than three of their kind: ranks {told['unchecked']}")
    if not lines:
        lines.append(f"all {told['ranks']} ranks agree on every result")
    kinds = [f"{len(ranks)} of {name}" for name, ranks in told["classes"].items()]
    return "\n".join([*lines, f"{'; '.join(kinds)}; {told['seconds']} s of computing"])


if __name__ == "__main__":
    sys.exit(main())
