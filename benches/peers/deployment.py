"""Steps per second of deployments: one process, gRPC, and MPI where mpirun and a program with the feature mpi are there;
then gRPC with one worker slowed tenfold, waiting for all and for a quorum. Every run must come to the same parameters.

usage: deployment.py ECODE [STEPS]      ECODE: a program with the feature grpc (and mpi)
"""
import json, os, pathlib, shutil, signal, subprocess, sys, tempfile, threading, time

ECODE, STEPS = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 300
# Five workers, radius 2, one declared liar: two may be missing.
TRAINING = ["--code", "algorithm1:n=5,b=2", "--byzantine", "1", "--byzantine-set", "0", "--batch", "64",
            "--steps", str(STEPS), "--evaluate-every", str(STEPS), "--threads", "1", "-q", "--json"]
SLOWED = 3
PERIOD = 0.05


def parse(output, steps_took):
    summary = json.loads(output)
    return summary["parameters_digest"], STEPS / steps_took, summary["bytes_per_step"]


def run_alone(folder):
    begun = time.monotonic()
    done = subprocess.run([ECODE, "train", *TRAINING, "--run", folder / "alone"], check=True, capture_output=True)
    return parse(done.stdout, time.monotonic() - begun)


def run_mpi(folder):
    command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "6", ECODE, "train", "--transport", "mpi",
               *TRAINING, "--run", folder / "mpi"]
    begun = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True)
    return parse(done.stdout, time.monotonic() - begun)


def run_grpc(folder, name, wait, slowed):
    keys = folder / "keys"
    if not keys.exists():
        subprocess.run([ECODE, "keys", "--workers", "5", "--to", keys], check=True, capture_output=True)
    command = [ECODE, "train", "--transport", "grpc", "--listen", "127.0.0.1:0", "--keys", keys / "server", *TRAINING,
               "--wait", wait, "--run", folder / name]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    heard, joined = threading.Event(), threading.Semaphore(0)
    address = []

    def listen():
        for line in server.stderr:
            if line.startswith("listening on "):
                address.append(line.split()[-1])
                heard.set()
            if "has joined" in line:
                joined.release()

    threading.Thread(target=listen, daemon=True).start()
    assert heard.wait(60), "the server does not listen"
    workers = [subprocess.Popen([ECODE, "work", "--threads", "1", "-q", "--server", address[0], "--keys",
                                 keys / f"worker-{row}"], stderr=subprocess.DEVNULL) for row in range(5)]
    for _ in workers:
        assert joined.acquire(timeout=60), "a worker does not join"
    begun, over = time.monotonic(), threading.Event()

    def slow():
        # It runs for a tenth of the time.
        while not over.is_set() and workers[SLOWED].poll() is None:
            os.kill(workers[SLOWED].pid, signal.SIGSTOP)
            time.sleep(0.9 * PERIOD)
            os.kill(workers[SLOWED].pid, signal.SIGCONT)
            time.sleep(0.1 * PERIOD)

    slower = threading.Thread(target=slow)
    if slowed:
        slower.start()
    output = server.stdout.read()
    took = time.monotonic() - begun
    server.wait()
    over.set()
    if slowed:
        slower.join()
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGCONT)
            worker.kill()
        worker.wait()
    return parse(output, took)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        runs = [("one process", lambda: run_alone(folder))]
        if shutil.which("mpirun"):
            runs.append(("MPI", lambda: run_mpi(folder)))
        runs += [
            ("gRPC, --wait all", lambda: run_grpc(folder, "all", "all", False)),
            ("gRPC, --wait quorum", lambda: run_grpc(folder, "quorum", "quorum", False)),
            ("gRPC, one worker slowed tenfold, --wait all", lambda: run_grpc(folder, "slow-all", "all", True)),
            ("gRPC, one worker slowed tenfold, --wait quorum", lambda: run_grpc(folder, "slow-quorum", "quorum", True)),
        ]
        digests = set()
        print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {STEPS} steps, five workers")
        for name, run in runs:
            try:
                digest, rate, bytes_per_step = run()
            except subprocess.CalledProcessError as error:
                print(f"{name:50} left out: {(error.stderr or b'').decode()[-200:].strip()}")
                continue
            digests.add(digest)
            print(f"{name:50} {rate:8.1f} steps/s, {bytes_per_step} bytes of one worker and step")
        assert len(digests) == 1, "the runs differ"
        print("all with the same parameters")


main()
