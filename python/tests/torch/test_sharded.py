"""Promise: under hybrid sharding (FSDP2) `Audit` names the replica with the faulty rank, and masked training has the honest
bits on every rank."""

import json
from collections.abc import Callable
from typing import Any

Ranks = Callable[..., dict[str, Any]]


def test_replicas_in_shards(ranks: Ranks) -> None:
    told = ranks("sharded.py", 6)
    honest = told["honest"]
    assert honest == told["unaudited"], "an audit changes no bit"
    assert honest[:2] == honest[2:4] == honest[4:] and honest[0] != honest[1], "replicas agree, shards are different"
    for case in told["cases"]:
        where = f"{case['where']}, mixed precision {case['mixed']}, stays {case['steady']}"
        assert case["same"], where
        kind = "gradient" if case["where"] in ("forward", "gradient") else "state"
        # Of two micro-batches every second forward pass is wrong, so it is the same one of each gradient.
        repeats = None if kind == "state" else case["steady"] or case["where"] == "forward"
        assert case["faults"] == [[1, kind, [2, 3], repeats, kind == "gradient"]], where
    assert sum(case["effect"] for case in told["cases"]) >= 5
    assert told["rollback"] == {"same": True, "named": [1]}
    stopped = json.loads(told["stop"])
    assert stopped["event"] == "faulty replica" and stopped["ranks"] == [2, 3]
    assert (stopped["certificate"]["worker"], stopped["certificate"]["rule"]) == (1, "contradicted")
    assert 'mesh=mesh["shard"]' in told["no mesh"]
