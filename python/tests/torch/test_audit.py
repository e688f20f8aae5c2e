"""Promise: under `Audit` a rank that computes wrong is named, nobody else is, and masked training has the honest bits."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Ranks = Callable[..., dict[str, Any]]


def test_every_kind_of_fault_is_named_and_masked(ranks: Ranks, tmp_path: Path) -> None:
    told = ranks("audit_faults.py", 8, {"models": ["cnn", "transformer"], "seeds": [2], "rollback": True, "mixed": True, "ddp": True, "host": True})
    assert told["honest named"] == []
    for case in told["cases"]:
        where = f"{case['model']}, {case['kind']}"
        assert case["named"] == [case["faulty"]], where
        assert case["masked is honest"], where
        assert case["repeats"] == [True if case["what"] == ["gradient"] else None], where
        assert case["certified"] == [what == "gradient" for what in case["what"]], where
        assert not case["found by replay"], f"{where}: it repeats itself, so a replay cannot see it"
    # A low bit of one gradient can be lost in the mean and in bf16's rounding; it is seen all the same.
    assert sum(case["has an effect"] for case in told["cases"]) > 0.7 * len(told["cases"])
    assert {what for case in told["cases"] for what in case["what"]} == {"gradient", "state"}
    assert told["host"] == {"same": True, "named": [6, 7]}
    assert told["ddp"] == [[True, [7]]] * 2
    assert "ranks of 2 kinds" in told["mixed"], "an honest rank of another kind would be named"
    certificate = tmp_path / "run" / "naming.json"
    checked = subprocess.run([sys.executable, "-m", "election_coding", "check", str(certificate)], capture_output=True, text=True)
    assert checked.returncode == 0 and "Valid: worker 7 was faulty" in checked.stdout, checked.stderr
    document = json.loads(certificate.read_text())
    document["statements"][0]["digest"] = "0" * 64
    certificate.write_text(json.dumps(document))
    checked = subprocess.run([sys.executable, "-m", "election_coding", "check", str(certificate)], capture_output=True)
    assert checked.returncode != 0, "a certificate that was changed shows nothing"
    assert told["rollback"] == {"same": True, "named": [7], "faulty": 7}


def test_other_optimizers_and_accumulation(ranks: Ranks) -> None:
    told = ranks("audit_faults.py", 8, {"models": [], "seeds": [], "methods": ["AdamW", "Lion", "Muon"]})
    assert len(told["methods"]) == 12
    for method, kind, accumulate, same, named, what in told["methods"]:
        where = f"{method}, {kind}, {accumulate} micro-batches"
        assert same and named == [7], where
        assert what == ["state" if kind.startswith("optimizer") else "gradient"], where


def test_a_rehearsal_refuses_what_would_accuse_an_innocent(ranks: Ranks) -> None:
    told = ranks("audit_faults.py", 8, {"models": [], "seeds": [], "rehearse": True})
    (same, quiet, digest), (unsteady, wavers, _), (steady, differs, _) = told["rehearse"]
    assert same and unsteady and steady, "all ranks say the same"
    assert quiet == "" and digest == told["without"], "a rehearsal changes nothing"
    assert wavers.startswith("ranks [3] came to other bits")
    assert "[0, 1, 2, 4, 5, 6, 7] | [3]" in differs


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_a_compiled_model(ranks: Ranks) -> None:
    told = ranks("compiled.py", 3)
    assert told["graphs"] > 0, "it was compiled"
    assert told["honest"][1] == [] and told["faulty"] == [told["honest"][0], [1]]


def test_honest_steps_name_nobody(ranks: Ranks) -> None:
    told = ranks("honest_steps.py", 8, {"steps": 200})
    assert (told["steps"], told["named"]) == (200, [])


def test_one_wrong_step_in_200_is_named_in_that_step(ranks: Ranks) -> None:
    told = ranks("honest_steps.py", 8, {"steps": 200, "wrong_in": 150, "seed": 2})
    assert (told["steps"], told["named"]) == (200, [[5, 150]])
