"""Faults of the kinds that studies of faulty accelerators report, put into one rank's model and optimizer."""

from __future__ import annotations

from collections.abc import Callable

import torch


def flip(tensor: torch.Tensor, places: list[int], bit: int) -> torch.Tensor:
    """A copy with one bit of these elements flipped; `bit` counts from the highest: 0 is the sign."""
    copy = tensor.detach().clone().contiguous()
    size = copy.element_size()
    words = copy.reshape(-1).view({2: torch.int16, 4: torch.int32}[size])
    value = 1 << (8 * size - 1 - bit)
    mask = torch.tensor(value - (1 << 8 * size) if bit == 0 else value, dtype=words.dtype)
    for place in places:
        words[place] ^= mask
    return copy


KINDS = (
    "forward, one bit", "forward, eight bits", "forward, every 32nd address", "forward, NaN", "forward, one layer only",
    "backward, lowest bit", "backward, two signs", "backward, two swapped", "backward, every 32nd address",
    "backward, stuck bit", "one step only", "optimizer, a parameter", "optimizer, its state",
)


class Injected:
    """One faulty rank.

    Args:
        steady: the same wrong answer whenever asked; otherwise every other time.
    """

    def __init__(self, kind: str, seed: int, model: torch.nn.Module, optimizer: torch.optim.Optimizer, steady: bool,
                 step: Callable[[], int]) -> None:
        self.kind, self.seed, self.steady, self.step, self.calls = kind, seed, steady, step, 0
        self.on = True
        # Not the output projection of attention: torch never calls that module.
        layers = [m for m in model.modules() if type(m) in (torch.nn.Linear, torch.nn.Conv2d)]
        layer = layers[seed % len(layers)]
        if kind.startswith("forward"):
            self.handle = layer.register_forward_hook(self._forward)
        elif kind.startswith("optimizer"):
            self.handle = optimizer.register_step_post_hook(self._stepped)
        else:
            self.handle = layer.weight.register_hook(self._backward)
        self.parameter = layer.weight

    def _due(self) -> bool:
        self.calls += 1
        if not self.on:
            return False
        if self.kind == "one step only":
            return self.step() == 1 and (self.steady or self.calls % 2 == 0)
        return self.step() >= 1 and (self.steady or self.calls % 2 == 0)

    def _places(self, tensor: torch.Tensor, count: int) -> list[int]:
        full = tensor.detach().reshape(-1).float().abs().nan_to_num().argsort(descending=True, stable=True)
        return [int(full[(self.seed + 3 * i) % min(16, full.numel())]) for i in range(count)]

    def _forward(self, module: torch.nn.Module, inputs: object, out: torch.Tensor) -> torch.Tensor:
        if not self._due():
            return out
        places, bit = {
            "forward, one bit": (self._places(out, 1), 3),
            "forward, eight bits": (self._places(out, 8), 4),
            "forward, every 32nd address": (list(range(self.seed, out.numel(), 32)), 6),
            "forward, NaN": (self._places(out, 1), 0),
            "forward, one layer only": (self._places(out, 2), 0),
        }[self.kind]
        wrong = flip(out, places, bit)
        if self.kind == "forward, NaN":
            wrong.view(-1)[places[0]] = float("nan")
        return out + (wrong - out).detach()

    def _backward(self, gradient: torch.Tensor) -> torch.Tensor:
        if not self._due():
            return gradient
        flat = gradient.detach().clone().reshape(-1)
        one, two = self._places(flat, 2)
        if self.kind == "backward, lowest bit":
            flat = flip(flat, [one], 8 * flat.element_size() - 1)
        elif self.kind in ("backward, two signs", "one step only"):
            flat = flip(flat, [one, two], 0)
        elif self.kind == "backward, two swapped":
            flat[[one, two]] = flat[[two, one]]
        elif self.kind == "backward, every 32nd address":
            flat = flip(flat, list(range(self.seed, flat.numel(), 32)), 0)
        elif self.kind == "backward, stuck bit":
            words = flat.view({2: torch.int16, 4: torch.int32}[flat.element_size()])
            words[one] = words[one] | 0x3F
        return flat.view_as(gradient)

    def _stepped(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        # The step was counted by then.
        if not self.on or self.step() < 2 or not self.steady and self.step() != 2:
            return
        with torch.no_grad():
            wrong = self.parameter if self.kind == "optimizer, a parameter" else optimizer.state[self.parameter]["exp_avg"]
            wrong.copy_(flip(wrong, self._places(wrong, 1), 4))
