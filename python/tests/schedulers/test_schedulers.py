"""Promise: the examples for job schedulers run, each by its own package on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "schedulers"


@pytest.mark.parametrize(
    ("package", "script", "shown"),
    [
        ("submitit", "submitit_shards.py", "merged: 0"),
        ("ray", "ray_draws.py", "of 100 tolerate one"),
        ("distributed", "dask_sizes.py", "{5: 19, 7: 29, 9: 41, 11: 51,"),
    ],
)
def test_an_example_runs(package: str, script: str, shown: str, tmp_path: Path) -> None:
    pytest.importorskip(package)
    done = subprocess.run([sys.executable, str(EXAMPLES / script)], capture_output=True, text=True, timeout=500, cwd=tmp_path,
                          env={**os.environ, "CLUSTER": "local"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert shown in done.stdout
