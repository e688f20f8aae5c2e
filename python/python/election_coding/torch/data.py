"""The same batch, the same random numbers and the same bits on every rank that holds a partition."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import torch

__all__ = ["CodedSampler", "Reproducible", "steps"]


def _seed(*numbers: int) -> int:
    text = ",".join(str(number) for number in numbers).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


class Reproducible:
    """Random numbers that depend on seed, step and partition alone: dropout and augmentation come out the same on
    every rank.

    As a context manager it seeds torch, NumPy's global generator and `random`, and gives them back as they were.
    """

    def __init__(self, seed: int, step: int, partition: int) -> None:
        self.value = _seed(seed, step, partition)

    @staticmethod
    def settings(*, strict: bool = True) -> None:
        """Asks torch for deterministic algorithms, in this process and from now on.

        Args:
            strict: raise where an operation has none; otherwise torch warns.

        On CUDA, CUBLAS_WORKSPACE_CONFIG=:4096:8 must be in the environment as well; not run on a GPU.
        """
        torch.use_deterministic_algorithms(True, warn_only=not strict)
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True

    def __enter__(self) -> Reproducible:
        self._cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        self._before: tuple[Any, ...] = (torch.get_rng_state(), np.random.get_state(), random.getstate())
        torch.manual_seed(self.value)
        np.random.seed(self.value % 2**32)
        random.seed(self.value)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        torch.set_rng_state(self._before[0])
        np.random.set_state(self._before[1])
        random.setstate(self._before[2])
        if self._cuda:
            torch.cuda.set_rng_state_all(self._cuda)


class CodedSampler:
    """Which samples are partition i of step t: the same on every rank, in every process, after every resume.

    An epoch is a permutation of the data, cut into steps of `partitions` batches; what is left over is left out.

    Args:
        size: samples in the data set.
        partitions: k.
        batch: samples of a partition in a step.
        mine: the partitions of this rank, for use as a DataLoader's `batch_sampler`: it then yields their batches,
            step by step, without end.
        start: the first step of that.
    """

    def __init__(
        self, size: int, partitions: int, batch: int, *, seed: int = 0, mine: Iterable[int] = (), start: int = 0
    ) -> None:
        self.per_epoch = size // (partitions * batch)
        if min(partitions, batch) < 1 or self.per_epoch < 1:
            raise ValueError(f"{size} samples do not make {partitions} batches of {batch}")
        self.size, self.partitions, self.batch, self.seed = size, partitions, batch, seed
        self.mine, self.start = list(mine), start
        self._epoch, self._order = -1, torch.zeros(0, dtype=torch.int64)

    def indices(self, step: int, partition: int) -> list[int]:
        """The samples of a partition in a step."""
        if not 0 <= partition < self.partitions:
            raise ValueError(f"partition {partition}: there are partitions 0 to {self.partitions - 1}")
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(_seed(self.seed, epoch))
            self._epoch, self._order = epoch, torch.randperm(self.size, generator=generator)
        first = (place * self.partitions + partition) * self.batch
        return [int(index) for index in self._order[first : first + self.batch]]

    def __iter__(self) -> Iterator[list[int]]:
        step = self.start
        while self.mine:
            for partition in self.mine:
                yield self.indices(step, partition)
            step += 1


class _Stepping(Protocol):
    @property
    def step_count(self) -> int: ...


def steps(vote: _Stepping, total: int) -> Iterator[int]:
    """The steps from where the vote stands, after a resume too, up to `total`."""
    while vote.step_count < total:
        before = vote.step_count
        yield before
        if vote.step_count == before:
            raise RuntimeError(f"step {before} was not voted on: reduce() was not called")
