"""The recipe on the page: built from its schema, its layers edited, what of the weights can be kept, what it says."""

import numpy as np
import pytest

from narrows.bottleneck import BOTTLENECKS, Plain
from narrows.corrupt import CORRUPTIONS
from narrows.nn import NETWORKS, Conv, Dense
from narrows.recipe import Recipe

SCHEMA = Recipe.model_json_schema()


@pytest.mark.parametrize(
    ("part", "table"), [("network", NETWORKS), ("bottleneck", BOTTLENECKS), ("corruption", CORRUPTIONS)]
)
def test_the_page_offers_the_kinds_of_the_library_in_its_words(lab, part, table):
    body = """
      const { kindsOf, wordsOf } = await import("narrows/build/form");
      return Object.fromEntries(Object.entries(kindsOf(schema, part)).map(([kind, one]) => [kind, wordsOf(one)]));
    """
    words = lab(body, schema=SCHEMA, part=part)
    assert words == {kind: " ".join((one.__doc__ or "").split("\n\n")[0].split()) for kind, one in table.items()}


def test_fields_carry_the_limits_of_the_schema(lab):
    body = """
      const { fieldsOf, meant } = await import("narrows/build/form");
      return fieldsOf(schema, meant(schema, schema.properties.training));
    """
    fields = {field["name"]: field for field in lab(body, schema=SCHEMA)}
    assert (fields["batch"]["low"], fields["batch"]["high"], fields["batch"]["kind"]) == (1, 65_536, "whole")
    assert fields["patience"]["empty"]
    assert fields["route"]["choices"] == ["auto", "float32", "fast", "bf16"]


@pytest.mark.parametrize(("low", "high"), [(1, 64), (1, 784), (2, 103), (1, 1), (4, 2048)])
def test_stops_of_a_slider_rise_from_end_to_end(lab, low, high):
    body = 'const { doublings } = await import("narrows/build/form"); return doublings(low, high);'
    stops = lab(body, low=low, high=high)
    assert stops == sorted(set(stops))
    assert (stops[0], stops[-1]) == (low, high)


NETS = [Dense(widths=(128, 32)), Dense(widths=()), Conv(channels=(16, 32))]


@pytest.mark.parametrize("network", NETS, ids=["dense", "linear", "conv"])
@pytest.mark.parametrize("at", [0, 1])
def test_a_layer_that_is_added_and_removed_again_leaves_the_recipe_as_it_was(lab, network, at):
    recipe = Recipe(network=network, bottleneck=Plain(size=2))
    at = min(at, len(getattr(network, "widths", getattr(network, "channels", ()))))
    body = """
      const { withLayer, withoutLayer } = await import("narrows/build/layers");
      const more = withLayer(recipe, at, 784);
      return { more, back: withoutLayer(more, at) };
    """
    found = lab(body, recipe=recipe.model_dump(mode="json"), at=at)
    assert Recipe.model_validate(found["back"]) == recipe
    assert Recipe.model_validate(found["more"]) != recipe


def test_a_dense_layer_more_lies_between_its_neighbours(lab):
    recipe = Recipe(network=Dense(widths=(128,)), bottleneck=Plain(size=2)).model_dump(mode="json")
    body = 'return (await import("narrows/build/layers")).withLayer(recipe, 1, 784).network.widths;'
    before, new = lab(body, recipe=recipe)
    assert before == 128
    assert 2 < new < 128


BASE = Recipe(network=Dense(widths=(16,)), bottleneck=Plain(size=2))
CHANGES = {
    "rate": (BASE.with_(training={"rate": 0.01}), True),
    "corruption": (BASE.with_(corruption={"kind": "gaussian"}), True),
    "objective": (BASE.with_(objective={"l1": 1.0}), True),
    "width": (BASE.with_(network={"kind": "dense", "widths": (32,)}), False),
    "activation": (BASE.with_(network={"kind": "dense", "widths": (16,), "activation": "relu"}), False),
    "size": (BASE.with_(bottleneck={"kind": "plain", "size": 3}), False),
    "kind": (BASE.with_(bottleneck={"kind": "fsq", "size": 2}), False),
    "data": (BASE.with_(data={"name": "glyphs"}), False),
    "seed": (BASE.with_(seed=1), False),
}


@pytest.mark.parametrize("name", CHANGES)
def test_weights_are_kept_where_only_the_training_has_changed(lab, made, name):
    other, kept = CHANGES[name]
    graphs = [made(recipe.network, recipe.bottleneck, (1, 6, 6))[1] for recipe in (BASE, other)]
    body = """
      const { canKeep } = await import("narrows/state/keep");
      return canKeep({ recipe: base, graph: graphs[0] }, other, graphs[1]);
    """
    recipes = {"base": BASE.model_dump(mode="json"), "other": other.model_dump(mode="json")}
    assert lab(body, graphs=graphs, **recipes) is kept


def said(lab, **known):
    graph = {"values": 784, "kind": "image", "classes": ["0", "1"], "code": {"size": 2, "grid": []}}
    given = {
        "graph": graph,
        "baseline": None,
        "ours": None,
        "pca": None,
        "mean": None,
        "kept": None,
        "flat": False,
        "running": True,
    }
    body = """
      const { describe } = await import("narrows/build/measure");
      return describe(known).map((part) => part.strong ?? part).join("");
    """
    return lab(body, known=given | known)


def test_the_sentence_is_made_of_the_runs_own_numbers(lab):
    sentence = said(lab, ours=0.04, pca=0.055, mean=0.08, kept=81)
    assert sentence.startswith("Two numbers stand for 784. They keep 50% of what tells the pictures apart")
    assert "PCA keeps 31%" in sentence
    assert "The nearest code is of the same class for 81 of 100" in sentence
    assert "On the map the nearest dot is" in said(lab, ours=0.04, pca=0.055, mean=0.08, kept=81, flat=True)


def test_the_sentence_says_when_pca_wins_and_when_nothing_is_learned(lab):
    assert "PCA keeps more, 50%: here a straight projection" in said(lab, ours=0.05, pca=0.04, mean=0.08, running=False)
    assert "no better than the mean picture" in said(lab, ours=0.09, pca=0.04, mean=0.08)
    assert "is learning" in said(lab)


def test_neighbours_of_the_same_class_are_counted_as_scikit_learn_counts_them(lab):
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200).astype(np.int16)
    xy = (rng.normal(size=(200, 2)) + labels[:, None]).astype(np.float32)
    body = """
      const { nearestOfClass } = await import("narrows/build/measure");
      return nearestOfClass({ count: 200, xy, projection: "code" }, labels);
    """
    near = NearestNeighbors(n_neighbors=2).fit(xy).kneighbors(xy, return_distance=False)[:, 1]
    assert lab(body, xy=xy.ravel(), labels=labels) == round(100 * float((labels[near] == labels).mean()))


def test_ranges_of_a_code_are_those_of_numpy(lab, made):
    from narrows.readout.graph import weights_of

    model, graph, x = made(Conv(channels=(4,), map=True), Plain(size=3), (1, 6, 6))
    body = """
      const { codeRanges } = await import("narrows/nn/census");
      const { Model } = await import("narrows/nn/nn");
      const rows = Array.from({ length: 3 }, (_, i) => objects.subarray(i * 36, (i + 1) * 36));
      return codeRanges(new Model(graph, weights), rows);
    """
    found = lab(
        body, graph=graph, weights=weights_of(model, graph).astype(np.float32), objects=x.reshape(3, -1).ravel()
    )
    import torch

    codes = model.encode(torch.from_numpy(x)).z.reshape(-1, 3).numpy()
    for name, reckon in {"low": np.min, "high": np.max, "mean": np.mean, "spread": np.std}.items():
        np.testing.assert_allclose(found[name], reckon(codes, axis=0), atol=1e-4)


@pytest.mark.parametrize(
    ("size", "grid", "said"), [(1, [], "1 number"), (2, [], "2 numbers"), (2, [7, 7], "2 × 7 × 7")]
)
def test_the_size_of_a_code_tells_its_grid(lab, size, grid, said):
    body = 'return (await import("narrows/build/parts")).sizeText(size, grid);'
    assert lab(body, size=size, grid=grid) == said
