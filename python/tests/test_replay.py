"""Promise: docs/replay.py, which has nothing of the program's, reaches the parameters that the program reaches, bit for bit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = {
    "coded": ["--code", "best:n=9,b=2", "--attack", "omniscient"],
    "momentum": ["--code", "algorithm1:n=5,b=1", "--momentum-at", "worker", "--seed", "5", "--weight-decay", "0.01"],
    "coins": ["--code", "uncoded:n=9", "--byzantine", "2", "--attack", "random", "--validation", "0.2", "--seed", "3"],
    "reverse": ["--code", "uncoded:n=5", "--byzantine", "2", "--attack", "reverse", "--lr", "0.01"],
}


def replay(*arguments: object) -> "subprocess.CompletedProcess[str]":
    script = Path(__file__).resolve().parents[2] / "docs" / "replay.py"
    return subprocess.run(
        [sys.executable, "-B", str(script), *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", RUNS)
def test_the_same_parameters(name: str, fixtures: Path, tmp_path: Path) -> None:
    run = tmp_path / name
    train = ["train", "--data", f"mnist:{fixtures}/data/mnist", "--steps", "12", "--batch", "2", "-q", "--run", str(run)]
    subprocess.run([sys.executable, "-m", "election_coding", *train, *RUNS[name]], check=True, capture_output=True)
    said = replay(run)
    assert said.returncode == 0 and said.stdout.endswith(", as the summary says\n"), said.stdout + said.stderr
    # The comparison is one: another digest in the summary is told of.
    summary = json.loads((run / "summary.json").read_text())
    summary["parameters_digest"] = "sha256:" + 64 * "0"
    (run / "summary.json").write_text(json.dumps(summary))
    assert replay(run).returncode == 1
    # What is not covered is refused, not guessed.
    begun = json.loads((run / "run.json").read_text())
    begun["settled"]["aggregator"] = "median"
    (run / "run.json").write_text(json.dumps(begun))
    refused = replay(run)
    assert refused.returncode == 1 and "aggregator is median; only vote is covered" in refused.stderr


def test_the_vectors_are_those_of_the_page(fixtures: Path) -> None:
    page = (fixtures.parent / "docs" / "randomness.md").read_text()
    printed = replay("--vectors").stdout
    assert printed.count("\n") == 8 and f"```text\n{printed}```\n" in page
