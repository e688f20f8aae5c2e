"""Promise: a detection rule has b + 1 holders of each partition, and what a matrix detects is said with the way around it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import election_coding as ec


@pytest.mark.parametrize(("scheme", "holders"), [("reactive", 3), ("one-round", 5)])
def test_a_rule_has_as_many_holders_as_it_needs(scheme: str, holders: int) -> None:
    rule = ec.design_detection(9, 2, scheme=scheme)
    assert (rule.n, rule.k, rule.b, rule.holders, rule.scheme) == (9, 9, 2, holders, scheme)
    assert (rule.code.G.sum(axis=0) == holders).all()
    found = ec.detection(rule.code)
    assert found["detection_radius"] == holders - 1
    assert found["one_round_radius"] == (holders - 1) // 2
    names = [cost["scheme"] for cost in rule.costs]
    assert len(names) == len(set(names)) >= 3


def test_the_documents_are_those_of_the_command(tmp_path: Path) -> None:
    def command(*arguments: str) -> dict:
        line = [sys.executable, "-m", "election_coding", *arguments, "--json", "-q"]
        return json.loads(subprocess.run(line, capture_output=True, text=True, timeout=60).stdout)

    assert ec.design_detection(9, 2, spare=1).to_dict() == command("design", "--detect", "--n", "9", "--b", "2", "--spare", "1")
    assert ec.design_detection(8, 1).to_dict() == command("design", "--detect", "--n", "8", "--b", "1")
    checked = ec.design_detection(9, 2, scheme="checked", risk=1e-6)
    assert checked.to_dict() == command("design", "--detect", "--n", "9", "--b", "2", "--risk", "1e-6")
    path = tmp_path / "matrix.json"
    ec.design(9, 2).save(path)
    assert ec.detection(path) == command("verify", str(path), "--detect")
    assert ec.detection(path, 3, spare=1) == command("verify", str(path), "--detect", "--b", "3", "--spare", "1")


def test_the_next_liar_escapes_in_two_worlds_that_look_alike() -> None:
    found = ec.detection(np.eye(3), 1)
    assert found["detection_radius"] == 0 and found["detects"] is False
    worlds = found["worlds"]
    assert worlds["answer_honest"] != worlds["answer_lied"] and len(worlds["liars"]) == 1
    assert ec.detection(np.ones((3, 3)), 2)["detects"] is True


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"scheme": "vote"}, "expected one of reactive"),
        ({"scheme": "checked", "spare": 1}, "risk says"),
        ({"risk": 0.1}, "for scheme 'checked'"),
        ({"b": 9}, "b"),
    ],
)
def test_what_is_wrong_is_said(arguments: dict, text: str) -> None:
    with pytest.raises(ec.EcodeError, match=text):
        ec.design_detection(**{"n": 9, "b": 2, **arguments})
