"""Codes that make SignSGD with majority vote perfectly tolerant to Byzantine workers: design, proof, votes.

n workers each send one sign bit per coordinate and a server takes the majority; b of them may lie, or compute
wrong. A code gives each worker several data partitions, by an allocation matrix G, and lets it vote over them first.
Some G tolerate any b liars for every input, whatever they send:

>>> import election_coding as ec
>>> code = ec.design(9, 2)
>>> code
<Code n=9, k=9, b=2, ones=59: tolerant>
>>> bool(ec.verify(code.G, 2)), bool(ec.verify(code.G, 3))
(True, False)

What is installed beside this module is the command ``ecode``, which does the same and more.
"""

from ._election_coding import (
    Checked,
    Code,
    EcodeError,
    Impossible,
    Rule,
    Undecided,
    Verdict,
    __version__,
    bounds,
    check,
    command,
    design,
    design_budgeted,
    design_detection,
    detection,
    pack,
    set_num_threads,
    unpack,
    unpack_into,
    verify,
)

from ._functions import analyze

__all__ = [
    "Checked",
    "Code",
    "EcodeError",
    "Impossible",
    "Rule",
    "Undecided",
    "Verdict",
    "__version__",
    "analyze",
    "bounds",
    "check",
    "command",
    "design",
    "design_budgeted",
    "design_detection",
    "detection",
    "pack",
    "set_num_threads",
    "unpack",
    "unpack_into",
    "verify",
]
