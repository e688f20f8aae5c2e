"""A verification in shards, each a job: on Slurm, or with CLUSTER=local on this machine."""

import os

import submitit

import election_coding as ec

SHARDS = 4

ec.Code(ec.design(15, 2).G, 2).save("matrix.json")
executor = submitit.AutoExecutor(folder="logs", cluster=os.environ.get("CLUSTER"))
executor.update_parameters(timeout_min=60, cpus_per_task=1, slurm_array_parallelism=32)
command = ["ecode", "verify", "matrix.json", "--method", "exhaustive", "-q"]
jobs = executor.map_array(
    lambda i: ec.command([*command, "--shard", f"{i}/{SHARDS}", "-o", f"part{i}.json"]), range(SHARDS)
)
assert all(job.result() in (0, 1) for job in jobs)
print("merged:", ec.command(["ecode", "merge", *[f"part{i}.json" for i in range(SHARDS)]]))
