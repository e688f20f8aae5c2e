"""One process of a vote, or of a plain mean, over torch.distributed with gloo: what `deployment.py` measures ecode's
deployments beside. Rank 0 serves, ranks 1 to n work, as over MPI.

Votes: the same matrix, model (logistic regression, 64 features, ten classes) and batches as `ecode train` has there. A worker
computes the gradient of each of its partitions in closed form, takes the signs, votes, and packs its votes as bits; rank 0
gathers them, takes the majority and broadcasts it. Mean: rank j computes one partition's gradient, without redundancy, and
all_reduce adds them as float32, which is what data parallelism does without a vote.

usage: gloo.py votes|mean RANK WORLD PORT STEPS BATCH MATRIX      MATRIX: rows of 0 and 1, comma between rows
"""
import json
import os
import sys
import time

os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
import torch
import torch.distributed as dist

KIND, RANK, WORLD, PORT, STEPS, BATCH = sys.argv[1], *map(int, sys.argv[2:7])
G = [[c == "1" for c in row] for row in sys.argv[7].split(",")]
WIDTH, CLASSES, SAMPLES = 64, 10, 5000
D = (WIDTH + 1) * CLASSES
WEIGHTS = 1 << torch.arange(8, dtype=torch.uint8)


def gradient(parameters, features, labels):
    logits = features @ parameters
    error = torch.softmax(logits, 1)
    error[torch.arange(len(labels)), labels] -= 1
    return features.T @ error / len(labels)


def pack(negative):
    padded = torch.zeros(-(-D // 8) * 8, dtype=torch.uint8)
    padded[:D] = negative
    return (padded.view(-1, 8) * WEIGHTS).sum(1, dtype=torch.uint8)


def unpack(packed):
    return (packed[:, None] & WEIGHTS).ne(0).flatten()[:D]


def main():
    torch.set_num_threads(1)
    store = dist.TCPStore("127.0.0.1", PORT, WORLD, RANK == 0)
    dist.init_process_group("gloo", store=store, rank=RANK, world_size=WORLD)
    random = torch.Generator().manual_seed(0)
    labels = torch.arange(SAMPLES) % CLASSES
    centres = 0.4 * torch.randn(CLASSES, WIDTH, generator=random)
    features = centres[labels] + torch.randn(SAMPLES, WIDTH, generator=random)
    features = torch.cat([features, torch.ones(SAMPLES, 1)], 1)
    parameters, velocity = torch.zeros(WIDTH + 1, CLASSES), torch.zeros(WIDTH + 1, CLASSES)
    dist.barrier()
    begun = time.monotonic()
    for step in range(STEPS):
        order = torch.randperm(SAMPLES, generator=random)[: BATCH * len(G[0])].view(len(G[0]), BATCH)
        if KIND == "mean":
            mean = gradient(parameters, features[order[RANK]], labels[order[RANK]])
            dist.all_reduce(mean)
            update = mean / WORLD
        else:
            decoded = torch.zeros(-(-D // 8), dtype=torch.uint8)
            if RANK == 0:
                votes = [torch.zeros_like(decoded) for _ in range(WORLD)]
                dist.gather(decoded, votes)
                against = sum(unpack(vote).int() for vote in votes[1:])
                decoded = pack((2 * against > WORLD - 1).to(torch.uint8))
            else:
                row = G[RANK - 1]
                held = [i for i, holds in enumerate(row) if holds]
                signs = [gradient(parameters, features[order[i]], labels[order[i]]) < 0 for i in held]
                against = sum(sign.int() for sign in signs).flatten()
                dist.gather(pack((2 * against > len(held)).to(torch.uint8)))
            dist.broadcast(decoded, 0)
            update = 1 - 2 * unpack(decoded).float().view_as(parameters)
        velocity = 0.9 * velocity + update
        parameters -= (1e-4 if KIND == "votes" else 1e-2) * velocity
    took = time.monotonic() - begun
    dist.barrier()
    if RANK == 0:
        right = (features @ parameters).argmax(1).eq(labels).float().mean().item()
        print(json.dumps({"steps_per_s": STEPS / took, "accuracy": right}), flush=True)
    # Leaving is no part of it.
    os._exit(0)


main()
