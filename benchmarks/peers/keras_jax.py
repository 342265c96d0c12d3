"""The same model in Keras on JAX: LSTM, RepeatVector, LSTM, Dense, compiled, trained by `fit`.

Dense reads all steps at once, as TimeDistributed(Dense) would one by one: on JAX that unrolls
them, and 784 compile for minutes.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
from keras import layers

from benchmarks.peers.common import FOREVER, Array, Task, Watch, main


def train(task: Task, watch: Watch) -> None:
    keras.utils.set_random_seed(task.seed)
    _, steps, features = task.train.shape
    lower = range(task.layers - 1)
    model = keras.Sequential(
        [
            layers.Input((steps, features)),
            *(layers.LSTM(task.hidden_size, return_sequences=True) for _ in lower),
            layers.LSTM(task.hidden_size),
            layers.RepeatVector(steps),
            *(layers.LSTM(task.hidden_size, return_sequences=True) for _ in range(task.layers)),
            layers.Dense(features, activation="sigmoid"),
        ]
    )
    optimizer = keras.optimizers.Adam(task.lr, global_clipnorm=task.gradient_clip)
    model.compile(optimizer, "mse", jit_compile=True)

    def reconstruct(batch: Array) -> Array:
        return model.predict(batch, batch_size=len(batch), verbose=0)

    def epoch_end(_epoch: int, _logs: dict[str, float]) -> None:
        watch.lap(len(task.train), reconstruct)

    watch.lap(0, reconstruct)
    callback = keras.callbacks.LambdaCallback(on_epoch_end=epoch_end)
    model.fit(
        task.train,
        task.train,
        task.batch_size,
        FOREVER,
        verbose=0,
        callbacks=[callback],
    )


if __name__ == "__main__":
    main(train, "keras", "jax", "jaxlib", "numpy")
