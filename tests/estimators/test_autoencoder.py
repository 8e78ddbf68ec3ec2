"""The estimator: what it computes, that a row's bits are its own, and how it travels."""

import copy
import json
import pickle
import pickletools
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from narrows import Autoencoder, Recipe, recipe_for
from narrows.bottleneck import BOTTLENECKS
from narrows.cli.main import run
from narrows.errors import DamagedError, Interrupted, ModelError
from narrows.nn import NETWORKS
from narrows.train import Finished, Notice

METHODS = ("transform", "reconstruct", "score_samples")
TINY = {
    "dense": {"kind": "dense", "widths": [16]},
    "conv": {"kind": "conv", "channels": [4]},
    "lstm": {"kind": "lstm", "hidden": 8},
    "unet": {"kind": "unet", "channels": [4, 6]},
}


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


def small(**params):
    return Autoencoder(**{"n_components": 4, "network": TINY["dense"], "epochs": 2, **params})


@pytest.fixture(scope="module")
def fitted(digits):
    return small(value_range=(0, 16)).fit(digits[0][:200])


def results(estimator, X):
    return {name: getattr(estimator, name)(X) for name in METHODS}


def assert_same_bits(a, b):
    assert {name for name in a if not np.array_equal(a[name], b[name])} == set()


@pytest.mark.parametrize("network", NETWORKS)
def test_a_row_gives_the_same_bits_alone_and_among_others(digits, network):
    X = digits[0][:150]
    estimator = small(network=TINY[network], shape=(1, 8, 8), value_range=(0, 16), epochs=1).fit(X)
    together, order = results(estimator, X), np.random.default_rng(0).permutation(150)
    assert_same_bits(together, {name: value[order.argsort()] for name, value in results(estimator, X[order]).items()})
    for number in (0, 63, 64, 149):
        alone = results(estimator, X[number : number + 1])
        assert_same_bits(alone, {name: value[number : number + 1] for name, value in together.items()})


@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
@pytest.mark.parametrize("network", NETWORKS)
def test_saved_and_pickled_estimators_give_the_same_bits(digits, network, bottleneck, tmp_path):
    X = digits[0][:60]
    size = {"kind": bottleneck, "k": 2} if bottleneck == "sparse-topk" else bottleneck
    estimator = small(network=TINY[network], bottleneck=size, shape=(1, 8, 8), epochs=1).fit(X)
    before = results(estimator, X)
    loaded = Autoencoder.load(estimator.save(tmp_path / "run"))
    assert loaded.get_params() == estimator.get_params()
    for again in (loaded, pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
        assert_same_bits(before, results(again, X))
        assert again.result_.history == estimator.result_.history
        assert np.array_equal(
            again.inverse_transform(before["transform"]), estimator.inverse_transform(before["transform"])
        )


@pytest.mark.slow
def test_another_process_loads_the_same_bits(fitted, digits, tmp_path):
    np.save(tmp_path / "x.npy", digits[0][:70])
    fitted.save(tmp_path / "run")
    code = (
        "import sys, numpy as np; from narrows import Autoencoder; folder = sys.argv[1];"
        "z = Autoencoder.load(folder + '/run').transform(np.load(folder + '/x.npy')); np.save(folder + '/z.npy', z)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert np.array_equal(np.load(tmp_path / "z.npy"), fitted.transform(digits[0][:70]))


def test_the_same_seed_gives_the_same_weights_and_the_global_sources_are_untouched(digits):
    X = digits[0][:100]
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    before = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    first, same, other = (small(random_state=seed).fit(X).transform(X) for seed in (5, 5, 6))
    small(random_state=None).fit(X)
    after = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert before == after
    assert np.array_equal(first, same)
    assert not np.allclose(first, other)


def test_a_source_of_randomness_gives_a_new_seed_each_time(digits):
    source = np.random.RandomState(0)
    seeds = [small(random_state=source, epochs=1).fit(digits[0][:40]).result_.recipe.seed for _ in range(2)]
    assert seeds[0] != seeds[1]


def test_a_linear_autoencoder_comes_close_to_pca(digits):
    X = digits[0]
    linear = {"kind": "dense", "widths": []}
    estimator = Autoencoder(8, network=linear, scaling="none", epochs=60, learning_rate=0.02).fit(X)
    pca = PCA(8).fit(X)
    best = np.square(pca.inverse_transform(pca.transform(X)) - X).mean()
    assert best < -estimator.score(X) < 1.1 * best


def test_scores_are_minus_the_mean_squared_error_in_scaled_units(fitted, digits):
    X = digits[0][200:300]
    expected = -np.square(fitted.reconstruct(X) / 16 - X / 16).mean(1)
    np.testing.assert_allclose(fitted.score_samples(X), expected, rtol=1e-4)
    assert fitted.score(X) == fitted.score_samples(X).mean()


def test_decoding_the_code_is_the_reconstruction(fitted, digits):
    X = digits[0][:50]
    np.testing.assert_allclose(fitted.inverse_transform(fitted.transform(X)), fitted.reconstruct(X), atol=1e-4)


def test_strange_rows_score_lower(digits):
    X = digits[0]
    estimator = Autoencoder(8, network={"kind": "dense", "widths": [64]}, value_range=(0, 16), epochs=15).fit(X[:1500])
    noise = np.random.default_rng(0).permuted(X[1500:], axis=1)
    assert (estimator.score_samples(noise).max()) < np.median(estimator.score_samples(X[1500:]))


def test_bytes_are_bounded_and_pictures_may_keep_their_axes(digits):
    X = digits[0][:100].astype(np.uint8).reshape(-1, 1, 8, 8)
    estimator = small(network=TINY["conv"], shape=(1, 8, 8)).fit(X)
    assert estimator.result_.scaling.kind == "unit"
    assert estimator.result_.layout.kind == "image"
    assert np.array_equal(estimator.transform(X), estimator.transform(X.reshape(-1, 64)))
    assert estimator.reconstruct(X).shape == (100, 64)


def test_parameters_land_in_the_one_recipe(digits):
    recipe = (
        small(
            corruption={"kind": "gaussian", "sigma": 0.5},
            objective={"mse": 1.0, "l1": 0.5},
            bottleneck={"kind": "variational", "beta": 0.3},
            batch_size=np.int64(32),
            learning_rate=0.01,
            changes=("training.decay=0.01",),
            random_state=9,
        )
        .fit(digits[0][:60])
        .result_.recipe
    )
    assert isinstance(recipe, Recipe)
    assert (recipe.corruption.sigma, recipe.objective, recipe.seed) == (0.5, {"mse": 1.0, "l1": 0.5}, 9)
    assert (recipe.bottleneck.beta, recipe.bottleneck.size, recipe.network.widths) == (0.3, 4, (16,))
    training = recipe.training
    assert (training.batch, training.rate, training.decay, training.epochs) == (32, 0.01, 0.01, 2)


def test_what_is_left_open_is_what_recipe_for_chooses(digits, monkeypatch):
    asked = []

    def stop(recipe, data):
        asked.extend((recipe, recipe_for(data, source=recipe.data)))
        raise KeyboardInterrupt

    monkeypatch.setattr("narrows.estimators.autoencoder.fit", stop)
    with pytest.raises(KeyboardInterrupt):
        Autoencoder().fit(digits[0])
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"network": "danse"}, "Did you mean 'dense'"),
        ({"network": {"widths": [3]}}, 'with a "kind"'),
        ({"bottleneck": "plane"}, "Did you mean 'plain'"),
        ({"objective": "mes"}, "Did you mean 'mse'"),
        ({"n_components": 65}, "at most 64 for objects of 64 numbers"),
        ({"n_components": 0}, r"bottleneck.*size=0"),
        ({"epochs": -1}, "training.epochs=-1"),
        ({"shape": (1, 9, 9)}, "rows of 64 values"),
        ({"value_range": (0, 1)}, "value_range"),
        ({"validation_fraction": 1.5}, "validation_fraction=1.5"),
        ({"changes": ("training.speed=3",)}, "unknown setting 'speed'"),
    ],
)
def test_what_is_wrong_with_a_parameter_is_said_when_fitting(digits, params, words):
    with pytest.raises(ValueError, match=words):
        small(**params).fit(digits[0][:50])


def test_what_is_wrong_with_the_data_is_said(fitted, digits):
    X = digits[0][:5].copy()
    with pytest.raises(ValueError, match="1 sample"):
        small().fit(X[:1])
    with pytest.raises(ValueError, match="codes of 3 numbers; 4,"):
        fitted.inverse_transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="63 features"):
        fitted.transform(X[:, :63])
    with pytest.raises(ValueError, match="too large"):
        fitted.transform(np.full((1, 64), 1e300))
    X[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fitted.transform(X)
    with pytest.raises(NotFittedError):
        small().transform(X)
    with pytest.raises(NotFittedError):
        small().save("nowhere")


@pytest.mark.parametrize("rows", [2, 3, 9])
def test_very_few_rows_are_learned_and_judged(digits, rows):
    assert small().fit(digits[0][:rows]).transform(digits[0][:rows]).shape == (rows, 4)


def test_rows_that_are_all_alike(digits):
    X = np.repeat(digits[0][:1], 20, 0)
    assert np.isfinite(small().fit(X).score(X))


def test_it_is_quiet_but_warns_of_divergence(digits, capfd, monkeypatch):
    kept = small().fit(digits[0][:40]).result_
    assert capfd.readouterr() == ("", "")
    events = [Notice("diverged", "Training diverged: really."), Finished(kept)]
    monkeypatch.setattr("narrows.estimators.autoencoder.fit", lambda recipe, data: iter(events))
    with pytest.warns(ConvergenceWarning, match="really"):
        small().fit(digits[0][:40])


def test_asking_to_stop_is_not_swallowed_by_a_search(digits, monkeypatch):
    def stopped(recipe, data):
        raise Interrupted("training stopped at step 1 of 2")

    monkeypatch.setattr("narrows.estimators.autoencoder.fit", stopped)
    with pytest.raises(KeyboardInterrupt, match="step 1"):
        GridSearchCV(small(), {"n_components": [1, 2]}, cv=2).fit(digits[0][:40])


def test_clone_pipeline_and_search(digits):
    X, y = digits[0][:200], digits[1][:200]
    pipeline = make_pipeline(small(n_components=8, batch_size=20, epochs=40), LogisticRegression(max_iter=2000))
    assert pipeline.fit(X, y).score(X, y) > 0.7
    assert clone(pipeline[0]).get_params() == pipeline[0].get_params()
    assert not hasattr(clone(pipeline[0]), "result_")


@pytest.mark.slow
def test_a_search_on_two_processes_finds_what_one_finds(digits):
    grid = {"n_components": [1, 8], "bottleneck": ["plain", {"kind": "variational"}]}
    one, two = (
        GridSearchCV(small(epochs=10, value_range=(0, 16)), grid, cv=2, n_jobs=jobs).fit(digits[0][:160])
        for jobs in (1, 2)
    )
    assert two.best_params_["n_components"] == 8
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])


def test_outputs_have_names(fitted, digits):
    assert fitted.get_feature_names_out().tolist() == [f"autoencoder{i}" for i in range(4)]
    same = copy.deepcopy(fitted).set_output(transform="default")
    assert np.array_equal(same.transform(digits[0][:9]), fitted.transform(digits[0][:9]))


def test_outputs_may_be_tables_where_pandas_is(fitted, digits):
    pandas = pytest.importorskip("pandas")
    names = [f"p{i}" for i in range(64)]
    table = pandas.DataFrame(digits[0][:50], columns=names)
    estimator = small().set_output(transform="pandas").fit(table)
    assert list(estimator.transform(table).columns) == [f"autoencoder{i}" for i in range(4)]
    assert pickle.loads(pickle.dumps(estimator)).feature_names_in_.tolist() == names


def test_names_of_columns_are_kept_and_held_to(digits, tmp_path):
    import pyarrow

    names = [f"p{i}" for i in range(64)]
    table = pyarrow.table(dict(zip(names, digits[0][:50].T.copy(), strict=True)))
    estimator = small().fit(table)
    for again in (Autoencoder.load(estimator.save(tmp_path)), pickle.loads(pickle.dumps(estimator))):
        assert again.feature_names_in_.tolist() == names
        assert again.feature_names_in_.dtype == object
        with pytest.raises(ValueError, match="feature names"):
            again.transform(table.rename_columns(names[::-1]))
    assert estimator.result_.layout.columns == tuple(names)


def test_a_pickle_of_it_holds_bytes_and_plain_values(fitted):
    state = fitted.__getstate__()
    assert {type(value) for value in state["result_"].values()} == {bytes}
    names = {argument for _, argument, _ in pickletools.genops(pickle.dumps(fitted, protocol=0)) if argument}
    used = {str(name) for name in names if isinstance(name, str) and (" " in name) and "." in name.split(" ")[0]}
    modules = {name.split(" ")[0] for name in used if name.split(" ")[0].replace(".", "").isidentifier()}
    assert {name for name in modules if name.startswith(("torch", "numpy", "pydantic"))} == set()
    assert "narrows.estimators.autoencoder" in modules


def test_the_commands_read_a_saved_estimator(fitted, digits, tmp_path, capsys):
    fitted.save(tmp_path / "run")
    np.save(tmp_path / "x.npy", digits[0][:10])
    arguments = ["reconstruct", tmp_path / "run", tmp_path / "x.npy", "--out", tmp_path / "y.npy"]
    assert run([*map(str, arguments), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["objects"] == 10
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), fitted.reconstruct(digits[0][:10]), atol=1e-4)
    assert run(["info", str(tmp_path / "run")]) == 0


def test_a_run_of_the_command_line_is_an_estimator(tmp_path, digits):
    changes = ["--epochs", "2", "--set", "network.channels=4", "--set", "training.decay=0.01", "--set", "seed=3"]
    arguments = ["train", "digits", "--network", "conv", "--out", str(tmp_path / "run"), *changes]
    assert run(arguments) == 0
    estimator = Autoencoder.load(tmp_path / "run")
    assert estimator.transform(digits[0][:20]).shape == (20, 8)
    again = clone(estimator).fit(digits[0][:100]).result_.recipe
    assert again.with_(data={}) == estimator.result_.recipe.with_(data={})


def test_damaged_folders_are_refused(fitted, tmp_path):
    with pytest.raises(ModelError):
        Autoencoder.load(tmp_path)
    folder = fitted.save(tmp_path / "run")
    for name, content in (("estimator.json", '{"params": {"sped": 1}, "feature_names_in": null}'),
                          ("estimator.json", "[]")):  # fmt: skip
        fitted.save(folder)
        (folder / name).write_text(content)
        with pytest.raises(DamagedError):
            Autoencoder.load(folder)


def test_scikit_learn_draws_it(fitted):
    assert "Autoencoder" in fitted._repr_html_()
