"""Promise: a long verification tells how far it is, and what listens can end it."""

import numpy as np
import pytest

import election_coding as ec

DENSE = (np.random.default_rng(5).random((61, 61)) < 0.5).astype(np.uint8)


def test_progress_is_told_and_grows() -> None:
    told: list[tuple[int, int]] = []
    verdict = ec.verify(DENSE, 2, method="exhaustive", timeout=1.0, progress=lambda done, all_: told.append((done, all_)))
    assert verdict.tolerant is None or told
    assert told == sorted(told, key=lambda pair: pair[0])
    assert any(done > 0 for done, _ in told) and all(done <= all_ for done, all_ in told if all_)


def test_what_it_raises_ends_the_work() -> None:
    def enough(done: int, all_: int) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        ec.Code(DENSE).verify(2, method="exhaustive", progress=enough)
