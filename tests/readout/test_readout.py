"""Read-outs of trained models: shapes, numbers, and health checks that speak when something is wrong."""

import numpy as np
import pytest

from narrows.changes import assign
from narrows.data import load
from narrows.errors import InputError, ModelError, UsageError
from narrows.metrics.latent import trustworthiness
from narrows.readout import decode, encode, interpolate, latent_map, reconstruct, report, sample
from narrows.readout.latent import project
from narrows.recipe import recipe_for
from narrows.train import Finished, Place, fit


@pytest.fixture(scope="module")
def digits():
    return load("digits", limit=400)


def trained(data, *changes, network="dense", bottleneck="plain"):
    small = {"dense": ["network.widths=32"], "unet": ["network.channels=4,6"]}
    base = recipe_for(data, network=network, bottleneck=bottleneck)
    chosen = assign(base, [*small[network], "training.epochs=6", "training.batch=32", *changes])
    *_, last = fit(chosen, data, place=Place("cpu", "float32", 1))
    assert isinstance(last, Finished)
    return last.result


@pytest.fixture(scope="module")
def result(digits):
    return trained(digits)


def codes_said(result, data):
    return {finding.code for finding in report(result, data).findings}


def test_decoding_a_code_is_reconstructing(result, digits):
    x = digits.test.x[:20]
    made = decode(result.model, encode(result.model, x))
    np.testing.assert_allclose(made, result.scaling.undo(reconstruct(result.model, x).output), atol=1e-3)


def test_a_result_does_not_depend_on_its_batch_mates(result, digits):
    z = encode(result.model, digits.test.x)
    np.testing.assert_allclose(z[3:5], encode(result.model, digits.test.x[3:5]), atol=1e-5)


def test_the_error_of_a_report_is_the_mean_over_all_values(result, digits):
    made = reconstruct(result.model, digits.test.x)
    whole = report(result, digits)
    assert whole.test["mse"] == pytest.approx(float(((made.output - digits.test.x / 16) ** 2).mean()), rel=1e-5)
    assert made.output.min() >= 0
    assert made.output.max() <= 1


@pytest.mark.parametrize("bottleneck", ["plain", "variational", "vq", "fsq"])
def test_samples_are_objects(digits, bottleneck):
    made = trained(digits, "training.epochs=1", bottleneck=bottleneck)
    drawn = sample(made.model, 5, digits.train.x, seed=1)
    assert drawn.shape == (5, 1, 8, 8)
    assert np.array_equal(drawn, sample(made.model, 5, digits.train.x, seed=1))


def test_samples_of_a_plain_code_have_the_covariance_of_the_codes(result, digits):
    from narrows.readout.generate import draw_like
    from narrows.train.feed import generator

    codes = encode(result.model, digits.train.x)
    drawn = draw_like(codes, 20_000, generator("cpu", 0))
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), atol=0.1 * np.cov(codes.T).max())


def test_the_way_between_two_objects_begins_and_ends_with_them(result, digits):
    x = digits.test.x[:2]
    way = interpolate(result.model, x[0], x[1], 7)
    ends = decode(result.model, encode(result.model, x))
    np.testing.assert_allclose(way[[0, -1]], ends, atol=1e-3)


def test_a_way_of_one_step_is_refused(result, digits):
    with pytest.raises(UsageError, match="at least 2"):
        interpolate(result.model, digits.test.x[0], digits.test.x[1], 1)


@pytest.mark.parametrize(("projection", "size"), [("auto", 2), ("auto", 8), ("pca", 8), ("tsne", 8), ("auto", 1)])
def test_a_map_has_two_coordinates_and_its_numbers(digits, projection, size):
    made = trained(digits, f"bottleneck.size={size}", "training.epochs=1")
    drawn = latent_map(made.model, digits.test, projection=projection)
    assert drawn.points.shape == (len(digits.test), 2)
    assert {"trustworthiness", "knn_accuracy", "silhouette"} <= drawn.numbers.keys()


def test_a_map_needs_three_objects(result, digits):
    with pytest.raises(InputError, match="at least 3"):
        latent_map(result.model, digits.test.take(slice(2)))


def test_objects_of_another_shape_are_refused(result):
    with pytest.raises(ModelError, match="as the model was trained on"):
        encode(result.model, np.zeros((3, 1, 9, 9), np.uint8))


def test_codes_of_another_size_are_refused(result):
    with pytest.raises(InputError, match="as this model makes"):
        decode(result.model, np.zeros((3, 5), np.float32))


def test_a_healthy_model_is_left_in_peace(digits):
    assert codes_said(trained(digits, "training.epochs=60", "bottleneck.size=4"), digits) <= {"overfitting"}


def test_a_bypassed_bottleneck_is_noticed(digits):
    assert "bypassed" in codes_said(trained(digits, "bottleneck.size=64", "training.epochs=1"), digits)
    assert "bypassed" in codes_said(trained(digits, "training.epochs=1", network="unet"), digits)


def test_posterior_collapse_is_noticed(digits):
    collapsed = trained(digits, "bottleneck.beta=1000", "bottleneck.warm_up=0", bottleneck="variational")
    assert "posterior-collapse" in codes_said(collapsed, digits)


def test_losing_to_pca_is_noticed_and_said(digits):
    whole = report(trained(digits, "training.epochs=1", "bottleneck.size=32"), digits)
    assert "worse-than-pca" in {finding.code for finding in whole.findings}
    assert whole.sentence.startswith("PCA wins")


def test_a_copied_corruption_is_noticed(digits):
    from narrows.readout.apply import Reconstruction
    from narrows.readout.health import Patient, identity

    made = trained(digits, "corruption=gaussian", "corruption.sigma=0.3", "training.epochs=20")
    honest = reconstruct(made.model, digits.test.x, corruption=made.recipe.corruption)
    copied = Reconstruction(honest.input, honest.corrupted, honest.corrupted.clip(0, 1))
    left = {"input": {"mse": float(((honest.input - honest.corrupted) ** 2).mean())}}
    said = [identity(Patient(made.recipe, made.model, x, honest.input, {}, left, (), "done")) for x in (honest, copied)]
    assert said[0] == ""
    assert "identity" in said[1]


SMALL = {
    "dead-entries": ("vq", ["training.epochs=1", "bottleneck.entries=256"]),
    "worse-than-mean": ("plain", ["training.epochs=1", "training.rate=1e-9"]),
    "useless": ("plain", ["training.epochs=1", "corruption=gaussian", "corruption.sigma=0.01"]),
    "overfitting": ("plain", ["training.epochs=150", "training.rate=1e-2", "network.widths=128,128"]),
}


@pytest.mark.parametrize("code", SMALL)
def test_what_is_wrong_is_noticed(code):
    bottleneck, changes = SMALL[code]
    few = load("digits", limit=24)
    assert code in codes_said(trained(few, *changes, bottleneck=bottleneck), few)


def test_a_used_codebook_and_a_useful_denoiser_are_left_in_peace(digits):
    coded = trained(digits, "bottleneck.entries=4", "training.epochs=20", bottleneck="vq")
    assert "dead-entries" not in codes_said(coded, digits)
    denoiser = trained(digits, "corruption=gaussian", "corruption.sigma=0.5", "training.epochs=20")
    assert not {"useless", "worse-than-mean", "overfitting"} & codes_said(denoiser, digits)


@pytest.mark.parametrize("distinct", [1, 2, 3, 5, 40])
def test_tsne_places_equal_codes_together_and_finitely(rng, distinct):
    codes = rng.normal(size=(distinct, 6)).astype(np.float32)[np.arange(120) % distinct]
    name, points = project(codes, "tsne", 0)
    assert (name, np.isfinite(points).all(), len(np.unique(points, axis=0))) == ("tsne", True, distinct)
    np.testing.assert_array_equal(points[:distinct], points[distinct : 2 * distinct])


def test_few_codes_are_placed_in_fewer_rounds_as_well_as_in_all(digits, monkeypatch):
    openTSNE = pytest.importorskip("openTSNE")
    asked = []

    class Noted(openTSNE.TSNE):
        def __init__(self, **how):
            asked.append(how)
            super().__init__(**how)

    monkeypatch.setattr(openTSNE, "TSNE", Noted)
    codes = np.asarray(digits.train.x[:150], np.float32).reshape(150, -1)
    fewer = trustworthiness(codes, project(codes, "tsne", 0)[1])
    monkeypatch.setattr("narrows.readout.latent.FEW", 10)
    assert fewer > trustworthiness(codes, project(codes, "tsne", 0)[1]) - 0.02
    assert [how.get("n_iter") for how in asked] == [250, None]


def test_a_code_of_one_number_is_a_line_in_any_projection(rng):
    name, points = project(rng.normal(size=(20, 1)), "tsne", 0)
    assert (name, np.ptp(points[:, 1])) == ("code", 0)


def test_dead_units_are_noticed(digits, result):
    import torch

    made = trained(digits, "training.epochs=1")
    with torch.no_grad():
        made.model.bottleneck.project.weight[3] = 0
    assert "dead-units" in codes_said(made, digits)
