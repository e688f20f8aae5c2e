"""Real processes: each rank of a test is a process of its own over gloo."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def launch(script: str, world: int, out: Path, config: dict[str, Any], *, act: Callable[..., None] | None = None,
           gone: tuple[int, ...] = (), timeout: float = 400) -> list[int]:
    """Runs HERE/script with so many ranks; returns their exit codes. `act` kills or stops those that are `gone`: they are
    not waited for."""
    out.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(world),
                   "OMP_NUM_THREADS": "1", "CONFIG": json.dumps(config), "OUT": str(out)}
    logs = [(out / f"log{rank}").open("w") for rank in range(world)]
    ranks = [
        subprocess.Popen([sys.executable, str(HERE / script)], env={**environment, "RANK": str(rank)}, stdout=logs[rank],
                         stderr=subprocess.STDOUT)
        for rank in range(world)
    ]
    try:
        if act:
            act(ranks)
        ends = time.monotonic() + timeout
        return [-9 if number in gone else rank.wait(max(ends - time.monotonic(), 1)) for number, rank in enumerate(ranks)]
    finally:
        for rank, log in zip(ranks, logs):
            if rank.poll() is None:
                rank.send_signal(signal.SIGKILL)
                rank.wait()
            log.close()


def results(out: Path) -> dict[str, Any]:
    """What rank 0 wrote."""
    return json.loads((out / "results.json").read_text())


@pytest.fixture
def ranks(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs a script and asks that every rank ends well."""

    def run(script: str, world: int, config: dict[str, Any] | None = None, name: str = "run") -> dict[str, Any]:
        out = tmp_path / name
        codes = launch(script, world, out, config or {})
        texts = [(out / f"log{rank}").read_text() for rank in range(world)]
        assert codes == [0] * world, next((text for text, code in zip(texts, codes) if code), "")
        return results(out)

    return run
