"""Promise: matrices come in from anything that NumPy knows and from every file, and go out again unchanged."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import election_coding as ec


def test_from_arrays_of_every_kind() -> None:
    code = ec.design(9, 2)
    wanted = code.digest
    for kind in (bool, np.uint8, np.int64, np.float32, np.float64):
        assert ec.Code(np.asarray(code, dtype=kind)).digest == wanted
    assert ec.Code(code.G.tolist()).digest == wanted
    assert ec.Code(np.asfortranarray(code.G)).digest == wanted
    assert ec.Code(np.repeat(code.G, 2, axis=1)[:, ::2]).digest == wanted
    assert code.G.dtype == np.uint8 and code.G.shape == (9, 9)
    assert [code.G[j].nonzero()[0].tolist() for j in range(9)] == [code.partitions(j) for j in range(9)]


def test_sparse_matrices_are_taken() -> None:
    class Sparse:
        def toarray(self) -> np.ndarray:
            return np.eye(3)

    assert ec.Code(Sparse()).ones == 3


@pytest.mark.parametrize(
    ("matrix", "text"),
    [
        ([[0, 1], [1, 2]], "G[1, 1] is 2: expected 0 or 1"),
        ([[0, 1], [1, float("nan")]], "G[1, 1] is NaN"),
        ([0, 1], "shape (2,)"),
        (np.zeros((2, 2, 2)), "shape (2, 2, 2)"),
        ([["a"]], "expected 0 and 1"),
        (np.zeros((0, 3)), "0"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(matrix: object, text: str) -> None:
    with pytest.raises(ec.EcodeError) as error:
        ec.Code(matrix)
    assert text in str(error.value)
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize("end", ["json", "csv", "tsv", "txt", "npy", "npz", "mtx", "alist"])
def test_files_give_back_what_was_saved(tmp_path: Path, end: str) -> None:
    code = ec.design(9, 2)
    path = tmp_path / f"matrix.{end}"
    code.save(path)
    again = ec.Code.load(path)
    assert again.digest == code.digest
    assert again.b == (2 if end == "json" else None)
    assert ec.verify(str(path), 2).tolerant is True


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere.json"):
        ec.Code.load(tmp_path / "nowhere.json")
    with pytest.raises(ec.EcodeError, match="the extension names no format"):
        ec.Code.load(tmp_path / "matrix.xyz")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ec.EcodeError, match="broken.json"):
        ec.Code.load(tmp_path / "broken.json")


def test_codes_are_values() -> None:
    code = ec.design(9, 2)
    again = pickle.loads(pickle.dumps(code))
    assert again == code and hash(again) == hash(code) and {code: 1}[again] == 1
    assert code != ec.design(9, 1) and code != "code"
    # A verdict is made here or not at all: a pickle brings none.
    assert code.verdict is not None and again.verdict is None
    with pytest.raises(AttributeError):
        code.b = 3  # type: ignore[misc]
    assert "<img" in code._repr_html_() and "█" in code.picture() and "<svg" in code.svg()


def test_constructions_take_their_parameters() -> None:
    assert ec.design(8, 1).k == 7
    assert ec.design(9, 2, construction="algorithm1").ones == 61
    drawn = [ec.design(15, 2, construction="bernoulli", p=0.5, seed=seed).digest for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    for call in (
        lambda: ec.design(9, 5),
        lambda: ec.design(9, 2, construction="nothing"),
        lambda: ec.design(9, 2, colour="red"),
        lambda: ec.design(9, 2, ties="sometimes"),
        lambda: ec.design(9, 2, timeout=-1),
    ):
        with pytest.raises(ec.EcodeError):
            call()


def test_bounds_say_what_no_code_can_do() -> None:
    all_bounds = ec.bounds(9, 2)
    assert all_bounds[-1]["ones"] == ec.design(9, 2).ones == max(bound["ones"] for bound in all_bounds)
    assert all(bound["source"] for bound in all_bounds)
    with pytest.raises(ec.EcodeError):
        ec.bounds(9, 5)


def test_what_is_proved_to_be_impossible_is_said_as_that() -> None:
    with pytest.raises(ec.Impossible) as error:
        ec.bounds(9, 2, k=8)
    assert isinstance(error.value, ec.EcodeError) and "no code exists" in str(error.value)
    with pytest.raises(ec.EcodeError) as other:
        ec.bounds(0, 0)
    assert not isinstance(other.value, ec.Impossible)


def test_a_refuted_code_keeps_its_attack() -> None:
    code = ec.design(5, 2, construction="uncoded")
    kept = json.loads(code.to_json())["verification"]
    assert kept["verdict"] == "refuted" and kept["counterexample"] == ec.verify(code, 2).counterexample
    assert ec.Code.from_json(code.to_json()) == code
