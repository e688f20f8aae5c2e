"""Promise: the module is a good citizen of its process: Ctrl-C, fork, threads, exit codes."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import election_coding as ec

LONG = """
import numpy as np, election_coding as ec
dense = (np.random.default_rng(5).random((61, 61)) < 0.5).astype(np.uint8)
print("begun", flush=True)
"""


def start(code: str) -> "subprocess.Popen[str]":
    child = subprocess.Popen(
        [sys.executable, "-c", LONG + textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None and child.stdout.readline() == "begun\n"
    time.sleep(0.5)
    return child


def test_ctrl_c_ends_a_call() -> None:
    child = start(
        """
        try:
            ec.Code(dense).analyze(draws=10**12)
        except KeyboardInterrupt:
            print("interrupted", ec.design(9, 2).ones)
        """
    )
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (out, child.returncode) == ("interrupted 59\n", 0), err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_command_with_what_is_known(number: int) -> None:
    line = ["ensemble", "--n", "15", "--p", "0.3", "--draws", "100000000"]
    child = subprocess.Popen(
        [sys.executable, "-m", "election_coding", *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(1.5)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 3 and "draws" in out, (child.returncode, out, err)


def test_exit_codes(tmp_path: Path) -> None:
    def run(*arguments: str) -> int:
        line = [sys.executable, "-m", "election_coding", *arguments]
        return subprocess.run(line, capture_output=True, timeout=60, cwd=tmp_path).returncode

    assert run("design", "--n", "9", "--b", "2", "-o", "matrix.json") == 0
    assert run("verify", "matrix.json", "--b", "3") == 1
    assert run("verify", "nowhere.json") == 2
    assert run("nonsense") == 2
    assert run("--version") == 0


def test_the_command_runs_twice_in_one_process(tmp_path: Path) -> None:
    path = str(tmp_path / "matrix.json")
    assert ec.command(["ecode", "design", "--n", "5", "--b", "1", "-o", path, "--threads", "1"]) == 0
    assert ec.command(["ecode", "verify", path, "--threads", "2"]) == 0
    assert ec.command(["ecode", "verify", path, "--b", "2"]) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_works() -> None:
    # The parent's threads are there, and in use, when it forks.
    ec.verify(ec.design(15, 3).G)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            fine = ec.verify(ec.design(15, 3).G).radius == 3
        finally:
            os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ec.verify(ec.design(15, 3).G).radius == 3


def test_other_threads_go_on() -> None:
    """While a verification runs, Python code in another thread does, too."""
    dense = (np.random.default_rng(5).random((61, 61)) < 0.5).astype(np.uint8)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (ec.Code(dense).analyze(draws=10**12, timeout=2.0), done.set()))
    thread.start()
    turns = 0
    while not done.is_set() and turns < 1000:
        time.sleep(0.001)
        turns += 1
    thread.join()
    assert turns > 100


def test_threads_can_be_set() -> None:
    ec.set_num_threads(1)
    one = ec.verify(ec.design(21, 3).G).to_dict()
    ec.set_num_threads(0)
    many = ec.verify(ec.design(21, 3).G).to_dict()
    assert one["threads"] == 1
    for document in (one, many):
        document.pop("elapsed_s")
        document.pop("threads")
    assert one == many
