"""Two LSTM layers forward and backward, without readout, loss and Adam, on one thread.

After the task the command line says `torch` for torch's own layers or `own` for this project's.
"""

import sys

import torch
from torch import nn

from benchmarks.peers.common import Task, Watch, main
from lstm_ae.model.layers import LSTM
from lstm_ae.model.runtime import start

IS_TORCHS = sys.argv[2:] == ["torch"]


def train(task: Task, watch: Watch) -> None:
    start("cpu", 1)
    torch.manual_seed(task.seed)
    kind = nn.LSTM if IS_TORCHS else LSTM
    encoder = kind(task.train.shape[2], task.hidden_size)
    decoder = kind(1, task.hidden_size)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    batches = []
    for sequences in torch.from_numpy(task.train).split(task.batch_size):
        batch = sequences.transpose(0, 1).contiguous()
        zeros = batch.new_zeros(*batch.shape[:2], 1)
        gradient = batch.new_ones(*batch.shape[:2], task.hidden_size)
        state = batch.new_zeros(1, batch.shape[1], task.hidden_size)
        batches.append((batch, zeros, gradient, state))
    watch.lap(0)
    while True:
        for batch, zeros, gradient, state in batches:
            _, (code, _) = encoder(batch, (state, state))
            first = code if IS_TORCHS else tuple(code)
            states, _ = decoder(zeros, (first, first))
            for parameter in parameters:
                parameter.grad = None
            states.backward(gradient)
        watch.lap(len(task.train))


if __name__ == "__main__":
    main(train, "torch")
