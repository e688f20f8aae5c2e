"""Promise: the probe names the rank that computes wrong, tells it from one that is not reproducible, and says so by exit
code and JSON."""

import json
import os
import subprocess
import sys
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
