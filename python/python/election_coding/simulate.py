"""A coded vote in one process, called as research frameworks call their aggregators.

>>> import numpy as np
>>> from election_coding import design
>>> from election_coding.simulate import CodedVote
>>> vote = CodedVote(design(9, 2), byzantine=(0, 5), attack="omniscient")
>>> gradients = np.random.default_rng(0).normal(size=(9, 1000)).astype(np.float32)
>>> majority = np.where((gradients < 0).sum(axis=0) > 4, -1.0, 1.0)
>>> bool((vote(gradients) == majority).all())
True
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._election_coding import Code, pack

Signs = npt.NDArray[np.int8]
Attack = Callable[[int, Signs, Signs], Signs]

__all__ = ["ATTACKS", "Attack", "CodedVote", "VectorAttack"]


def _reverse(worker: int, honest: Signs, majority: Signs) -> Signs:
    return -honest


def _omniscient(worker: int, honest: Signs, majority: Signs) -> Signs:
    return -majority


def _ones(worker: int, honest: Signs, majority: Signs) -> Signs:
    return np.ones_like(honest)


ATTACKS: dict[str, Attack] = {"reverse": _reverse, "omniscient": _omniscient, "ones": _ones}
"""What a liar sends, from its number, its honest vote and the true majority, as arrays of +1 and -1 of shape (d,)."""


class VectorAttack:
    """An attack of a framework that works on vectors, as ByzFL's do, for liars that send signs.

    Args:
        attack: given the honest gradients, of shape (k, d), it returns the vector that the liars would send. They vote by
            its signs; what is not a number, or 0, counts as positive.
    """

    def __init__(self, attack: Callable[[Any], Any]) -> None:
        self.attack = attack

    def signs(self, rows: npt.NDArray[Any]) -> Signs:
        """What every liar votes."""
        return np.where(np.asarray(self.attack(rows)) < 0, -1, 1).astype(np.int8)


class CodedVote:
    """Aggregates the gradients of k partitions by the votes of n workers, of which some lie.

    Args:
        code: the allocation matrix.
        byzantine: the numbers of the workers that lie.
        attack: a name of `ATTACKS`, a function (worker, honest vote, majority) -> vote, or a `VectorAttack`.
        missing: the numbers of the workers whose votes do not arrive.

    Calling it with gradients of shape (k, d), a list of k vectors, NumPy or torch, gives the decoded signs: +1, -1,
    and 0 on a tie, of shape (d,), of the same kind and type of number.
    """

    def __init__(
        self,
        code: Code,
        *,
        byzantine: Iterable[int] = (),
        attack: str | Attack | VectorAttack = "reverse",
        missing: Iterable[int] = (),
    ) -> None:
        self.code = code
        self.byzantine = frozenset(byzantine)
        self.missing = frozenset(missing)
        for worker in self.byzantine | self.missing:
            if not 0 <= worker < code.n:
                raise ValueError(f"worker {worker}: there are workers 0 to {code.n - 1}")
        if isinstance(attack, str):
            if attack not in ATTACKS:
                raise ValueError(f"attack {attack!r}: expected a function or one of {', '.join(ATTACKS)}")
            attack = ATTACKS[attack]
        self.attack = attack

    def __call__(self, vectors: Any) -> Any:
        """The decode of the k gradients."""
        rows, back = _numpy(vectors)
        if rows.ndim != 2 or rows.shape[0] != self.code.k:
            raise ValueError(f"gradients of shape {rows.shape}: expected ({self.code.k}, d), one a partition")
        d = rows.shape[1]
        packed = [pack(row) for row in rows]
        negative = (rows < 0).sum(axis=0)
        majority = np.where(2 * negative > self.code.k, -1, 1).astype(np.int8)
        votes: list[npt.NDArray[np.uint8] | None] = []
        attack = self.attack
        sent = attack.signs(rows) if isinstance(attack, VectorAttack) and self.byzantine else None
        for worker in range(self.code.n):
            if worker in self.missing:
                votes.append(None)
                continue
            vote = self.code.worker_vote(worker, [packed[i] for i in self.code.partitions(worker)], d)
            if worker in self.byzantine:
                lie = sent
                if not isinstance(attack, VectorAttack):
                    honest = np.where(np.unpackbits(vote, count=d, bitorder="little"), -1, 1).astype(np.int8)
                    lie = attack(worker, honest, majority)
                vote = np.packbits(np.asarray(lie) < 0, bitorder="little")
            votes.append(vote)
        return back(self.code.server_vote(votes, d))

    # The name under which some frameworks call an aggregator.
    aggregate_vectors = __call__


def _numpy(vectors: Any) -> tuple[npt.NDArray[Any], Callable[[Signs], Any]]:
    """The gradients as one array, and how the result becomes what they were."""
    first: Any = vectors[0] if isinstance(vectors, Sequence) and len(vectors) else vectors
    if type(first).__module__.split(".")[0] == "torch":
        torch: Any = importlib.import_module("torch")
        stacked = torch.stack(list(vectors)) if isinstance(vectors, Sequence) else vectors
        rows = stacked.detach().to("cpu", torch.float32).numpy()
        return rows, lambda signs: torch.as_tensor(signs, dtype=stacked.dtype, device=stacked.device)
    rows = np.asarray(vectors)
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    kind = rows.dtype
    return np.ascontiguousarray(rows), lambda signs: signs.astype(kind)
