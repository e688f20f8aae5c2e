"""Tensors of any kinds as one vector of bytes, and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch

__all__ = ["as_bytes", "as_tensor", "flat", "parts", "words"]


def flat(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Tensors of any kinds as the bytes of all of them."""
    return torch.cat([tensor.detach().contiguous().reshape(-1).view(torch.uint8) for tensor in tensors])


def words(vector: torch.Tensor) -> torch.Tensor:
    """Bytes as the widest words that they make, which are cheapest to digest."""
    return vector.view(torch.int32) if vector.numel() % 4 == 0 else vector


def parts(vector: torch.Tensor, like: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The tensors of these kinds and shapes, one after the other."""
    found, start = [], 0
    for tensor in like:
        length = tensor.numel() * tensor.element_size()
        # A copy begins where its kind may begin.
        found.append(vector[start : start + length].clone().view(tensor.dtype))
        start += length
    return found


def as_tensor(digest: bytes) -> torch.Tensor:
    """A digest as uint8."""
    return torch.tensor(list(digest), dtype=torch.uint8)


def as_bytes(row: torch.Tensor) -> bytes:
    """And back."""
    return bytes(row.tolist())
