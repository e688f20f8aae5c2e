"""A digest of tensors that sees where numbers stand, on their own device, with the same value everywhere.

>>> import torch
>>> from election_coding.torch import fingerprint
>>> x = torch.randn(1000)
>>> fingerprint(x) == fingerprint([x[:10], x[10:]]) != fingerprint(-x)
True

What is promised: two different sequences of numbers have one digest with probability at most 2^-64 over the key, if the
key's weights are random (docs/faulty-accelerator.md has the proof). Against a liar that knows the key it promises
nothing: take `hashlib` or BLAKE3 where one is feared.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

from .._election_coding import Fingerprint

__all__ = ["Fingerprints", "fingerprint"]

_CHUNK = 4096
# Chunks at a time by tensor operations: 64 MiB of products.
_BLOCK = 1024


class Fingerprints:
    """Digests of tensors under one key.

    Args:
        key: any bytes, the same wherever digests are compared.
        operations: compute by tensor operations also on the CPU, as is done elsewhere.
    """

    def __init__(self, key: bytes = b"", *, operations: bool = False) -> None:
        self._state = Fingerprint(key)
        self._operations = operations
        self._tables: dict[torch.device, torch.Tensor] = {}

    def __call__(self, tensors: torch.Tensor | Iterable[torch.Tensor]) -> bytes:
        """16 bytes: the digest of the numbers of all these tensors, one after the other, however they are split."""
        self._state.reset()
        for tensor in [tensors] if isinstance(tensors, torch.Tensor) else tensors:
            flat = tensor.detach().contiguous().reshape(-1)
            if flat.numel() == 0:
                continue
            if flat.is_complex():
                flat = torch.view_as_real(flat).reshape(-1)
            if flat.device.type == "cpu" and not self._operations:
                self._state.update(flat.view(torch.uint8).numpy(), flat.element_size())
            else:
                self._add(_words(flat))
        return self._state.digest()

    def _add(self, words: torch.Tensor) -> None:
        """Sums of chunks by tensor operations: int64 multiplies modulo 2^64 on every device."""
        table = self._tables.get(words.device)
        if table is None:
            table = torch.from_numpy(self._state.table()).to(words.device)
            self._tables[words.device] = table
        place = self._state.words % _CHUNK
        sums = []
        start = 0
        if place:
            start = min(_CHUNK - place, words.numel())
            sums.append(_wide(words[:start], table[:, place : place + start]))
        whole = (words.numel() - start) // _CHUNK
        for first in range(0, whole, _BLOCK):
            last = min(first + _BLOCK, whole)
            sums.append(_wide(words[start + first * _CHUNK : start + last * _CHUNK], table))
        rest = start + whole * _CHUNK
        if rest < words.numel():
            sums.append(_wide(words[rest:], table[:, : words.numel() - rest]))
        self._state.update_sums(torch.cat(sums).cpu().numpy(), words.numel())


def _wide(words: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """The sums of one or more chunks: int64 of shape (chunks, 2)."""
    mask = {1: 0xFF, 2: 0xFFFF, 4: 0xFFFFFFFF}[words.element_size()]
    x = (words.to(torch.int64) & mask).view(-1, table.shape[1])
    return torch.stack([(x * lane).sum(dim=1) for lane in table], dim=1)


def _words(flat: torch.Tensor) -> torch.Tensor:
    """The numbers' bits, as integers; those of 8 bytes as two, the low one first."""
    return flat.view({1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int32}[flat.element_size()])


def fingerprint(tensors: torch.Tensor | Iterable[torch.Tensor], key: bytes = b"") -> bytes:
    """The digest of a tensor, or of several one after the other: 16 bytes."""
    return Fingerprints(key)(tensors)
