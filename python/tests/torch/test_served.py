"""Promise: a PyTorch model trains against `ecode serve` to the parameters of a run in which nobody lies, bit for bit, though a
worker lies, another is killed and comes back, and the server is killed and comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import election_coding as ec

HERE = Path(__file__).resolve().parent
STEPS = 240


class Server:
    """`ecode serve` in a process of its own."""

    def __init__(self, folder: Path, address: str, *more: str) -> None:
        line = [sys.executable, "-m", "election_coding", "serve", "--code", "best:n=5,b=2", "--byzantine", "1", "--dimension",
                "276", "--keys", str(folder / "keys" / "server"), "--run", str(folder / "run"), "--listen", address, "--wait",
                "quorum", "--steps", str(STEPS), *more]
        self.log = folder / "server.log"
        self.log.touch()
        before = len(self.log.read_text())
        with self.log.open("a") as log:
            self.process = subprocess.Popen(line, stdout=log, stderr=log)
        self.address = self.hears("listening on ", before)

    def hears(self, words: str, after: int = 0) -> str:
        """What follows these words in what the server says."""
        ends = time.monotonic() + 120
        while time.monotonic() < ends and self.process.poll() is None:
            for text in self.log.read_text()[after:].splitlines():
                if words in text:
                    return text.split(words)[1]
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())


def reaches(folder: Path, step: int) -> None:
    """Waits until so many steps lie in the server's log of decodes."""
    record = 40 + -(-276 // 8)
    ends = time.monotonic() + 300
    while sum(file.stat().st_size for file in (folder / "run" / "decodes").glob("*")) < step * record:
        assert time.monotonic() < ends, f"step {step} is not reached"
        time.sleep(0.02)


def start(folder: Path, row: int, server: str, **more: Any) -> subprocess.Popen[bytes]:
    config = {"server": server, "keys": str(folder / "keys" / f"worker-{row}"), "lies": row == 0, "steps": STEPS, "pause": 0.02,
              "checkpoint": str(folder / f"checkpoint-{row}"), "out": str(folder / f"out-{row}"), **more}
    environment = {**os.environ, "CONFIG": json.dumps(config), "OMP_NUM_THREADS": "1"}
    with (folder / f"log-{row}").open("a") as log:
        return subprocess.Popen([sys.executable, str(HERE / "train_served.py")], env=environment, stdout=log, stderr=log)


def test_a_killed_worker_and_a_killed_server_come_back(tmp_path: Path) -> None:
    assert ec.command(["ecode", "keys", "--workers", "5", "--to", str(tmp_path / "keys"), "-q"]) == 0
    server = Server(tmp_path, "127.0.0.1:0")
    workers = [start(tmp_path, row, server.address) for row in range(5)]
    try:
        reaches(tmp_path, 50)
        workers[3].send_signal(signal.SIGKILL)
        workers[3].wait()
        reaches(tmp_path, 90)
        before = len(server.log.read_text())
        workers[3] = start(tmp_path, 3, server.address)
        server.hears("worker 3 votes in time again", before)
        server.process.kill()
        server.process.wait()
        server = Server(tmp_path, server.address)
        codes = [worker.wait(timeout=300) for worker in workers]
        logs = [(tmp_path / f"log-{row}").read_text() for row in range(5)]
        assert codes == [0] * 5, logs
        assert server.process.wait(timeout=60) == 0, server.log.read_text()
    finally:
        for process in [*workers, server.process]:
            process.kill()
            process.wait()
    told = [json.loads((tmp_path / f"out-{row}").read_text()) for row in range(5)]
    environment = {**os.environ, "CONFIG": json.dumps({"alone": True, "k": 5, "steps": STEPS}), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, str(HERE / "train_served.py")]
    alone = subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    assert [one["digest"] for one in told] == [alone] * 5
    assert told[3]["began"] >= 40 and told[3]["followed"] > 0, "it went on from its checkpoint, and took what it missed"
    assert all(one["liars"].keys() == {"0"} for one in told), "the liar holds every partition"
    assert {one["metrics"]["vote/verified"] for one in told} == {1.0}
    assert told[1]["metrics"]["vote/bytes_sent"] <= STEPS * -(-276 // 8)
    text = server.log.read_text()
    assert "goes on at step" in text and "every decode is proved to be the majority" in text
    assert "Proved to lie or to compute wrong: worker 0" in text
    record = json.loads((tmp_path / "run" / "serve.json").read_text())
    assert (record["step"], record["unverified_from"], record["named"][0]["worker"]) == (STEPS, None, 0)


@pytest.mark.parametrize("wrong", ["keys of another run", "another code", "another model", "no keys", "two say who lies"])
def test_who_does_not_belong_here_is_refused(tmp_path: Path, wrong: str) -> None:
    import torch

    from election_coding.torch import CodedVote

    for name in ("keys", "others"):
        assert ec.command(["ecode", "keys", "--workers", "5", "--to", str(tmp_path / name), "-q"]) == 0
    server = Server(tmp_path, "127.0.0.1:0")
    try:
        parameters = [torch.zeros(276, requires_grad=True)]
        keys, exchange = tmp_path / "keys" / "worker-1", f"grpc://{server.address}"
        if wrong == "keys of another run":
            with pytest.raises(ConnectionError, match="was not reached"):
                CodedVote(parameters, None, exchange, keys=tmp_path / "others" / "worker-1", give_up_after=0.5)
        elif wrong == "another code":
            with pytest.raises(ValueError, match="the server decodes with another one"):
                CodedVote(parameters, ec.design(5, 1), exchange, keys=keys)
        elif wrong == "another model":
            with pytest.raises(ec.EcodeError, match="the model has 3 parameters, and .* decodes votes on 276"):
                CodedVote([torch.zeros(3, requires_grad=True)], None, exchange, keys=keys)
        elif wrong == "no keys":
            with pytest.raises(ValueError, match="ecode keys makes"):
                CodedVote(parameters, None, exchange)
        else:
            with pytest.raises(ValueError, match="the server decides"):
                CodedVote(parameters, None, exchange, keys=keys, liars=1)
    finally:
        server.process.kill()
        server.process.wait()
