"""A worker of a coded vote in Python: grpcio, mutual TLS, one stream. What it votes is `signs`: put your gradients there.

usage: worker.py HOST:PORT KEYS      (pip install grpcio grpcio-tools; protocol: crates/grpc/proto/election.proto)
"""
import hashlib, pathlib, queue, sys

import grpc

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "crates/grpc/proto"))
pb, rpc = grpc.protos_and_services("election.proto")


def signs(step, first, count):
    """Whether each of `count` coordinates from `first` on is negative. A stand-in: the majority of the signs of the
    gradients of this row's partitions belongs here; all rows that hold a partition must compute the same bits."""
    return [(31 * step + i * i) % 3 == 0 for i in range(first, first + count)]


def apply(step, block, negative, tied):
    """What was decided of a block: move the parameters by it."""


def take(stub):
    """The server's state: its step, and parameters and velocity as little-endian f32."""
    pieces = list(stub.State(pb.StateRequest()))
    state = b"".join(piece.bytes for piece in pieces)
    assert pieces[-1].sha256 == "sha256:" + hashlib.sha256(state).hexdigest(), "the state arrived broken"
    return pieces[-1].step, state


def main(server, keys):
    read = lambda name: (pathlib.Path(keys) / name).read_bytes()
    credentials = grpc.ssl_channel_credentials(read("authority.pem"), read("own.key"), read("own.pem"))
    options = [("grpc.ssl_target_name_override", "server.ecode"), ("grpc.keepalive_time_ms", 10_000)]
    stub = rpc.ElectionStub(grpc.secure_channel(server, credentials, options))
    run = stub.Describe(pb.DescribeRequest(), wait_for_ready=True)  # run.config and run.matrix say what to compute
    out = queue.SimpleQueue()
    out.put(pb.Up(hello=pb.Hello(protocol=1, version="python", matrix=run.matrix_digest)))
    down = stub.Join(iter(out.get, None))
    welcome = next(down).welcome
    step, state = take(stub) if welcome.behind else (0, None)
    size, done = 8 * welcome.block_bytes, set()
    while True:
        for block in range(welcome.blocks if step >= welcome.step else 0):  # what was missed is decided already
            bits = signs(step, size * block, min(size, welcome.dimension - size * block))
            number = sum(bit << i for i, bit in enumerate(bits))
            negative = number.to_bytes((len(bits) + 7) // 8, "little")
            out.put(pb.Up(ballot=pb.Ballot(step=step, block=block, negative=negative)))
        while len(done) < welcome.blocks:
            message = next(down)
            if message.HasField("stop"):
                return print(f"row {welcome.row} stops after step {step}: {message.stop.why}")
            if message.HasField("decode") and message.decode.step == step:
                apply(step, message.decode.block, message.decode.negative, message.decode.tied)
                done.add(message.decode.block)
        step, done = step + 1, set()


if __name__ == "__main__":
    main(*sys.argv[1:3])
