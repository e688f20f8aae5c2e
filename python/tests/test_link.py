"""Promise: `Link` brings votes to `ecode serve` and decodes back, from any thread, and belongs to the process that made it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import election_coding as ec
from election_coding._election_coding import Link

D, STEPS = 1000, 12


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path, "subprocess.Popen[str]"]]:
    """An address, the folder of keys, and the server."""
    keys = tmp_path / "keys"
    assert ec.command(["ecode", "keys", "--workers", "5", "--to", str(keys), "-q"]) == 0
    line = [sys.executable, "-m", "election_coding", "serve", "--code", "best:n=5,b=1", "--dimension", str(D), "--listen",
            "127.0.0.1:0", "--keys", str(keys / "server"), "--run", str(tmp_path / "run"), "--steps", str(STEPS)]
    server = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        first = next(text for text in server.stderr if "listening on " in text)
        yield first.split()[-1], keys, server
    finally:
        server.kill()
        server.communicate()


def test_five_threads_vote(served: tuple[str, Path, "subprocess.Popen[str]"]) -> None:
    address, keys, server = served
    random = np.random.default_rng(0)
    signs = [[ec.pack(random.normal(size=D).astype(np.float32)) for _ in range(5)] for _ in range(STEPS)]
    code = Link(address, keys / "worker-0").code
    votes = [[code.worker_vote(j, [signs[t][i] for i in code.partitions(j)], D) for j in range(5)] for t in range(STEPS)]
    seen: dict[int, list[np.ndarray]] = {}

    def work(row: int) -> None:
        link = Link(address, keys / f"worker-{row}")
        assert (link.row, link.dimension, link.code) == (row, D, code)
        link.join(D)
        mine = []
        for step in range(STEPS):
            vote = ~votes[step][row] if row == 2 else votes[step][row]
            # Bits beyond the last coordinate are nobody's.
            negative, tied, facts = link.vote(step, vote)
            assert tied is None and facts["verified"] and facts["missing"] == 0
            mine.append(negative)
        seen[row] = mine

    threads = [threading.Thread(target=work, args=(row,)) for row in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert server.wait(timeout=60) == 0
    assert sorted(seen) == [0, 1, 2, 3, 4]
    for step in range(STEPS):
        expected = np.packbits(code.server_vote(votes[step], D) < 0, bitorder="little")
        assert all((seen[row][step] == expected).all() for row in range(5)), step


def test_a_child_does_not_touch_its_parents_connection(served: tuple[str, Path, "subprocess.Popen[str]"]) -> None:
    address, keys, _ = served
    link = Link(address, keys / "worker-0")
    link.join(D)
    assert link.decided(0) is None
    child = os.fork()
    if child == 0:
        try:
            link.decided(0)
        except RuntimeError:
            del link
            os._exit(17)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17
    assert link.decided(0) is None, "and the parent's goes on"


def test_a_wrong_model_is_refused(served: tuple[str, Path, "subprocess.Popen[str]"]) -> None:
    address, keys, _ = served
    link = Link(address, keys / "worker-0")
    with pytest.raises(RuntimeError, match="join.. comes first"):
        link.decided(0)
    with pytest.raises(ec.EcodeError, match="the model has 7 parameters"):
        link.join(7)
    link.join(D, step=5, run=3)
    with pytest.raises(ConnectionError, match="before step 5, and the server is before step 0 only"):
        link.decided(5)
    with pytest.raises(ConnectionError, match="no_such_folder"):
        Link(address, "no_such_folder")


def test_ctrl_c_ends_waiting_for_a_server(tmp_path: Path) -> None:
    assert ec.command(["ecode", "keys", "--workers", "1", "--to", str(tmp_path / "keys"), "-q"]) == 0
    program = """
import sys
from election_coding._election_coding import Link
print("begun", flush=True)
try:
    # Nobody answers at this address, which is for documentation.
    Link(sys.argv[1], sys.argv[2])
except KeyboardInterrupt:
    print("interrupted")
"""
    for address in ("127.0.0.1:1", "192.0.2.1:7001"):
        line = [sys.executable, "-c", program, address, str(tmp_path / "keys" / "worker-0")]
        child = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert child.stdout is not None and child.stdout.readline() == "begun\n"
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        assert (out, child.returncode) == ("interrupted\n", 0), err
