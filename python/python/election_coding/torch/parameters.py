"""The parameters that a vote moves, and the step they are in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import torch

__all__ = ["Parameters", "parameters_digest"]


def parameters_digest(parameters: Iterable[torch.Tensor]) -> str:
    """SHA-256 of the parameters' bytes, in their order: equal where training ended in the same bits."""
    hasher = hashlib.sha256()
    for parameter in parameters:
        flat = parameter.detach().to("cpu").contiguous().reshape(-1)
        hasher.update(flat.view(torch.uint8).numpy().tobytes())
    return hasher.hexdigest()


class Parameters:
    """A list of parameters as one vector of d coordinates."""

    def __init__(self, parameters: Iterable[torch.Tensor]) -> None:
        self.tensors = [tensor for tensor in parameters if tensor.requires_grad]
        if not self.tensors:
            raise ValueError("params: none of them requires a gradient")
        devices = {tensor.device for tensor in self.tensors}
        if len(devices) > 1:
            raise ValueError(f"params: they are on {len(devices)} devices; a vote needs them on one")
        self.device = self.tensors[0].device
        self.d = sum(tensor.numel() for tensor in self.tensors)
        # Kept from step to step: fresh memory of this size costs more than what is done in it.
        self._flat: torch.Tensor | None = None

    def clear(self) -> None:
        """Sets all gradients to None."""
        for tensor in self.tensors:
            tensor.grad = None

    def gradient(self) -> torch.Tensor:
        """The gradients as one vector of shape (d,), until the next call; 0 where a parameter has none."""
        parts = [
            torch.zeros_like(tensor).reshape(-1) if tensor.grad is None else tensor.grad.detach().reshape(-1)
            for tensor in self.tensors
        ]
        if self._flat is None and len({part.dtype for part in parts}) == 1:
            self._flat = torch.empty(self.d, dtype=parts[0].dtype, device=self.device)
        return torch.cat(parts) if self._flat is None else torch.cat(parts, out=self._flat)

    def fill(self, flat: torch.Tensor) -> None:
        """Makes a vector of shape (d,) the gradients."""
        start = 0
        for tensor in self.tensors:
            part = flat[start : start + tensor.numel()].view_as(tensor).to(tensor.dtype)
            if tensor.grad is None:
                tensor.grad = part.clone()
            else:
                tensor.grad.copy_(part)
            start += tensor.numel()
