"""A message: a small JSON head, then bytes."""

from __future__ import annotations

import json
from typing import Any

import torch

HEAD = 1 << 20
"""The longest head, in bytes."""


def join(head: dict[str, Any], *parts: torch.Tensor) -> torch.Tensor:
    """The head and the parts (uint8 tensors) as one uint8 tensor on the CPU."""
    text = json.dumps(head, separators=(",", ":")).encode()
    start = torch.tensor(list(len(text).to_bytes(4, "little") + text), dtype=torch.uint8)
    return torch.cat([start, *(part.to("cpu").view(-1) for part in parts)])


def split(message: torch.Tensor) -> tuple[dict[str, Any], torch.Tensor]:
    """The head and the bytes after it.

    Raises:
        ValueError: it is no message.
    """
    length = int.from_bytes(bytes(message[:4].tolist()), "little")
    if message.numel() < 4 or not 2 <= length <= min(HEAD, message.numel() - 4):
        raise ValueError("a message without a head")
    head = json.loads(bytes(message[4 : 4 + length].tolist()))
    if not isinstance(head, dict):
        raise ValueError("a message whose head is no object")
    return head, message[4 + length :]
