"""Keras and its `fit`, on the backend that KERAS_BACKEND names; no bias of each step in its LSTM decoder: less work."""

import os

import keras
import numpy as np
from keras import layers

from peers.pace import Pace
from peers.work import Work


def dense(work: Work) -> list[layers.Layer]:
    (into,), (width,) = work.shape, work.widths
    return [
        layers.Input((into,)), layers.Dense(width, "relu"), layers.Dense(work.code),
        layers.Dense(width, "relu"), layers.Dense(into),
    ]  # fmt: skip


def conv(work: Work) -> list[layers.Layer]:
    first, second = work.widths
    side, same = work.shape[-1] // 4, {"strides": 2, "padding": "same"}
    return [
        layers.Input((*work.shape[1:], 1)),
        layers.Conv2D(first, 3, activation="relu", **same), layers.Conv2D(second, 3, activation="relu", **same),
        layers.Flatten(), layers.Dense(work.code),
        layers.Dense(second * side * side, "relu"), layers.Reshape((side, side, second)),
        layers.Conv2DTranspose(first, 3, activation="relu", **same), layers.Conv2DTranspose(1, 3, **same),
    ]  # fmt: skip


def lstm(work: Work) -> list[layers.Layer]:
    (hidden,), (_, length) = work.widths, work.shape
    return [
        layers.Input((length, 1)), layers.Bidirectional(layers.LSTM(hidden)), layers.Dense(work.code),
        layers.Dense(hidden), layers.RepeatVector(length),
        layers.Bidirectional(layers.LSTM(hidden, return_sequences=True)), layers.Dense(1),
    ]  # fmt: skip


NETS = {"dense": dense, "conv": conv, "lstm": lstm}


class Paced(keras.callbacks.Callback):
    def __init__(self, pace: Pace):
        super().__init__()
        self.pace = pace

    def on_epoch_begin(self, epoch, logs=None):
        self.pace.begin()

    def on_epoch_end(self, epoch, logs=None):
        self.pace.end()


def train(work: Work, pace: Pace) -> None:
    pace.about = {"keras": keras.__version__, "threads": len(os.sched_getaffinity(0))}
    if keras.backend.backend() == "jax":
        import jax

        pace.about["jax"] = jax.__version__
    net = keras.Sequential(NETS[work.network](work))
    net.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    # Channels last, as Keras has them.
    objects = work.objects() if len(work.shape) == 1 else np.moveaxis(work.objects(), 1, -1)
    net.fit(objects, objects, batch_size=work.batch, epochs=10**6, verbose=0, callbacks=[Paced(pace)])
