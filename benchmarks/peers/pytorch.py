"""The study's plain form in plain PyTorch, trained by Adam on the mean squared error.

The last hidden state is the code and the decoder's input at every step; the output is a sigmoid.
"""

import torch
import torch._dynamo  # the first optimizer would import it while the clock runs
from torch import Tensor, nn

from benchmarks.peers.common import Array, Task, Watch, main


class Autoencoder(nn.Module):
    """An LSTM, another one, and a readout."""

    def __init__(self, features: int, hidden_size: int, layers: int) -> None:
        super().__init__()
        self.encoder = nn.LSTM(features, hidden_size, layers, batch_first=True)
        self.decoder = nn.LSTM(hidden_size, hidden_size, layers, batch_first=True)
        self.readout = nn.Linear(hidden_size, features)

    def forward(self, sequences: Tensor) -> Tensor:
        """Sequences (B, T, m) to their reconstruction (B, T, m)."""
        _, (code, _) = self.encoder(sequences)
        repeated = code[-1][:, None].expand(-1, sequences.shape[1], -1)
        states, _ = self.decoder(repeated)
        return torch.sigmoid(self.readout(states))


def train(task: Task, watch: Watch) -> None:
    torch.set_num_threads(task.threads)
    torch.manual_seed(task.seed)
    sequences = torch.from_numpy(task.train)
    model = Autoencoder(sequences.shape[2], task.hidden_size, task.layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=task.lr)

    @torch.no_grad()
    def reconstruct(batch: Array) -> Array:
        return model(torch.from_numpy(batch)).numpy()

    watch.lap(0, reconstruct)
    while True:
        order = torch.randperm(len(sequences))
        for rows in order.split(task.batch_size):
            batch = sequences[rows]
            loss = nn.functional.mse_loss(model(batch), batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), task.gradient_clip)
            optimizer.step()
        watch.lap(len(sequences), reconstruct)


if __name__ == "__main__":
    main(train, "torch", "numpy")
