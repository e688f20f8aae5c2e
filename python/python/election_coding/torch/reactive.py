"""Perfect tolerance at b + 1 gradients: digests detect every wrong answer, and only then is more computed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import torch

from .._election_coding import Code, EcodeError, Judge, Turn
from .custody import Custody
from .kinds import require_one_kind
from .memory import Memory, PartitionStates
from .message import HEAD, join, split
from .voter import Unverified, Voter

__all__ = ["ReactiveVote"]


class ReactiveVote(Voter):
    """The exact majority of k partitions' signs, each computed by b + 1 ranks; whoever computed wrong is named.

    It needs gradients that honest ranks reproduce bit for bit, and every rank able to compute every partition. Rank 0
    judges and is trusted to judge right; its own gradients may be wrong. It masks faulty ranks, not malicious ones.

    ::

        todo = vote.partitions()
        while todo is not None:
            for i in todo:
                with vote.partition(i):
                    loss(model, batch(i)).backward()
            todo = vote.reduce()
        optimizer.step()

    Args:
        params: the parameters, in the same order on every rank.
        b: how many ranks may be wrong at any time.
        k: partitions, an odd number; the largest up to the number of ranks without it.
        spare: holders of a partition beyond b + 1.
        total: b ranks are wrong in the whole run, so that each naming makes the steps after it cheaper.
        run: what identifies the run, mixed into every digest.
        deadline: seconds that rank 0 waits for an answer. Who takes longer is lost.
        seed: of the random numbers inside `partition()`.
        mixed: take ranks of several kinds of device, driver, library or number of threads. Without it they are refused.
        memory: what each partition remembers: `Momentum`, `ErrorFeedback`, `Lion`, `Muon`, or your own `Memory`. A
            partition then stays with its holders, and whoever takes over gets its state from one of them, by rank 0.

    Attributes:
        named: rank -> (step, why).

    References:
        docs/theory/reactive.md, Theorems 18 to 21.
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        b: int,
        exchange: str = "pairs",
        *,
        k: int | None = None,
        spare: int = 0,
        total: bool = False,
        run: bytes = b"",
        deadline: float = 60.0,
        seed: int = 0,
        mixed: bool = False,
        memory: Memory | None = None,
    ) -> None:
        super().__init__(params, 1, exchange, deadline, seed)
        self.k = k if k is not None else self.n - 1 + self.n % 2
        if self.k < 1 or self.k % 2 == 0:
            raise ValueError(f"k = {self.k}: a majority needs an odd number of partitions")
        if not mixed:
            require_one_kind(self.parameters.device)
        self.named: dict[int, tuple[int, str]] = {}
        self._judge = Judge(self.n, self.k, b, spare=spare, total=total, run=run)
        self._spare = spare
        self._todo: list[int] | None = None
        self._send: list[int] = []
        # On rank 0: what each rank was told, vectors by partition and digest, and a decode without a code.
        self._orders: dict[int, dict[str, list[int]]] = {}
        self._majority = Code(np.eye(self.k, dtype=np.uint8))
        self._vectors: dict[tuple[int, bytes], torch.Tensor] = {}
        self._helped, self._gradients = (0, 0), 0
        self._states: PartitionStates | None = None
        if memory is not None:
            shapes = [tensor.shape for tensor in self.parameters.tensors]
            self._states = PartitionStates(memory, self.d, self.parameters.device, shapes)
        self._custody = Custody()
        self._said: dict[tuple[int, int], bytes] = {}
        # Of a vector: its signs, and the digest of the state after the step.
        self._size = -(-self.d // 8) + (PartitionStates.DIGEST if memory is not None else 0)
        self.states_moved = 0
        """States that rank 0 has brought to ranks that took over."""

    def put(self, i: int, flat: torch.Tensor | None = None) -> None:
        """As `Voter.put`; with a memory, the signs are those of what it makes of the gradient."""
        if self._states is None:
            return super().put(i, flat)
        if not self._states.has(i):
            raise ValueError(f"partition {i}: this rank was not asked for it, and does not have its state")
        super().put(i, self._states.step(i, self.parameters.gradient() if flat is None else flat.detach()))
        self._signs[i] = torch.cat([self._signs[i].cpu(), self._states.after(i)])

    def partitions(self) -> list[int] | None:
        """The partitions that this rank is to compute in this step; None where it is not needed and the step is settled
        without it."""
        if self._todo is not None:
            return list(self._todo)
        if self.rank != 0:
            return self._listen()
        self._open()
        return list(self._todo or [])

    def reduce(self) -> list[int] | None:
        """Answers with what was put.

        Returns:
            None once the step is settled and `.grad` holds the decoded signs; otherwise the partitions that this rank
            is still asked for. The list may be empty: somebody else is asked.

        Raises:
            Unverified: more ranks are wrong or gone than the vote was made for. Nobody is named by that.
        """
        if self._todo is None:
            raise RuntimeError(f"step {self.step_count}: partitions() was not asked")
        absent = [i for i in self._todo if i not in self._signs]
        if absent:
            raise RuntimeError(f"step {self.step_count}: partitions {absent} were not put")
        if self.rank == 0:
            return self._lead()
        self._answer()
        return self._listen()

    # Rank 0.

    def _open(self) -> None:
        connected = [0, *self._links.connected()]
        chosen = None
        if self._custody.owners:
            count = max(self._judge.left + 1, 2) + self._spare
            chosen = self._custody.holders(self._judge.present(connected), count, self.step_count)
        try:
            holders = self._judge.begin(connected, chosen)
        except EcodeError as error:
            self._stop(str(error))
        self._vectors.clear()
        self._said.clear()
        primaries = [list[0] for list in holders]
        self._gradients = 0
        for rank in range(self.n):
            mine = [i for i, list in enumerate(holders) if rank in list]
            self._orders[rank] = {"compute": mine, "send": [i for i in mine if primaries[i] == rank]}
        self._dispatch()

    def _dispatch(self) -> None:
        """Tells each rank what it is to compute and to send; rank 0 itself too."""
        busy = {rank: order for rank, order in self._orders.items() if order["compute"] or order["send"]}
        # Whoever gives a state is not computing yet.
        states = {rank: self._lacking(rank, order["compute"]) for rank, order in busy.items()}
        for rank, order in busy.items():
            if rank != 0:
                head = {"step": self.step_count, **order, "states": list(states[rank])}
                self._links.scatter([(rank, join(head, *states[rank].values()))])
        self._todo = self._orders.get(0, {}).get("compute", [])

    def _lacking(self, rank: int, compute: list[int]) -> dict[int, torch.Tensor]:
        """The states that a rank needs and does not have; rank 0 takes its own at once."""
        states = {i: self._state(i) for i in compute if self._states and self._custody.lacks(rank, i)}
        for i, state in states.items():
            self.states_moved += 1
            if rank == 0 and self._states:
                self._states.take(i, state)
        return states

    def _state(self, i: int) -> torch.Tensor:
        """A partition's state before this step, from any that holds it: it is checked."""
        assert self._states is not None
        for owner in sorted(self._custody.owners[i] - set(self._links.lost)):
            if owner == 0:
                state = self._states.give(i)
            else:
                self._links.scatter([(owner, join({"give": i}))])
                answer = self._links.gather([owner], HEAD + self._states.size).get(owner)
                try:
                    state = split(answer)[1] if answer is not None else torch.zeros(0, dtype=torch.uint8)
                except ValueError:
                    continue
            if state.numel() == self._states.size and self._states.digest(state) == self._custody.accepted[i]:
                return state
        self._stop(f"the state of partition {i} is lost: nobody that is left gives the accepted one")

    def _lead(self) -> list[int] | None:
        size = self._size
        asked = [r for r, order in self._orders.items() if r != 0 and (order["compute"] or order["send"])]
        answers = self._links.gather(asked, HEAD + self.k * size)
        for rank, order in self._orders.items():
            if rank == 0:
                for i in order["compute"]:
                    self._said[0, i] = self._judge.digest(i, _bytes(self._signs[i]))
                    self._judge.answer(0, i, self._said[0, i])
                for i in order["send"]:
                    self._arrived(0, i, self._signs[i].cpu())
            elif rank in asked:
                self._answered(rank, order, answers.get(rank), size)
        turn = self._judge.next()
        self._gradients += sum(len(order["compute"]) for order in self._orders.values())
        if turn.word == "settled":
            self._settle(turn)
            return None
        if turn.word != "trip":
            self._stop(turn.reason or f"partitions {turn.open} cannot be settled by the ranks that are left")
        self._orders = {rank: {"compute": [], "send": []} for rank in range(self.n)}
        for partition, rank, vector in turn.asks:
            self._orders[rank]["compute"].append(partition)
            if vector:
                self._orders[rank]["send"].append(partition)
        for partition, rank in turn.fetches:
            self._orders[rank]["send"].append(partition)
        self._dispatch()
        return list(self._todo or [])

    def _answered(
        self, rank: int, order: dict[str, list[int]], message: torch.Tensor | None, size: int
    ) -> None:
        try:
            if message is None:
                raise ValueError("nothing came")
            head, body = split(message)
            digests = [bytes.fromhex(text) for text in head["digests"]]
            fits = len(digests) == len(order["compute"]) and body.numel() == size * len(order["send"])
            if head.get("step") != self.step_count or not fits or any(len(d) != 32 for d in digests):
                raise ValueError("it answers another question")
        except (ValueError, KeyError, TypeError):
            self._judge.silent(rank)
            return
        for i, digest in zip(order["compute"], digests):
            self._said[rank, i] = digest
            self._judge.answer(rank, i, digest)
        for place, i in enumerate(order["send"]):
            self._arrived(rank, i, body[place * size : (place + 1) * size])

    def _arrived(self, rank: int, partition: int, packed: torch.Tensor) -> None:
        digest = self._judge.digest(partition, _bytes(packed))
        if self._judge.vector(rank, partition, digest):
            self._vectors[partition, digest] = packed

    def _settle(self, turn: Turn) -> None:
        vectors = [self._vectors[i, digest].numpy() for i, digest in enumerate(turn.accepted)]
        states = [vector[-(-self.d // 8) :].tobytes() for vector in vectors] if self._states else []
        vectors = [vector[: -(-self.d // 8)] for vector in vectors]
        decode = torch.from_numpy(self._majority.tally(vectors, self.d)[0]).clone()
        self.named = {rank: (step, why) for rank, step, why in self._judge.named}
        self._helped = self._judge.extra
        self._judge.close(_bytes(decode))
        self.lost = dict(self._links.lost)
        head = {"settled": True, "named": self.named, "lost": self.lost, "helped": self._helped}
        head["gradients"] = self._gradients
        if self._states:
            self._states.commit(states)
            self._custody.settled(self._said, turn.accepted, states)
            head["states"] = [state.hex() for state in states]
        message = join(head, decode)
        self._links.scatter([(rank, message) for rank in self._links.connected()])
        self._finish(decode)

    def _stop(self, text: str) -> NoReturn:
        text = f"step {self.step_count}: {text}"
        message = join({"stop": text})
        self._links.scatter([(rank, message) for rank in self._links.connected()])
        raise Unverified(text)

    # The other ranks.

    def _answer(self) -> None:
        digests = [self._judge.digest(i, _bytes(self._signs[i])).hex() for i in self._todo or []]
        head = {"step": self.step_count, "digests": digests}
        self._links.send(join(head, *(self._signs[i] for i in self._send)))

    def _listen(self) -> list[int] | None:
        """Waits for the next order, and answers at once where nothing is to be computed for it."""
        while True:
            head, body = split(self._links.receive())
            if "give" in head:
                state = self._states.give(head["give"]) if self._states else body
                self._links.send(join({"step": self.step_count}, state))
                continue
            if "stop" in head:
                raise Unverified(head["stop"])
            if "settled" in head:
                self.named = {int(rank): (step, why) for rank, (step, why) in head["named"].items()}
                self.lost = {int(rank): why for rank, why in head["lost"].items()}
                self._helped = (head["helped"][0], head["helped"][1])
                # The same key of digests as rank 0 has: run, step and what was decoded.
                self._gradients = head["gradients"]
                if self._states:
                    self._states.commit([bytes.fromhex(state) for state in head["states"]])
                self._judge.close(_bytes(body))
                self._finish(body)
                return None
            self._todo, self._send = list(head["compute"]), list(head["send"])
            if self._states:
                for place, i in enumerate(head["states"]):
                    self._states.take(i, body[place * self._states.size : (place + 1) * self._states.size])
            if self._todo:
                return list(self._todo)
            self._answer()

    def _finish(self, decode: torch.Tensor) -> None:
        self._decoded(decode)
        self._todo = None

    def metrics(self) -> dict[str, float]:
        """Numbers for a log: flat, and the same on every rank."""
        return {
            "vote/step": self.step_count,
            "vote/named": len(self.named),
            "vote/lost": len(self.lost),
            "vote/gradients_per_partition": self._gradients / self.k,
            "vote/extra_gradients": self._helped[0],
            "vote/extra_trips": self._helped[1],
            "vote/bytes_sent": self.bytes_sent,
        }

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs, between two steps. With a memory it is another one on every rank."""
        told = {"step": self.step_count, "judge": self._judge.state(), "named": dict(self.named)}
        if self._states:
            # Every rank keeps its own: those of the partitions that it holds.
            told |= {"states": self._states.state_dict(), "custody": self._custody.state_dict()}
        return told

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a state.

        Raises:
            EcodeError: it is of another run.
        """
        self._judge.load(state["judge"])
        self.step_count = state["step"]
        self.named = {int(rank): (step, why) for rank, (step, why) in state["named"].items()}
        if self._states:
            self._states.load_state_dict(state["states"])
            self._custody.load_state_dict(state["custody"])
        self._todo = None


def _bytes(packed: torch.Tensor) -> bytes:
    return packed.cpu().numpy().tobytes()
