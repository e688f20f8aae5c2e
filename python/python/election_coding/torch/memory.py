"""State that belongs to a partition: momentum at the workers, error feedback, and 1-bit methods that keep either.

A partition's vector then depends on all its gradients so far, and whoever computes it needs its state. What holders announce is
a digest of the signs *and* of the state after the step, so that a state is accepted with its step, and a rank that is to go on
with a partition can take the state from any holder and check it: H(state) is what was accepted one step ago.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch

__all__ = ["ErrorFeedback", "Lion", "Memory", "Momentum", "Muon", "PartitionStates"]


class Memory(ABC):
    """What a partition remembers, and what it makes of a gradient. Write your own by deriving from this.

    Attributes:
        vectors: how many vectors of d numbers a partition's state has: 4·d bytes each.
    """

    vectors: int = 1

    @abstractmethod
    def step(
        self, gradient: torch.Tensor, state: Sequence[torch.Tensor], shapes: Sequence[torch.Size]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The vector whose signs are voted with, and the state after.

        Args:
            gradient: of shape (d,), float32.
            state: `vectors` tensors of shape (d,), zeros in the first step. They are not to be changed.
            shapes: those of the parameters, whose numbers the gradient has one after the other.
        """


class Momentum(Memory):
    """The sign of a running mean of gradients: Signum with momentum at the workers.

    References: Bernstein et al., signSGD with Majority Vote is Communication Efficient and Fault Tolerant (ICLR 2019).
    """

    def __init__(self, beta: float = 0.9) -> None:
        self.beta = beta

    def step(
        self, gradient: torch.Tensor, state: Sequence[torch.Tensor], shapes: Sequence[torch.Size]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        mean = self.beta * state[0] + (1 - self.beta) * gradient
        return mean, [mean]


class ErrorFeedback(Memory):
    """What the signs lose is added to the next gradient.

    References: Karimireddy et al., Error Feedback Fixes SignSGD and other Gradient Compression Schemes (ICML 2019).
    """

    def step(
        self, gradient: torch.Tensor, state: Sequence[torch.Tensor], shapes: Sequence[torch.Size]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        whole = gradient + state[0]
        return whole, [whole - whole.abs().mean() * whole.sign()]


class Lion(Memory):
    """The sign that Lion takes, of one mean; another, slower one is kept.

    References: Chen et al., Symbolic Discovery of Optimization Algorithms (NeurIPS 2023).
    """

    def __init__(self, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self.betas = betas

    def step(
        self, gradient: torch.Tensor, state: Sequence[torch.Tensor], shapes: Sequence[torch.Size]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        first, second = self.betas
        return first * state[0] + (1 - first) * gradient, [second * state[0] + (1 - second) * gradient]


class Muon(Memory):
    """Signs of Muon's direction: the momentum of each matrix, made nearly orthogonal by five Newton–Schulz iterations; that of
    other parameters as it is.

    References: Jordan et al., Muon: an optimizer for hidden layers in neural networks (2024), which has the coefficients.
    """

    def __init__(self, beta: float = 0.95) -> None:
        self.beta = beta

    def step(
        self, gradient: torch.Tensor, state: Sequence[torch.Tensor], shapes: Sequence[torch.Size]
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        mean = self.beta * state[0] + gradient
        parts, start = [], 0
        for shape in shapes:
            part = mean[start : start + shape.numel()]
            start += shape.numel()
            parts.append(_orthogonal(part.view(shape[0], -1)).reshape(-1) if len(shape) > 1 else part)
        return torch.cat(parts), [mean]


def _orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    x: torch.Tensor = matrix / (matrix.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
    return x.T if tall else x


class PartitionStates:
    """The states that a rank holds: those before the step, and those after what it has computed in it."""

    DIGEST = 32

    def __init__(self, memory: Memory, d: int, device: torch.device, shapes: Sequence[torch.Size]) -> None:
        self.memory, self.d, self.device, self.shapes = memory, d, device, list(shapes)
        self.size = 4 * d * memory.vectors
        """Bytes of a state."""
        self._before: dict[int, list[torch.Tensor]] = {}
        self._after: dict[int, list[torch.Tensor]] = {}
        self._digests: dict[int, bytes] = {}
        self._first = True

    def step(self, i: int, gradient: torch.Tensor) -> torch.Tensor:
        """What partition i makes of its gradient; asked again in a step, the same."""
        vector, after = self.memory.step(gradient.to(torch.float32), self._state(i), self.shapes)
        self._after[i] = [tensor.detach().clone() for tensor in after]
        self._digests[i] = self.digest(self._bytes(self._after[i]))
        return vector

    def _state(self, i: int) -> list[torch.Tensor]:
        if self._first and i not in self._before:
            return [torch.zeros(self.d, device=self.device) for _ in range(self.memory.vectors)]
        return self._before[i]

    def has(self, i: int) -> bool:
        """Whether this rank can compute partition i now."""
        return self._first or i in self._before

    def after(self, i: int) -> torch.Tensor:
        """The digest of the state after this step, as uint8 of shape (32,)."""
        return torch.tensor(list(self._digests[i]), dtype=torch.uint8)

    def give(self, i: int) -> torch.Tensor:
        """The state before this step, as bytes; nothing where this rank does not hold it."""
        return self._bytes(self._before[i]) if i in self._before else torch.zeros(0, dtype=torch.uint8)

    def take(self, i: int, state: torch.Tensor) -> None:
        """Goes on with a state that was checked."""
        flat = state.clone().view(torch.float32).to(self.device)
        self._before[i] = list(flat.view(self.memory.vectors, self.d))

    def commit(self, accepted: Sequence[bytes]) -> None:
        """The step is settled: keeps what this rank has computed of the accepted states, and nothing else."""
        kept = {i: after for i, after in self._after.items() if self._digests[i] == accepted[i]}
        self._before, self._after, self._digests, self._first = kept, {}, {}, False

    @staticmethod
    def digest(state: torch.Tensor) -> bytes:
        """SHA-256 of a state's bytes."""
        return hashlib.sha256(state.numpy().data).digest()

    def _bytes(self, state: Sequence[torch.Tensor]) -> torch.Tensor:
        flat = torch.cat([tensor.reshape(-1) for tensor in state]).to("cpu", torch.float32)
        return flat.contiguous().view(torch.uint8)

    def state_dict(self) -> dict[str, object]:
        """Between two steps."""
        return {"first": self._first, "states": {i: torch.stack(state) for i, state in self._before.items()}}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Goes on from a state."""
        states = state["states"]
        assert isinstance(states, dict)
        self._first, self._after, self._digests = bool(state["first"]), {}, {}
        self._before = {int(i): list(one.to(self.device)) for i, one in states.items()}
