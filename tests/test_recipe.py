"""The recipe: JSON both ways, changes by words, errors that say what is possible."""

import numpy as np
import pytest

from narrows.bottleneck import BOTTLENECKS
from narrows.changes import assign, parse
from narrows.corrupt import CORRUPTIONS
from narrows.data.scaling import fit_scaling
from narrows.errors import LimitError, UsageError
from narrows.nn import NETWORKS
from narrows.objective import TERMS
from narrows.recipe import Recipe, build
from narrows.types import Layout

PICTURE = Layout("p", "image", (1, 8, 8), low=0, high=16)
X = np.arange(128, dtype=np.uint8).reshape(2, 1, 8, 8) % 17


def built(changes, layout=PICTURE, x=X):
    recipe = assign(
        Recipe(network={"kind": "dense", "widths": (16,)}, bottleneck={"size": 8, "kind": "plain"}), changes
    )
    return build(recipe, layout, fit_scaling(x, layout))


@pytest.mark.parametrize("part", [*NETWORKS.values(), *BOTTLENECKS.values(), *CORRUPTIONS.values()])
def test_every_choice_can_be_set_by_its_name_and_survives_json(part):
    kind = part.model_fields["kind"].default
    where = {NETWORKS.get(kind): "network", BOTTLENECKS.get(kind): "bottleneck", CORRUPTIONS.get(kind): "corruption"}
    recipe = assign(Recipe(), [f"{where[part]}={kind}"])
    assert getattr(recipe, where[part]).kind == kind
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_changing_the_bottleneck_keeps_its_size():
    assert assign(Recipe(), ["bottleneck.size=5", "bottleneck=fsq"]).bottleneck.size == 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("botleneck.size=3", "Did you mean 'bottleneck'"),
        ("bottleneck.sise=3", "Did you mean 'size'"),
        ("network=danse", "Did you mean 'dense'"),
        ("head=sigmiod", "Did you mean 'sigmoid'"),
        ("bottleneck.size=0", "^bottleneck.size=0; greater than or equal to 1"),
        ("bottleneck.size=many", "^bottleneck.size=.many.; a valid integer"),
        ("network.widths=512,abc", "^network.widths=.abc.; a valid integer"),
        ("network.activation=rleu", "^unknown network.activation"),
        ("head=none", "unknown head 'none'"),
        ("training.epochs=1.5", "valid integer"),
        ("seed", "PATH=VALUE"),
        ("seed.x=1", "a single value"),
    ],
)
def test_a_wrong_change_is_one_sentence(change, words):
    with pytest.raises(UsageError, match=words):
        assign(Recipe(), [change])


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ("data.scaling=none", "scaling", "none"),
        ("data.name=1,2.csv", "name", "1,2.csv"),
        ("data.label=2020", "label", "2020"),
        ("data.label=none", "label", None),
        ('data.label="none"', "label", "none"),
    ],
)
def test_words_stay_words_where_a_setting_takes_words(change, field, value):
    assert getattr(assign(Recipe(), [change]).data, field) == value


def test_the_values_of_a_recipe_must_be_an_object():
    with pytest.raises(UsageError, match=r"^recipe="):
        parse([1])


def test_a_recipe_with_unknown_fields_is_refused():
    with pytest.raises(UsageError, match="unknown setting"):
        parse({"network": {"kind": "dense", "wdths": [3]}})


def test_the_schema_names_every_choice():
    text = str(Recipe.model_json_schema())
    assert all(f"'{kind}'" in text for kind in (*NETWORKS, *BOTTLENECKS, *CORRUPTIONS))


def test_a_code_larger_than_the_object_is_refused():
    with pytest.raises(LimitError, match="at most 64"):
        built(["bottleneck.size=65"])


def test_a_model_too_large_is_refused_before_it_is_built():
    with pytest.raises(LimitError, match="parameters"):
        built(["network.widths=16384,16384,16384,16384"])


def test_too_many_halvings_are_refused():
    tiny = Layout("t", "image", (1, 3, 3), low=0, high=16)
    with pytest.raises(UsageError, match="halve a 3 x 3 object 4 times"):
        built(["network=conv", "network.channels=4,4,4,4"], tiny, X[:, :, :3, :3])


def test_a_head_that_would_squash_is_refused():
    table = Layout("t", "table", (64,))
    with pytest.raises(UsageError, match="squashed silently"):
        built(["head=sigmoid"], table, X.reshape(2, 64).astype(np.float32))


def test_an_unknown_objective_lists_those_there_are():
    with pytest.raises(UsageError, match="bce, huber, l1, mse, ssim"):
        built(["objective.msee=1"])


@pytest.mark.parametrize("kind", BOTTLENECKS)
def test_a_penalty_of_the_code_named_as_an_objective_points_to_its_bottleneck(kind):
    model = built([f"bottleneck={kind}"])
    for name in model.bottleneck.weights(1.0).keys() - TERMS.keys():
        with pytest.raises(UsageError, match=f"bottleneck={kind}, and weigh it by bottleneck") as caught:
            built([f"objective.{name}=1"])
        setting = caught.value.step.rpartition("bottleneck.")[2]
        assert setting in BOTTLENECKS[kind].model_fields


def test_bce_needs_bounded_values():
    table = Layout("t", "table", (64,))
    with pytest.raises(UsageError, match="not bounded"):
        built(['objective={"bce": 1}'], table, X.reshape(2, 64).astype(np.float32))


def test_the_same_seed_gives_the_same_weights():
    first, second, other = built([]), built([]), built(["seed=1"])
    weights = [next(iter(model.parameters())).flatten()[:5].tolist() for model in (first, second, other)]
    assert weights[0] == weights[1] != weights[2]


def test_tied_weights_are_half_the_weights():
    free, tied = built([]), built(["network.tied=true"])
    matrices = 64 * 16 + 16 * 8
    assert free.parameters_count - tied.parameters_count == matrices


def test_a_map_of_codes_is_counted_whole():
    grid = ["network=conv", "network.channels=8", "network.map=true"]
    assert built([*grid, "bottleneck.size=4"]).code_shape == (4, 4, 4)
    with pytest.raises(LimitError, match="5 numbers at each of 16 places"):
        built([*grid, "bottleneck.size=5"])
    one_index_a_place = ["bottleneck=vq", "bottleneck.size=64", "bottleneck.group=64"]
    assert built([*grid, *one_index_a_place]).code_shape == (4, 4, 64)
