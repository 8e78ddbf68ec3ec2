"""The hand-written step of dense stacks makes the numbers that autograd and torch's AdamW make."""

import pytest
import torch

from narrows.changes import assign
from narrows.data import load
from narrows.nn.pair import ACTIVATIONS as MODULES
from narrows.recipe import build, recipe_for
from narrows.train import Finished, Place, fit
from narrows.train.engine import Autograd, Stacked, choose_engine
from narrows.train.feed import generator
from narrows.train.loop import fit_scaling
from narrows.train.stack import ACTIVATIONS, DenseStack, can_stack

PLACE = Place("cpu", "float32", 1)
STEPS = 20


@pytest.fixture(scope="module")
def digits():
    return load("digits", limit=256)


def recipe(data, *changes):
    return assign(recipe_for(data), ["network.widths=48,24", "bottleneck.size=5", *changes])


def model_of(chosen, data, seed=0):
    return build(chosen.with_(seed=seed), data.layout, fit_scaling(data.train.x, data.layout)).train()


def batches(model, data):
    x = model.scaled(torch.from_numpy(data.train.x))
    for step in range(STEPS):
        target = x[(step * 32) % 128 : (step * 32) % 128 + (32 if step % 3 else 17)]
        yield target + 0.1 * torch.randn(target.shape, generator=generator("cpu", step)), target


def trained(engine, model, data):
    rng, losses = generator("cpu", 0), []
    for step, (x, target) in enumerate(batches(model, data)):
        losses.append(engine.compute(x, target, rng, step / STEPS).total.item())
        engine.slope()
        engine.improve(1e-2 / (step + 1), rng)
    return losses


def parameters(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def assert_close(a, b, **within):
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], **within, msg=lambda text, name=name: f"{name}: {text}")


def test_every_activation_of_the_networks_has_its_slope_here():
    assert ACTIVATIONS.keys() == MODULES.keys()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("route", ["float32", "bf16"])
@pytest.mark.parametrize("changes", [[], ["training.decay=0.1", "training.clip=0.05", "objective.mse=3"]])
def test_a_stack_of_one_makes_the_steps_of_autograd(digits, activation, route, changes):
    chosen, place = recipe(digits, f"network.activation={activation}", *changes), Place("cpu", route, 1)
    by_hand, by_torch = model_of(chosen, digits), model_of(chosen, digits)
    with place.scope():
        ours = trained(Stacked(by_hand, chosen, place), by_hand, digits)
        theirs = trained(Autograd(by_torch, chosen, place), by_torch, digits)
    # A sum of squares in another order moves the limit of a clipped gradient by a bit, and bfloat16 has 8 of them.
    error = {"float32": 1e-6, "bf16": 1e-3}[route]
    assert ours == pytest.approx(theirs, rel=error)
    assert ours[-1] < 0.9 * ours[0]
    assert_close(parameters(by_hand), parameters(by_torch), rtol=0, atol=error)


@pytest.mark.parametrize("widths", ["none", "16"])
def test_networks_of_any_depth_stack(digits, widths):
    chosen = recipe(digits, f"network.widths={'[]' if widths == 'none' else widths}")
    by_hand, by_torch = model_of(chosen, digits), model_of(chosen, digits)
    trained(Stacked(by_hand, chosen, PLACE), by_hand, digits)
    trained(Autograd(by_torch, chosen, PLACE), by_torch, digits)
    assert_close(parameters(by_hand), parameters(by_torch), rtol=0, atol=1e-6)


def test_each_model_of_a_stack_learns_what_it_learns_alone(digits):
    chosen = [recipe(digits, f"bottleneck.size={size}", f"seed={size}") for size in (2, 7, 4)]
    together = [model_of(each, digits, each.seed) for each in chosen]
    stack = DenseStack(together, "silu")
    for step, (x, target) in enumerate(batches(together[0], digits)):
        stack.compute(x, target)
        stack.improve(1e-2 / (step + 1))
    stack.release()
    for model, each in zip(together, chosen, strict=True):
        alone = model_of(each, digits, each.seed)
        trained(Autograd(alone, each, PLACE), alone, digits)
        assert_close(parameters(model), parameters(alone), rtol=0, atol=1e-6)


def test_the_surplus_of_a_smaller_code_stays_zero(digits):
    models = [model_of(recipe(digits, f"bottleneck.size={size}"), digits) for size in (2, 6)]
    stack = DenseStack(models, "silu")
    for x, target in batches(models[0], digits):
        stack.compute(x, target)
        stack.improve(1e-2)
    own = sum(parameter.numel() for model in models for parameter in model.parameters())
    assert stack.flat.numel() > own
    assert int((stack.flat != 0).sum()) == own


def test_memory_passes_between_the_engines(digits):
    chosen = recipe(digits)
    first, second = model_of(chosen, digits), model_of(chosen, digits)
    source, target = Stacked(first, chosen, PLACE), Autograd(second, chosen, PLACE)
    trained(source, first, digits)
    second.load_state_dict(first.state_dict())
    target.recall({name: value.clone() for name, value in source.memory().items()})
    trained(source, first, digits)
    trained(target, second, digits)
    assert_close(parameters(first), parameters(second), rtol=0, atol=1e-6)


def test_a_released_model_owns_its_weights(digits):
    chosen = recipe(digits)
    model = model_of(chosen, digits)
    engine = Stacked(model, chosen, PLACE)
    before = parameters(model)
    engine.release()
    engine.stack.flat.zero_()
    assert_close(parameters(model), before, rtol=0, atol=0)


@pytest.mark.parametrize(
    "changes",
    [
        ["network=conv"], ["network.tied=true"], ["bottleneck=variational"], ["objective.l1=0.1"], ["head=sigmoid"],
    ],
)  # fmt: skip
def test_other_models_go_to_autograd(digits, changes):
    chosen = assign(recipe_for(digits), changes)
    assert not can_stack(chosen, PLACE)
    assert isinstance(choose_engine(model_of(chosen, digits), chosen, PLACE), Autograd)


def test_fit_takes_the_stack_and_loses_nothing(digits, monkeypatch):
    chosen = recipe(digits, "training.epochs=3")
    ours = next(event for event in fit(chosen, digits, place=PLACE) if isinstance(event, Finished)).result
    monkeypatch.setattr("narrows.train.engine.can_stack", lambda *_: False)
    theirs = next(event for event in fit(chosen, digits, place=PLACE) if isinstance(event, Finished)).result
    assert_close(parameters(ours.model), parameters(theirs.model), rtol=0, atol=1e-6)
