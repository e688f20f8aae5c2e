"""Says the name of a faulty rank to the platforms that act on it: NVSentinel, and NVIDIA's resiliency extension (nvrx).

`nvsentinel` is a hook for `Audit(on_named=…)` that sends a health event. `node_record` is one that writes a line for each
naming; this module, run on each node, answers nvrx's node health check from these lines:

    python -m election_coding.health --record /shared/named.jsonl --socket /var/run/nvhcd.sock
    ft_launcher --ft-node-health-check-endpoint /var/run/nvhcd.sock ...

Both *fail open*: what cannot be sent, read or understood takes no node out, and says so on standard error. Needs grpcio.

Tried against stand-ins that speak these protocols, not against NVSentinel or nvrx themselves.

References: NVSentinel, data-models/protobufs/health_event.proto (PlatformConnector); nvidia-resiliency-ext,
src/nvidia_resiliency_ext/shared_utils/proto/nvhcd.proto (HealthCheckService). Messages are written here from their fields.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent import futures
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .torch.faults import Fault

__all__ = ["health_event", "main", "node_record", "nvsentinel", "serve", "verdict"]

EVENT = "/datamodels.PlatformConnector/HealthEventOccurredV1"
CHECK = "/nvhcd.HealthCheckService/RunHealthCheck"
EXECUTE, STORE = 1, 2
"""NVSentinel's processing strategies: act on the event; only keep it."""
RUN_FIELDDIAG = 6
"""NVSentinel's recommended action: run the field diagnostics."""


def _grpc() -> Any:
    """grpcio, only where something is to be sent or served."""
    return importlib.import_module("grpc")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, value: str | bytes | bool | int) -> bytes:
    """One field of a protobuf message; what has the default value is left out."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(int(value)) if value else b""
    raw = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw if raw else b""


def health_event(fault: Fault, node: str, *, gpu: str = "", act: bool = False, action: int = RUN_FIELDDIAG) -> bytes:
    """The message `HealthEvents` of NVSentinel for a fault.

    `isFatal` and the strategy "execute" are set only with `act`, for a wrong gradient that a certificate shows and that
    came out wrong again when it was asked for; everything else is kept for whoever looks.
    """
    fatal = act and fault.kind == "gradient" and fault.certificate is not None and fault.repeats is True
    what = f"rank {fault.rank} computed wrong in step {fault.step} ({fault.kind}: {fault.why})"
    metadata = {"step": str(fault.step), "rank": str(fault.rank), "kind": fault.kind, "rule": fault.why}
    if fault.repeats is not None:
        metadata["repeats"] = json.dumps(fault.repeats)
    if fault.certificate is not None:
        metadata["certificate"] = fault.certificate
    now = time.time_ns()
    stamp = _field(1, now // 10**9) + _field(2, now % 10**9)
    entities = [_field(1, "NODE") + _field(2, node)] + ([_field(1, "GPU") + _field(2, gpu)] if gpu else [])
    event = [
        _field(1, 1), _field(2, "election-coding-audit"), _field(3, "GPU"), _field(4, "GradientAudit"),
        _field(5, fatal), _field(7, what), _field(8, action), _field(9, "WRONG_" + fault.kind.upper()),
        *(_field(10, entity) for entity in entities),
        *(_field(11, _field(1, key) + _field(2, value)) for key, value in metadata.items()),
        _field(12, stamp), _field(13, node), _field(16, EXECUTE if fatal else STORE),
    ]  # fmt: skip
    return _field(1, 1) + _field(2, b"".join(event))


def nvsentinel(
    hosts: Sequence[str],
    rank: int,
    *,
    gpus: Sequence[str] = (),
    act: bool = False,
    action: int = RUN_FIELDDIAG,
    socket: str = "unix:///var/run/nvsentinel.sock",
    timeout: float = 10.0,
) -> Callable[[Fault], None]:
    """A hook that tells NVSentinel's platform connector of a named rank, once; not where it is one of several nodes.

    Args:
        hosts: the node of each rank, by its name in Kubernetes.
        rank: this rank. The hook acts on the lowest rank that is not the named one.
        gpus: the GPU of each rank, as its UUID, where it is to be in the event.
        act: let NVSentinel act on what is certain (`health_event`); otherwise events are only kept.
        socket: of the connector on this node.
    """

    def tell(fault: Fault) -> None:
        if not _speaks(fault, rank):
            return
        try:
            named = fault.ranks or (fault.rank,)
            nodes = sorted({hosts[one] for one in named})
            if len(nodes) > 1:
                raise ValueError(f"it is one of {', '.join(nodes)}")
            gpu = gpus[named[0]] if gpus and fault.ranks is None else ""
            message = health_event(fault, nodes[0], gpu=gpu, act=act, action=action)
            with _grpc().insecure_channel(socket) as channel:
                channel.unary_unary(EVENT)(message, timeout=timeout)
        except Exception as error:
            print(f"NVSentinel was not told of rank {fault.rank}: {error}", file=sys.stderr, flush=True)

    return tell


def node_record(hosts: Sequence[str], rank: int, path: str | os.PathLike[str]) -> Callable[[Fault], None]:
    """A hook that adds a line to a file that all nodes can read; `serve` answers nvrx's health check from it.

    Under hybrid sharding the node of the replica that was named is written down only where all its ranks are on one: which
    of several it is has to be found first.
    """

    def write(fault: Fault) -> None:
        if not _speaks(fault, rank):
            return
        try:
            nodes = {hosts[one] for one in fault.ranks or (fault.rank,)}
            node = nodes.pop() if len(nodes) == 1 else None
            with open(path, "a") as file:
                file.write(json.dumps({**json.loads(fault.to_json()), "node": node}) + "\n")
        except Exception as error:
            print(f"rank {fault.rank} could not be written down: {error}", file=sys.stderr, flush=True)

    return write


def _speaks(fault: Fault, rank: int) -> bool:
    """One of those that were not named speaks."""
    named = fault.ranks or (fault.rank,)
    return rank == next(other for other in range(len(named) + 1) if other not in named)


def verdict(path: str | os.PathLike[str], node: str, most: int) -> dict[str, Any]:
    """What a record says of a node: `failed_checks`, `fail_count`, `named` (the lines about it) and `doubts`.

    A line that cannot be understood says nothing of anybody; a record that cannot be read, or names more than `most`
    nodes, takes none out.
    """
    doubts, lines = [], []
    try:
        texts = Path(path).read_text().splitlines()
    except FileNotFoundError:
        texts = []
    except (OSError, ValueError) as error:
        texts, doubts = [], [f"the record cannot be read: {error}"]
    for number, text in enumerate(texts, 1):
        try:
            line = json.loads(text)
            if str(line["event"]) not in ("faulty rank", "faulty replica"):
                raise ValueError("another event")
            if isinstance(line["node"], str):
                lines.append(line)
        except (ValueError, KeyError, TypeError):
            doubts.append(f"line {number} of the record is no naming")
    nodes = {line["node"] for line in lines}
    if len(nodes) > most:
        doubts.append(f"{len(nodes)} nodes are named where {most} are believed")
        lines = []
    own = [line for line in lines if line["node"] == node]
    failed = ["gradient audit"] if own else []
    return {"failed_checks": failed, "fail_count": len(failed), "node": node, "named": own, "doubts": doubts}


def serve(socket: str, record: str | os.PathLike[str], node: str, most: int = 4) -> Any:
    """Starts a server of nvrx's health check on a Unix socket; `stop(None)` ends it."""
    grpc = _grpc()

    def answer(_: bytes, context: Any) -> bytes:
        told = verdict(record, node, most)
        for doubt in told["doubts"]:
            print(f"{node}: {doubt}; nobody is taken out by that", file=sys.stderr, flush=True)
        bad = bool(told["failed_checks"])
        error = f"{node}: named by an audit" if bad else ""
        return _field(1, not bad) + _field(2, int(bad)) + _field(3, json.dumps(told)) + _field(4, error)

    handler = grpc.unary_unary_rpc_method_handler(answer)
    service, method = CHECK.strip("/").split("/")
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    return server


def main(arguments: Iterable[str] | None = None) -> int:
    """Serves until it is interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m election_coding.health", description="Answers nvrx's node health check from a record of namings."
    )
    parser.add_argument("--record", required=True, metavar="FILE", help="what node_record writes")
    parser.add_argument("--socket", default="/var/run/nvhcd.sock", metavar="PATH", help="(/var/run/nvhcd.sock)")
    parser.add_argument("--node", default=platform.node(), metavar="NAME", help="this node, as in the hosts of the hook")
    parser.add_argument("--most", type=int, default=4, metavar="N", help="a record that names more nodes is not believed (4)")
    given = parser.parse_args(None if arguments is None else list(arguments))
    try:
        server = serve(given.socket, given.record, given.node, given.most)
    except Exception as error:
        print(f"{given.socket}: {error}", file=sys.stderr)
        return 2
    with contextlib.suppress(KeyboardInterrupt):
        server.wait_for_termination()
    server.stop(None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
