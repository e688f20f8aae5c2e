"""What an audit says of a rank."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TextIO

__all__ = ["Fault", "FaultFound", "json_lines", "slurm_drain"]


@dataclass(frozen=True)
class Fault:
    """A rank that computed wrong, named by what other ranks computed.

    Attributes:
        rank: who.
        step: the step in which it was seen.
        kind: "gradient", or "state": its parameters or its optimizer's state were not those of the others.
        why: the rule by which it was named.
        repeats: whether it came to the same wrong gradient again when it was asked at once: True for a fault that
            stays, False for one that comes and goes; None where that was not asked.
        ranks: under hybrid sharding, the ranks of the replica that was named, whose number `rank` then is.
        certificate: for a gradient, JSON (`ecode/naming/1`) that shows it to whoever was not there: `ecode check` reads it.
    """

    rank: int
    step: int
    kind: str
    why: str
    repeats: bool | None = None
    ranks: tuple[int, ...] | None = None
    certificate: str | None = None

    def to_json(self) -> str:
        """One line of JSON."""
        told = {name: value for name, value in asdict(self).items() if name == "repeats" or value is not None}
        if self.certificate is not None:
            told["certificate"] = json.loads(self.certificate)
        return json.dumps({"event": "faulty rank" if self.ranks is None else "faulty replica", **told})


class FaultFound(RuntimeError):
    """A rank was named, and the audit was told to stop then."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"rank {fault.rank}: {fault.kind}, {fault.why}" for fault in faults))
        self.faults = faults


def json_lines(stream: TextIO | None = None) -> Callable[[Fault], None]:
    """A hook for `Audit(on_named=…)` that writes a line of JSON, to standard error without a stream."""

    def write(fault: Fault) -> None:
        print(fault.to_json(), file=stream if stream is not None else sys.stderr, flush=True)

    return write


def slurm_drain(hosts: Sequence[str], rank: int, scontrol: str = "scontrol") -> Callable[[Fault], None]:
    """A hook that asks Slurm to drain the node of a named rank: no new job starts there, this one goes on.

    Fails open: where scontrol is missing, refuses or hangs, a line on standard error says so and training goes on.

    Args:
        hosts: the node of each rank.
        rank: this rank. The hook acts on the lowest rank that is not the named one, so that it acts once.
        scontrol: the program.
    """

    def drain(fault: Fault) -> None:
        named = fault.ranks or (fault.rank,)
        if rank != next(other for other in range(len(named) + 1) if other not in named):
            return
        nodes = {hosts[one] for one in named}
        if len(nodes) > 1:
            print(f"{', '.join(sorted(nodes))}: one of them is faulty, and none is drained", file=sys.stderr, flush=True)
            return
        reason = f"rank {fault.rank} computed wrong in step {fault.step} ({fault.kind}: {fault.why})"
        command = [scontrol, "update", f"NodeName={hosts[named[0]]}", "State=DRAIN", f"Reason={reason}"]
        try:
            subprocess.run(command, check=True, timeout=30, capture_output=True, text=True)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{hosts[named[0]]} could not be drained: {error}", file=sys.stderr, flush=True)

    return drain
