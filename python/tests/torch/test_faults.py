"""Promise: killed and hung ranks within the radius change nothing, and a resumed run ends in the same parameters."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import launch, results


def strike(out: Path, act: list[int], how: signal.Signals) -> Any:
    def strikes(ranks: list[subprocess.Popen[bytes]]) -> None:
        ends = time.monotonic() + 120
        while not all((out / f"ready{rank}").exists() for rank in act):
            assert time.monotonic() < ends, "the ranks did not come so far"
            time.sleep(0.05)
        for rank in act:
            ranks[rank].send_signal(how)

    return strikes


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The honest runs, by kind; they leave a checkpoint after three steps."""
    told = {}
    for kind in ("coded", "reactive"):
        out = tmp_path_factory.mktemp(kind)
        assert launch("train_faults.py", 5, out, {"kind": kind, "b": 1, "steps": 6, "deadline": 60, "save": 3}) == [0] * 5
        told[kind] = (results(out), out / "checkpoint.pt")
    return told


@pytest.mark.parametrize(
    "kind,act,how,more",
    [
        ("coded", [2, 4], signal.SIGKILL, {"liars": 0}),
        ("coded", [3], signal.SIGSTOP, {"liars": 0, "deadline": 6}),
        ("reactive", [2], signal.SIGKILL, {}),
        ("reactive", [3], signal.SIGSTOP, {"deadline": 6}),
        ("reactive", [4], signal.SIGKILL, {"wrong": [1]}),
    ],
    ids=["two killed", "one hangs", "one killed, reactive", "one hangs, reactive", "one killed and one wrong"],
)
def test_ranks_that_go_change_nothing(
    quiet: dict[str, Any], tmp_path: Path, kind: str, act: list[int], how: signal.Signals, more: dict[str, Any]
) -> None:
    config = {"kind": kind, "b": 1, "steps": 6, "deadline": 60, "at": 2, "act": act, **more}
    codes = launch("train_faults.py", 5, tmp_path, config, act=strike(tmp_path, act, how), gone=tuple(act))
    told = results(tmp_path)
    assert [code for rank, code in enumerate(codes) if rank not in act] == [0] * (5 - len(act))
    assert told["lost"] == act
    assert told["named"] == more.get("wrong", []), "silence names nobody"
    assert told["digest"] == quiet[kind][0]["digest"]


def test_one_too_many_stops_every_rank(tmp_path: Path) -> None:
    config = {"kind": "coded", "b": 1, "steps": 6, "deadline": 60, "at": 2, "act": [2]}
    codes = launch("train_faults.py", 5, tmp_path, config, act=strike(tmp_path, [2], signal.SIGKILL), gone=(2,))
    assert [codes[rank] for rank in (0, 1, 3, 4)] == [3] * 4
    assert "radius 1 does not cover" in (tmp_path / "unverified3").read_text()


@pytest.mark.parametrize("kind", ["coded", "reactive"])
def test_a_resumed_run_ends_in_the_same_parameters(quiet: dict[str, Any], tmp_path: Path, kind: str) -> None:
    whole, checkpoint = quiet[kind]
    config = {"kind": kind, "b": 1, "steps": 6, "deadline": 60, "resume": str(checkpoint)}
    assert launch("train_faults.py", 5, tmp_path, config) == [0] * 5
    assert results(tmp_path)["digest"] == whole["digest"]
