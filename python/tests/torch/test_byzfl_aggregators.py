"""Promise: where the definitions coincide, aggregators and attacks of `ecode train` give what ByzFL's give.

The cases with what ByzFL gives are in fixtures/aggregators/byzfl.json. This test computes them anew with ByzFL as it is
installed; crates/train/tests/byzfl.rs compares the aggregators of `ecode train` with them. Krum and Multi-Krum are left
out: ByzFL adds the squared distances to n - f - 1 others, the paper that made them, and `ecode train`, to n - f - 2.
CAF is left out: ByzFL looks for its direction by one power iteration from a random start. So is ALIE: ByzFL adds
deviations of n - 1 degrees of freedom, `ecode train` takes off such of n, as the paper's code does. `ECODE_WRITE_FIXTURES=1`
writes the file.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

byzfl = pytest.importorskip("byzfl", reason="byzfl is not installed")

FILE = Path(__file__).parents[3] / "fixtures" / "aggregators" / "byzfl.json"
VERSION = "0.0.11"


def vectors(n: int, f: int, seed: int) -> Any:
    """n vectors of which the last f are far from the others; all numbers are multiples of 1/1024."""
    random = np.random.default_rng(seed)
    honest = random.normal(0.3, 1.0, size=(n - f, 7))
    lies = random.normal(-4.0, 2.0, size=(f, 7))
    return np.round(np.concatenate([honest, lies]) * 1024) / 1024


def rules(f: int) -> dict[str, Any]:
    return {
        "mean": byzfl.Average(),
        "median": byzfl.Median(),
        "trimmed-mean": byzfl.TrMean(f=f),
        "meamed": byzfl.Meamed(f=f),
        "mda": byzfl.MDA(f=f),
        # Three steps from 0 are ByzFL's default; the geometric median is what they go towards.
        "geometric-median": byzfl.GeometricMedian(nu=1e-9, T=5000),
    }


def joined(case: dict[str, Any]) -> Any:
    """What ByzFL makes of a case."""
    values, f = np.array(case["vectors"]), case["b"]
    *pre, rule = case["rule"].split("+")
    if pre == ["nnm"]:
        values = byzfl.NNM(f=f)(values)
    if rule == "centered-clipping":
        clipping = byzfl.CenteredClipping(L=1, tau=case["radius"])
        # ByzFL takes no centre: it remembers what it gave, here to one vector that is the centre.
        clipping.m = np.array(case["last"])
        return clipping(values)
    return rules(f)[rule](values)


def sent(case: dict[str, Any]) -> Any:
    """What ByzFL's Byzantine workers send where the honest vectors are these."""
    honest, f = np.array(case["honest"]), case["b"]
    if case["attack"] == "opt-ipm":
        *pre, rule = case["rule"].split("+")
        mixing = [byzfl.NNM(f=f)] if pre else []
        return byzfl.Optimal_InnerProductManipulation(agg=rules(f)[rule], pre_agg_list=mixing, f=f)(honest)
    attacks = {
        "omniscient": byzfl.SignFlipping(),
        "ipm": byzfl.InnerProductManipulation(tau=0.5),
        "mimic": byzfl.Mimic(epsilon=0),
    }
    return attacks[case["attack"]](honest)


def attacked() -> list[dict[str, Any]]:
    all_cases: list[dict[str, Any]] = []
    for seed, (n, f) in enumerate([(5, 1), (9, 2), (11, 5)]):
        honest = vectors(n, f, 200 + seed)[: n - f].tolist()
        for attack in ("omniscient", "ipm", "mimic"):
            all_cases.append({"attack": attack, "b": f, "honest": honest})
        for rule in ("median", "trimmed-mean", "meamed", "nnm+trimmed-mean", "nnm+median"):
            all_cases.append({"attack": "opt-ipm", "rule": rule, "b": f, "honest": honest})
    for case in all_cases:
        case["sent"] = sent(case).tolist()
    return all_cases


def cases() -> list[dict[str, Any]]:
    all_cases: list[dict[str, Any]] = []
    for seed, (n, f) in enumerate([(3, 1), (5, 1), (5, 2), (9, 2), (11, 5)]):
        values = vectors(n, f, seed)
        names = [prefix + name for prefix in ("", "nnm+") for name in rules(f)]
        all_cases += [{"rule": name, "b": f, "vectors": values.tolist()} for name in names]
        last = (np.round(np.random.default_rng(100 + seed).normal(size=7) * 1024) / 1024).tolist()
        for radius in (0.5, 2.0, 100.0):
            case = {"rule": "centered-clipping", "b": f, "vectors": values.tolist(), "radius": radius, "last": last}
            all_cases.append(case)
    for case in all_cases:
        case["joined"] = joined(case).tolist()
    return all_cases


def test_the_kept_cases_are_what_byzfl_gives() -> None:
    if os.environ.get("ECODE_WRITE_FIXTURES"):
        FILE.parent.mkdir(exist_ok=True)
        lines, attacks = (",\n".join(json.dumps(case) for case in kind) for kind in (cases(), attacked()))
        FILE.write_text(f'{{"byzfl": "{VERSION}", "cases": [\n{lines}\n], "attacks": [\n{attacks}\n]}}\n')
    kept = json.loads(FILE.read_text())
    assert kept["byzfl"] == VERSION and len(kept["cases"]) > 70
    for case in kept["cases"]:
        np.testing.assert_allclose(joined(case), case["joined"], rtol=1e-9, atol=1e-9, err_msg=case["rule"])
    assert len(kept["attacks"]) == 24
    for case in kept["attacks"]:
        np.testing.assert_allclose(sent(case), case["sent"], rtol=1e-9, atol=1e-9, err_msg=case["attack"])
