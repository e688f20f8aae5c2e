"""Promise: a naming reaches NVSentinel as the event that its protocol describes, and nvrx's node check hears of it; what is in
doubt takes no node out, and nothing of it ends the training. (Stand-ins speak the protocols, with protobuf's own parser.)"""

import json
import subprocess
import sys
import time
from concurrent import futures
from pathlib import Path
from typing import Any

import pytest

from election_coding.health import CHECK, EVENT, node_record, nvsentinel, serve, verdict
from election_coding.torch import Fault

grpc = pytest.importorskip("grpc")
pytest.importorskip("google.protobuf")
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, unknown_fields  # noqa: E402

FAULT = Fault(rank=2, step=7, kind="gradient", why="rule b: 2 workers contradict it", repeats=True,
              certificate='{"schema":"ecode/naming/1"}')
HOSTS = ["a", "a", "b", "b"]
KINDS = {"uint32": 13, "string": 9, "bool": 8, "enum": 5, "int64": 3, "int32": 5, "message": 11}


def messages() -> dict[str, Any]:
    """The messages of both protocols, as far as they are used: field numbers and kinds are theirs."""
    file = descriptor_pb2.FileDescriptorProto(name="stand_in.proto", package="s", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, str], lists: tuple[str, ...] = ()) -> None:
        new = file.message_type.add(name=name)
        for field, number, kind in fields:
            plain = KINDS.get(kind)
            label = 3 if field in lists else 1
            new.field.add(name=field, number=number, type=plain or 11, label=label,
                          type_name=None if plain else f".s.{kind}")

    message("Stamp", ("seconds", 1, "int64"), ("nanos", 2, "int32"))
    message("Entity", ("entityType", 1, "string"), ("entityValue", 2, "string"))
    # A map is a list of pairs on the wire.
    message("Pair", ("key", 1, "string"), ("value", 2, "string"))
    message("HealthEvent", ("version", 1, "uint32"), ("agent", 2, "string"), ("componentClass", 3, "string"),
            ("checkName", 4, "string"), ("isFatal", 5, "bool"), ("isHealthy", 6, "bool"), ("message", 7, "string"),
            ("recommendedAction", 8, "enum"), ("errorCode", 9, "string"), ("entitiesImpacted", 10, "Entity"),
            ("metadata", 11, "Pair"), ("generatedTimestamp", 12, "Stamp"), ("nodeName", 13, "string"),
            ("processingStrategy", 16, "enum"), lists=("errorCode", "entitiesImpacted", "metadata"))
    message("HealthEvents", ("version", 1, "uint32"), ("events", 2, "HealthEvent"), lists=("events",))
    message("Response", ("success", 1, "bool"), ("exit_code", 2, "int32"), ("output", 3, "string"), ("error", 4, "string"))
    message("Request", ("args", 1, "string"), lists=("args",))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"s.{name}"))
            for name in ("HealthEvents", "Response", "Request")}


def connector(socket: str, heard: list[bytes]) -> Any:
    """A stand-in for NVSentinel's platform connector."""

    def take(request: bytes, context: Any) -> bytes:
        heard.append(request)
        return b""

    service, method = EVENT.strip("/").split("/")
    server = grpc.server(futures.ThreadPoolExecutor(1))
    handlers = {method: grpc.unary_unary_rpc_method_handler(take)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    server.add_insecure_port(socket)
    server.start()
    return server


def test_nvsentinel_hears_once_with_the_certificate(tmp_path: Path) -> None:
    socket, heard = f"unix:{tmp_path}/sentinel.sock", []
    server = connector(socket, heard)
    for rank in range(4):
        nvsentinel(HOSTS, rank, gpus=["g0", "g1", "g2", "g3"], act=True, socket=socket)(FAULT)
    server.stop(None)
    assert len(heard) == 1
    told = messages()["HealthEvents"].FromString(heard[0])
    event = told.events[0]
    assert (told.version, len(told.events), event.version) == (1, 1, 1)
    assert (event.nodeName, event.componentClass, event.isHealthy) == ("b", "GPU", False)
    assert (event.isFatal, event.processingStrategy, event.recommendedAction) == (True, 1, 6)
    assert "rank 2 computed wrong in step 7" in event.message and list(event.errorCode) == ["WRONG_GRADIENT"]
    assert [(one.entityType, one.entityValue) for one in event.entitiesImpacted] == [("NODE", "b"), ("GPU", "g2")]
    metadata = {one.key: one.value for one in event.metadata}
    assert json.loads(metadata["certificate"])["schema"] == "ecode/naming/1" and metadata["repeats"] == "true"
    assert abs(event.generatedTimestamp.seconds - time.time()) < 600
    assert len(unknown_fields.UnknownFieldSet(event)) == 0


@pytest.mark.parametrize("doubt", [
    {"repeats": False}, {"repeats": None}, {"certificate": None}, {"kind": "state"}, {"act": False},
])
def test_in_doubt_nobody_is_to_act(tmp_path: Path, doubt: dict[str, Any]) -> None:
    socket, heard = f"unix:{tmp_path}/sentinel.sock", []
    server = connector(socket, heard)
    act = doubt.pop("act", True)
    fault = Fault(**{**vars(FAULT), **doubt})
    nvsentinel(HOSTS, 0, act=act, socket=socket)(fault)
    server.stop(None)
    event = messages()["HealthEvents"].FromString(heard[0]).events[0]
    assert (event.isFatal, event.processingStrategy) == (False, 2)


def test_without_a_connector_the_training_goes_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    nvsentinel(HOSTS, 0, socket=f"unix:{tmp_path}/nobody.sock", timeout=2)(FAULT)
    nvsentinel(HOSTS[:2], 0, socket=f"unix:{tmp_path}/nobody.sock", timeout=2)(FAULT)
    node_record(HOSTS, 0, tmp_path / "no folder" / "record")(FAULT)
    errors = capfd.readouterr().err
    assert errors.count("NVSentinel was not told of rank 2") == 2 and "could not be written down" in errors


def ask(socket: str) -> Any:
    """Asks as nvrx does."""
    known = messages()
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        request = known["Request"](args=["--no-slurm"]).SerializeToString()
        return known["Response"].FromString(channel.unary_unary(CHECK)(request, timeout=20))


def test_nvrx_asks_each_node(tmp_path: Path) -> None:
    record = tmp_path / "named.jsonl"
    servers = {node: serve(f"{tmp_path}/{node}.sock", record, node) for node in ("a", "b")}
    before = ask(f"{tmp_path}/b.sock")
    assert before.success and json.loads(before.output)["failed_checks"] == []
    for rank in range(4):
        node_record(HOSTS, rank, record)(FAULT)
    assert len(record.read_text().splitlines()) == 1
    other, named = ask(f"{tmp_path}/a.sock"), ask(f"{tmp_path}/b.sock")
    assert other.success and other.exit_code == 0
    output = json.loads(named.output)
    assert not named.success and named.exit_code == 1 and output["fail_count"] == 1 and output["failed_checks"]
    assert output["named"][0]["certificate"]["schema"] == "ecode/naming/1"
    for server in servers.values():
        server.stop(None)


def test_a_broken_record_takes_nobody_out(tmp_path: Path) -> None:
    record = tmp_path / "named.jsonl"
    line = json.dumps({**json.loads(FAULT.to_json()), "node": "b"})
    for text in (line[:40], "[]", '{"event": "faulty rank"}', line.replace("faulty rank", "hello"), "\x00"):
        record.write_text(text + "\n")
        told = verdict(record, "b", 4)
        assert told["failed_checks"] == [] and len(told["doubts"]) == 1, text
    record.write_text(line[:40] + "\n" + line + "\n")
    assert verdict(record, "b", 4)["failed_checks"] and verdict(record, "a", 4)["failed_checks"] == []
    # Many nodes named at once is rather a broken record than many broken nodes.
    record.write_text("\n".join(line.replace('"b"', f'"{node}"') for node in "bcdef"))
    assert verdict(record, "b", 4)["failed_checks"] == [] and verdict(record, "b", 5)["failed_checks"]
    record.unlink()
    record.mkdir()
    assert verdict(record, "b", 4)["failed_checks"] == []


def test_a_replica_on_several_nodes_is_not_one_node(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from election_coding.torch import slurm_drain

    record = tmp_path / "named.jsonl"
    spread = Fault(rank=0, step=1, kind="gradient", why="w", ranks=(1, 2))
    for rank in range(4):
        node_record(HOSTS, rank, record)(spread)
        slurm_drain(HOSTS, rank, "no-such-scontrol")(spread)
        nvsentinel(HOSTS, rank, socket=f"unix:{tmp_path}/nobody.sock", timeout=2)(spread)
    assert json.loads(record.read_text())["node"] is None
    assert verdict(record, "a", 4)["failed_checks"] == verdict(record, "b", 4)["failed_checks"] == []
    errors = capfd.readouterr().err
    assert "one of them is faulty, and none is drained" in errors and "it is one of a, b" in errors


def test_the_command_serves(tmp_path: Path) -> None:
    socket, record = tmp_path / "check.sock", tmp_path / "named.jsonl"
    node_record(HOSTS, 0, record)(FAULT)
    command = [sys.executable, "-m", "election_coding.health", "--record", str(record), "--socket", str(socket), "--node", "b"]
    serving = subprocess.Popen(command)
    try:
        for _ in range(600):
            if socket.exists():
                break
            time.sleep(0.1)
        assert ask(str(socket)).exit_code == 1
    finally:
        serving.terminate()
        serving.wait()
