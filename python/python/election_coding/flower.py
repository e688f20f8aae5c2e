"""A coded vote between Flower's nodes: a ServerApp asks them for sign votes, and sends the decode back.

Each node is one worker of a code. Rounds go through Flower's message queue, so this is for simulation and for rounds with local work
in them, not for the steps of a fast training. The federation trusts Flower's server; a node is whoever
Flower says that it is.

What the server side counts as missing: an error reply, a reply that does not come in time, and a vote of the wrong length. With
2·liars + missing <= 2·radius the decode is exact.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._election_coding import Code, pack

__all__ = ["Elected", "elect", "vote_reply"]


@dataclass(frozen=True)
class Elected:
    """What a round decided.

    Attributes:
        signs: int8 of shape (d,): +1, -1, and 0 on a tie.
        missing: workers whose votes did not come or were none.
        liars: workers that are proved to have sent a wrong vote: they hold every partition.
        verified: whether the decode is proved to be the majority: 2·liars + missing <= 2·radius for the code's b.
    """

    signs: npt.NDArray[np.int8]
    missing: list[int]
    liars: list[int]
    verified: bool


def elect(
    grid: Any,
    code: Code,
    nodes: Sequence[int],
    d: int,
    content: Any,
    *,
    timeout: float = 60.0,
    message_type: str = "query.vote",
    liars: int | None = None,
) -> Elected:
    """Asks every node for its vote and decodes: one round of a ServerApp.

    Args:
        grid: the `Grid` that Flower hands to the ServerApp.
        code: a code of as many workers as there are nodes; node j is worker j.
        nodes: the nodes' identifiers, in the same order in each round.
        d: coordinates.
        content: a `RecordDict` for all nodes, with the parameters for instance. What is added to it: a `ConfigRecord`
            "ecode" with "worker" and "partitions".
        timeout: seconds.
        message_type: which function of the ClientApp answers; "query.vote" is `@app.query("vote")`.
        liars: how many may lie; `code.b` without it.
    """
    app: Any = importlib.import_module("flwr.app")
    if len(nodes) != code.n:
        raise ValueError(f"the code is for {code.n} workers, and there are {len(nodes)} nodes")
    messages = []
    for worker, node in enumerate(nodes):
        own = app.RecordDict(dict(content))
        own["ecode"] = app.ConfigRecord({"worker": worker, "partitions": code.partitions(worker)})
        messages.append(app.Message(own, dst_node_id=node, message_type=message_type))
    worker_of = {node: worker for worker, node in enumerate(nodes)}
    votes: list[npt.NDArray[np.uint8] | None] = [None] * code.n
    for reply in grid.send_and_receive(messages, timeout=timeout):
        worker_or_none = worker_of.get(reply.metadata.src_node_id)
        if worker_or_none is not None and not reply.has_error():
            votes[worker_or_none] = _vote(reply.content, d)
    return _decode(code, votes, d, code.b or 0 if liars is None else liars)


def _vote(content: Any, d: int) -> npt.NDArray[np.uint8] | None:
    """The vote in a reply, where there is one of the right length."""
    try:
        packed = np.frombuffer(content["vote"]["signs"], dtype=np.uint8)
    except (KeyError, TypeError, ValueError):
        return None
    return packed if packed.size == -(-d // 8) else None


def _decode(code: Code, votes: list[npt.NDArray[np.uint8] | None], d: int, liars: int) -> Elected:
    missing = [worker for worker, vote in enumerate(votes) if vote is None]
    verdict = code.verdict or code.verify()
    radius = verdict.radius if verdict.radius is not None else verdict.radius_at_least
    verified = radius is not None and 2 * liars + len(missing) <= 2 * radius
    signs = code.server_vote(votes, d)
    _, _, _, differed = code.tally(votes, d)
    whole = code.k % 2 == 1 and verified
    wrong = [j for j in range(code.n) if whole and differed[j] and code.loads[j] == code.k]
    return Elected(signs, missing, wrong, verified)


def vote_reply(
    message: Any, code: Code, gradient: Callable[[int], npt.NDArray[np.floating[Any]]], step: int = 0
) -> Any:
    """The reply of a ClientApp to `elect`: the vote of this node's worker.

    Args:
        message: what came.
        code: the same code.
        gradient: the gradient of a partition, of shape (d,).
        step: for the sign of an exact 0, which is the parity of step + partition.
    """
    app: Any = importlib.import_module("flwr.app")
    told = message.content["ecode"]
    partitions: Iterable[int] = [int(i) for i in told["partitions"]]
    signs, d = [], 0
    for i in partitions:
        flat = np.ascontiguousarray(gradient(i)).reshape(-1)
        d = flat.size
        signs.append(pack(flat.astype(np.float32, copy=False), zero=(step + i) % 2 == 1))
    vote = code.worker_vote(int(told["worker"]), signs, d)
    return app.Message(app.RecordDict({"vote": app.ConfigRecord({"signs": vote.tobytes()})}), reply_to=message)
