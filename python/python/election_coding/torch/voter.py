"""What a coded and a reactive vote have in common: gradients of partitions in, signs in `.grad` out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist

from .data import Reproducible
from .links import Pairs
from .packing import pack_signs, unpack_signs
from .parameters import Parameters

__all__ = ["Unverified", "Voter"]


class Unverified(RuntimeError):
    """More is missing or wrong than the vote was made for: what it would decode is not proved to be the majority."""


class Voter:
    """A vote over `k` partitions by the ranks of the default process group, or by workers that are `worker` of `workers`
    for a server."""

    EXCHANGES: tuple[str, ...] = ("pairs",)
    """The ways in which votes travel."""

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        k: int,
        exchange: str,
        deadline: float,
        seed: int,
        worker: tuple[int, int] | None = None,
    ) -> None:
        if exchange not in self.EXCHANGES and worker is None:
            raise ValueError(f"exchange {exchange!r}: expected one of {', '.join(self.EXCHANGES)}")
        if worker is None and not dist.is_initialized():
            raise RuntimeError("call torch.distributed.init_process_group first")
        self.parameters = Parameters(params)
        self.d, self.k, self.seed = self.parameters.d, k, seed
        self.step_count = 0
        """The step, from 0: how many votes were counted."""
        self.lost: dict[int, str] = {}
        """Ranks whose votes do not arrive any more, and why."""
        self._signs: dict[int, torch.Tensor] = {}
        self.exchange = exchange
        self._pairs = Pairs(deadline) if exchange == "pairs" else None
        self._sent = 0
        self._out: torch.Tensor | None = None
        self.rank, self.n = worker or (dist.get_rank(), dist.get_world_size())

    @contextmanager
    def partition(self, i: int) -> Iterator[None]:
        """Computes the gradient of partition i: the gradients are cleared before, the random numbers are those of this
        step and partition, and what stands in `.grad` afterwards is the partition's gradient."""
        self.parameters.clear()
        with Reproducible(self.seed, self.step_count, i):
            yield
        self.put(i)

    def put(self, i: int, flat: torch.Tensor | None = None) -> None:
        """The gradient of partition i, of shape (d,); without it what stands in the parameters' `.grad`.

        Only its signs are kept. The sign of an exact 0 is that of the parity of step + partition, as `ecode train`
        has it, so that zeros of many partitions do not all vote one way.
        """
        if not 0 <= i < self.k:
            raise ValueError(f"partition {i}: there are partitions 0 to {self.k - 1}")
        flat = self.parameters.gradient() if flat is None else flat.detach()
        if flat.numel() != self.d:
            raise ValueError(f"partition {i}: {flat.numel()} numbers, where the parameters have {self.d}")
        self._signs[i] = pack_signs(flat, zero=(self.step_count + i) % 2 == 1)

    def _decoded(self, packed: torch.Tensor) -> None:
        """Fills `.grad` with what was decoded: the packed signs, then, where there are ties, their places."""
        size = -(-self.d // 8)
        signs = unpack_signs(packed[:size].to(self.parameters.device), self.d, self._out)
        self._out = signs
        if packed.numel() > size:
            tied = unpack_signs(packed[size:].to(self.parameters.device), self.d) < 0
            signs = signs.masked_fill(tied, 0.0)
        self._signed(signs)

    def _signed(self, signs: torch.Tensor) -> None:
        """Fills `.grad` with these signs, of shape (d,), and goes on to the next step."""
        self.parameters.fill(signs)
        self._signs.clear()
        self.step_count += 1

    @property
    def bytes_sent(self) -> int:
        """Bytes that this rank has sent so far."""
        return self._pairs.sent if self._pairs is not None else self._sent

    @property
    def _links(self) -> Pairs:
        assert self._pairs is not None, "only 'pairs' has links"
        return self._pairs
