"""One file of a run: what is in it, and that it works from where it lies, with no server and nobody asked."""

import base64
import gzip
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from narrows.changes import assign
from narrows.cli.main import run as narrows
from narrows.data import load
from narrows.errors import LimitError, ModelError
from narrows.readout.graph import weights_of
from narrows.recipe import recipe_for
from narrows.studio import export as module
from narrows.studio.export import export
from narrows.studio.frames import read_points, unpack
from narrows.studio.onefile import policy
from narrows.studio.requests import ANSWERS
from narrows.studio.shown import shown
from narrows.studio.view import corrupted
from narrows.train import Place, fit, open_run

PLACE = Place("cpu", "float32", 1)
HOSTILE = ("</script><script>document.title='broken out'</script>", '"><img src=x onerror=alert(1)>', "a & b", "ü")


def trained(folder, *changes, network="dense", data=None):
    data = data or load("digits", limit=300)
    recipe = assign(recipe_for(data, network=network), ["training.epochs=2", "training.batch=64", *changes])
    for _ in fit(recipe, data, folder=folder, place=PLACE):
        pass
    return data


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of dense layers with a code of two, and its file."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    data = trained(folder, "network.widths=24", "bottleneck.size=2")
    out = folder.parent / "tiny.html"
    export(folder, lambda recipe: data, out)
    return folder, data, out


def about(out):
    text = re.search(r'<script type="application/json" id="about">(.*?)</script>', out.read_text("utf-8"), re.DOTALL)
    return json.loads(text[1])


def part(out, name):
    """Bytes of a file, unpacked as the page does it but by numpy."""
    text = re.search(rf'<script type="text/plain" id="part-{name}">(.*?)</script>', out.read_text("utf-8"))
    planes = np.frombuffer(gzip.decompress(base64.b64decode(text[1])), np.uint8)
    return planes.reshape(about(out)["widths"][name], -1).T.tobytes()


def opened(page, out):
    """The file in a browser, with every address it asks for."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(out.as_uri())
    until(page, "window.__probe?.decodedId === 0")
    return [address for address in asked if address != out.as_uri() and not address.startswith("data:")]


def until(page, condition):
    """Wait until something is so; the page's own policy forbids the browser driver to poll inside it."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{condition} never came")


def test_the_file_holds_the_run(made):
    folder, data, out = made
    saved = open_run(folder)
    chosen, run = shown(data, saved.scaling), about(out)["run"]
    assert part(out, "objects") == chosen.objects().tobytes()
    assert part(out, "labels") == chosen.labels().tobytes()
    assert unpack(part(out, "weights")).payload == weights_of(saved.model, run["graph"]).tobytes()
    x = torch.from_numpy(chosen.scaling.apply(chosen.split.x))
    where, projection, complete = read_points(unpack(part(out, "points")))
    np.testing.assert_allclose(where.points, saved.model.encode(x).z.detach(), atol=1e-3)
    assert (projection, complete, run["objects"]["count"]) == ("code", True, len(chosen))
    assert run["baseline"]["pca"]["size"] == 2
    epochs = run["history"]["epochs"]
    assert epochs["step"] == [5, 10]
    assert run["step"] == epochs["step"][int(np.argmin(epochs["valid"]))]


def test_the_same_run_gives_the_same_file(made):
    folder, data, out = made
    again = out.with_name("again.html")
    assert export(folder, lambda recipe: data, again).bytes == len(again.read_bytes())
    assert again.read_bytes() == out.read_bytes()


def test_the_size_is_told_before_anything_is_written(made):
    folder, data, _ = made
    out = folder.parent / "later.html"
    seen = []
    export(folder, lambda recipe: data, out, tell=lambda made: seen.append((made.bytes, out.exists())))
    assert seen == [(out.stat().st_size, False)]


def test_no_path_of_this_machine_is_told(tmp_path):
    digits = load("digits", limit=200)
    np.savez(tmp_path / "mine.npz", x=np.asarray(digits.train.x), y=digits.train.y)
    source = str(tmp_path / "mine.npz")
    data = load(source)
    trained(tmp_path / "run", f"data.name={source}", "network.widths=8", data=data)
    export(tmp_path / "run", lambda recipe: data, tmp_path / "out.html")
    assert str(tmp_path) not in (tmp_path / "out.html").read_text("utf-8")
    assert about(tmp_path / "out.html")["run"]["recipe"]["data"]["name"] == "mine.npz"


def test_a_run_that_was_stopped_is_written_as_far_as_it_came(tmp_path):
    data = load("digits", limit=200)
    recipe = assign(recipe_for(data), ["network.widths=8"])
    events = fit(recipe, data, folder=tmp_path / "run", place=PLACE)
    next(events)
    events.close()
    made = export(tmp_path / "run", lambda recipe: data, tmp_path / "out.html")
    assert made.objects == len(data.test)
    assert about(tmp_path / "out.html")["run"]["graph"]["scale"] == {"offset": 0, "spread": 16}


def test_objects_that_have_no_room_are_left_out_and_that_is_told(made, monkeypatch):
    folder, data, out = made
    monkeypatch.setattr(module, "MOST_BYTES", 64 * 50)
    some = export(folder, lambda recipe: data, out.with_name("some.html"))
    assert (some.objects, some.of) == (50, len(data.test))
    labels = np.frombuffer(part(out.with_name("some.html"), "labels"), "<i2")
    assert set(labels[:10]) == set(range(10))


@pytest.mark.slow
def test_the_map_by_tsne_is_in_it_when_asked_for(tmp_path, page):
    data = trained(tmp_path / "run", "network.widths=8", "bottleneck.size=3")
    export(tmp_path / "run", lambda recipe: data, tmp_path / "out.html", tsne=True)
    where, projection, _ = read_points(unpack(part(tmp_path / "out.html", "tsne")))
    assert (projection, len(where.points)) == ("tsne", about(tmp_path / "out.html")["run"]["objects"]["count"])
    opened(page, tmp_path / "out.html")
    page.get_by_role("button", name="Map", exact=True).click()
    page.get_by_role("radio", name="t-SNE").click()
    page.wait_for_selector("text=t-SNE: neighbours stay neighbours")


def test_a_model_too_large_for_a_page_is_refused(made, monkeypatch):
    folder, data, out = made
    monkeypatch.setattr(module, "REMOTE_FROM", 100)
    with pytest.raises(LimitError, match="at most 100 for a file that runs in a page"):
        export(folder, lambda recipe: data, out.with_name("never.html"))
    assert not out.with_name("never.html").exists()


def test_data_of_another_shape_are_refused(made):
    folder, _, out = made
    with pytest.raises(ModelError, match="as the run was trained on"):
        export(folder, lambda recipe: load("cards", limit=50), out)


def test_the_bench_writes_it_too(made, tmp_path):
    folder, _, _ = made
    question = {"folder": str(folder), "source": "digits", "out": str(tmp_path / "page.html"), "name": "mine"}
    dry, _ = ANSWERS["export"]({**question, "dry": True}, [])
    assert not (tmp_path / "page.html").exists()
    result, _ = ANSWERS["export"](question, [])
    assert result["bytes"] == dry["bytes"] == (tmp_path / "page.html").stat().st_size
    assert about(tmp_path / "page.html")["run"]["name"] == "mine"


def test_the_command_says_how_large_it_is(made, capsys):
    folder, _, out = made
    assert narrows(["studio", "export", str(folder), "--out", str(out.with_name("said.html"))]) == 0
    assert re.search(r"^\d\.\d MB: a model of \d,\d+ numbers and all objects; into", capsys.readouterr().out)
    assert narrows(["studio", "export", str(folder), "--out", "page.pdf"]) == 2
    assert narrows(["studio", "export", str(folder / "nothing")]) == 6


def test_the_policy_lets_nothing_in():
    said = dict(part.split(" ", 1) for part in policy(["a"], ["b"]).split("; "))
    assert said["default-src"] == said["connect-src"] == said["base-uri"] == "'none'"
    assert "unsafe" not in policy(["a"], ["b"])
    assert "http" not in policy(["a"], ["b"])


def test_it_hovers_drags_and_decodes_with_no_server(made, page):
    _, _, out = made
    asked = opened(page, out)
    page.get_by_role("button", name="Map", exact=True).click()
    field = page.locator(".atlas .field")
    field.wait_for()
    until(page, "document.querySelectorAll('.held canvas').length > 1")
    place = find_dot(page, field.bounding_box())
    page.wait_for_selector(".hovercard")
    assert page.evaluate("window.__probe.hoveredId") is not None
    before = page.locator(".held canvas").nth(1).screenshot()
    page.mouse.move(*place)
    page.mouse.down()
    page.mouse.move(place[0] + 90, place[1] + 40, steps=8)
    page.mouse.up()
    assert re.match(r"-?[\d.]+", str(page.evaluate("window.__probe.decodedId")))
    assert page.locator(".held canvas").nth(1).screenshot() != before
    assert asked == []
    assert page.evaluate("window.__probe.errors") == []


def find_dot(page, box):
    """Move over the map until there is an object under the pointer."""
    for share in np.linspace(0.1, 0.9, 33):
        for height in (0.5, 0.4, 0.6, 0.3, 0.7):
            place = box["x"] + share * box["width"], box["y"] + height * box["height"]
            page.mouse.move(*place)
            if page.evaluate("window.__probe.hoveredId !== null"):
                return place
    raise AssertionError("no dot was found")


def test_it_shows_the_network_and_explains_a_value(made, page):
    _, _, out = made
    asked = opened(page, out)
    assert page.locator(".hourglass canvas").count() >= 5
    before = page.locator(".hourglass canvas.picture").nth(1).screenshot()
    page.locator(".hourglass input[type=range]").first.focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(100)
    assert page.locator(".hourglass canvas.picture").nth(1).screenshot() != before
    page.get_by_role("button", name=re.compile("^dense 24")).first.click()
    page.locator(".drawer canvas").first.click(position={"x": 60, "y": 20})
    page.wait_for_selector(".drawer :text('bias')")
    assert asked == []


def test_the_model_in_the_file_is_the_one_that_was_trained(made, page):
    folder, _, out = made
    opened(page, out)
    script = """async (z) => {
      const [{ Model }, { about, part }, { unpack }] = await Promise.all(
        ["narrows/nn/nn", "narrows/offline/data", "narrows/state/frames"].map((name) => import(name)));
      const model = new Model(about.run.graph, unpack(await part("weights")).values);
      return Array.from(model.decode(z).y);
    }"""
    z = [0.5, -1.25]
    model = open_run(folder).model
    model.load_state_dict({name: value.half().float() for name, value in model.state_dict().items()})
    wanted = model.decode(torch.tensor([z])).detach().numpy().reshape(-1)
    np.testing.assert_allclose(page.evaluate(script, z), wanted, atol=1e-5)


def test_names_stay_names(tmp_path, page):
    digits = load("digits", limit=300)
    names = (*HOSTILE, *digits.layout.classes[len(HOSTILE) :])
    data = replace(digits, layout=replace(digits.layout, classes=names))
    trained(tmp_path / "run", "network.widths=8", "bottleneck.size=2", data=data)
    export(tmp_path / "run", lambda recipe: data, tmp_path / "out.html", name=HOSTILE[0])
    assert opened(page, tmp_path / "out.html") == []
    assert page.title() == f"{HOSTILE[0]} · narrows"
    assert page.locator(".legend").first.inner_text().count(HOSTILE[0]) == 1
    assert page.locator("img").count() == 0


def test_the_twelve_of_a_denoiser_are_shown_as_they_go_in(tmp_path, page):
    data = trained(tmp_path / "run", "network.widths=8", "bottleneck.size=2", "corruption=gaussian")
    out = tmp_path / "out.html"
    export(tmp_path / "run", lambda recipe: data, out)
    assert opened(page, out) == []
    until(page, "document.querySelectorAll('.seen-tile').length === 12")
    until(page, "document.querySelectorAll('.seen-tile canvas').length === 36")
    saved = open_run(tmp_path / "run")
    clean = torch.from_numpy(saved.scaling.apply(shown(data, saved.scaling).split.x[:12]))
    seen = corrupted(saved.recipe, clean).numpy()
    np.testing.assert_allclose(np.frombuffer(part(out, "inputs"), "<f2").reshape(seen.shape), seen, atol=1e-3)
    script = """async () => {
      const [{ inputOf }, { createStudio }, { about }] = await Promise.all(
        ["narrows/nn/inputs", "narrows/state/studio", "narrows/offline/data"].map((name) => import(name)));
      const run = createStudio().live.run(about.run.id);
      await run.load();
      return Array.from(await inputOf(run, 11));
    }"""
    np.testing.assert_allclose(page.evaluate(script), seen[11].reshape(-1), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["conv", "lstm", "unet"])
def test_other_networks_work_too(tmp_path, page, network):
    small = {"conv": "network.channels=4,8", "lstm": "network.hidden=8", "unet": "network.channels=4,6"}
    trained(tmp_path / "run", small[network], network=network)
    export(tmp_path / "run", lambda recipe: load("digits", limit=300), tmp_path / "out.html")
    assert opened(page, tmp_path / "out.html") == []
    assert page.evaluate("window.__probe.errors") == []
