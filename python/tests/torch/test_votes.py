"""Promise: with up to b ranks that compute wrong, training ends in the parameters of a run without any, bit for bit."""

from collections.abc import Callable
from typing import Any

import pytest

Ranks = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("n,b,most", [(5, 1, 99), (9, 2, 12)])
def test_a_coded_vote_is_the_honest_run(ranks: Ranks, n: int, b: int, most: int) -> None:
    told = ranks("train_many.py", n, {"kind": "coded", "b": b, "most": most})
    assert told["honest"] == told["alone"]
    for case in told["cases"]:
        assert case["digest"] == told["honest"], case["liars"]
        assert case["named"] == case["full"], "who holds every partition and lies is proved to, nobody else"
    assert len(told["cases"]) == min(most, 5 if b == 1 else 45)
    assert told["too many"] != told["honest"], "b + 1 liars are too many"
    assert told["int8"] == [told["honest"]] * 2, "one all-reduce gives the same signs"
    bytes_a_step = told["metrics"]["vote/bytes_sent"] / 4
    assert bytes_a_step < (n - 1) * (told["d"] / 8 + 300)


@pytest.mark.parametrize("n,b,most", [(5, 1, 99), (9, 2, 12)])
def test_a_reactive_vote_is_the_honest_run_and_names(ranks: Ranks, n: int, b: int, most: int) -> None:
    told = ranks("train_many.py", n, {"kind": "reactive", "b": b, "most": most})
    assert told["honest"] == told["alone"]
    assert told["honest metrics"]["vote/gradients_per_partition"] == b + 1
    for case in told["cases"]:
        assert case["digest"] == told["honest"], case["liars"]
        assert set(case["named"]) <= set(case["liars"]), "nobody honest is named"
    assert any(case["named"] == case["liars"] and len(case["liars"]) == b for case in told["cases"])
