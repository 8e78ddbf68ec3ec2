"""The whole story of an autoencoder in plain torch, to be read from top to bottom.

    data -> corruption -> encoder -> bottleneck -> decoder -> objective -> read-out

We squeeze pictures of 64 pixels through 8 numbers, and ask for the pictures back. Nobody says what the 8 numbers
should mean: they come to mean whatever helps most to draw the picture again. Run it: python examples/story.py
"""

import math

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

PIXELS, CODE = 64, 8
EPOCHS, BATCH, RATE = 80, 64, 2e-3
ORDER, NOISE = 1, 2  # what dice are thrown for


def dice(purpose, number):
    """Dice for one purpose and one moment. The same dice fall alike in every run, so every run can be repeated."""
    return torch.Generator().manual_seed(1_000_000 * purpose + number)


# Data. 1,797 handwritten digits, 8 x 8, each pixel from 0 to 16. The last 360 are put away: only a picture that
# was never seen can tell whether something was learned, or merely learned by heart.
def data():
    pixels = torch.tensor(load_digits().data, dtype=torch.float32)
    return pixels[:-360] / 16, pixels[-360:] / 16


# Corruption. A little noise on what goes in, while what we ask for stays clean. Copying the input is then no longer
# the answer: the network has to know what digits look like.
def corrupt(x, sigma, rng):
    return x + sigma * torch.randn(x.shape, generator=rng) if sigma else x


class Autoencoder(nn.Module):
    """A wide input, a tight passage, and a wide output again."""

    def __init__(self):
        super().__init__()
        # Encoder and decoder mirror each other. Between two layers stands a bend (SiLU): without bends, any number
        # of layers could do no more than one, and one can do no better than the straight lines of PCA below.
        self.encoder = nn.Sequential(nn.Linear(PIXELS, 256), nn.SiLU(), nn.Linear(256, 128), nn.SiLU())
        self.decoder = nn.Sequential(
            nn.Linear(CODE, 128), nn.SiLU(), nn.Linear(128, 256), nn.SiLU(), nn.Linear(256, PIXELS)
        )
        # The bottleneck. No bend here: a ReLU would forbid negative numbers and waste half of a narrow passage.
        self.bottleneck = nn.Linear(128, CODE)

    def forward(self, x):
        code = self.bottleneck(self.encoder(x))
        return self.decoder(code)


# Objective. How far is what came out from what we asked for? The mean of the squared differences, pixel by pixel.
def objective(output, target):
    return F.mse_loss(output, target)


# Learning. Look at a few pictures, ask for each weight which way the error falls, and take a small step that way.
# The steps shrink along half a cosine: large ones find the valley, small ones its floor.
def train(x, sigma=0.0, epochs=EPOCHS):
    torch.manual_seed(0)  # decides the first weights
    model = Autoencoder()
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0)
    steps, losses = epochs * math.ceil(len(x) / BATCH), []
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=dice(ORDER, epoch))  # a new order each time, or it learns the order
        for index in order.split(BATCH):
            step = len(losses)
            optimiser.param_groups[0]["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            output = model(corrupt(x[index], sigma, dice(NOISE, step)))
            loss = objective(output, x[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    return model, losses


# The yardstick. PCA finds the best 8 numbers that straight lines can give, at once and without learning. An
# autoencoder that does not beat it is not worth its electricity, so we always look.
def pca(seen, unseen):
    mean = seen.mean(0)
    directions = torch.linalg.svd(seen - mean, full_matrices=False).Vh[:CODE]
    return (unseen - mean) @ directions.T @ directions + mean


def drawn(picture):
    """The rows of a picture in characters: the darker the ink, the heavier the sign."""
    return ["".join(" .:-=+*#%@"[int(9 * v.clamp(0, 1))] * 2 for v in row) for row in picture.view(8, 8)]


# Read-out. What does the model say about pictures it never saw? No pixel is darker than ink or lighter than paper,
# so values outside 0 to 1 are clipped, for PCA as for us.
def main():
    torch.set_num_threads(1)  # so small a network is done sooner by one processor than by several that wait
    seen, unseen = data()
    model, losses = train(seen, sigma=0.1)
    each = math.ceil(len(seen) / BATCH)
    for epoch in (1, 5, 20, EPOCHS):
        print(f"epoch {epoch:2}: loss {sum(losses[each * (epoch - 1) : each * epoch]) / each:.4f}")
    with torch.no_grad():
        ours, lines = model(unseen).clamp(0, 1), pca(seen, unseen).clamp(0, 1)
    print(f"unseen digits, mean squared error: {objective(ours, unseen):.4f}, PCA: {objective(lines, unseen):.4f}")
    print("\ngiven             through 8 numbers through PCA")
    for rows in zip(drawn(unseen[0]), drawn(ours[0]), drawn(lines[0]), strict=True):
        print("  ".join(rows))


if __name__ == "__main__":
    main()
