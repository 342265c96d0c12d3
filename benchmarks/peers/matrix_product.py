"""The product of a large matrix with itself, as fast as the machine does it.

A product counts as a sequence.
"""

import torch

from benchmarks.peers.common import Task, Watch, main


def train(task: Task, watch: Watch) -> None:
    torch.set_num_threads(task.threads)
    matrix = torch.from_numpy(task.train)
    product = torch.empty_like(matrix)
    watch.lap(0)
    while True:
        torch.mm(matrix, matrix, out=product)
        watch.lap(1)


if __name__ == "__main__":
    main(train, "torch")
