"""What a vote over grpc:// costs: CPU time of a worker and of the server for a step, and bytes. No gradients are computed.

    python examples/price_served.py [PARAMETERS]     # a server and five workers on this machine; ResNet-18's size without a number
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import election_coding as ec
from election_coding._election_coding import Link

WORLD, STEPS = 5, 20


def work(address: str, keys: str, d: int) -> None:
    link = Link(address, keys)
    link.join(d)
    vote = ec.pack(np.random.default_rng(0).normal(size=d).astype(np.float32))
    for step in range(STEPS + 1):
        if step == 1:
            # The first step connects and is not measured.
            began, start = time.process_time(), time.perf_counter()
        link.vote(step, vote)
    spent, passed = time.process_time() - began, time.perf_counter() - start
    print(f"worker: {spent / STEPS * 1e3:.1f} ms of CPU time a step, {passed / STEPS * 1e3:.0f} ms in all; "
          f"{vote.nbytes:,} bytes up, as many down", flush=True)


def main() -> None:
    d = int(sys.argv[1]) if len(sys.argv) > 1 else 11_173_962
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ec.command(["ecode", "keys", "--workers", str(WORLD), "--to", f"{folder}/keys", "-q"])
        line = [sys.executable, "-m", "election_coding", "serve", "--code", f"best:n={WORLD},b=1", "--dimension", str(d),
                "--listen", "127.0.0.1:0", "--keys", f"{folder}/keys/server", "--run", f"{folder}/run", "--steps", str(STEPS + 1)]
        server = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
        assert server.stderr is not None
        address = next(text for text in server.stderr if "listening on " in text).split()[-1]
        workers = [subprocess.Popen([sys.executable, __file__], env={**os.environ, "ROW": f"{address} {folder}/keys/worker-{row} {d}"},
                                    stdout=None if row == 0 else subprocess.DEVNULL) for row in range(WORLD)]
        assert [worker.wait() for worker in workers] == [0] * WORLD
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert server.wait() == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"server: {spent / (STEPS + 1) * 1e3:.1f} ms of CPU time a step, for {WORLD} workers and {d:,} coordinates")


if __name__ == "__main__":
    if "ROW" in os.environ:
        address, keys, d = os.environ["ROW"].split()
        work(address, keys, int(d))
    else:
        main()
