"""How a step is computed: by autograd for every model, or by hand for dense stacks, with the same numbers.

compute -> the loss, its slope left in the weights' gradients
improve -> one step of AdamW
"""

from math import inf
from typing import Protocol

import torch
from torch import Generator, Tensor

from narrows.bottleneck.code import Code
from narrows.model import Model
from narrows.objective import Loss, objective
from narrows.recipe import Recipe
from narrows.train.device import Place
from narrows.train.stack import DenseStack, can_stack


class Engine(Protocol):
    """Computes and makes the steps of one model."""

    def compute(self, x: Tensor, target: Tensor, rng: Generator, share: float) -> Loss:
        """The loss of a batch after a `share` of the training, its slope left in the gradients.

        Args:
            x: What the encoder sees (B, *shape), in scaled units.
            target: What should come back (B, *shape).
            rng: Source of randomness of the code.
            share: How much of the training is done, in [0, 1].
        """

    def slope(self) -> float:
        """The norm of the gradient, which is cut to the recipe's limit."""

    def improve(self, rate: float, rng: Generator) -> None:
        """Change the weights by one step, and what is learned without a gradient."""

    def memory(self) -> dict[str, Tensor]:
        """The optimiser's memory of each weight, named "WEIGHT.KEY"."""

    def recall(self, memory: dict[str, Tensor]) -> None:
        """Take up a memory that `memory` gave."""

    def release(self) -> None:
        """Let go of the model: the training is over."""


class Autograd:
    """Every model: torch's own derivatives and its fused AdamW."""

    def __init__(self, model: Model, recipe: Recipe, place: Place):
        self.model, self.recipe, self.place = model, recipe, place
        fused = place.device in {"cpu", "cuda"}
        training = recipe.training
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=training.rate, weight_decay=training.decay, fused=fused
        )
        self.code: Code | None = None

    def compute(self, x: Tensor, target: Tensor, rng: Generator, share: float) -> Loss:
        self.optimiser.zero_grad(set_to_none=True)
        # cuDNN's recurrent layers have no second derivative, which a penalty on the slope needs.
        plain = torch.backends.cudnn.flags(enabled=not self.model.bottleneck.differentiates)
        with self.place.autocast(), plain:
            made = self.model(x, rng)
        weights = self.model.bottleneck.weights(share)
        loss = objective(self.recipe.objective, made.output, target, made.code.penalties, weights)
        loss.total.backward()
        self.code = made.code
        return loss

    def slope(self) -> float:
        return torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.training.clip or inf).item()

    def improve(self, rate: float, rng: Generator) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        assert self.code is not None
        self.model.bottleneck.learn(self.code, rng)

    def memory(self) -> dict[str, Tensor]:
        states = ((name, self.optimiser.state.get(p, {})) for name, p in self.model.named_parameters())
        return {f"{name}.{key}": value for name, state in states for key, value in state.items()}

    def recall(self, memory: dict[str, Tensor]) -> None:
        for name, parameter in self.model.named_parameters():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                value = memory[f"{name}.{key}"]
                # The memory must lie as its weight does, or a fused step would pair the wrong numbers.
                like = value.to(parameter.device) if value.ndim == 0 else torch.empty_like(parameter).copy_(value)
                self.optimiser.state[parameter][key] = like

    def release(self) -> None:
        self.optimiser.zero_grad(set_to_none=True)


class Stacked:
    """One dense model as a stack of one."""

    def __init__(self, model: Model, recipe: Recipe, place: Place):
        assert recipe.network.kind == "dense"
        self.weights, self.clip = dict(recipe.objective), recipe.training.clip
        half = place.route == "bf16"
        self.stack = DenseStack([model], recipe.network.activation, decay=recipe.training.decay, half=half)

    def compute(self, x: Tensor, target: Tensor, rng: Generator, share: float) -> Loss:
        weight = self.weights["mse"]
        error = self.stack.compute(x, target, weight)[0]
        return Loss(error * weight, {"mse": error}, self.weights)

    def slope(self) -> float:
        gradient = self.stack.gradient
        norm = torch.linalg.vector_norm(gradient)
        if self.clip is not None:
            gradient.mul_((self.clip / (norm + 1e-6)).clamp(max=1))
        return norm.item()

    def improve(self, rate: float, rng: Generator) -> None:
        self.stack.improve(rate)

    def memory(self) -> dict[str, Tensor]:
        return self.stack.memory()

    def recall(self, memory: dict[str, Tensor]) -> None:
        self.stack.recall(memory)

    def release(self) -> None:
        self.stack.release()


def choose_engine(model: Model, recipe: Recipe, place: Place) -> Engine:
    """The engine for a model: by hand where there is one for it, for it is faster and as exact."""
    return Stacked(model, recipe, place) if can_stack(recipe, place) else Autograd(model, recipe, place)
