"""Promise: a coded round between Flower's nodes is the majority, whatever lies, fails or comes too late, within the radius.
In Flower's simulation."""

import time
from typing import Any

import numpy as np
import pytest

import election_coding as ec
from election_coding.flower import elect, vote_reply

flwr = pytest.importorskip("flwr", reason="flwr is not installed")
from flwr.app import Context, Message, RecordDict  # noqa: E402
from flwr.clientapp import ClientApp  # noqa: E402
from flwr.serverapp import Grid, ServerApp  # noqa: E402
from flwr.simulation import run_simulation  # noqa: E402

N, D = 5, 1000
CODE = ec.design(N, 1)
# What the ServerApp has found, for the test to look at: it runs in this process.
FOUND: dict[str, Any] = {}


def gradient(i: int) -> np.ndarray:
    return np.random.default_rng(i).normal(size=D).astype(np.float32)


client = ClientApp()


@client.query("vote")
def vote(message: Message, context: Context) -> Message:
    told = message.content["ecode"]
    case, worker = message.content["case"]["name"], int(told["worker"])
    if case == "error" and worker == 2:
        raise RuntimeError("this node fails")
    reply = vote_reply(message, CODE, gradient)
    signs = bytes(reply.content["vote"]["signs"])
    if case == "liar" and worker == 4:
        reply.content["vote"]["signs"] = bytes(byte ^ 0xFF for byte in signs)
    if case == "short" and worker == 3:
        reply.content["vote"]["signs"] = signs[:-1]
    if case == "late" and worker == 1:
        time.sleep(40)
    return reply


server = ServerApp()


@server.main()
def main(grid: Grid, context: Context) -> None:
    from flwr.app import ConfigRecord

    nodes: list[int] = []
    while len(nodes) < N:
        nodes = sorted(grid.get_node_ids())
        time.sleep(0.1)
    for case in ("honest", "liar", "error", "short", "late"):
        began = time.monotonic()
        content = RecordDict({"case": ConfigRecord({"name": case})})
        liars = 1 if case in ("honest", "liar") else 0
        elected = elect(grid, CODE, nodes, D, content, timeout=15.0 if case == "late" else 300.0, liars=liars)
        FOUND[case] = (elected, time.monotonic() - began)


def test_a_round_is_the_majority_whatever_happens_within_the_radius() -> None:
    run_simulation(server, client, num_supernodes=N, backend_config={"client_resources": {"num_cpus": 1}})
    negative = sum((gradient(i) < 0).astype(int) for i in range(N))
    majority = np.where(2 * negative > N, -1, 1)
    assert set(FOUND) == {"honest", "liar", "error", "short", "late"}
    for case, (elected, seconds) in FOUND.items():
        print(f"{case}: {seconds:.1f} s, missing {elected.missing}, proved wrong {elected.liars}")
    for case, (elected, _) in FOUND.items():
        assert (elected.signs == majority).all() and elected.verified, case
        assert elected.missing == {"error": [2], "short": [3], "late": [1]}.get(case, []), case
        full = CODE.loads[4] == CODE.k
        assert elected.liars == ([4] if case == "liar" and full else []), case
