"""Coded and reactive votes in a PyTorch training loop, and the audit of ordinary data parallelism.

- `CodedVote`, `CodedSignSGD`: SignSGD with majority vote under an Election code.
- `ReactiveVote`: the same signs at b + 1 gradients a partition; names who computed wrong. With a
  `Memory` (`Momentum`, `ErrorFeedback`, `Lion`, `Muon`) each partition has a state that its holders keep.
- `Audit`: ordinary data parallelism under any optimizer, with b + 1 ranks for each gradient now and then: names and masks
  a rank that computes wrong.
- `fingerprint`: a digest of tensors that sees where numbers stand, the same on every device.
- `CodedSampler`, `Reproducible`, `steps`: the same batches and random numbers wherever a partition is computed.

Nothing here was run on a GPU; what a tensor's device decides is done by tensor operations and tested on the CPU.
"""

from .audit import Audit
from .coded import CodedSignSGD, CodedVote
from .data import CodedSampler, Reproducible, steps
from .faults import Fault, FaultFound, json_lines, slurm_drain
from .digests import Fingerprints, fingerprint
from .memory import ErrorFeedback, Lion, Memory, Momentum, Muon
from .packing import pack_signs, unpack_signs
from .parameters import parameters_digest
from .reactive import ReactiveVote
from .voter import Unverified

__all__ = [
    "Audit",
    "CodedSampler",
    "CodedSignSGD",
    "CodedVote",
    "ErrorFeedback",
    "Fault",
    "FaultFound",
    "Fingerprints",
    "Lion",
    "Memory",
    "Momentum",
    "Muon",
    "ReactiveVote",
    "Reproducible",
    "Unverified",
    "fingerprint",
    "json_lines",
    "pack_signs",
    "parameters_digest",
    "slurm_drain",
    "steps",
    "unpack_signs",
]
