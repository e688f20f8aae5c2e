"""ecode beside OR-Tools CP-SAT and CaDiCaL on the same allocation matrices, in one run.

All three answer the same question: W*, the largest number of workers that a message of weight (k-1)/2
turns (n, k and all loads odd).

- ecode: the whole process, reading the matrix and printing the verdict included.
- CP-SAT, "maximise": maximises W and proves the maximum. Only the solver's own time.
- CP-SAT, "decide": is told W* and proves that W* + 1 is impossible. Only the solver's own time.
- CaDiCaL, "decide": the same, as CNF with sequential counters. Only the solver's own time.

A peer that passes the limit of time or memory is stopped and shown as "> limit"; the limit
counts the making of its model as well. Whoever finishes must find ecode's W*:
anything else ends the run with exit code 1.
"""

import argparse
import json
import multiprocessing
import os
import queue
import resource
import subprocess
import sys
import tempfile
import time

import numpy


def permuted(matrix, seed):
    random = numpy.random.default_rng(seed)
    return matrix[random.permutation(matrix.shape[0])][:, random.permutation(matrix.shape[1])]


def instance(ecode, name, folder):
    """The matrix of a name: algorithm1-N-B (rows and columns shuffled) or dense-N (odd loads, p = 1/2)."""
    kind, n, *b = name.split("-")
    path = os.path.join(folder, name + ".npy")
    how = ["--construction", "algorithm1", "--b", b[0]] if kind == "algorithm1" else \
        ["--construction", "bernoulli", "--p", "0.5", "--odd-rows", "--seed", "1", "--b", "0"]
    subprocess.run([ecode, "design", "--n", n, *how, "-o", path, "--quiet"], stdout=subprocess.DEVNULL)
    matrix = numpy.load(path)
    if kind == "algorithm1":
        matrix = permuted(matrix, seed=1)
        numpy.save(path, matrix)
    return path, matrix


def with_ecode(ecode, path, threads):
    start = time.perf_counter()
    done = subprocess.run([ecode, "verify", path, "--worst-case", "--json", "--quiet", "--threads", str(threads)],
                          capture_output=True, text=True)
    elapsed = time.perf_counter() - start
    verdict = json.loads(done.stdout)
    return elapsed, verdict["worst"]["wrong"], verdict["method"]


def cp_sat(matrix, least, threads):
    """Maximises W, or where `least` is given asks for W >= least. Returns (seconds, W or None)."""
    from ortools.sat.python import cp_model
    model = cp_model.CpModel()
    n, k = matrix.shape
    message = [model.new_bool_var(f"m{i}") for i in range(k)]
    turned = [model.new_bool_var(f"c{j}") for j in range(n)]
    for j in range(n):
        row = [message[i] for i in range(k) if matrix[j, i]]
        model.add(sum(row) >= (len(row) + 1) // 2 * turned[j])
    model.add(sum(message) <= (k - 1) // 2)
    if least is None:
        model.maximize(sum(turned))
    else:
        model.add(sum(turned) >= least)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = threads
    start = time.perf_counter()
    status = solver.solve(model)
    elapsed = time.perf_counter() - start
    if status == cp_model.INFEASIBLE:
        return elapsed, None
    assert status == (cp_model.OPTIMAL if least is None else cp_model.FEASIBLE) or status == cp_model.OPTIMAL
    return elapsed, sum(solver.value(c) for c in turned)


def cadical(matrix, least, _threads):
    """Asks for W >= least. Returns (seconds, W or None). CaDiCaL has one thread."""
    from pysat.card import CardEnc, EncType
    from pysat.solvers import Cadical195
    n, k = matrix.shape
    top = n + k
    clauses = []

    def add(encoded, unless=None):
        nonlocal top
        top = max(top, encoded.nv)
        for clause in encoded.clauses:
            clauses.append(clause if unless is None else [*clause, -unless])

    counter = EncType.seqcounter
    for j in range(n):
        row = [i + 1 for i in range(k) if matrix[j, i]]
        need = (len(row) + 1) // 2
        # A turned worker sees at least `need` ones.
        add(CardEnc.atleast(lits=row, bound=need, top_id=top, encoding=counter), unless=k + 1 + j)
    add(CardEnc.atmost(lits=list(range(1, k + 1)), bound=(k - 1) // 2, top_id=top, encoding=counter))
    if least > n:
        return 0.0, None
    add(CardEnc.atleast(lits=list(range(k + 1, k + n + 1)), bound=least, top_id=top, encoding=counter))
    with Cadical195(bootstrap_with=clauses) as solver:
        start = time.perf_counter()
        found = solver.solve()
        elapsed = time.perf_counter() - start
        return elapsed, sum(1 for lit in solver.get_model()[k:k + n] if lit > 0) if found else None


def contained(queue, function, arguments, memory):
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        queue.put(function(*arguments))
    except MemoryError:
        queue.put(None)


def limited(function, arguments, limit, memory):
    """Runs a peer in a process of its own, until it passes one of the limits. Returns (result or None, words)."""
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=contained, args=(results, function, arguments, memory))
    process.start()
    end = time.monotonic() + limit
    try:
        while time.monotonic() < end:
            try:
                result = results.get(timeout=0.2)
                return result, f"> {memory >> 30} GiB"
            except queue.Empty:
                # An allocation that fails within the solver ends its process.
                if not process.is_alive() and results.empty():
                    return None, f"> {memory >> 30} GiB"
        return None, f"> {limit:g} s"
    finally:
        process.kill()
        process.join()


def main():
    default = ("algorithm1-25-1 algorithm1-31-1 algorithm1-51-1 algorithm1-101-1 algorithm1-201-5 algorithm1-1001-5 "
               "dense-25 dense-31 dense-41").split()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("instances", nargs="*", default=default, help="default: " + " ".join(default))
    parser.add_argument("--ecode", required=True, help="the program")
    parser.add_argument("--limit", type=float, default=60, help="seconds for each peer")
    parser.add_argument("--memory", type=int, default=4, metavar="GIB", help="memory for each peer")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    print(f"{options.threads} threads, limit {options.limit:g} s\n")
    print("| matrix | W* | ecode | engine | CP-SAT maximise | CP-SAT decide | CaDiCaL decide | fastest peer ÷ ecode |")
    print("|---|---|---|---|---|---|---|---|")
    wrong = False
    with tempfile.TemporaryDirectory() as folder:
        for name in options.instances:
            path, matrix = instance(options.ecode, name, folder)
            # The best of three, as a first run also pays for reading the program from disk.
            own, most, engine = min(with_ecode(options.ecode, path, options.threads) for _ in range(3))
            cells, ratios = [], []
            for function, least in ((cp_sat, None), (cp_sat, most + 1), (cadical, most + 1)):
                result, words = limited(
                    function, (matrix, least, options.threads), options.limit, options.memory << 30)
                if result is None:
                    cells.append(words)
                    # A peer that ran out of memory says nothing of its speed.
                    if words.endswith(" s"):
                        ratios.append((options.limit / own, "> "))
                    continue
                seconds, found = result
                if found != (most if least is None else None):
                    wrong = True
                    cells.append(f"W = {found}: DISAGREES")
                else:
                    cells.append(f"{seconds:.3g} s")
                    ratios.append((seconds / own, ""))
            ratio, at_least = min(ratios, default=(0, ""))
            print(f"| {name} | {most} | {own * 1000:.3g} ms | {engine} | {' | '.join(cells)} | "
                  f"{at_least}{ratio:.3g}× |", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    sys.exit(main())
