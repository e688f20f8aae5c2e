"""Promise: the probe names the rank that computes wrong, tells it from one that is not reproducible, and says so by exit
code and JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import free_port

from election_coding.probe import judge


def torchrun(*options: str, world: int = 4) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(world), "--master-port",
               str(free_port()), "-m", "election_coding.probe", "--small", "--device", "cpu", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    return done.returncode, done.stdout, done.stderr


def test_healthy_ranks_agree() -> None:
    code, out, errors = torchrun("--json")
    assert code == 0, errors
    told = json.loads(out)
    assert (told["wrong"], told["not_reproducible"], told["unclear"]) == ([], [], [])
    assert told["ranks"] == 4


def test_one_flipped_bit_names_its_rank() -> None:
    code, out, _ = torchrun("--demo-fault", "2", "--json")
    told = json.loads(out)
    assert code == 1 and told["wrong"] == [2] and told["not_reproducible"] == []
    assert told["operations"] == {"2": ["matrix product bf16"]}


def test_a_flicker_is_not_reproducible() -> None:
    code, out, _ = torchrun("--demo-flicker", "1")
    assert code == 1 and "rank 1" in out and "not reproducible: matrix product bf16" in out and "WRONG" not in out


def together(commands: list[list[str]], environments: list[dict[str, str]]) -> list[tuple[int, str]]:
    """Runs processes side by side; the exit code and what it printed of each."""
    base = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**base, "OMP_NUM_THREADS": "1", **own})
        for command, own in zip(commands, environments)
    ]
    try:
        return [(process.wait(300), process.communicate()[0]) for process in started]
    finally:
        for process in started:
            process.kill()


def test_what_srun_says_is_understood() -> None:
    # srun starts the ranks itself, and says who is who in its own words.
    port = str(free_port())
    slurm = [{"SLURM_PROCID": str(rank), "SLURM_NTASKS": "4", "SLURM_LOCALID": str(rank), "SLURM_NNODES": "1",
              "MASTER_PORT": port} for rank in range(4)]
    command = [sys.executable, "-m", "election_coding.probe", "--small", "--device", "cpu", "--demo-fault", "1"]
    done = together([command] * 4, slurm)
    assert [code for code, _ in done] == [1] * 4
    assert "rank 1 on" in done[0][1] and "is WRONG" in done[0][1]


def test_the_init_container_names_the_rank() -> None:
    # What docs/deploy/probe.yaml runs in each pod, with two pods of two ranks on this machine.
    text = (Path(__file__).resolve().parents[3] / "docs/deploy/probe.yaml").read_text()
    script = text.split("args:\n            - |\n")[1].split("          env:")[0]
    for there, here in (("python ", f"{sys.executable} "), ("--nnodes=4", "--nnodes=2"), ("--nproc-per-node=8", "--nproc-per-node=2"),
                        ("train-0.train", "127.0.0.1"), ("29511", str(free_port())),
                        ("election_coding.probe", "election_coding.probe --small --device cpu --demo-fault 3")):
        assert script.count(there) == 1, there
        script = script.replace(there, here)
    done = together([["/bin/sh", "-c", script]] * 2, [{"JOB_COMPLETION_INDEX": str(pod)} for pod in range(2)])
    assert all(code != 0 for code, _ in done), "no pod starts its training"
    assert "rank 3 on" in done[0][1] and "is WRONG" in done[0][1]


def answer(value: str, kind: str = "one", unsteady: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"class": kind, "host": "h", "digests": {"product": value}, "unsteady": list(unsteady)}


@pytest.mark.parametrize(
    "answers,wrong,unsteady,unclear,unchecked",
    [
        ([answer("a")] * 3 + [answer("b")], [3], [], 0, []),
        ([answer("a")] * 2 + [answer("b")] * 2, [], [], 1, []),
        ([answer("a")] * 3 + [answer("b", unsteady=("product",))], [], [3], 0, []),
        # Another kind of device may come to other bits; two of a kind cannot tell who is wrong.
        ([answer("a")] * 3 + [answer("b", "two")] * 3, [], [], 0, []),
        ([answer("a")] * 3 + [answer("b", "two"), answer("c", "two")], [], [], 1, [3, 4]),
        ([answer("a")] * 4 + [answer("b"), answer("c")], [4, 5], [], 0, []),
        ([answer("a")] * 3 + [answer("b")] + [answer("c", unsteady=("product",))] * 2, [], [4, 5], 1, []),
    ],
)
def test_the_rule(answers: list[dict[str, Any]], wrong: list[int], unsteady: list[int], unclear: int,
                  unchecked: list[int]) -> None:
    told = judge(answers)
    assert told["wrong"] == wrong and told["not_reproducible"] == unsteady
    assert len(told["unclear"]) == unclear and told["unchecked"] == unchecked
