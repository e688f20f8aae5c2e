"""Seconds per training step: ecode beside a PyTorch script that simulates as the paper's authors do.

There, every worker computes the gradients of all its partitions itself (a partition that r workers hold is computed r
times), takes their signs, adds them as floats and takes the sign; the server does the same with the votes. Both sides have
the same ResNet-18, matrix, batch and number of threads, and take turns in one run.

Needs torch 2.11 and numpy; ECODE names a binary built with `cargo build --release --features tch`.
Usage: training.py CIFAR10-DIRECTORY [ROUNDS]
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

ECODE = os.environ.get("ECODE", "target/release/ecode")
CASES = [("algorithm1:n=5,b=1", 1, 24), ("bernoulli:n=9,b=2,r=3,seed=5", 2, 14)]
STEPS = 2


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(convolution, nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(y)) + self.shortcut(x))


def resnet18():
    layers = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    inputs = 64
    for stage, outputs in enumerate([64, 128, 256, 512]):
        layers += [Block(inputs, outputs, 2 if stage else 1), Block(outputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def images(folder):
    raw = np.concatenate([np.fromfile(p, np.uint8) for p in sorted(folder.glob("**/data_batch_*.bin"))])
    raw = raw.reshape(-1, 3073)
    mean, deviation = np.array([0.4914, 0.4822, 0.4465]), np.array([0.2470, 0.2435, 0.2616])
    pixels = raw[:, 1:].reshape(-1, 3, 32, 32) / 255.0
    scaled = (pixels - mean[:, None, None]) / deviation[:, None, None]
    return torch.tensor(scaled, dtype=torch.float32), torch.tensor(raw[:, 0].astype(np.int64))


def peer(matrix, liars, batch, data):
    """Median seconds of a step."""
    n, k = matrix.shape
    model = resnet18()
    parameters = list(model.parameters())
    assert sum(p.numel() for p in parameters) == 11_173_962
    velocity = [torch.zeros_like(p) for p in parameters]
    x, y = data
    order = torch.randperm(len(y))[: k * batch].view(k, batch)
    seconds = []
    for step in range(STEPS + 1):
        start = time.perf_counter()
        tally = [torch.zeros_like(p) for p in parameters]
        for worker in range(n):
            votes = [torch.zeros_like(p) for p in parameters]
            for partition in np.flatnonzero(matrix[worker]):
                model.zero_grad()
                F.cross_entropy(model(x[order[partition]]), y[order[partition]]).backward()
                for vote, p in zip(votes, parameters):
                    vote += torch.sign(p.grad)
            for total, vote in zip(tally, votes):
                sign = torch.sign(vote)
                total += -sign if worker < liars else sign
        with torch.no_grad():
            for p, v, total in zip(parameters, velocity, tally):
                v.mul_(0.9).add_(torch.sign(total))
                p.sub_(v, alpha=1e-4)
        if step > 0:  # the first one warms up
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def ours(code, batch, folder, threads, place):
    """Median seconds of a step after the first, and the matrix."""
    command = [ECODE, "train", "-q", "--allow-unverified", "--code", code, "--model", "resnet18", "--device", "cpu"]
    command += ["--data", f"cifar10:{folder}", "--batch", str(batch), "--steps", str(STEPS + 1), "--run", str(place)]
    command += ["--evaluate-every", "1", "--threads", str(threads)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    log = [json.loads(line) for line in (place / "metrics.jsonl").read_text().splitlines()]
    wall = [line["wall_s"] for line in log]
    rows = json.loads((place / "matrix.json").read_text())["G"]
    matrix = np.array([[int(entry) for entry in row] for row in rows])
    return statistics.median(later - earlier for earlier, later in zip(wall[1:], wall[2:])), matrix


def main():
    folder = pathlib.Path(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    data = images(folder)
    print("| code | r | B | threads | PyTorch | ecode | ratio |\n|---|---|---|---|---|---|---|")
    for code, liars, batch in CASES:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            here, there = [], []
            for _ in range(rounds):
                with tempfile.TemporaryDirectory() as place:
                    seconds, matrix = ours(code, batch, folder, threads, pathlib.Path(place) / "run")
                here.append(seconds)
                there.append(peer(matrix, liars, batch, data))
            a, b = statistics.median(there), statistics.median(here)
            r = matrix.sum() / len(matrix)
            print(f"| {code} | {r:.2f} | {batch} | {threads} | {a:.2f} s | {b:.2f} s | {a / b:.1f} |", flush=True)


if __name__ == "__main__":
    main()
