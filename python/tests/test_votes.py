"""Promise: packed votes are the definition's votes, whatever is missing, and up to b liars change nothing."""

import itertools

import numpy as np
import pytest

import election_coding as ec
from election_coding.simulate import ATTACKS, CodedVote


def gradients(k: int, d: int, seed: int, kind: type = np.float32) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.normal(size=(k, d)).astype(kind)
    values[random.random((k, d)) < 0.05] = 0
    return values


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 7, 8, 9, 63, 64, 65, 1000])
def test_packing_is_numpys(kind: type, d: int) -> None:
    row = gradients(1, d, d, kind)[0]
    row[0] = -0.0
    assert (ec.pack(row) == np.packbits(row < 0, bitorder="little")).all()
    assert (ec.pack(row, zero=True) == np.packbits(row <= 0, bitorder="little")).all()
    assert (ec.pack(np.repeat(row, 2)[::2]) == ec.pack(row)).all()
    signs = np.where(row < 0, -1, 1)
    assert (ec.unpack(ec.pack(row), d) == signs).all()
    out = np.empty(d, np.float32)
    ec.unpack_into(ec.pack(row), out)
    assert (out == signs).all()


def test_votes_are_the_definition() -> None:
    code, d = ec.design(9, 2), 500
    values = gradients(9, d, 3)
    bits = values < 0
    packed = [ec.pack(row) for row in values]
    votes = []
    for j in range(9):
        mine = code.partitions(j)
        vote = code.worker_vote(j, [packed[i] for i in mine], d)
        wanted = 2 * bits[mine].sum(axis=0) > len(mine)
        assert (np.unpackbits(vote, count=d, bitorder="little") == wanted).all()
        votes.append(vote)
    majority = np.where(2 * bits.sum(axis=0) > 9, -1, 1)
    assert (code.server_vote(votes, d) == majority).all()


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_liars_and_missing_votes_within_the_radius_change_nothing(attack: str) -> None:
    code = ec.design(9, 2)
    values = gradients(9, 300, 4)
    quiet = CodedVote(code)(values)
    for liars in itertools.combinations(range(9), 2):
        assert (CodedVote(code, byzantine=liars, attack=attack)(values) == quiet).all()
    for liar, *missing in itertools.permutations(range(9), 3):
        assert (CodedVote(code, byzantine=[liar], missing=missing, attack=attack)(values) == quiet).all()


def test_one_liar_too_many_breaks_it() -> None:
    code = ec.design(9, 2)
    values = gradients(9, 3000, 5)
    quiet = CodedVote(code)(values)
    broken = [
        liars
        for liars in itertools.combinations(range(9), 3)
        if (CodedVote(code, byzantine=liars, attack="omniscient")(values) != quiet).any()
    ]
    assert broken


def test_what_comes_out_is_what_went_in() -> None:
    vote = CodedVote(ec.design(5, 1))
    for kind in (np.float32, np.float64):
        assert vote(gradients(5, 9, 6, kind)).dtype == kind
    assert vote([[1.0, -1.0]] * 5).tolist() == [1.0, -1.0]


def test_wrong_shapes_are_refused() -> None:
    code = ec.design(5, 1)
    for call, text in (
        (lambda: CodedVote(code)(np.zeros((4, 3))), "expected (5, d)"),
        (lambda: CodedVote(code, byzantine=[5]), "workers 0 to 4"),
        (lambda: CodedVote(code, attack="nothing"), "omniscient"),
        (lambda: code.server_vote([None] * 4, 8), "4 votes of 5 workers"),
        (lambda: code.worker_vote(0, [], 8), "partitions"),
        (lambda: code.worker_vote(9, [], 8), "workers 0 to 4"),
        (lambda: ec.unpack(np.zeros(3, np.uint8), 8), "3 bytes"),
    ):
        with pytest.raises(ValueError) as error:
            call()
        assert text in str(error.value)
    with pytest.raises(TypeError):
        ec.pack(np.zeros(3, np.int32))
    with pytest.raises(TypeError):
        ec.unpack(np.zeros(1, np.int32), 8)
