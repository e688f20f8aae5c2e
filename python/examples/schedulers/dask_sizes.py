"""The fewest ones known for one liar, each size a task of Dask."""

from dask.distributed import Client

import election_coding as ec

# Dask's workers import this script again.
if __name__ == "__main__":
    sizes = range(5, 32, 2)
    with Client() as client:
        print(dict(zip(sizes, client.gather(client.map(lambda n: ec.design(n, 1).ones, sizes)))))
