"""Promise: ByzFL takes the coded vote as one more aggregator, beside its own and under its own attacks."""

from typing import Any

import numpy as np
import pytest
import torch

import election_coding as ec
from election_coding.simulate import CodedVote, VectorAttack

byzfl = pytest.importorskip("byzfl", reason="byzfl is not installed")

N, B = 9, 2


def attacks() -> dict[str, Any]:
    return {
        "SignFlipping": byzfl.SignFlipping(),
        "InnerProductManipulation": byzfl.InnerProductManipulation(tau=3.0),
        "ALittleIsEnough": byzfl.ALittleIsEnough(tau=1.5),
        "Inf": byzfl.Inf(),
        "Gaussian": byzfl.Gaussian(mu=0.0, sigma=10.0),
        "Mimic": byzfl.Mimic(epsilon=0),
    }


@pytest.mark.parametrize("name", sorted(attacks()))
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_the_same_call_and_the_same_attack_on_every_aggregator(name: str, kind: str) -> None:
    np.random.seed(0)
    torch.manual_seed(0)
    gradients = np.random.default_rng(1).normal(0.2, 1.0, size=(N, 200))
    vectors: Any = torch.from_numpy(gradients) if kind == "torch" else gradients
    code = ec.design(N, B)
    honest = CodedVote(code)(vectors)
    attacked = {}
    for aggregator in (byzfl.Median(), byzfl.TrMean(f=B), byzfl.Krum(f=B), byzfl.GeometricMedian()):
        sent = attacks()[name](vectors[: N - B])
        lie = torch.stack([sent] * B) if kind == "torch" else np.stack([sent] * B)
        both = torch.cat([vectors[: N - B], lie]) if kind == "torch" else np.concatenate([vectors[: N - B], lie])
        attacked[type(aggregator).__name__] = aggregator(both)
    coded = CodedVote(code, byzantine=(3, 7), attack=VectorAttack(attacks()[name]))
    decoded = coded(vectors)
    assert type(decoded) is type(attacked["Median"]) and decoded.shape == attacked["Median"].shape
    assert (decoded == honest).all(), "two liars of nine change nothing"
    assert (coded.aggregate_vectors(vectors) == decoded).all(), "the name under which ByzFL calls an aggregator"
