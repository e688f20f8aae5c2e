"""How many of a hundred random codes tolerate a liar, each a task of Ray."""

import ray

import election_coding as ec


@ray.remote
def tolerant(n: int, seed: int) -> bool:
    return bool(ec.design(n, 1, construction="bernoulli", p=0.6, seed=seed).verdict)


print(sum(ray.get([tolerant.remote(15, seed) for seed in range(100)])), "of 100 tolerate one")
