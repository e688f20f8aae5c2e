"""Messages between rank 0 and each other rank, each over a gloo group of its own.

What is promised: this masks faulty ranks, not malicious ones. A rank that was killed, that hangs, or that comes late is
lost for the rest of the run, and no other rank notices. Whoever can reach the network can take part: PyTorch's
SECURITY.md says that torch.distributed is for private networks only.

Why groups of two: a time-out closes every connection of a gloo group, and its all_gather is a ring, in which a rank
passes on what others sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

__all__ = ["Pairs"]

_LONGEST = 1 << 34


class Pairs:
    """The links of this rank: to all others on rank 0, to rank 0 elsewhere.

    Every rank of the default process group makes one, at the same point of its program.

    Args:
        deadline: seconds that rank 0 waits for an answer. A rank that takes longer is lost.
        patience: seconds that another rank waits for rank 0, which may itself be waiting for others.
    """

    def __init__(self, deadline: float = 60.0, patience: float | None = None) -> None:
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self.deadline = deadline
        self.patience = timedelta(seconds=patience if patience is not None else 10 * deadline + 60)
        self.lost: dict[int, str] = {}
        """Ranks that cannot be reached any more, and why; known to rank 0."""
        self.sent = 0
        """Bytes sent so far."""
        self._groups: dict[int, Any] = {}
        for other in range(1, self.world):
            group = dist.new_group([0, other], backend="gloo", timeout=self.patience)
            if self.rank in (0, other):
                self._groups[other] = group

    def connected(self) -> list[int]:
        """The other ranks that can still be reached."""
        return [rank for rank in self._groups if rank not in self.lost]

    def _lose(self, rank: int, why: BaseException | str) -> None:
        self.lost.setdefault(rank, str(why).splitlines()[0] if str(why) else type(why).__name__)

    def _post(self, message: torch.Tensor, to: int) -> list[Any]:
        group = self._groups[to if self.rank == 0 else self.rank]
        length = torch.tensor([message.numel()], dtype=torch.int64)
        self.sent += 8 + message.numel()
        return [dist.isend(part, to, group=group) for part in (length, message) if part.numel()]

    def send(self, message: torch.Tensor) -> None:
        """Sends bytes (uint8 of shape (length,), on the CPU) to rank 0."""
        for work in self._post(message, 0):
            _wait(work, self.patience)

    def scatter(self, messages: Sequence[tuple[int, torch.Tensor]]) -> None:
        """From rank 0: sends a message to each of these ranks that is still there. Who does not take it within the
        deadline is lost: a send of gloo waits until the other side receives."""
        ends = time.monotonic() + self.deadline
        posted: list[tuple[int, list[Any]]] = []
        for rank, message in messages:
            if rank not in self.lost:
                try:
                    posted.append((rank, self._post(message, rank)))
                except RuntimeError as error:
                    self._lose(rank, error)
        for rank, works in posted:
            try:
                for work in works:
                    _wait(work, _until(ends))
            except RuntimeError as error:
                self._lose(rank, error)

    def receive(self) -> torch.Tensor:
        """What rank 0 sends to this rank."""
        length = torch.zeros(1, dtype=torch.int64)
        group = self._groups[self.rank]
        _wait(dist.irecv(length, 0, group=group), self.patience)
        message = torch.zeros(_bounded(length, _LONGEST), dtype=torch.uint8)
        if message.numel():
            _wait(dist.irecv(message, 0, group=group), self.patience)
        return message

    def gather(self, ranks: Iterable[int], longest: int) -> dict[int, torch.Tensor]:
        """One message of each of these ranks, of at most so many bytes; without those that are lost by it."""
        ends = time.monotonic() + self.deadline
        lengths: dict[int, tuple[torch.Tensor, Any]] = {}
        for rank in ranks:
            if rank in self.lost:
                continue
            length = torch.zeros(1, dtype=torch.int64)
            try:
                lengths[rank] = (length, dist.irecv(length, rank, group=self._groups[rank]))
            except RuntimeError as error:
                self._lose(rank, error)
        bodies: dict[int, tuple[torch.Tensor, Any]] = {}
        for rank, (length, work) in lengths.items():
            try:
                _wait(work, _until(ends))
                body = torch.zeros(_bounded(length, longest), dtype=torch.uint8)
                waits = dist.irecv(body, rank, group=self._groups[rank]) if body.numel() else None
                bodies[rank] = (body, waits)
            except (RuntimeError, ValueError) as error:
                self._lose(rank, error)
        messages: dict[int, torch.Tensor] = {}
        for rank, (body, work) in bodies.items():
            try:
                if work is not None:
                    _wait(work, _until(ends))
                messages[rank] = body
            except RuntimeError as error:
                self._lose(rank, error)
        return messages


def _until(ends: float) -> timedelta:
    # A wait of 0 would mean for ever.
    return timedelta(seconds=max(ends - time.monotonic(), 0.01))


def _wait(work: Any, timeout: timedelta) -> None:
    if not work.wait(timeout):
        raise RuntimeError("it did not answer in time")


def _bounded(length: torch.Tensor, longest: int) -> int:
    value = int(length.item())
    if not 0 <= value <= longest:
        raise ValueError(f"a message of {value} bytes, where at most {longest} were expected")
    return value
