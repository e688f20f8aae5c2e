"""Promise: verdicts, certificates and analyses are those of the command, and none can be taken for another."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import election_coding as ec


def command(*arguments: object) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "election_coding", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120)


def test_the_radius_and_both_sides_of_it() -> None:
    code = ec.design(9, 2)
    assert ec.verify(code.G).radius == 2
    assert ec.verify(code).b == 2
    yes, no = code.verify(2), code.verify(3)
    assert (yes.tolerant, no.tolerant) == (True, False)
    assert yes and not no
    assert yes.counterexample is None
    attack = no.counterexample
    assert attack is not None and len(attack["byzantine"]) == 3 and attack["decoded"] != attack["correct"]
    assert "workers" in no.explain() and "tolerant" in yes.explain()


def test_engines_agree() -> None:
    code = ec.design(9, 2)
    for method in ("definition", "exhaustive", "branch", "sat", "all"):
        verdict = code.verify(2, method=method)
        assert (verdict.tolerant, verdict.radius_at_least) == (True, 2), method


def test_an_undecided_verdict_has_no_truth() -> None:
    dense = (np.random.default_rng(5).random((61, 61)) < 0.5).astype(np.uint8)
    verdict = ec.verify(dense, 3, timeout=0, method="exhaustive")
    assert verdict.tolerant is None and verdict.word == "undecided"
    with pytest.raises(ec.Undecided):
        bool(verdict)


def test_nobody_makes_a_verdict() -> None:
    for kind in (ec.Verdict, ec.Checked):
        with pytest.raises(TypeError):
            kind()


def test_missing_votes_cost_half_a_lie() -> None:
    code = ec.design(9, 2)
    assert code.tolerates(2) and code.tolerates(1, 2) and code.tolerates(0, 4)
    assert not code.tolerates(2, 1) and not code.tolerates(3) and not code.tolerates(10**6)


def test_the_command_says_the_same(tmp_path: Path, fixtures: Path) -> None:
    ec.design(9, 2).save(tmp_path / "matrix.json")
    for b in (1, 2, 3):
        out = command("verify", tmp_path / "matrix.json", "--b", b, "--json")
        theirs = json.loads(out.stdout)
        ours = ec.verify(tmp_path / "matrix.json", b).to_dict()
        for document in (theirs, ours):
            document.pop("elapsed_s")
        assert ours == theirs
        assert out.returncode == (0 if ours["verdict"] == "tolerant" else 1)


def test_certificates_are_made_and_checked(tmp_path: Path) -> None:
    code = ec.design(9, 2)
    text = code.certificate()
    checked = ec.check(text)
    assert checked and checked.tolerant is True
    (tmp_path / "claim.json").write_text(text)
    for form in (tmp_path / "claim.json", str(tmp_path / "claim.json"), text.encode(), json.loads(text)):
        assert ec.check(form).valid is True
    assert ec.check(code.certificate(3)).tolerant is False
    forged = json.loads(text)
    forged["claim"]["b"] = 3
    assert not ec.check(forged)
    with pytest.raises(ec.EcodeError):
        ec.check("{}")


def test_every_fixture_is_judged_as_its_folder_says(fixtures: Path) -> None:
    valid = sorted((fixtures / "certificates" / "valid").glob("*.json"))
    invalid = sorted((fixtures / "certificates" / "invalid").glob("*.json"))
    assert len(valid) > 5 and len(invalid) > 5
    for path in valid:
        assert ec.check(path).valid is not False, path.name
    for path in invalid:
        try:
            assert ec.check(path).valid is not True, path.name
        except ec.EcodeError:
            pass


def test_analysis_is_exact_up_to_the_radius() -> None:
    found = ec.design(9, 2).analyze([0.1])
    assert found["n"] == 9
    with pytest.raises(ec.EcodeError, match="a probability is from 0 to 1"):
        ec.design(9, 2).analyze([2.0])
