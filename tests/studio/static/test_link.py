"""A link is an experiment: what it holds comes back, and what strangers put into it does no harm."""

import pytest

from narrows.recipe import Recipe

BASE = Recipe().model_dump(mode="json")


def there_and_back(lab, link):
    body = """
      const { toHash, fromHash } = await import("narrows/state/link");
      const hash = toHash(link, base);
      return { hash, back: fromHash(hash) };
    """
    return lab(body, link=link, base=BASE)


RECIPES = {
    "defaults": Recipe(),
    "a size": Recipe(bottleneck={"kind": "plain", "size": 2}),
    "other kinds": Recipe(
        network={"kind": "conv", "channels": (8, 16)},
        bottleneck={"kind": "vq", "size": 8, "group": 2, "entries": 16},
        corruption={"kind": "gaussian", "sigma": 0.3},
    ),
    "numbers and words": Recipe(data={"name": "upload:abc", "limit": 100}, training={"rate": 0.2}, seed=3),
    "an objective": Recipe(objective={"l1": 0.5, "ssim": 0.5}),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_back(lab, name):
    recipe = RECIPES[name].model_dump(mode="json")
    found = there_and_back(lab, {"view": "map", "recipe": recipe, "rest": {}})
    assert Recipe.model_validate(found["back"]["recipe"]) == RECIPES[name], found["hash"]
    assert found["back"]["view"] == "map"


def test_only_what_differs_is_written(lab):
    recipe = Recipe(bottleneck={"kind": "plain", "size": 2}).model_dump(mode="json")
    hash = there_and_back(lab, {"view": "build", "recipe": recipe, "rest": {}})["hash"]
    view, _, query = hash.partition("?")
    assert (view, sorted(query.split("&"))) == (
        "#1/build",
        ["bottleneck.kind=plain", "bottleneck.size=2", "data.name=digits"],
    )


def test_the_rest_comes_back(lab):
    rest = {"object": "12", "camera": "1,2,3", "code": "0:1.5,1:-2"}
    assert there_and_back(lab, {"view": "map", "recipe": None, "rest": rest})["back"]["rest"] == rest


@pytest.mark.parametrize("hash", ["", "#", "#2/build", "#1", "#1/", "#build", "#1/Build?x=1"])
def test_other_hashes_are_no_links(lab, hash):
    assert lab('return (await import("narrows/state/link")).fromHash(hash);', hash=hash) is None


@pytest.mark.parametrize("path", ["data.__proto__.polluted", "data.constructor.prototype.polluted", "data.toString"])
def test_a_link_cannot_reach_beyond_itself(lab, path):
    body = """
      const { recipe } = (await import("narrows/state/link")).fromHash(`#1/build?${path}=1`);
      return { own: ({}).polluted ?? null, recipe };
    """
    found = lab(body, path=path)
    assert found["own"] is None
    assert found["recipe"] == {"data": {"name": "digits"}}


def test_state_reads_what_it_wrote(lab):
    body = """
      const { createState, hashOf, takeHash } = await import("narrows/state/state");
      const [one, two] = [createState(), createState()];
      one.view.value = "map"; one.runs.value = ["abc", "def"];
      one.object.value = 7; one.hidden.value = new Set([1, 9]);
      one.camera.value = { x: 1.25, y: -3, k: 2 };
      one.projection.value = "tsne"; one.override.value = { 0: 1.5, 3: -2 };
      one.step.value = 120; one.layer.value = "encoder.layers.0"; one.unit.value = 0;
      const hash = hashOf(one);
      const taken = takeHash(two, hash);
      const [object, hidden, unit] = [two.object.value, [...two.hidden.value], two.unit.value];
      return { taken, same: hashOf(two), hash, object, hidden, unit };
    """
    found = lab(body)
    assert found["taken"]
    assert found["same"] == found["hash"]
    assert (found["object"], found["hidden"], found["unit"]) == (7, [1, 9], 0)


@pytest.mark.parametrize(
    "query",
    ["object=-1", "object=x", "camera=1,2", "camera=a,b,c", "hide=x", "code=a:b", "map=none", "run=../x", "step=1.5"],
)
def test_nonsense_in_a_link_is_left_out(lab, query):
    body = """
      const { createState, hashOf, takeHash } = await import("narrows/state/state");
      const state = createState(); takeHash(state, `#1/map?${query}`); return hashOf(state);
    """
    assert lab(body, query=query) == "#1/map"


def test_the_command_is_what_the_shell_reads(lab):
    import shlex

    recipe = Recipe(data={"name": "digits"}, objective={"l1": 1.0}, bottleneck={"kind": "plain", "size": 2}).model_dump(
        mode="json"
    )
    body = 'return (await import("narrows/state/link")).asCommand(recipe, base);'
    words = shlex.split(lab(body, recipe=recipe, base=BASE))
    assert words[:3] == ["narrows", "train", "digits"]
    assert "bottleneck.size=2" in words
    assert 'objective={"l1":1}' in words or 'objective={"l1":1.0}' in words
