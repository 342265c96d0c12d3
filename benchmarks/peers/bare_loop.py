"""This project's model in the shortest loop that trains it.

What `training.loop.fit` takes beyond that is its own.
"""

import torch
from torch import nn

from benchmarks.peers.common import Task, Watch, main
from benchmarks.peers.project import prepared


def train(task: Task, watch: Watch) -> None:
    _, model, _ = prepared(task)
    torch.manual_seed(task.seed)
    sequences = torch.from_numpy(task.train)
    groups = [{"params": parameters} for parameters in model.groups().values() if parameters]
    optimizer = torch.optim.Adam(groups, lr=task.lr)
    watch.lap(0)
    while True:
        order = torch.randperm(len(sequences))
        for rows in order.split(task.batch_size):
            batch = sequences[rows]
            reconstruction = model(batch).reconstruction
            loss = nn.functional.mse_loss(reconstruction, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), task.gradient_clip)
            optimizer.step()
        watch.lap(len(sequences))


if __name__ == "__main__":
    main(train, "torch")
