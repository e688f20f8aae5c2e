"""Promise: a naming reaches whoever acts on it once, and a hook that cannot act never ends the training."""

import io
import json
from pathlib import Path

import pytest

from election_coding.torch import Fault, FaultFound, json_lines, slurm_drain

FAULT = Fault(rank=2, step=7, kind="gradient", why="rule b: 2 workers contradict it", repeats=True)


def test_a_line_of_json() -> None:
    stream = io.StringIO()
    json_lines(stream)(FAULT)
    told = json.loads(stream.getvalue())
    assert told == {"event": "faulty rank", "rank": 2, "step": 7, "kind": "gradient", "why": FAULT.why, "repeats": True}


def test_slurm_is_asked_once(tmp_path: Path) -> None:
    # A stand-in for scontrol that writes down what it was asked.
    program = tmp_path / "scontrol"
    program.write_text(f'#!/bin/sh\nfor word in "$@"; do echo "$word"; done >> {tmp_path}/asked\n')
    program.chmod(0o755)
    for rank in range(4):
        slurm_drain(["a", "b", "c", "d"], rank, str(program))(FAULT)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:3] == ["update", "NodeName=c", "State=DRAIN"] and len(asked) == 4
    assert "rank 2 computed wrong in step 7" in asked[3]


def test_without_slurm_the_training_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    slurm_drain(["a", "b", "c"], 0, "no-such-scontrol")(FAULT)
    assert "c could not be drained" in capfd.readouterr().err


def test_what_stop_raises_says_who() -> None:
    assert "rank 2: gradient, rule b" in str(FaultFound([FAULT]))
