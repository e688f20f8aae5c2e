"""Steps per second and bytes of deployments, in one run: one process, MPI (where mpirun and a program with the feature mpi are
there), torch.distributed with gloo (where TORCH names a Python that has torch), gRPC; then all of them with one worker slowed
tenfold. Every run of ecode must come to the same parameters.

Bytes are what crossed the loopback interface, headers and start included, counted in a network of the benchmark's own
(`unshare -rn`) where the system allows that; MPI's are counted on its run over TCP.

usage: [TORCH=PYTHON] deployment.py ECODE [STEPS]      ECODE: a program with the feature grpc (and mpi)
"""
import json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, threading, time

ECODE, STEPS = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
TORCH = os.environ.get("TORCH")
# Five workers, radius 2, one declared liar: two may be missing.
CODE, BATCH = "algorithm1:n=5,b=2", 64
TRAINING = ["--code", CODE, "--byzantine", "1", "--byzantine-set", "0", "--batch", str(BATCH), "--steps", str(STEPS),
            "--evaluate-every", str(STEPS), "--threads", "1", "-q", "--json"]
SLOWED, WORKERS = 3, 5
PERIOD = 0.05


def crossed():
    """Bytes that have crossed the loopback interface."""
    for line in open("/proc/net/dev"):
        if line.strip().startswith("lo:"):
            return int(line.split()[1])
    return 0


class Slowed:
    """While it is open a process runs for a tenth of the time."""

    def __init__(self, find):
        self.find, self.over = find, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.slow)
        self.thread.start()

    def slow(self):
        pid = self.find()
        try:
            while not self.over.is_set():
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.9 * PERIOD)
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.1 * PERIOD)
        except ProcessLookupError:
            pass

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def run_alone(folder):
    done = subprocess.run([ECODE, "train", *TRAINING, "--run", folder / "alone"], check=True, capture_output=True)
    summary = json.loads(done.stdout)
    return summary["parameters_digest"], STEPS / summary["final"]["wall_s"]


def rank_of(folder, rank):
    """The process of a rank of MPI that works in a folder."""
    while True:
        for place in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                here = (place / "cwd").resolve() == folder.resolve()
                if here and f"OMPI_COMM_WORLD_RANK={rank}\0".encode() in (place / "environ").read_bytes():
                    return int(place.name)
            except OSError:
                continue
        time.sleep(0.01)


def run_mpi(folder, name, slowed, *options):
    place = folder / name
    place.mkdir()
    command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", *options, "-n", str(WORKERS + 1),
               ECODE, "train", "--transport", "mpi", *TRAINING, "--run", "run"]
    job = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if slowed:
        with Slowed(lambda: rank_of(place, SLOWED + 1)):
            output, error = job.communicate()
    else:
        output, error = job.communicate()
    if job.returncode != 0:
        raise subprocess.CalledProcessError(job.returncode, "mpirun", output, error)
    summary = json.loads(output)
    return summary["parameters_digest"], STEPS / summary["final"]["wall_s"]


def run_gloo(folder, kind, slowed):
    matrix = folder / "matrix.csv"
    if not matrix.exists():
        code = dict(part.split("=") for part in CODE.split(":")[1].split(","))
        design = [ECODE, "design", "--construction", CODE.split(":")[0], "--n", code["n"], "--b", code["b"], "-q", "-o"]
        subprocess.run([*design, matrix], check=True, capture_output=True)
    rows = ",".join("".join(c for c in line if c in "01") for line in matrix.read_text().split("\n") if line.strip())
    world = WORKERS + (kind == "votes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = pathlib.Path(__file__).with_name("gloo.py")
    ranks = [subprocess.Popen([TORCH, script, kind, str(rank), str(world), str(port), str(STEPS), str(BATCH), rows],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) for rank in range(world)]
    slow = ranks[SLOWED + (kind == "votes")]
    if slowed:
        with Slowed(lambda: slow.pid):
            output, error = ranks[0].communicate()
    else:
        output, error = ranks[0].communicate()
    for rank in ranks:
        if rank.poll() is None:
            rank.send_signal(signal.SIGCONT)
        rank.communicate()
    if ranks[0].returncode != 0:
        raise subprocess.CalledProcessError(ranks[0].returncode, "gloo.py", output, error)
    return None, json.loads(output)["steps_per_s"]


def run_grpc(folder, name, wait, slowed):
    keys = folder / "keys"
    if not keys.exists():
        subprocess.run([ECODE, "keys", "--workers", str(WORKERS), "--to", keys], check=True, capture_output=True)
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
                                 keys / f"worker-{row}"], stderr=subprocess.DEVNULL) for row in range(WORKERS)]
    for _ in workers:
        assert joined.acquire(timeout=60), "a worker does not join"
    begun = time.monotonic()
    if slowed:
        with Slowed(lambda: workers[SLOWED].pid):
            output = server.stdout.read()
    else:
        output = server.stdout.read()
    took = time.monotonic() - begun
    server.wait()
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGCONT)
            worker.kill()
        worker.wait()
    return json.loads(output)["parameters_digest"], STEPS / took


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        runs = [("one process", lambda: run_alone(folder))]
        mpi = shutil.which("mpirun") is not None
        tcp = ["--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "lo"]
        if mpi:
            runs += [("MPI, shared memory", lambda: run_mpi(folder, "mpi", False)),
                     ("MPI, TCP", lambda: run_mpi(folder, "mpi-tcp", False, *tcp))]
        if TORCH:
            runs += [("gloo, the same vote", lambda: run_gloo(folder, "votes", False)),
                     ("gloo, all_reduce of one gradient each, no vote", lambda: run_gloo(folder, "mean", False))]
        runs += [("gRPC, --wait all", lambda: run_grpc(folder, "all", "all", False)),
                 ("gRPC, --wait quorum", lambda: run_grpc(folder, "quorum", "quorum", False))]
        slow = "one worker slowed tenfold: "
        if mpi:
            runs.append((slow + "MPI", lambda: run_mpi(folder, "slow-mpi", True)))
        if TORCH:
            runs.append((slow + "gloo", lambda: run_gloo(folder, "votes", True)))
        runs += [(slow + "gRPC, --wait all", lambda: run_grpc(folder, "slow-all", "all", True)),
                 (slow + "gRPC, --wait quorum", lambda: run_grpc(folder, "slow-quorum", "quorum", True))]
        digests = set()
        print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, {STEPS} steps, {WORKERS} workers")
        for name, run in runs:
            before = crossed()
            try:
                digest, rate = run()
            except subprocess.CalledProcessError as error:
                print(f"{name:50} left out: {(error.stderr or b'').decode()[-300:].strip()}")
                continue
            digests |= {digest} - {None}
            each = (crossed() - before) / STEPS
            print(f"{name:50} {rate:8.1f} steps/s {each:10.0f} bytes a step on the loopback interface", flush=True)
        assert len(digests) == 1, "the runs differ"
        print("all of ecode's with the same parameters")


if os.environ.get("ECODE_OWN_NETWORK") != "yes" and shutil.which("unshare") and shutil.which("ip"):
    os.environ["ECODE_OWN_NETWORK"] = "yes"
    inside = ["unshare", "-rn", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", sys.executable, *sys.argv]
    if subprocess.run([*inside[:3], "-c", "ip link set lo up"], capture_output=True).returncode == 0:
        os.execvp(inside[0], inside)
main()
