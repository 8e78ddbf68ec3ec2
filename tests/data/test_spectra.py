import io
import zipfile

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from narrows.data.classmaps import coarser
from narrows.data.cubes import read_scene
from narrows.data.mat import read_mat
from narrows.data.spectra import load_cube, read_cube, scene, windows
from narrows.errors import DamagedError, InputError, LimitError, ModelError, UsageError

PAVIA = "hyperspectral/pavia_university_lowres.npz"


def made_cube(rng, rows=40, columns=32, bands=12):
    """A cube of four materials in quarters, with noise, and its class map 1..4 with an unlabelled first row."""
    drawn = (np.arange(rows)[:, None] * 2 // rows) * 2 + np.arange(columns) * 2 // columns + 1
    spectra = rng.uniform(0.2, 0.8, (5, bands))
    cube = (spectra[drawn] + rng.normal(0, 0.01, (rows, columns, bands))).astype(np.float32)
    drawn[0] = 0
    return cube, drawn.astype(np.uint8)


def saved(tmp_path, rng, **changes):
    cube, drawn = made_cube(rng)
    path = tmp_path / "field.npz"
    np.savez(path, **{"cube": cube, "labels": drawn, **changes})
    return path


def positions(split):
    words = (text.replace(",", "").split() for text in split.where)
    return np.array([(int(w[1]), int(w[3])) for w in words])


def test_pavia_university_has_its_nine_classes_asphalt_first(real):
    splits = load_cube(real(PAVIA))
    parts = (splits.train, splits.valid, splits.test)
    counts = sum(np.bincount(part.y[part.y >= 0], minlength=9) for part in parts)
    assert counts.tolist() == [104, 112, 9, 14, 56, 252, 59, 25, 9]
    assert splits.layout.classes[0] == "asphalt"
    assert splits.layout.classes[8] == "shadows"
    assert set(range(9)) <= set(splits.train.y.tolist())


def test_pavia_university_bands_are_named_by_wavelength(real):
    layout = load_cube(real(PAVIA)).layout
    assert (layout.kind, layout.shape, layout.units) == ("spectrum", (103,), "reflectance")
    assert (layout.columns[0], layout.columns[-1]) == ("0.430 µm", "0.860 µm")


def test_samson_takes_the_largest_abundance_as_class(real):
    splits = load_cube(real("hyperspectral/samson.npz"))
    whole = read_cube(real("hyperspectral/samson.npz"), like=splits.layout)
    assert np.bincount(whole.y).tolist() == [3015, 3666, 2344]
    assert any("largest share" in note for note in splits.notes)


def test_equal_pixels_do_not_straddle_in_samson(real):
    splits = load_cube(real("hyperspectral/samson.npz"))
    sides = [{row.tobytes() for row in part.x} for part in (splits.train, splits.valid, splits.test)]
    assert len(set.union(*sides)) == sum(map(len, sides))


def test_equal_patches_do_not_straddle(tmp_path, rng):
    cube = np.tile(rng.uniform(0, 1, 4).astype(np.float32), (60, 60, 1))
    cube[:30] += rng.normal(size=(30, 60, 4)).astype(np.float32)
    np.save(tmp_path / "flat.npy", cube)
    splits = load_cube(tmp_path / "flat.npy", view="patches", side=3)
    sides = [{row.tobytes() for row in part.x} for part in (splits.train, splits.valid, splits.test)]
    assert len(set.union(*sides)) == sum(map(len, sides))
    assert any("patches of validation and test are left out" in note for note in splits.notes)


def test_houston_takes_a_finer_class_map_down_to_its_pixels(real):
    cube, labels, classes = scene(real("hyperspectral/houston2018_crop.npz"))
    assert cube.shape[:2] == labels.shape
    assert labels.max() == 11
    assert len(classes) == 12


def test_jasper_ridge_has_no_classes_and_keeps_its_band_numbers(real):
    splits = load_cube(real("hyperspectral/jasper_ridge.npz"))
    assert splits.train.y is None
    assert splits.layout.columns[0] == "band 4"


def test_label_picks_one_of_several_class_maps(real):
    _, labels, classes = scene(real("hyperspectral/pavia_centre_crop.npz"), label="anomaly")
    assert classes == ("background", "anomaly")
    assert (labels == 1).sum() == 68


def test_original_pavia_layout(tmp_path, rng):
    cube, drawn = rng.uniform(0, 8000, (60, 40, 103)), rng.integers(0, 10, (60, 40))
    savemat(tmp_path / "PaviaU.mat", {"paviaU": cube}, do_compression=True)
    savemat(tmp_path / "PaviaU_gt.mat", {"paviaU_gt": drawn.astype(np.uint8)})
    read, labels, classes = scene(tmp_path / "PaviaU.mat")
    np.testing.assert_array_equal(read, cube.astype(np.float32))
    np.testing.assert_array_equal(labels, drawn - 1)
    assert classes[:2] == ("asphalt", "meadows")
    assert load_cube(tmp_path / "PaviaU.mat").layout.columns[0] == "0.430 µm"


def test_corrected_cube_finds_its_ground_truth(tmp_path, rng):
    cube, drawn = made_cube(rng)
    savemat(tmp_path / "Field_corrected.mat", {"field_corrected": cube})
    savemat(tmp_path / "Field_gt.mat", {"field_gt": drawn})
    assert scene(tmp_path / "Field_corrected.mat")[2] == ("class 1", "class 2", "class 3", "class 4")


def test_unfolded_matlab_matrix_runs_down_the_columns(tmp_path):
    cube = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    matrix = np.stack([cube[row, column] for column in range(3) for row in range(2)], 1)
    savemat(tmp_path / "samson_1.mat", {"V": matrix, "nRow": 2, "nCol": 3, "nBand": 4})
    np.testing.assert_array_equal(scene(tmp_path / "samson_1.mat")[0], cube)


def test_where_counts_from_zero(tmp_path, rng):
    path = saved(tmp_path, rng)
    cube, _, _ = scene(path)
    splits = load_cube(path)
    row, column = positions(splits.test)[5]
    np.testing.assert_array_equal(splits.test.x[5], cube[row, column])


@pytest.mark.parametrize("suffix", ["npy", "npz", "mat", "tif"])
def test_every_kind_of_file_gives_the_same_cube(tmp_path, rng, suffix):
    cube, _ = made_cube(rng)
    path = tmp_path / f"field.{suffix}"
    if suffix == "npy":
        np.save(path, cube)
    elif suffix == "npz":
        np.savez(path, data=cube)
    elif suffix == "mat":
        savemat(path, {"field": cube})
    else:
        pytest.importorskip("tifffile").imwrite(path, np.moveaxis(cube, 2, 0), photometric="minisblack")
    np.testing.assert_array_equal(scene(path)[0], cube)


def test_tiff_with_bands_as_samples(tmp_path, rng):
    cube, _ = made_cube(rng)
    pytest.importorskip("tifffile").imwrite(tmp_path / "f.tif", cube, photometric="minisblack", planarconfig="contig")
    np.testing.assert_array_equal(scene(tmp_path / "f.tif")[0], cube)


def test_every_pixel_is_on_one_side_and_blocks_are_whole(tmp_path, rng):
    splits = load_cube(saved(tmp_path, rng))
    at = [positions(part) for part in (splits.train, splits.valid, splits.test)]
    assert len({tuple(pair) for pairs in at for pair in pairs.tolist()}) == sum(map(len, at)) == 40 * 32
    blocks = [{(row * 5 // 40, column * 4 // 32) for row, column in pairs.tolist()} for pairs in at]
    assert not blocks[0] & blocks[1]
    assert not blocks[0] & blocks[2]
    assert not blocks[1] & blocks[2]


@pytest.mark.parametrize("side", [3, 6])
def test_patches_share_no_pixel_with_another_side(tmp_path, rng, side):
    splits = load_cube(saved(tmp_path, rng), view="patches", side=side)
    covered = []
    for part in (splits.train, splits.valid, splits.test):
        plane = np.zeros((40, 32), bool)
        for row, column in positions(part) - side // 2:
            plane[row : row + side, column : column + side] = True
        covered.append(plane)
    assert all(plane.any() for plane in covered)
    assert not (covered[0] & covered[1] | covered[0] & covered[2] | covered[1] & covered[2]).any()


def test_a_patch_holds_its_neighbourhood_and_the_class_of_its_middle(tmp_path, rng):
    path = saved(tmp_path, rng)
    cube, labels, _ = scene(path)
    splits = load_cube(path, side=5)
    row, column = positions(splits.train)[0]
    expected = cube[row - 2 : row + 3, column - 2 : column + 3].transpose(2, 0, 1)
    np.testing.assert_array_equal(splits.train.x[0], expected)
    assert splits.layout.shape == (12, 5, 5)
    assert splits.train.y[0] == labels[row, column]


def test_a_rare_class_is_in_training(tmp_path, rng):
    _, drawn = made_cube(rng)
    drawn[20, 10] = 5
    path = saved(tmp_path, rng, labels=drawn)
    assert all(4 in load_cube(path, seed=seed).train.y for seed in range(8))


def test_the_same_seed_gives_the_same_split_and_another_another(tmp_path, rng):
    path = saved(tmp_path, rng)
    first, again, other = (load_cube(path, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.train.where, again.train.where)
    assert set(first.test.where) != set(other.test.where)


def test_limit_cuts_the_training_objects_only(tmp_path, rng):
    path = saved(tmp_path, rng)
    for view in ("pixels", "patches"):
        whole, cut = load_cube(path, view=view), load_cube(path, view=view, limit=7)
        assert (len(cut.train), len(cut.test)) == (7, len(whole.test))


def test_empty_bands_are_left_out_and_said(tmp_path, rng):
    cube, _ = made_cube(rng)
    cube[:, :, 3], cube[:, :, 7] = np.nan, 0.5
    splits = load_cube(saved(tmp_path, rng, cube=cube))
    assert splits.layout.shape == (10,)
    assert "band 4" not in splits.layout.columns
    assert any("band 4, band 8" in note for note in splits.notes)


def test_reading_takes_the_bands_the_model_knows(tmp_path, rng):
    cube, _ = made_cube(rng)
    cube[:, :, 3] = np.nan
    layout = load_cube(saved(tmp_path, rng, cube=cube)).layout
    np.save(tmp_path / "other.npy", made_cube(rng)[0])
    read = read_cube(tmp_path / "other.npy", like=layout)
    assert read.x.shape == (40 * 32, 11)
    np.testing.assert_array_equal(read.x[0], np.delete(np.load(tmp_path / "other.npy")[0, 0], 3))


def test_reading_patches_gives_every_patch(tmp_path, rng):
    path = saved(tmp_path, rng)
    layout = load_cube(path, view="patches", side=5).layout
    assert read_cube(path, like=layout).x.shape == (36 * 28, 12, 5, 5)


def test_reading_maps_classes_by_name(tmp_path, rng):
    layout = load_cube(saved(tmp_path, rng, class_names=["grass", "sand", "rock", "sea"])).layout
    other = saved(tmp_path, rng, class_names=["sea", "rock", "town", "grass"])
    read = read_cube(other, like=layout)
    labels = scene(other)[1].ravel()
    assert {int(read.y[labels == number][0]) for number in (0, 3)} == {3, 0}
    assert (read.y[labels == 2] == -1).all()


def test_reading_refuses_other_bands(tmp_path, rng):
    layout = load_cube(saved(tmp_path, rng)).layout
    np.save(tmp_path / "other.npy", made_cube(rng, bands=9)[0])
    with pytest.raises(ModelError, match="9 bands; the 12 bands"):
        read_cube(tmp_path / "other.npy", like=layout)


def test_reading_refuses_a_scene_smaller_than_a_patch(tmp_path, rng):
    layout = load_cube(saved(tmp_path, rng), view="patches", side=9).layout
    np.save(tmp_path / "other.npy", made_cube(rng, rows=6, columns=6)[0])
    with pytest.raises(ModelError, match="at least 9 x 9"):
        read_cube(tmp_path / "other.npy", like=layout)


def test_pixels_without_data_are_left_out(tmp_path, rng):
    cube, _ = made_cube(rng)
    cube[5], cube[6] = 0, np.nan
    splits = load_cube(saved(tmp_path, rng, cube=cube))
    assert len(splits.train) + len(splits.valid) + len(splits.test) == 38 * 32
    assert any("64 pixels hold no data" in note for note in splits.notes)


def test_one_missing_number_is_refused_by_its_place(tmp_path, rng):
    cube, _ = made_cube(rng)
    cube[4, 9, 2] = np.nan
    with pytest.raises(InputError, match="row 4, column 9, band 3, and 0 more") as caught:
        load_cube(saved(tmp_path, rng, cube=cube))
    assert caught.value.code == "input.nan"


def test_a_label_map_of_shares_is_refused(tmp_path, rng):
    with pytest.raises(InputError, match="no class"):
        load_cube(saved(tmp_path, rng, labels=rng.random((40, 32))))


def test_coarser_needs_sixty_per_cent():
    drawn = np.array([[1, 1, 2, 2], [1, 2, 1, 1]])
    assert coarser(np.array([[1, 1], [1, 2]]), 2).tolist() == [[1]]
    assert coarser(drawn, 2).tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("shape", "message"), [((1, 1, 5), "single pixel"), ((2, 2, 5), "parts into"), ((8, 8), "no cube")]
)
def test_too_little_is_said(tmp_path, rng, shape, message):
    np.save(tmp_path / "small.npy", rng.random(shape))
    with pytest.raises(InputError, match=message):
        load_cube(tmp_path / "small.npy")


def test_one_band_and_one_value_are_said(tmp_path, rng):
    np.save(tmp_path / "one.npy", rng.random((20, 20, 1)))
    np.save(tmp_path / "flat.npy", np.ones((20, 20, 4)))
    with pytest.raises(InputError, match="one band"):
        load_cube(tmp_path / "one.npy")
    with pytest.raises(InputError, match="one value everywhere"):
        load_cube(tmp_path / "flat.npy")


def test_a_side_larger_than_the_scene_or_without_patches_is_a_usage_error(tmp_path, rng):
    path = saved(tmp_path, rng)
    with pytest.raises(UsageError, match="at most 32"):
        load_cube(path, side=33)
    with pytest.raises(UsageError, match="view=patches"):
        load_cube(path, view="pixels", side=3)
    with pytest.raises(UsageError, match="Did you mean 'patches'"):
        load_cube(path, view="patch")


@pytest.mark.parametrize("suffix", ["mat", "npy", "npz", "tif"])
@pytest.mark.parametrize("kept", [0.03, 0.5, 0.97])
def test_a_cut_file_is_damaged(tmp_path, rng, suffix, kept):
    cube, path = made_cube(rng)[0], tmp_path / f"field.{suffix}"
    if suffix == "mat":
        savemat(path, {"field": cube}, do_compression=True)
    elif suffix == "npz":
        np.savez_compressed(path, cube=cube)
    elif suffix == "npy":
        np.save(path, cube)
    else:
        pytest.importorskip("tifffile").imwrite(path, cube, photometric="minisblack")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(DamagedError, match="field"):
        load_cube(path)


@pytest.mark.parametrize("suffix", ["mat", "npy", "npz", "tif"])
def test_an_empty_file_is_damaged(tmp_path, suffix):
    if suffix == "tif":
        pytest.importorskip("tifffile")
    (tmp_path / f"field.{suffix}").touch()
    with pytest.raises(DamagedError, match="field"):
        load_cube(tmp_path / f"field.{suffix}")


def test_matlab_seven_three_says_what_to_do(tmp_path):
    path = tmp_path / "new.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(InputError, match="h5py"):
        load_cube(path)


def npy_head(shape):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return head.getvalue()


def test_an_array_that_claims_too_much_is_refused_before_it_is_allocated(tmp_path):
    (tmp_path / "big.npy").write_bytes(npy_head((10**9, 10**9, 10**9)))
    with pytest.raises(DamagedError, match="says it holds"):
        load_cube(tmp_path / "big.npy")


def test_a_scene_of_more_values_than_allowed_is_refused(tmp_path):
    with (tmp_path / "big.npy").open("wb") as sparse:
        sparse.write(npy_head((2**11, 2**11, 2**9)))
        sparse.truncate(2**34 + 128)
    with pytest.raises(LimitError, match="limit 1,073,741,824"):
        load_cube(tmp_path / "big.npy")


def test_an_npz_member_that_claims_too_much_is_damaged(tmp_path):
    with zipfile.ZipFile(tmp_path / "big.npz", "w") as packed:
        packed.writestr("cube.npy", npy_head((1000, 1000, 200)) + bytes(64))
    with pytest.raises(DamagedError, match="says it holds"):
        load_cube(tmp_path / "big.npz")


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_python_objects_are_never_unpacked(tmp_path, suffix):
    (np.save if suffix == "npy" else np.savez)(tmp_path / f"objects.{suffix}", np.array([{"a": 1}], object))
    with pytest.raises(InputError, match="pickle"):
        read_scene(tmp_path / f"objects.{suffix}")


@pytest.mark.parametrize("dtype", ["f8", "f4", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
@pytest.mark.parametrize("packed", [True, False])
def test_matlab_variables_agree_with_scipy(tmp_path, rng, dtype, packed):
    values = {"cube": (rng.random((4, 3, 5)) * 100).astype(dtype), "n": np.array([[7]], dtype), "text": "hello"}
    savemat(tmp_path / "a.mat", {**values, "cells": np.array([1, "a"], object), "z": 1j}, do_compression=packed)
    read, expected = read_mat(tmp_path / "a.mat"), loadmat(tmp_path / "a.mat")
    assert sorted(read) == ["cube", "n"]
    for name, array in read.items():
        np.testing.assert_array_equal(array, expected[name])
        assert array.dtype == expected[name].dtype


def test_no_altered_matlab_file_gets_past_its_checks(tmp_path, rng):
    savemat(tmp_path / "a.mat", {"cube": rng.random((6, 5, 4))}, do_compression=True)
    content = (tmp_path / "a.mat").read_bytes()
    for place in range(124, len(content), 3):
        altered = bytearray(content)
        altered[place] ^= 0x55
        (tmp_path / "b.mat").write_bytes(altered)
        if place not in {124, 125}:  # the version number
            with pytest.raises((DamagedError, InputError), match="b"):
                read_scene(tmp_path / "b.mat")


def test_unknown_kinds_and_missing_files_are_said(tmp_path):
    (tmp_path / "field.hdr").touch()
    with pytest.raises(UsageError, match="kind of cube"):
        load_cube(tmp_path / "field.hdr")
    with pytest.raises(InputError, match="not a file"):
        load_cube(tmp_path / "none.npy")


def test_windows_is_a_view():
    plane = np.arange(12).reshape(3, 4)
    assert windows(plane, 2)[1, 2].tolist() == [[6, 7], [10, 11]]
