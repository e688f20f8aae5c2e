"""A round of votes beside NumPy's, in one run: d = 11,173,962 (ResNet-18), n = k = 15, three partitions each.

NumPy does what comes first to mind: signs as int8, a worker's vote the sign of the sum of its partitions'
signs, the server's the sign of the sum of the votes. ecode's figures are those of `cargo bench --bench vote`.
"""

import json
import pathlib
import statistics
import subprocess
import time

import numpy

D, N, R = 11_173_962, 15, 3


def main():
    """Prints the four figures."""
    random = numpy.random.default_rng(1)
    signs = (random.integers(0, 2, (N, D), dtype=numpy.int8) * 2 - 1).astype(numpy.int8)
    rows = [[(j + step) % N for step in range(R)] for j in range(N)]
    times = []
    for _ in range(10):
        start = time.perf_counter()
        votes = numpy.zeros(D, dtype=numpy.int8)
        for row in rows:
            votes += numpy.sign(signs[row[0]] + signs[row[1]] + signs[row[2]])
        numpy.sign(votes)
        times.append(time.perf_counter() - start)
    numpy_s = statistics.median(times)
    subprocess.run(["cargo", "bench", "--quiet", "--locked", "--bench", "vote"], check=True,
                   stdout=subprocess.DEVNULL)

    def median(name):
        path = pathlib.Path("target/criterion") / name / "new/estimates.json"
        return json.loads(path.read_text())["median"]["point_estimate"] / 1e9

    read, vote = median("vote/read-the-messages"), median("vote/cyclic-15-r3")
    print(f"NumPy, int8 sum and sign   {1e3 * numpy_s:8.2f} ms")
    print(f"ecode, a round of votes    {1e3 * vote:8.2f} ms   {numpy_s / vote:.1f} times faster")
    print(f"reading the messages       {1e3 * read:8.2f} ms   the round takes {vote / read:.2f} times as long")
    packed, gradient = median("pack/signs"), median("pack/read-the-gradient")
    print(f"packing a gradient's signs {1e3 * packed:8.2f} ms   {packed / gradient:.2f} times as long as reading it")


if __name__ == "__main__":
    main()
