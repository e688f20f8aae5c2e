"""Which ranks must come to the same bits: those of one kind of device, driver and libraries."""

from __future__ import annotations

import contextlib
import platform
from typing import Any

import torch
import torch.distributed as dist

__all__ = ["device_kind", "require_one_kind"]


def device_kind(device: torch.device) -> str:
    """The device with all that is known to change the bits that it computes, in words."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        cudnn: Any = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        return f"{name}, CUDA {torch.version.cuda}, cuDNN {cudnn}, torch {torch.__version__}"
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration), open("/proc/cpuinfo") as lines:
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    threads = torch.get_num_threads()
    return f"{model}, {torch.backends.cpu.get_cpu_capability()}, {threads} threads, torch {torch.__version__}"


def require_one_kind(device: torch.device) -> None:
    """Refuses ranks of several kinds, all of which call it: an honest rank of another kind would be named.

    Raises:
        ValueError: on every rank, where they are of several kinds.
    """
    kinds: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(kinds, device_kind(device))
    ranks: dict[str, list[int]] = {}
    for rank, kind in enumerate(kinds):
        ranks.setdefault(kind, []).append(rank)
    if len(ranks) > 1:
        listed = "; ".join(f"ranks {which}: {kind}" for kind, which in ranks.items())
        raise ValueError(
            f"ranks of {len(ranks)} kinds may compute different bits, and honest ones would be named ({listed}); "
            "run one group a kind, or say mixed=True where you know that they agree"
        )
