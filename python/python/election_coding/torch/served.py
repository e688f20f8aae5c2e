"""A worker of `ecode serve`: its votes go to a server of its own, which holds no model.

What is promised: decodes come in the order of the steps, each once. A worker that starts from a checkpoint gets the decodes
that it missed, and comes to the bits of the others without computing a gradient. Parameters and momentum follow from the
decodes; what a forward pass keeps, as batch norm does, is each worker's own.
"""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _election_coding
from .._election_coding import Code, Link

__all__ = ["Served", "connect"]

_SCHEME = "grpc://"
_Told = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8] | None, dict[str, Any]]


def connect(
    exchange: str, keys: str | PathLike[str] | None, give_up_after: float, code: Code | None
) -> Link | None:
    """The way to a server, where the exchange is one; it must decode with this code, where one is given."""
    if not exchange.startswith(_SCHEME):
        if keys is not None:
            raise ValueError("keys are for exchange='grpc://HOST:PORT'")
        return None
    if not hasattr(_election_coding, "Link"):
        raise ValueError(f"exchange {exchange!r}: this wheel was built without the feature grpc")
    if keys is None:
        raise ValueError("keys: the folder of this worker's keys, which ecode keys makes")
    link = Link(exchange[len(_SCHEME) :].rstrip("/"), keys, give_up_after=give_up_after)
    if code is not None and code.digest != link.code.digest:
        raise ValueError(f"code: the server decodes with another one, {link.code!r} of digest {link.code.digest}")
    return link


class Served:
    """What a link has told of the step that comes next."""

    def __init__(self, link: Link, d: int) -> None:
        self.link = link
        self._told: tuple[int, _Told] | None = None
        self._run = 0
        self.join(d, 0, 0)

    def join(self, d: int, step: int, run: int) -> None:
        """The model is before this step of this run."""
        self._told = None
        self._run = run
        self.link.join(d, step, run)

    @property
    def run(self) -> int:
        """The run of the server; 0 before there was a connection."""
        return self.link.run() or self._run

    def has(self, step: int) -> bool:
        """Whether the decode of this step is here."""
        return self._told is not None and self._told[0] == step

    def decided(self, step: int) -> bool:
        """Whether this step was decided without this worker; its decode is here then."""
        if not self.has(step):
            told = self.link.decided(step)
            if told is None:
                return False
            self._told = (step, told)
        return True

    def vote(self, step: int, vote: npt.NDArray[np.uint8]) -> None:
        """Votes, and waits for the decode."""
        self._told = (step, self.link.vote(step, vote))

    def take(self) -> _Told:
        """The decode that is here."""
        assert self._told is not None, "decided() or vote() comes first"
        told, self._told = self._told[1], None
        return told
