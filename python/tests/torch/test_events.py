"""Promise: what `ecode train --tensorboard` writes is what TensorBoard reads: every number of the log at its step."""

import json
import math
import subprocess
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TAGS = {
    "loss/train": "train_loss",
    "loss/test": "test_loss",
    "accuracy/test": "test_accuracy",
    "accuracy/validation": "validation_accuracy",
    "vote/wrong_coordinates": "wrong_coordinates",
    "cost/gradients": "gradients",
    "cost/bytes_up": "bytes_up",
    "cost/deployed_s": "deployed_s",
}


def test_tensorboard_reads_the_log(tmp_path: Path) -> None:
    run = tmp_path / "run"
    train = ["train", "--code", "best:n=5,b=1", "--steps", "60", "--batch", "4", "--validation", "0.1", "--tensorboard", "-q"]
    subprocess.run([sys.executable, "-m", "election_coding", *train, "--run", str(run)], check=True, capture_output=True)
    log = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert len(log) == 21
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    assert set(TAGS) <= set(events.Tags()["scalars"])
    for tag, field in TAGS.items():
        expected = [(line["step"], line[field]) for line in log if line[field] is not None]
        read = [(event.step, event.value) for event in events.Scalars(tag)]
        assert [step for step, _ in read] == [step for step, _ in expected], tag
        assert all(math.isclose(a, b, rel_tol=1e-6) for (_, a), (_, b) in zip(read, expected, strict=True)), tag
