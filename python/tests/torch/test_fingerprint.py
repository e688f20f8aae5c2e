"""Promise: the digest is the hash that the proof is about, has one value for every split and way of computing, and sees
what sums and exclusive ors do not."""

import numpy as np
import pytest
import torch

from election_coding._election_coding import Fingerprint
from election_coding.torch import Fingerprints, fingerprint

KINDS = [torch.float32, torch.bfloat16, torch.float64, torch.int8, torch.int64, torch.float16]


def reference(words: list[int], key: bytes) -> bytes:
    """The definition, in Python's integers: docs/faulty-accelerator.md."""
    own = Fingerprint(key)
    table = own.table().astype(np.uint64).tolist()
    out = b""
    for lane in range(2):
        total = 0
        count = -(-len(words) // 4096)
        folds = [(c, sum(a * x for a, x in zip(table[lane], words[c * 4096 :][:4096])) % 2**64) for c in range(count)]
        for place, value in [*folds, (1 << 58, len(words))]:
            low, high = own.chunk_weights(place, 1).astype(np.uint64).tolist()[0][lane]
            total += low * (value % 2**32) + high * (value >> 32)
        out += (total % 2**64).to_bytes(8, "little")
    return out


@pytest.mark.parametrize("count", [0, 1, 5, 4095, 4096, 4097, 9000])
def test_it_is_the_hash_of_the_proof(count: int) -> None:
    words = np.random.default_rng(count).integers(0, 2**32, count, dtype=np.uint32)
    assert fingerprint(torch.from_numpy(words.view(np.int32)), b"k") == reference(words.tolist(), b"k")
    if count:
        assert fingerprint(torch.from_numpy(words.view(np.int32)), b"other") != reference(words.tolist(), b"k")


@pytest.mark.parametrize("kind", KINDS)
def test_every_split_and_every_way_of_computing_give_one_value(kind: torch.dtype) -> None:
    x = (torch.randn(20_003, generator=torch.Generator().manual_seed(1)) * 50).to(kind)
    operations = Fingerprints(b"k", operations=True)
    whole = fingerprint(x, b"k")
    assert operations(x) == whole
    for cuts in ([1], [4096], [7, 4100, 8192], [12_287, 12_289], list(range(0, 20_000, 999))):
        parts = list(x.tensor_split(cuts))
        assert fingerprint(parts, b"k") == whole and operations(parts) == whole
    assert fingerprint(x.view(-1, 1)[:, 0], b"k") == whole


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_it_sees_what_real_faults_do(kind: torch.dtype) -> None:
    x = torch.randn(8192, generator=torch.Generator().manual_seed(2)).to(kind)
    words = x.view({torch.float32: torch.int32, torch.bfloat16: torch.int16}[kind])
    seen = {fingerprint(x)}
    wrong = [-x, x.flip(0), x.roll(1), torch.cat([x[4096:], x[:4096]]), torch.cat([x, torch.zeros(1, dtype=kind)]), x[:-1]]
    for places in ([0, 1], [0, 4096], list(range(0, 8192, 32))):
        for bit in range(0, 8 * words.element_size() - 1, 5):
            other = words.clone()
            other[places] ^= 1 << bit
            wrong.append(other.view(kind))
    swapped = x.clone()
    swapped[[3, 7000]] = swapped[[7000, 3]]
    wrong.append(swapped)
    for other in wrong:
        seen.add(fingerprint(other))
    assert len(seen) == len(wrong) + 1


def test_random_differences_are_all_seen() -> None:
    """Twenty thousand sequences that differ from each other in a few bits."""
    random = np.random.default_rng(3)
    base = random.integers(0, 2**32, 16, dtype=np.uint32)
    digests = set()
    own = Fingerprint(b"many")
    for _ in range(20_000):
        words = base.copy()
        words[random.integers(0, 16, 3)] ^= np.uint32(1) << random.integers(0, 32, 3).astype(np.uint32)
        own.reset()
        own.update(words.view(np.uint8), 4)
        digests.add((words.tobytes(), own.digest()))
    assert len({digest for _, digest in digests}) == len(digests)


@pytest.mark.skipif(not hasattr(torch, "hash_tensor"), reason="this torch has no hash_tensor")
def test_what_hash_tensor_does_not_see() -> None:
    x = torch.randn(1024, generator=torch.Generator().manual_seed(4))
    periodic = x.view(torch.int32).clone()
    periodic[::32] ^= 1 << 20
    for wrong in (-x, x.flip(0), periodic.view(torch.float32)):
        assert torch.equal(torch.hash_tensor(wrong), torch.hash_tensor(x))
        assert fingerprint(wrong) != fingerprint(x)
