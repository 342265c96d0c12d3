"""This project's model in the shortest loop that trains it. What `training.fit` takes beyond that is its own."""

import torch
from common import Task, Watch, main
from project import prepared
from torch import nn


def train(task: Task, watch: Watch) -> None:
    _, model, _, _ = prepared(task)
    sequences = torch.from_numpy(task.train)
    optimizer = torch.optim.Adam(
        [{"params": parameters} for parameters in model.groups().values() if parameters], lr=task.lr
    )
    watch.lap(0)
    while True:
        for rows in torch.randperm(len(sequences)).split(task.batch_size):
            batch = sequences[rows]
            loss = nn.functional.mse_loss(model(batch).reconstruction, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), task.gradient_clip)
            optimizer.step()
        watch.lap(len(sequences))


if __name__ == "__main__":
    main(train, "torch")
