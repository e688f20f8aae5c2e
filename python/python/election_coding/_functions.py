"""Functions that are methods, too."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy.typing as npt

from ._election_coding import Code

__all__ = ["analyze"]


def analyze(
    matrix: Code | str | PathLike[str] | npt.ArrayLike,
    q: Sequence[float] = (0.01, 0.05, 0.1, 0.2, 0.3),
    *,
    ties: str = "adversarial",
    draws: int = 1_000_000,
    seed: int = 0,
    timeout: float | None = None,
) -> dict[str, Any]:
    """How often a decode is wrong: see `Code.analyze`.

    >>> import election_coding as ec
    >>> at = ec.analyze(ec.design(5, 1), q=[0.1])["errors"][0]["decode"]
    >>> at[1]["adaptive"], round(at[2]["adaptive"], 4)
    (0.0, 0.1224)
    """
    return Code(matrix).analyze(list(q), ties=ties, draws=draws, seed=seed, timeout=timeout)
