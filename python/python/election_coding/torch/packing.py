"""Signs as packed bits, on the device of the tensor.

Coordinate i is bit i % 8 of byte i // 8, 1 where the number is negative: as `election_coding.pack` has it. On the CPU
that function does it; elsewhere tensor operations do, to the same bits (compared on the CPU; not run on a GPU).
"""

from __future__ import annotations

import torch

from .._election_coding import pack, unpack_into

__all__ = ["pack_signs", "pack_with_operations", "unpack_signs", "unpack_with_operations"]


def pack_signs(flat: torch.Tensor, zero: bool = False) -> torch.Tensor:
    """The signs of a tensor of shape (d,), packed: uint8 of shape (ceil(d / 8),) on the tensor's device.

    Args:
        flat: any floating kind.
        zero: the sign bit of an exact 0; True for negative.
    """
    flat = flat.detach().reshape(-1)
    if flat.device.type == "cpu" and flat.dtype in (torch.float32, torch.float64):
        # torch owns the result's memory, as collectives want it.
        return torch.from_numpy(pack(flat.contiguous().numpy(), zero=zero)).clone()
    return pack_with_operations(flat, zero)


def pack_with_operations(flat: torch.Tensor, zero: bool = False) -> torch.Tensor:
    """`pack_signs` by tensor operations alone."""
    negative = flat <= 0 if zero else flat < 0
    d = negative.numel()
    bits = torch.zeros(-(-d // 8) * 8, dtype=torch.uint8, device=flat.device)
    bits[:d] = negative
    weights = 1 << torch.arange(8, dtype=torch.uint8, device=flat.device)
    return (bits.view(-1, 8) * weights).sum(dim=1, dtype=torch.uint8)


def unpack_signs(packed: torch.Tensor, d: int, out: torch.Tensor | None = None) -> torch.Tensor:
    """+1 and -1 as float32 of shape (d,), on the device of the packed signs; on the CPU into `out`, where it is given."""
    if packed.device.type == "cpu":
        out = torch.empty(d, dtype=torch.float32) if out is None else out
        unpack_into(packed.numpy(), out.numpy())
        return out
    return unpack_with_operations(packed, d)


def unpack_with_operations(packed: torch.Tensor, d: int) -> torch.Tensor:
    """`unpack_signs` by tensor operations alone."""
    places = torch.arange(8, dtype=torch.uint8, device=packed.device)
    bits = (packed.view(-1, 1) >> places & 1).reshape(-1)[:d]
    return 1.0 - 2.0 * bits.to(torch.float32)
