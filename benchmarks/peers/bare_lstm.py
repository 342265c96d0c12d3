"""Nothing but `nn.LSTM` forward and backward, of the size of this project's model and in its runtime: no readout, loss or Adam."""

import torch
from common import Task, Watch, main
from torch import nn

from lstm_ae.model.runtime import start


def train(task: Task, watch: Watch) -> None:
    start("cpu", task.threads, task.seed)
    encoder, decoder = nn.LSTM(task.train.shape[2], task.hidden_size), nn.LSTM(1, task.hidden_size)
    batches = [
        batch.transpose(0, 1).contiguous()
        for batch in torch.from_numpy(task.train).split(task.batch_size)
    ]
    zeros = [batch.new_zeros(*batch.shape[:2], 1) for batch in batches]
    gradients = [batch.new_ones(*batch.shape[:2], task.hidden_size) for batch in batches]
    watch.lap(0)
    while True:
        for batch, nothing, gradient in zip(batches, zeros, gradients, strict=True):
            _, (code, _) = encoder(batch)
            states, _ = decoder(nothing, (code, code))
            for parameter in (*encoder.parameters(), *decoder.parameters()):
                parameter.grad = None
            states.backward(gradient)
        watch.lap(len(task.train))


if __name__ == "__main__":
    main(train, "torch")
