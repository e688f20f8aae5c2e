"""Promise: packing by tensor operations gives the bits that the compiled module gives; samples and random numbers
depend on seed, step and partition alone."""

import random

import numpy as np
import pytest
import torch

import election_coding as ec
from election_coding.torch import CodedSampler, Reproducible, pack_signs, unpack_signs
from election_coding.torch.packing import pack_with_operations, unpack_with_operations


@pytest.mark.parametrize("d", [1, 7, 8, 9, 64, 1001])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("zero", [False, True])
def test_operations_and_module_agree(d: int, kind: torch.dtype, zero: bool) -> None:
    flat = torch.randn(d, generator=torch.Generator().manual_seed(d)).to(kind)
    flat[0] = -0.0
    flat[d // 2] = 0.0
    if d > 7:
        flat[3] = float("nan")
    wanted = torch.from_numpy(ec.pack(flat.float().numpy(), zero=zero))
    assert torch.equal(pack_signs(flat, zero), wanted)
    assert torch.equal(pack_with_operations(flat, zero), wanted)
    signs = unpack_signs(wanted, d)
    assert torch.equal(signs, unpack_with_operations(wanted, d))
    assert torch.equal(signs, torch.from_numpy(ec.unpack(wanted.numpy(), d)).float())


def test_samples_are_the_same_everywhere_and_cover_the_epoch() -> None:
    one, other = CodedSampler(100, 5, 4, seed=3), CodedSampler(100, 5, 4, seed=3, mine=[1, 4], start=7)
    stream = iter(other)
    for step in (7, 8, 9):
        for partition in (1, 4):
            assert next(stream) == one.indices(step, partition)
    epoch = [index for step in range(5) for i in range(5) for index in one.indices(step, i)]
    assert sorted(epoch) == list(range(100))
    assert one.indices(0, 0) != one.indices(5, 0), "another epoch has another order"
    with pytest.raises(ValueError):
        CodedSampler(10, 5, 4)


def test_random_numbers_depend_on_seed_step_and_partition_and_are_given_back() -> None:
    def draw(*numbers: int) -> tuple[float, float, float]:
        with Reproducible(*numbers):
            return float(torch.rand(())), float(np.random.rand()), random.random()

    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert draw(0, 1, 2) == draw(0, 1, 2)
    assert len({draw(0, 1, 2), draw(1, 1, 2), draw(0, 2, 2), draw(0, 1, 3)}) == 4
    assert torch.equal(torch.get_rng_state(), before)
