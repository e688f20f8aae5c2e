"""The vote of an Election code over torch.distributed, or by a server of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any, overload

import torch
import torch.distributed as dist

from .._election_coding import Code, unusual
from .served import Served, connect
from .message import HEAD, join, split
from .packing import unpack_signs
from .voter import Unverified, Voter

__all__ = ["CodedSignSGD", "CodedVote"]


class CodedVote(Voter):
    """Each rank computes its code's partitions and votes; rank 0 or a server decodes; `.grad` becomes +1 and -1.

    With up to `code.b` ranks that compute wrong the signs are those of a run in which nobody does, bit for bit. Over
    torch.distributed it masks faulty ranks, not malicious ones (`election_coding.torch.links`); rank 0 counts the votes and
    is trusted to count right, though its own vote may be wrong.

    Args:
        params: the parameters, in the same order on every rank.
        code: a code with as many workers as there are ranks; rank j is worker j. None for the server's.
        exchange: "grpc://HOST:PORT": the votes go to `ecode serve`, with mutual TLS, and torch.distributed is not needed.
            It masks up to `code.b` malicious workers; who was killed may come back, and so may the server. Which worker this is
            say its keys. Partitions that were decided without this worker are not computed any more:
            `partitions()` is empty then, and `reduce()` has the decode.
            "pairs": over gloo, by rank 0. "int8": one all-reduce of votes as numbers of 8 bits, for up to 127 ranks of a trusted
            cluster. It masks wrong computing, not dead ranks or wrong sums, and names nobody.
        keys: with grpc, the folder of this worker's keys, which `ecode keys` makes.
        give_up_after: with grpc, seconds for which a server that cannot be reached is tried.
        liars: how many ranks may be wrong; `code.b` without it. The decode is proved exact while
            2·liars + missing <= 2·radius: with fewer liars more ranks may die. With grpc the server decides
            (`--byzantine`), as about the two that follow (`--on-excess`, `--worker-timeout`).
        on_excess: "stop" raises `Unverified` on every rank where more votes are missing than that; "go-on" decodes and
            says `verified: False` in the metrics.
        deadline: seconds that rank 0 waits for a vote. Who takes longer is lost.
        seed: of the random numbers inside `partition()`.

    Attributes:
        liars: ranks that are proved to have computed wrong: they hold every partition and sent another vote than their
            majority. Rank -> step.
        blamed: ranks that differ from the decodes unusually often among those of their load. Statistics, no proof.
    """

    EXCHANGES = ("grpc://HOST:PORT", "pairs", "int8")

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        code: Code | None,
        exchange: str = "pairs",
        *,
        keys: str | PathLike[str] | None = None,
        give_up_after: float = 600.0,
        liars: int | None = None,
        on_excess: str = "stop",
        deadline: float = 60.0,
        seed: int = 0,
    ) -> None:
        if on_excess not in ("stop", "go-on"):
            raise ValueError(f"on_excess {on_excess!r}: expected 'stop' or 'go-on'")
        link = connect(exchange, keys, give_up_after, code)
        if link is not None and liars is not None:
            raise ValueError("liars: the server decides how many it stands against (ecode serve --byzantine)")
        code = code if code is not None or link is None else link.code
        if code is None:
            raise ValueError("code: only a server brings its own; pass the code")
        worker = None if link is None else (link.row, code.n)
        super().__init__(params, code.k, exchange, deadline, seed, worker)
        self._served = None if link is None else Served(link, self.d)
        if self.n != code.n:
            raise ValueError(f"the code is for {code.n} workers, and there are {self.n} ranks")
        self.code = code
        self.declared = liars if liars is not None else code.b or 0
        self.on_excess = on_excess
        self.liars: dict[int, int] = {}
        self.blamed: list[int] = []
        self.verified = True
        self.missing = 0
        self._compared, self._differed = [0] * code.n, [0] * code.n
        self._radius = -1
        if exchange == "int8" and self.n > 127:
            raise ValueError(f"{self.n} ranks: their sum does not fit into 8 bits; 'pairs' has no such limit")
        if self._served is None and (self.rank == 0 or exchange == "int8"):
            verdict = code.verdict or code.verify()
            radius = verdict.radius if verdict.radius is not None else verdict.radius_at_least
            self._radius = -1 if radius is None else radius

    def partitions(self) -> list[int]:
        """The partitions of this rank; none, with grpc, where this step was decided without it."""
        if self._served is not None and self._served.decided(self.step_count):
            return []
        return self.code.partitions(self.rank)

    def reduce(self) -> None:
        """Votes with what was put; fills `.grad` with the decoded signs: +1, -1, and 0 on a tie.

        Raises:
            Unverified: too many votes are missing.
            ConnectionError: with grpc, the server has ended, refuses this worker, or cannot give what it missed.
        """
        if self._served is not None and self._served.has(self.step_count):
            self._take(self._served)
            return
        mine = self.code.partitions(self.rank)
        absent = [i for i in mine if i not in self._signs]
        if absent:
            raise RuntimeError(f"step {self.step_count}: partitions {absent} were not put")
        signs = [self._signs[i].cpu().numpy() for i in mine]
        packed = self.code.worker_vote(self.rank, signs, self.d)
        if self._served is not None:
            self._served.vote(self.step_count, packed)
            self._sent += packed.nbytes
            self._take(self._served)
            return
        vote = torch.from_numpy(packed).clone()
        if self.exchange == "int8":
            self._sum(vote)
            return
        if self.rank == 0:
            answer = self._count(vote)
        else:
            self._links.send(join({"step": self.step_count}, vote))
            answer = self._links.receive()
        head, answered = split(answer)
        if "stop" in head:
            raise Unverified(head["stop"])
        self.lost = {int(rank): why for rank, why in head["lost"].items()}
        self.liars = {int(rank): step for rank, step in head["liars"].items()}
        self.blamed, self.verified, self.missing = head["blamed"], head["verified"], head["missing"]
        self._decoded(answered)

    def _take(self, served: Served) -> None:
        """What the server decoded, and what it says of it."""
        negative, tied, facts = served.take()
        self.lost = {int(rank): f"since step {step}" for rank, step in facts["lost"].items()}
        # Who was proved to lie stays proved, though the decodes that a server has from its disk do not say it again.
        self.liars |= {int(rank): step for rank, step in facts["named"].items()}
        self.blamed, self.verified, self.missing = facts["unusual"], facts["verified"], facts["missing"]
        parts = [torch.from_numpy(part) for part in (negative, tied) if part is not None]
        self._decoded(torch.cat(parts))

    def _sum(self, vote: torch.Tensor) -> None:
        """The decode is the sign of the sum of all votes."""
        self.verified = 0 <= self.declared <= self._radius
        if not self.verified and self.on_excess == "stop":
            raise Unverified(f"{self.declared} ranks may be wrong, which radius {self._radius} does not cover")
        total = unpack_signs(vote.to(self.parameters.device), self.d).to(torch.int8)
        dist.all_reduce(total)
        self._sent += self.d
        self._signed(total.sign().to(torch.float32))

    def _count(self, own: torch.Tensor) -> torch.Tensor:
        """On rank 0: waits for the votes, decodes them, and tells everybody."""
        votes: list[torch.Tensor | None] = [own] + [None] * (self.n - 1)
        for rank, message in self._links.gather(range(1, self.n), HEAD + own.numel()).items():
            try:
                head, vote = split(message)
                if head.get("step") == self.step_count and vote.numel() == own.numel():
                    votes[rank] = vote
            except ValueError:
                continue
        missing = sum(vote is None for vote in votes)
        verified = self._radius >= 0 and 2 * self.declared + missing <= 2 * self._radius
        if not verified and self.on_excess == "stop":
            text = (
                f"step {self.step_count}: {missing} votes are missing and {self.declared} ranks may be wrong, which "
                f"radius {self._radius} does not cover; lost: {self._links.lost}"
            )
            self._tell(join({"stop": text}))
            raise Unverified(text)
        arrays = [None if vote is None else vote.numpy() for vote in votes]
        negative, tied, compared, differed = self.code.tally(arrays, self.d)
        for rank in range(self.n):
            self._compared[rank] += compared[rank]
            self._differed[rank] += differed[rank]
            if verified and differed[rank] and self.code.loads[rank] == self.k and self.k % 2 == 1:
                self.liars.setdefault(rank, self.step_count)
        head = {
            "lost": self._links.lost,
            "liars": self.liars,
            "blamed": unusual(self.code.loads, self._compared, self._differed),
            "verified": verified,
            "missing": missing,
        }
        parts = [torch.from_numpy(part) for part in (negative, tied) if part is not None]
        message = join(head, *parts)
        self._tell(message)
        return message

    def _tell(self, message: torch.Tensor) -> None:
        self._links.scatter([(rank, message) for rank in self._links.connected()])

    def metrics(self) -> dict[str, float]:
        """Numbers for a log: flat, and the same on every rank."""
        return {
            "vote/step": self.step_count,
            "vote/verified": float(self.verified),
            "vote/missing": self.missing,
            "vote/lost": len(self.lost),
            "vote/liars": len(self.liars),
            "vote/blamed": len(self.blamed),
            "vote/bytes_sent": self.bytes_sent,
        }

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs: the step (it decides signs of zeros and random numbers) and who was proved wrong."""
        return {
            "code": self.code.digest,
            "step": self.step_count,
            "run": 0 if self._served is None else self._served.run,
            "liars": dict(self.liars),
            "compared": list(self._compared),
            "differed": list(self._differed),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a state.

        Raises:
            ValueError: it is of another code.
        """
        if state["code"] != self.code.digest:
            raise ValueError("the state is of another code")
        self.step_count = state["step"]
        if self._served is not None:
            self._served.join(self.d, self.step_count, state.get("run", 0))
        self.liars = {int(rank): step for rank, step in state["liars"].items()}
        self._compared, self._differed = list(state["compared"]), list(state["differed"])


class CodedSignSGD(torch.optim.SGD):
    """SignSGD with momentum under a coded vote: the paper's step, and `ecode train`'s.

    velocity = momentum·velocity + decoded sign + weight_decay·parameter; parameter -= lr·velocity.

    Args:
        params: the parameters; groups with learning rates of their own are welcome.
        code: the code of the vote; None, with grpc, for the server's.
        **vote: further arguments of `CodedVote`.
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor] | Iterable[dict[str, Any]],
        lr: float,
        momentum: float = 0.9,
        *,
        code: Code | None,
        weight_decay: float = 0.0,
        **vote: Any,
    ) -> None:
        super().__init__(params, lr=lr, momentum=momentum, weight_decay=weight_decay)
        tensors = [tensor for group in self.param_groups for tensor in group["params"]]
        self.vote = CodedVote(tensors, code, **vote)
        self.partitions, self.partition, self.put = self.vote.partitions, self.vote.partition, self.vote.put
        self.metrics = self.vote.metrics

    @property
    def step_count(self) -> int:
        """The step, from 0."""
        return self.vote.step_count

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Votes with the gradients that were put, and moves the parameters."""
        if closure is not None:
            raise ValueError("closure: a vote takes the gradients that were put")
        self.vote.reduce()
        super().step()
        return None

    def state_dict(self) -> dict[str, Any]:
        """The optimizer's state and the vote's."""
        return {**super().state_dict(), "vote": self.vote.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from a state."""
        own = dict(state_dict)
        self.vote.load_state_dict(own.pop("vote"))
        super().load_state_dict(own)
