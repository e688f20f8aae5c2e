"""Promise: a budgeted code is the best that was found for its price, its errors are counted, and nothing calls it tolerant."""

import pickle

import pytest

import election_coding as ec


def test_the_best_code_for_a_price_is_found_and_counted() -> None:
    code = ec.design_budgeted(5, 2, 3.0, rounds=1)
    assert code.ones <= 15 and code.b is None
    assert code.verdict is not None and code.verdict.radius is None, "it fails without any liar"
    made = code.construction
    assert made is not None and made["name"] == "budget search" and made["exact"]
    # docs/budget.md has the same number from the command, where it meets the bound.
    assert made["errors"][0] == pytest.approx(0.0280, abs=5e-5)
    assert made["errors"] == pytest.approx(made["lower_bounds"], rel=1e-9)
    counted = code.analyze(q=[0.1])["errors"][0]["sign"][2]["adaptive"]
    assert made["errors"][0] == pytest.approx(counted, rel=1e-8)
    assert pickle.loads(pickle.dumps(code)).construction == made


def test_the_catalogue_has_budgeted_codes() -> None:
    code = ec.design(15, 3, construction="budget", r=3)
    assert code.ones <= 45
    assert code.verdict is not None and code.verdict.tolerant is not True
    assert code.construction is not None and code.construction["name"] == "budget"


def test_the_same_rounds_find_the_same() -> None:
    one, two = (ec.design_budgeted(9, 2, 2.0, q=[0.05, 0.2], max_load=3, rounds=1, seed=4) for _ in range(2))
    assert one.digest == two.digest
    assert max(one.loads) <= 3 and one.ones <= 18


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"q": 0.5}, "q: expected"),
        ({"q": []}, "q: expected"),
        ({"liars": "all"}, "adaptive"),
        ({"time": -1.0}, "time: expected"),
        ({"redundancy": float("nan")}, "redundancy: expected"),
    ],
)
def test_what_is_wrong_is_said(arguments: dict, text: str) -> None:
    with pytest.raises(ec.EcodeError, match=text):
        ec.design_budgeted(**{"n": 5, "b": 1, "redundancy": 2.0, "rounds": 1, **arguments})
