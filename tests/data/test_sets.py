"""Every data set: one contract. And files of one's own, idx files, splits and scaling."""

import gzip
from inspect import signature

import numpy as np
import pytest
from PIL import Image

from narrows.data import DATASETS, load, read, status
from narrows.data.download import digest
from narrows.data.idx import read_idx
from narrows.data.scaling import fit_scaling
from narrows.data.sets import resolve
from narrows.data.splits import duplicate_groups, join_groups, part, split_groups
from narrows.errors import DamagedError, InputError, LimitError, ModelError, UsageError
from narrows.types import Layout, Split

SIMULATED = ("digits", "glyphs", "cards", "tones")


@pytest.fixture(scope="module", params=list(DATASETS))
def data(request, real):
    if DATASETS[request.param].files:
        real(DATASETS[request.param].files[0])
    return load(request.param)


@pytest.mark.data
class TestContract:
    def test_objects_have_the_shape_and_type_stated(self, data):
        for split in (data.train, data.valid, data.test):
            assert split.x.shape[1:] == data.layout.shape
            assert split.x.dtype in (np.uint8, np.float32)
            assert len(split) > 0

    def test_values_lie_within_the_stated_bounds(self, data):
        low = -np.inf if data.layout.low is None else data.layout.low
        high = np.inf if data.layout.high is None else data.layout.high
        assert low <= data.train.x.min()
        assert data.train.x.max() <= high

    def test_every_class_number_has_a_name(self, data):
        for split in (data.train, data.test):
            if split.y is not None:
                assert split.y.shape == (len(split),)
                assert split.y.max() < len(data.layout.classes)

    def test_no_object_is_on_two_sides(self, data):
        train, valid, test = ({row.tobytes() for row in split.x} for split in (data.train, data.valid, data.test))
        assert not train & valid
        seen = train | valid
        twins = sum(row.tobytes() in seen for row in data.test.x) if test & seen else 0
        said = [note for note in data.notes if "of the official split equal a training object" in note]
        assert [int(note.split()[0]) for note in said] == [twins] * bool(twins)

    def test_the_layout_survives_json(self, data):
        import json

        assert Layout.from_dict(json.loads(json.dumps(data.layout.as_dict()))) == data.layout


@pytest.mark.parametrize("name", SIMULATED)
def test_what_is_embedded_is_decided_by_its_seed(name):
    first, again, other = (load(name, limit=200, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.train.x, again.train.x)
    assert not np.array_equal(first.train.x, other.train.x)


def test_embedded_sets_say_so():
    assert [status(name) for name in SIMULATED] == ["embedded"] * 4


def test_a_set_that_is_not_here_says_where_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("NARROWS_DATA", "")
    monkeypatch.setenv("NARROWS_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="Get it from"):
        load("ecg5000")


def test_groups_stay_together(rng):
    groups = np.repeat(np.arange(40), 5)
    parts = split_groups(groups, rng, (0.7, 0.1, 0.2))
    assert sorted(np.concatenate(parts).tolist()) == list(range(200))
    assert not set(groups[parts[0]]) & set(groups[parts[2]])


def test_classes_are_spread_over_the_parts(rng):
    y = np.repeat([0, 1], [900, 100])
    train, _, test = split_groups(np.arange(1000), rng, y=y)
    assert abs(y[train].mean() - 0.1) < 0.01
    assert abs(y[test].mean() - 0.1) < 0.01


def test_joined_groups_keep_what_either_keeps():
    assert join_groups(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2])).tolist() == [0, 0, 0, 0]


def test_equal_objects_share_a_group_and_a_side(rng):
    x = rng.integers(0, 3, (300, 3)).astype(np.uint8)
    data = part(Layout("x", "table", (3,)), Split(x), seed=0)
    sides = [set(map(bytes, split.x)) for split in (data.train, data.valid, data.test)]
    assert len(np.unique(duplicate_groups(x))) == len(set(map(bytes, x)))
    assert not sides[0] & sides[2]


@pytest.mark.parametrize("kind", ["unit", "minmax", "standard", "none"])
@pytest.mark.parametrize("shape", [(5,), (2, 7), (3, 4, 6)])
def test_scaling_undoes_itself(rng, kind, shape):
    layout = Layout("x", "table", shape, low=-50, high=50)
    x = rng.normal(3, 5, (30, *shape)).clip(-50, 50).astype(np.float32)
    scaling = fit_scaling(x, layout, kind)
    np.testing.assert_allclose(scaling.undo(scaling.apply(x)), x, atol=1e-4)


def test_standard_scaling_has_mean_0_and_variance_1_in_each_column(rng):
    x = rng.normal([1, 100], [2, 30], (500, 2)).astype(np.float32)
    made = fit_scaling(x, Layout("x", "table", (2,))).apply(x)
    np.testing.assert_allclose([made.mean(0), made.std(0)], [[0, 0], [1, 1]], atol=1e-3)


def test_a_missing_value_is_named():
    x = np.ones((9, 2), np.float32)
    x[4, 1] = np.nan
    with pytest.raises(InputError, match=r"object 4 .*amount"):
        fit_scaling(x, Layout("x", "table", (2,), columns=("time", "amount")))


def idx_bytes(shape=(2, 3, 3), extra=b""):
    sizes = b"".join(int(n).to_bytes(4, "big") for n in shape)
    return b"\0\0\x08" + bytes([len(shape)]) + sizes + bytes(range(int(np.prod(shape)))) + extra


@pytest.mark.parametrize("packed", [False, True])
def test_an_idx_file_is_read(tmp_path, packed):
    path = tmp_path / ("a.gz" if packed else "a")
    path.write_bytes(gzip.compress(idx_bytes()) if packed else idx_bytes())
    assert read_idx(path).ravel().tolist() == list(range(18))


@pytest.mark.parametrize("content", [b"", b"PK", idx_bytes()[:-1], idx_bytes(extra=b"x"), b"\0\0\x08\x03\0\0"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_idx_file_is_refused(tmp_path, content, packed):
    path = tmp_path / ("a.gz" if packed else "a")
    path.write_bytes(gzip.compress(content)[:-1] if packed else content)
    with pytest.raises(DamagedError):
        read_idx(path)


def test_an_idx_header_that_lies_allocates_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"\0\0\x08\x03" + b"\xff" * 12)
    with pytest.raises(LimitError, match="at most"):
        read_idx(tmp_path / "a")


def pictures(folder, count=12, mode="L", size=(9, 7)):
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            colour = i * 9 if mode == "L" else (i * 9, 30, 60)
            Image.new(mode, size, colour).save(folder / name / f"{i}-{name}.png")
            Image.effect_noise(size, 40 + i).convert(mode).save(folder / name / f"{i}-noise.png")
    return folder


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_a_folder_of_pictures_takes_its_classes_from_its_folders(tmp_path, mode, channels):
    data = load(pictures(tmp_path / "pets", mode=mode))
    assert (data.layout.shape, data.layout.classes) == ((channels, 7, 9), ("cat", "dog"))


def test_pictures_are_brought_to_one_side(tmp_path):
    assert load(pictures(tmp_path / "pets"), side=6).layout.shape == (1, 6, 6)


def test_patches_of_a_picture_stay_on_one_side(tmp_path):
    data = load(pictures(tmp_path / "pets"), view="patches", side=4)
    names = [{str(w).split(" at ")[0] for w in split.where} for split in (data.train, data.test)]
    assert data.layout.shape == (1, 4, 4)
    assert not names[0] & names[1]


def test_a_picture_is_read_for_a_model_of_another_size_and_colour(tmp_path):
    Image.new("RGB", (50, 40), (255, 255, 255)).save(tmp_path / "a.png")
    like = Layout("d", "image", (1, 8, 8), low=0, high=255)
    assert read(tmp_path / "a.png", like=like).x.tolist() == np.full((1, 1, 8, 8), 255).tolist()


def test_arrays_keep_their_own_test_side(tmp_path, rng):
    x = rng.normal(size=(50, 4)).astype(np.float32)
    np.savez(tmp_path / "a.npz", X_train=x[:40], y_train=np.arange(40) % 2, X_test=x[40:], y_test=np.arange(10) % 2)
    data = load(tmp_path / "a.npz")
    assert np.array_equal(data.test.x, x[40:])
    assert data.test.y.tolist() == [0, 1] * 5


def test_an_array_keeps_its_test_side_whatever_its_name(tmp_path, rng):
    x = rng.normal(size=(50, 4)).astype(np.float32)
    np.savez(tmp_path / "a.npz", X=x[:40], y=np.arange(40) % 2, X_test=x[40:], y_test=np.arange(10) % 2, extra=x)
    data = load(tmp_path / "a.npz")
    assert np.array_equal(data.test.x, x[40:])
    assert data.test.y.tolist() == [0, 1] * 5
    assert data.notes == ("Not used: the array extra.",)


def test_test_objects_that_equal_training_ones_are_left_out_and_said(tmp_path, rng):
    x = rng.normal(size=(50, 4)).astype(np.float32)
    np.savez(tmp_path / "a.npz", X_train=x[:40], X_test=x[30:])
    data = load(tmp_path / "a.npz")
    assert np.array_equal(data.test.x, x[40:])
    assert data.notes == ("10 test objects that equal a training object are left out.",)
    np.savez(tmp_path / "b.npz", X_train=x[:40], X_test=x[30:40])
    with pytest.raises(InputError, match="every test object of b equals"):
        load(tmp_path / "b.npz")


@pytest.mark.parametrize("test", [np.ones((5, 3), np.float32), np.ones((5, 4), np.uint8)])
def test_a_test_side_of_another_shape_or_type_is_refused_before_training(tmp_path, rng, test):
    np.savez(tmp_path / "a.npz", X_train=rng.normal(size=(40, 4)), X_test=test)
    with pytest.raises(InputError, match="X_test has objects of shape"):
        load(tmp_path / "a.npz")


def test_a_loader_that_gives_two_shapes_is_caught(monkeypatch):
    from narrows.types import Splits

    def wrong(source, *, seed):
        halves = [Split(np.ones((4, width), np.float32)) for width in (3, 3, 2)]
        return Splits(Layout("digits", "table", (3,)), *halves)

    monkeypatch.setattr("narrows.data.images.load_digits", wrong)
    with pytest.raises(InputError, match="one shape"):
        load("digits")


@pytest.mark.parametrize("names", ["a", ["a"], [["a", "b"]]])
def test_class_names_that_do_not_fit_the_classes_are_refused(tmp_path, rng, names):
    np.savez(tmp_path / "a.npz", X=rng.normal(size=(40, 4)), y=np.arange(40) % 2, class_names=names)
    with pytest.raises(InputError, match="a name for each class number"):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize("suffix", ["npy", "npz", "csv", "ts", "txt"])
def test_a_number_too_large_is_one_sentence_and_no_warning(tmp_path, rng, suffix):
    x = rng.normal(size=(60, 4))
    x[7, 2] = 1e300
    path = tmp_path / f"a.{suffix}"
    if suffix == "npy":
        np.save(path, x)
    elif suffix == "npz":
        np.savez(path, X=x)
    else:
        lines = [",".join(map(str, row)) for row in x]
        path.write_text("\n".join((["@data"] if suffix == "ts" else ["a,b,c,d"]) + lines))
    with pytest.raises(InputError, match="numbers everywhere"):
        load(path)


OPTIONS = {"view": "patchess", "side": 4, "window": 8, "label": "foo"}


def taken(name):
    return signature(resolve(DATASETS[name].loader)).parameters


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name in DATASETS for option in OPTIONS if option not in taken(name)]
)
def test_a_setting_that_a_set_does_not_take_is_refused_before_it_is_looked_for(monkeypatch, name, option):
    monkeypatch.setattr("narrows.data.sets.fetch", lambda *_: pytest.fail("fetched"))
    with pytest.raises(UsageError, match=rf"data.{option}=.* has no meaning for {name}; it takes data.seed"):
        load(name, **{option: OPTIONS[option]})


@pytest.fixture(params=["npy", "csv", "ts", "txt", "png", "halves"])
def own(request, tmp_path, rng):
    """A source of one's own, of each kind."""
    x, kind = rng.normal(size=(60, 4)), request.param
    lines = "\n".join(",".join(map(str, row)) for row in x)
    if kind == "png":
        return pictures(tmp_path / "pets")
    if kind == "npy":
        np.save(tmp_path / "a.npy", x)
    if kind == "halves":
        for half in ("TRAIN", "TEST"):
            (tmp_path / f"a_{half}.txt").write_text(lines)
        return tmp_path / "a_TRAIN.txt"
    if kind in {"csv", "ts", "txt"}:
        (tmp_path / f"a.{kind}").write_text(("@data\n" if kind == "ts" else "a,b,c,d\n") + lines)
    return tmp_path / f"a.{kind}"


@pytest.mark.parametrize("option", ["view", "label"])
def test_a_wrong_setting_of_ones_own_source_is_refused(own, option):
    assert len(load(own).train)
    with pytest.raises(UsageError, match=OPTIONS[option]):
        load(own, **{option: OPTIONS[option]})


def test_one_picture_is_called_one_picture(tmp_path):
    Image.new("L", (9, 9)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a.png is one picture; a folder"):
        load(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["png", "jpg", "gif"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_picture_that_is_cut_short_is_damaged(tmp_path, kind, share):
    folder = pictures(tmp_path / "pets", size=(40, 40))
    Image.effect_noise((40, 40), 50).save(folder / f"a.{kind}")
    whole = (folder / f"a.{kind}").read_bytes()
    (folder / f"a.{kind}").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DamagedError, match="not a readable picture"):
        load(folder)


def test_a_picture_larger_than_pillow_opens_is_over_a_limit(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "pets")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(LimitError, match="Scale the picture down"):
        load(folder)


def test_an_array_of_objects_is_refused_since_it_needs_a_pickle(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="pickle"):
        load(tmp_path / "a.npy")


def test_an_array_of_another_shape_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((3, 5), np.float32))
    with pytest.raises(ModelError, match="as the model was trained on"):
        read(tmp_path / "a.npy", like=Layout("x", "table", (4,)))


def test_pictures_and_sounds_in_one_folder_are_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(UsageError, match="pictures and sounds"):
        load(tmp_path)


def test_the_digest_of_a_packed_file_is_that_of_its_content(tmp_path):
    import hashlib

    (tmp_path / "a.gz").write_bytes(gzip.compress(b"words"))
    assert digest(tmp_path / "a.gz", packed=True) == hashlib.sha256(b"words").hexdigest()


def test_more_glyphs_than_the_memory_should_hold_are_refused():
    with pytest.raises(LimitError, match="glyphs of 784 pixels"):
        load("glyphs", limit=10**12)
