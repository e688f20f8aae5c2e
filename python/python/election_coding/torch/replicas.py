"""The copies of a model that check each other: single ranks, or groups of ranks that share one copy in shards.

Every rank hears what every other says, so that all judge alike. What moves between two copies moves between ranks of the
same place: shard to shard.
"""

from __future__ import annotations

import hashlib
from typing import Any

import torch
import torch.distributed as dist

__all__ = ["Replicas"]


class Replicas:
    """The replicas of a process group.

    Args:
        mesh: a DeviceMesh of two dimensions: replicas, and the shards of each. Without it every rank is a replica.

    Attributes:
        index: the replica of this rank.
        count: how many there are.
        shard: this rank's place in its replica.
    """

    def __init__(self, mesh: Any = None) -> None:
        self.index, self.count, self.shard = dist.get_rank(), dist.get_world_size(), 0
        self.ranks = [[rank] for rank in range(self.count)]
        """The ranks of each replica, in the order of their shards."""
        self._across: Any = None
        if mesh is not None:
            if mesh.ndim != 2:
                raise ValueError(f"mesh: {mesh.ndim} dimensions; expected two, replicas and shards")
            self.ranks = [[int(rank) for rank in row] for row in mesh.mesh.tolist()]
            everybody = sorted(rank for row in self.ranks for rank in row)
            if everybody != list(range(dist.get_world_size())):
                raise ValueError("mesh: it does not hold every rank of the process group")
            self.index, self.shard = (int(place) for place in mesh.get_coordinate())
            self.count = len(self.ranks)
            self._across = mesh.get_group(0)

    def peer(self, replica: int) -> int:
        """The rank of this rank's place in another replica."""
        return self.ranks[replica][self.shard]

    def hear(self, own: torch.Tensor) -> list[list[torch.Tensor]]:
        """What every rank says, by replica and shard, on the CPU."""
        heard = [torch.zeros_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(heard, own)
        return [[heard[rank].cpu() for rank in row] for row in self.ranks]

    @staticmethod
    def joined(parts: list[bytes]) -> bytes:
        """One digest of 16 bytes of those of a replica's shards; of one shard its own."""
        return parts[0] if len(parts) == 1 else hashlib.blake2b(b"".join(parts), digest_size=16).digest()

    def send(self, tensor: torch.Tensor, replica: int) -> None:
        """To the same place of another replica."""
        dist.send(tensor, self.peer(replica))

    def receive(self, tensor: torch.Tensor, replica: int) -> None:
        """From the same place of another replica."""
        dist.recv(tensor, self.peer(replica))

    def sum(self, tensor: torch.Tensor) -> None:
        """Adds up a tensor over all replicas, place by place."""
        dist.all_reduce(tensor, group=self._across)

    def broadcast(self, tensor: torch.Tensor, replica: int) -> None:
        """From a replica to all others, place by place."""
        dist.broadcast(tensor, self.peer(replica), group=self._across)


def local(tensor: torch.Tensor) -> torch.Tensor:
    """What this rank holds of a tensor: its shard, or all of it."""
    part = getattr(tensor, "to_local", None)
    return part() if part is not None else tensor
