"""Nothing but `nn.LSTM` forward and backward, without readout, loss and Adam.

It has the size of this project's model and runs as that does.
"""

import torch
from torch import nn

from benchmarks.peers.common import Task, Watch, main
from lstm_ae.model.runtime import start


def train(task: Task, watch: Watch) -> None:
    start("cpu", task.threads)
    torch.manual_seed(task.seed)
    encoder = nn.LSTM(task.train.shape[2], task.hidden_size)
    decoder = nn.LSTM(1, task.hidden_size)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    batches = []
    for sequences in torch.from_numpy(task.train).split(task.batch_size):
        batch = sequences.transpose(0, 1).contiguous()
        zeros = batch.new_zeros(*batch.shape[:2], 1)
        gradient = batch.new_ones(*batch.shape[:2], task.hidden_size)
        batches.append((batch, zeros, gradient))
    watch.lap(0)
    while True:
        for batch, zeros, gradient in batches:
            _, (code, _) = encoder(batch)
            states, _ = decoder(zeros, (code, code))
            for parameter in parameters:
                parameter.grad = None
            states.backward(gradient)
        watch.lap(len(task.train))


if __name__ == "__main__":
    main(train, "torch")
