"""Names and masks a rank that computes wrong, under any optimizer: ordinary data parallelism with b + 1 holders.

On audited steps each partition's gradient is computed by b + 1 ranks and their digests are compared. Where they differ a
further rank is asked, whoever was wrong is named, and the accepted gradient goes into the ordinary reduction, in its
ordinary place: the step has the bits of a run without the fault.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.distributed as dist

from .._election_coding import EcodeError, Judge, Turn
from .data import Reproducible
from .faults import Fault, FaultFound
from .digests import Fingerprints
from .flats import as_bytes, as_tensor, flat, words
from .flats import parts as parts_of
from .kinds import require_one_kind
from .replicas import Replicas, local
from .voter import Unverified

__all__ = ["Audit"]

_PAD = bytes(16)
Compute = Callable[[int], object]


class Audit:
    """Data-parallel training with checks. Partition i is what rank i computes in an ordinary run.

    ::

        audit = Audit(model, optimizer, b=1, every=100, on_fault="mask")
        for step in audit.steps(10_000):
            if audit.backward(lambda i: loss(model, batch(step, i)).backward()):
                optimizer.step()

    It needs gradients that ranks reproduce bit for bit (`Reproducible.settings()`), and every rank able to load every
    partition's batch. Every rank judges for itself from the same digests: it names faulty ranks, not malicious ones.

    Args:
        model: a module, or one wrapped in DistributedDataParallel, whose own reduction is then not used. Its parameters
            are the same on every rank.
        optimizer: compared and repaired as well, where it is given.
        b: how many ranks can be wrong at a time.
        every: one step in so many is audited: (b + 1)x the gradients in that step. What is wrong in between is not seen.
        on_fault: "mask": the accepted gradient is taken, and named ranks' partitions are computed by others from then on;
            "rollback": the same, after going back to the last audited step without a fault; "stop": `FaultFound` on every
            rank; "warn": `on_named` is called and nothing else is done.
        domains: for each rank the name of what fails as one, a host for instance: holders of a partition are in different
            ones where there are enough. b counts ranks: where whole hosts fail, it is the ranks of a host.
        mesh: for hybrid sharding, a DeviceMesh of two dimensions, replicas and shards: the model is sharded over the second
            (`fully_shard(model, mesh=mesh["shard"])`), and the reduction over the first is the audit's. Then read
            "replica" for "rank" everywhere: partition i is what replica i computes, b counts replicas, and a whole
            replica is named; the probe finds the rank in it.
        on_named: called on every rank with each new `Fault`.
        reduce_dtype: in which gradients are added up.
        also: further objects with state_dict() that a rollback takes back, as a scheduler.
        seed: of the random numbers of each partition.
        sign: a seed of 32 secret bytes of this rank's own, by which it signs what it announced when somebody is named; the
            certificate of a naming rests on these keys. Without it every rank draws one for this run.
        mixed: take ranks of several kinds of device, driver, library or number of threads. Without it they are refused.

    Attributes:
        faults: what was named, in order.
        step_count: the step, from 0.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer | None = None,
        *,
        b: int = 1,
        every: int = 1,
        on_fault: str = "mask",
        domains: Sequence[str] | None = None,
        mesh: Any = None,
        on_named: Sequence[Callable[[Fault], None]] = (),
        reduce_dtype: torch.dtype = torch.float32,
        also: Sequence[Any] = (),
        seed: int = 0,
        key: bytes = b"audit",
        sign: bytes | None = None,
        mixed: bool = False,
    ) -> None:
        if on_fault not in ("mask", "rollback", "stop", "warn"):
            raise ValueError(f"on_fault {on_fault!r}: expected 'mask', 'rollback', 'stop' or 'warn'")
        if every < 1:
            raise ValueError(f"every = {every}: one step in every 1, 2, …")
        self._replicas = Replicas(mesh)
        self.rank, self.n = self._replicas.index, self._replicas.count
        if domains is not None and len(domains) != self.n:
            raise ValueError(f"domains: {len(domains)} names where {self.n} are expected")
        if self.n < 2 * b + 1:
            what = "ranks" if mesh is None else "replicas"
            raise ValueError(f"{self.n} {what} cannot tell which {b} of them are wrong: {2 * b + 1} are needed")
        meshes = {p.device_mesh.ndim for p in model.parameters() if hasattr(p, "device_mesh")}
        if meshes and (mesh is None or meshes != {1}):
            raise ValueError(
                "the parameters are sharded: shard over one dimension of a mesh of two, fully_shard(model, "
                'mesh=mesh["shard"]), and say Audit(…, mesh=mesh)'
            )
        self.model, self.optimizer, self.b, self.every, self.on_fault = model, optimizer, b, every, on_fault
        self.domains = list(domains) if domains is not None else [str(rank) for rank in range(self.n)]
        self.on_named, self.also, self.seed, self.reduce_dtype = list(on_named), list(also), seed, reduce_dtype
        self.faults: list[Fault] = []
        self.step_count = 0
        self.gradients = 0
        """Gradients that this rank has computed."""
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        if not mixed:
            require_one_kind(self._parameters[0].device)
        self._digest, self._seed = Fingerprints(key), sign if sign is not None else os.urandom(32)
        self._judge = Judge(self.n, self.n, b, run=key)
        self._flats: dict[int, torch.Tensor] = {}
        self._answers: dict[int, dict[int, bytes]] = {}
        self._own: dict[int, bytes] = {}
        self._snapshot: tuple[int, Any] | None = None
        self._called = False
        # Digests travel on the CPU where the backend can, else on the device.
        cpu = "cpu" in dist.get_backend() or dist.get_backend() == "gloo"
        self._wire = torch.device("cpu") if cpu else self._parameters[0].device

    @property
    def named(self) -> list[int]:
        """Ranks that were named."""
        return sorted({fault.rank for fault in self.faults})

    def steps(self, total: int) -> Iterator[int]:
        """The steps up to `total`, some again after a rollback; at the end states are compared once more."""
        while self.step_count < total:
            self._called = False
            yield self.step_count
            if not self._called:
                raise RuntimeError(f"step {self.step_count}: backward() was not called")
        self.check()

    def backward(self, compute: Compute) -> bool:
        """Computes this rank's part of the step; `.grad` becomes the mean over all partitions.

        Args:
            compute: given a partition, leaves its gradient in `.grad`: a forward and a backward pass, or several where
                gradients are accumulated.

        Returns:
            Whether the optimizer is to step. False after a rollback: go on with the next step of `steps()`.

        Raises:
            FaultFound: with "stop", when somebody is named.
            Unverified: more ranks are wrong than b; nobody is named by that.
        """
        self._called = True
        self._flats.clear()
        audited = self.step_count % self.every == 0
        new: list[Fault] = []
        if audited:
            new += self._compare_states()
            new += self._audit(compute)
            if self.on_fault == "warn" and self.rank not in self._flats:
                # It was named before: nobody asks it, and its gradient is used all the same.
                self._flats[self.rank] = self._gradient(compute, self.rank)
        else:
            for i in self._substitutes_of(self.rank):
                self._flats[i] = self._gradient(compute, i)
        if self._act(new):
            return False
        if audited and not new and self.on_fault == "rollback":
            self._snapshot = (self.step_count, self._keep())
        self._reduce()
        self.step_count += 1
        return True

    def check(self) -> list[Fault]:
        """Compares parameters and optimizer state across the ranks now, before a checkpoint for instance; repairs them
        under "mask" and "rollback"."""
        new = self._compare_states()
        self._act(new, back=False)
        return new

    def rehearse(self, compute: Compute, partition: int = 0) -> None:
        """Before the first step: every rank computes one gradient twice, and nobody is accused by it.

        A kernel without a fixed order of sums, or ranks that round otherwise, would have honest ranks named later; here they
        are refused. Equal gradients prove nothing for other inputs.

        Raises:
            ValueError: on every rank, with who came to other bits when it was asked again, or which ranks disagree.
        """
        digests = [self._digest(words(self._gradient(compute, partition, keep=False))) for _ in range(2)]
        rows = self._gather(torch.stack([as_tensor(digest) for digest in digests]))
        said = [[self._replicas.joined([as_bytes(one[turn]) for one in row]) for turn in range(2)] for row in rows]
        unsteady = [rank for rank, (first, second) in enumerate(said) if first != second]
        classes: dict[bytes, list[int]] = {}
        for rank, (first, _) in enumerate(said):
            classes.setdefault(first, []).append(rank)
        what = "ranks" if len(self._replicas.ranks[0]) == 1 else "replicas"
        if unsteady:
            raise ValueError(
                f"{what} {unsteady} came to other bits when they were asked again: a kernel that is not deterministic, or "
                "a fault that comes and goes. Reproducible.settings() asks for deterministic ones; the probe tells faults"
            )
        if len(classes) > 1:
            listed = " | ".join(str(ranks) for ranks in classes.values())
            raise ValueError(f"{what} come to different bits for one gradient: {listed}; the probe tells who is wrong")

    # Gradients.

    def _gradient(self, compute: Compute, i: int, keep: bool = True) -> torch.Tensor:
        """The gradient of partition i as one vector; what it leaves in buffers stays only for this rank's own, and only
        where `keep` says so."""
        self.gradients += 1
        buffers = [] if keep and i == self.rank else [buffer.clone() for buffer in self.model.buffers()]
        for p in self._parameters:
            p.grad = None
        no_sync = getattr(self.model, "no_sync", None)
        quiet: AbstractContextManager[Any] = no_sync() if no_sync else nullcontext()
        # The shards of a replica have batches of their own, and random numbers.
        place = i * len(self._replicas.ranks[0]) + self._replicas.shard
        with quiet, Reproducible(self.seed, self.step_count, place):
            compute(i)
        parts = [local(torch.zeros_like(p) if p.grad is None else p.grad) for p in self._parameters]
        if buffers:
            with torch.no_grad():
                for buffer, before in zip(self.model.buffers(), buffers):
                    buffer.copy_(before)
        return flat(parts)

    def _holders(self, i: int, unnamed: list[int], count: int) -> list[int]:
        """The ranks that compute a partition in an audited step: its own, then others in other domains."""
        turn = self.step_count // self.every
        order = [(i + offset) % self.n for offset in range(self.n)]
        # Another partner in each audited step.
        rest = [rank for rank in order[1:] if rank in unnamed]
        turned = rest[turn % len(rest) :] + rest[: turn % len(rest)]
        holders = [i] if i in unnamed else []
        for only_apart in (True, False):
            for rank in turned:
                apart = self.domains[rank] not in {self.domains[holder] for holder in holders}
                if len(holders) < count and rank not in holders and (apart or not only_apart):
                    holders.append(rank)
        return holders

    def _substitutes_of(self, rank: int) -> list[int]:
        """The partitions that a rank computes in a step without audit."""
        return [i for i in range(self.n) if self._computes(i) == rank]

    def _computes(self, i: int) -> int:
        out = self.named if self.on_fault in ("mask", "rollback") else []
        if i not in out:
            return i
        return next(rank for rank in ((i + offset) % self.n for offset in range(1, self.n)) if rank not in out)

    def _audit(self, compute: Compute) -> list[Fault]:
        self._judge.seek(self.step_count)
        known = {rank for rank, _, _ in self._judge.named} | set(self.named)
        unnamed = [rank for rank in range(self.n) if rank not in known]
        try:
            holders = [self._holders(i, unnamed, self._judge.left + 1) for i in range(self.n)]
            self._judge.begin(unnamed, holders)
        except EcodeError as error:
            raise Unverified(f"step {self.step_count}: {error}") from None
        self._answers = {i: {} for i in range(self.n)}
        asked = [(i, rank) for i in range(self.n) for rank in holders[i]]
        while True:
            self._answer(compute, asked)
            turn: Turn = self._judge.next()
            if turn.word == "settled":
                break
            if turn.word != "trip":
                why = turn.reason or f"partitions {turn.open} cannot be settled by the ranks that are left"
                raise Unverified(f"step {self.step_count}: {why}")
            asked = [(i, rank) for i, rank, _ in turn.asks]
        new = [(rank, why) for rank, _, why in self._judge.named if rank not in known]
        certificates = self._certify() if new else {}
        accepted = [digest[:16] for digest in turn.accepted]
        self._judge.close(b"".join(accepted))
        repeats = self._repeats(compute, [rank for rank, _ in new], accepted)
        if self.on_fault != "warn":
            self._supply(accepted)
        return [
            self._fault(rank, "gradient", why, repeats.get(rank), certificates.get(rank)) for rank, why in new
        ]

    def _certify(self) -> dict[int, str]:
        """What shows the namings of this step to others: everybody signs what it announced."""
        own = {i: answers[self.rank] for i, answers in self._answers.items() if self.rank in answers}
        signed = {i: self._judge.sign(self._seed, i, digest + _PAD) for i, digest in own.items()}
        heard: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(heard, (Judge.key(self._seed), signed))
        first = [heard[ranks[0]] for ranks in self._replicas.ranks]
        signatures = {(rank, i): signature for rank, (_, all) in enumerate(first) for i, signature in all.items()}
        return dict(self._judge.certificates([key for key, _ in first], signatures))

    def _answer(self, compute: Compute, asked: list[tuple[int, int]]) -> None:
        """Computes what this rank is asked for, and hears everybody's digests."""
        # This rank's own partition last, so that what its pass leaves behind is what stays.
        mine = sorted((i for i, rank in asked if rank == self.rank), key=lambda i: i == self.rank)
        digests = torch.zeros(self.n, 16, dtype=torch.uint8)
        for i in mine:
            self._flats[i] = self._gradient(compute, i)
            self._own[i] = self._digest(words(self._flats[i]))
            digests[i] = as_tensor(self._own[i])
        heard = self._gather(digests)
        for i, rank in asked:
            digest = self._replicas.joined([as_bytes(one[i]) for one in heard[rank]])
            self._answers[i][rank] = digest
            self._judge.answer(rank, i, digest + _PAD)
            # Whoever has the digest can send the gradient.
            self._judge.available(i, digest + _PAD)

    def _repeats(self, compute: Compute, new: list[int], accepted: list[bytes]) -> dict[int, bool]:
        """Lets each rank that was named compute again what it got wrong."""
        if not new:
            return {}
        told = torch.zeros(1, dtype=torch.uint8)
        for i, answers in self._answers.items():
            if self.rank in new and answers.get(self.rank, accepted[i]) != accepted[i]:
                again = self._digest(words(self._gradient(compute, i, keep=False)))
                told[0] = 1 if again == self._own[i] else 2
                break
        heard = self._gather(told)
        return {rank: all(int(one[0]) == 1 for one in heard[rank]) for rank in new if int(heard[rank][0][0])}

    def _supply(self, accepted: list[bytes]) -> None:
        """Brings each accepted gradient to the rank in whose place it is added up."""
        for i, digest in enumerate(accepted):
            if self._answers[i].get(i) == digest:
                continue
            self._send(i, min(rank for rank, own in self._answers[i].items() if own == digest))

    def _send(self, i: int, source: int) -> None:
        if source == self.rank:
            self._replicas.send(self._flats[i].to(self._wire), i)
        elif self.rank == i:
            size = sum(p.numel() * p.element_size() for p in map(local, self._parameters))
            came = torch.zeros(size, dtype=torch.uint8, device=self._wire)
            self._replicas.receive(came, source)
            self._flats[i] = came.to(self._parameters[0].device)

    def _reduce(self) -> None:
        """The mean of all partitions' gradients, each added in its own rank's place."""
        if self.step_count % self.every != 0:
            for i in range(self.n):
                if self._computes(i) != i:
                    self._send(i, self._computes(i))
        own = [local(p) for p in self._parameters]
        parts = parts_of(self._flats[self.rank], own)
        wide = torch.cat([part.reshape(-1).to(self.reduce_dtype) for part in parts])
        self._replicas.sum(wide)
        wide /= self.n
        start = 0
        for p, held in zip(self._parameters, own):
            mean = wide[start : start + held.numel()].view_as(held).to(held.dtype)
            if held is p:
                p.grad = mean
            else:
                # The gradient of a sharded parameter is sharded alike.
                p.grad = torch.zeros_like(p)
                local(p.grad).copy_(mean)
            start += held.numel()
        self._flats.clear()

    # States.

    def _state(self) -> list[torch.Tensor]:
        tensors: list[torch.Tensor] = [p.detach() for p in self.model.parameters()]
        for p in self._parameters if self.optimizer is not None else []:
            own = self.optimizer.state.get(p, {}) if self.optimizer is not None else {}
            tensors += [own[name] for name in sorted(own) if isinstance(own[name], torch.Tensor)]
        return [local(tensor) for tensor in tensors]

    def _compare_states(self) -> list[Fault]:
        rows = self._gather(as_tensor(self._digest(self._state())))
        heard = [self._replicas.joined([as_bytes(one) for one in row]) for row in rows]
        named = set(self.named)
        classes: dict[bytes, list[int]] = {}
        for rank in range(self.n):
            if rank not in named:
                classes.setdefault(heard[rank], []).append(rank)
        right = max(classes, key=lambda digest: len(classes[digest]))
        good = classes[right]
        wrong = [rank for rank in range(self.n) if heard[rank] != right]
        if not wrong:
            return []
        new = [rank for rank in wrong if rank not in named]
        if len(new) > self.b or len(good) <= self.b:
            raise Unverified(
                f"step {self.step_count}: the ranks hold {len(classes)} different states; at most {self.b} can be wrong"
            )
        if self.on_fault in ("mask", "rollback"):
            for tensor in self._state():
                there = tensor.to(self._wire)
                self._replicas.broadcast(there, good[0])
                if self.rank in wrong:
                    with torch.no_grad():
                        tensor.copy_(there)
        why = f"{len(good)} others hold another state"
        return [self._fault(rank, "state", why) for rank in new]

    def _fault(
        self, rank: int, kind: str, why: str, repeats: bool | None = None, certificate: str | None = None
    ) -> Fault:
        ranks = tuple(self._replicas.ranks[rank])
        return Fault(rank, self.step_count, kind, why, repeats, ranks if len(ranks) > 1 else None, certificate)

    def _act(self, new: list[Fault], back: bool = True) -> bool:
        """Says who was named, and does what was asked for; returns whether the run went back."""
        new = [fault for fault in new if fault.rank not in self.named]
        self.faults += new
        for fault in new:
            for hook in self.on_named:
                hook(fault)
        if not new:
            return False
        if self.on_fault == "stop":
            raise FaultFound(new)
        if self.on_fault == "rollback" and back and self._snapshot is not None:
            self.step_count, state = self._snapshot
            self._restore(state)
            return True
        return False

    def _keep(self) -> Any:
        optimizer = [self.optimizer] if self.optimizer is not None else []
        return copy.deepcopy([thing.state_dict() for thing in [self.model, *optimizer, *self.also]])

    def _restore(self, state: Any) -> None:
        optimizer = [self.optimizer] if self.optimizer is not None else []
        for thing, kept in zip([self.model, *optimizer, *self.also], copy.deepcopy(state)):
            thing.load_state_dict(kept)

    def _gather(self, own: torch.Tensor) -> list[list[torch.Tensor]]:
        return self._replicas.hear(own.to(self._wire))

    def metrics(self) -> dict[str, float]:
        """Numbers for a log: flat."""
        return {
            "audit/step": self.step_count,
            "audit/named": len(self.named),
            "audit/gradients": self.gradients,
        }

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        faults = [vars(fault) for fault in self.faults]
        return {"step": self.step_count, "judge": self._judge.state(), "faults": faults}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a state."""
        self._judge.load(state["judge"])
        self.step_count = state["step"]
        self.faults = [Fault(**fault) for fault in state["faults"]]
