"""Who holds which partition's state, as rank 0 knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Custody"]


class Custody:
    """Partitions stay with those that hold their states; others take over only where holders are gone.

    Attributes:
        owners: for each partition the ranks that announced its accepted state; empty before the first step.
        accepted: the digest of that state.
    """

    def __init__(self) -> None:
        self.owners: list[set[int]] = []
        self.accepted: list[bytes] = []

    def holders(self, present: Sequence[int], count: int, step: int) -> list[list[int]]:
        """`count` ranks of those present for each partition, owners first, then those with the least to do; another one
        begins in each step."""
        load = dict.fromkeys(present, 0)
        lists: list[list[int]] = []
        for own in self.owners:
            kept = sorted((rank for rank in present if rank in own), key=lambda rank: (load[rank], rank))[:count]
            lists.append(kept)
            for rank in kept:
                load[rank] += 1
        for i, holders in enumerate(lists):
            others = sorted((rank for rank in present if rank not in holders), key=lambda rank: (load[rank], rank))
            for rank in others[: count - len(holders)]:
                holders.append(rank)
                load[rank] += 1
            turn = (step + i) % max(len(holders), 1)
            lists[i] = holders[turn:] + holders[:turn]
        return lists

    def lacks(self, rank: int, i: int) -> bool:
        """Whether a rank needs the state of partition i before it can compute it."""
        return bool(self.owners) and rank not in self.owners[i]

    def settled(
        self, said: Mapping[tuple[int, int], bytes], accepted: Sequence[bytes], states: Sequence[bytes]
    ) -> None:
        """The step is settled: whoever announced what was accepted holds the state now."""
        self.owners = [
            {rank for (rank, place), digest in said.items() if place == i and digest == right}
            for i, right in enumerate(accepted)
        ]
        self.accepted = list(states)

    def state_dict(self) -> dict[str, Any]:
        """Between two steps."""
        return {"owners": [sorted(own) for own in self.owners], "accepted": [one.hex() for one in self.accepted]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state."""
        self.owners = [set(own) for own in state["owners"]]
        self.accepted = [bytes.fromhex(one) for one in state["accepted"]]
