"""Promise: under `Audit` a rank that computes wrong is named, nobody else is, and masked training has the honest bits."""

from collections.abc import Callable
from typing import Any

import pytest

Ranks = Callable[..., dict[str, Any]]


def test_every_kind_of_fault_is_named_and_masked(ranks: Ranks) -> None:
    told = ranks("audit_faults.py", 8, {"models": ["cnn", "transformer"], "seeds": [2], "rollback": True, "mixed": True, "ddp": True, "host": True})
    assert told["honest named"] == []
    for case in told["cases"]:
        where = f"{case['model']}, {case['kind']}"
        assert case["named"] == [case["faulty"]], where
        assert case["masked is honest"], where
        assert case["repeats"] == [True if case["what"] == ["gradient"] else None], where
        assert not case["found by replay"], f"{where}: it repeats itself, so a replay cannot see it"
    # A low bit of one gradient can be lost in the mean and in bf16's rounding; it is seen all the same.
    assert sum(case["has an effect"] for case in told["cases"]) > 0.7 * len(told["cases"])
    assert {what for case in told["cases"] for what in case["what"]} == {"gradient", "state"}
    assert told["host"] == {"same": True, "named": [6, 7]}
    assert told["ddp"] == [[True, [7]]] * 2
    assert "ranks of 2 kinds" in told["mixed"], "an honest rank of another kind would be named"
    assert told["rollback"] == {"same": True, "named": [7], "faulty": 7}
