"""Promise: with a state at each partition a reactive vote ends in the bits of one process that has all states, whoever computes
wrong, keeps a wrong state, or goes; a rank that takes over goes on with the accepted state, to the bit."""

from collections.abc import Callable
from typing import Any

Ranks = Callable[..., dict[str, Any]]


def test_states_stay_with_their_partitions(ranks: Ranks) -> None:
    told = ranks("train_memory.py", 5, {"cases": True, "last": "spare"})
    honest = told["alone"]
    assert len(set(honest.values())) == 4
    for case in told["cases"]:
        where = f"{case['kind']}, {case['fault']}, rank {case['wrong']}"
        assert case["digest"] == honest[case["kind"]], where
        assert case["named"] == [case["wrong"]] * bool(case["fault"]), where
        # Nothing moves while nobody is named; then its partitions' states do.
        assert (case["moved"] > 0) == bool(case["fault"]), where
    assert told["resumed"]["digest"] == honest["momentum"] and told["resumed"]["moved"] == 0
    assert told["rank 0"]["digest"] == honest["momentum"] and told["rank 0"]["named"] == [0]
    end = told["last"]
    assert end["digest"] == honest["lion"], "one holder is gone, one gives a wrong state, the third a right one"
    assert end["lost"] == [4] and end["named"] == [] and end["moved"] > 0


def test_a_holder_that_goes_is_replaced(ranks: Ranks) -> None:
    told = ranks("train_memory.py", 5, {"cases": False, "last": "gone"})
    end = told["last"]
    assert end["digest"] == told["alone"]["momentum"]
    assert end["lost"] == [4] and end["named"] == [] and end["moved"] > 0


def test_a_state_that_nobody_gives_stops_the_run(ranks: Ranks) -> None:
    told = ranks("train_memory.py", 5, {"cases": False, "last": "lost"})
    assert "is lost: nobody that is left gives the accepted one" in told["last"]["unverified"]
