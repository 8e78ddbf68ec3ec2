import numpy as np
import pytest

from narrows.data.columns import read_columns
from narrows.data.series import load_series, load_ucr, read_series
from narrows.data.ucr import BEATS
from narrows.errors import DamagedError, InputError, ModelError, UsageError


def archive(tmp_path, rng, name="ECG200", sign="\t", suffix=".tsv", labels=("-1", "1"), length=12):
    """Both halves of a set in the archive's own layout; 20 training and 10 test series."""
    halves = {"TRAIN": rng.normal(size=(20, length)), "TEST": rng.normal(size=(10, length))}
    for half, x in halves.items():
        rows = (sign.join([labels[i % len(labels)], *map(repr, row.tolist())]) for i, row in enumerate(x))
        (tmp_path / f"{name}_{half}{suffix}").write_text("\n".join(rows) + "\n")
    return tmp_path / f"{name}_TRAIN{suffix}", halves


def recorded(tmp_path, rng, samples=1000, name="motor.csv"):
    values = rng.normal(size=samples)
    (tmp_path / name).write_text("value\n" + "\n".join(map(repr, values.tolist())))
    return tmp_path / name, values.astype(np.float32)


def spans(split, length):
    starts = (int(text.split()[1]) for text in split.where)
    return {sample for start in starts for sample in range(start, start + length)}


def test_ecg5000_knows_normal_and_anomaly(real):
    splits = load_ucr(real("ecg5000/ecg5000.npz"), name="ecg5000")
    assert splits.layout.classes == ("normal", "anomaly")
    assert np.bincount(splits.test.y).tolist() == [2627, 1873]
    assert np.bincount(np.concatenate([splits.train.y, splits.valid.y])).tolist() == [292, 208]
    assert splits.train.x.shape == (450, 1, 140)


def test_a_class_the_head_does_not_announce_is_said(tmp_path):
    (tmp_path / "a.ts").write_text("@data\n" + "".join(f"{i},2,3:1\n" for i in range(20)))
    with pytest.raises(InputError, match=r"channels of 3 and 1 values; .* Put @classLabel true"):
        load_series(tmp_path / "a.ts")


def test_ecg200_numbers_the_normal_beats_first(real):
    splits = load_ucr(real("ucr/ECG200.npz"), name="ecg200")
    assert splits.layout.classes == ("normal", "infarction")
    assert np.bincount(splits.test.y).tolist() == [64, 36]


def test_winter_days_of_italy_peak_in_the_evening(real):
    splits = load_ucr(real("ucr/ItalyPowerDemand.npz"), name="italy-power")
    evening = [splits.test.x[splits.test.y == number, 0, 19].mean() for number in (0, 1)]
    assert splits.layout.classes == ("October to March", "April to September")
    assert evening[0] > evening[1] + 0.5


def test_five_beats_from_the_original_files(tmp_path, rng):
    labels = [f"{number:.7e}" for number in range(1, 6)]
    path, _ = archive(tmp_path, rng, "ECG5000", "  ", ".txt", labels)
    splits = load_ucr(path, name="ECG5000")
    assert splits.layout.classes == tuple(BEATS.values())
    assert splits.test.y.tolist() == [0, 1, 2, 3, 4] * 2


@pytest.mark.parametrize(("sign", "suffix"), [("\t", ".tsv"), (",", ".txt"), ("   ", ".txt"), ("\t", "")])
def test_every_spelling_of_the_archive_gives_the_same_series(tmp_path, rng, sign, suffix):
    path, halves = archive(tmp_path, rng, sign=sign, suffix=suffix)
    for source in (path, tmp_path):
        splits = load_ucr(source, name="ECG200")
        np.testing.assert_array_equal(splits.test.x[:, 0], halves["TEST"].astype(np.float32))
        assert splits.test.y.tolist() == [1, 0] * 5


def test_ts_files_with_channels_and_words_for_classes(tmp_path, rng):
    head = "# about\n@problemName two\n@univariate false\n@classLabel true stand walk\n@data\n"
    x = rng.normal(size=(12, 2, 6)).round(4)
    for half in ("TRAIN", "TEST"):
        rows = (
            ":".join([*(",".join(map(str, c)) for c in s), ("walk", "stand")[i % 2]]) for i, s in enumerate(x.tolist())
        )
        (tmp_path / f"Two_{half}.ts").write_text(head + "\n".join(rows))
    splits = load_series(tmp_path / "Two_TRAIN.ts")
    np.testing.assert_array_equal(splits.test.x, x.astype(np.float32))
    assert (splits.layout.classes, splits.test.y.tolist()) == (("stand", "walk"), [1, 0] * 6)


def test_a_single_ts_file_is_parted(tmp_path, rng):
    rows = [",".join(map(str, row)) + ":a" for row in rng.normal(size=(40, 8)).tolist()]
    (tmp_path / "one.ts").write_text("@classLabel true a\n@data\n" + "\n".join(rows))
    splits = load_series(tmp_path / "one.ts")
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (28, 4, 8)


def test_official_test_series_stay_and_training_and_validation_share_none(tmp_path, rng):
    path, halves = archive(tmp_path, rng)
    splits = load_ucr(path, name="ECG200")
    both = np.concatenate([splits.train.x, splits.valid.x])[:, 0]
    np.testing.assert_array_equal(np.sort(both[:, 0]), np.sort(halves["TRAIN"].astype(np.float32)[:, 0]))
    assert not {row.tobytes() for row in splits.train.x} & {row.tobytes() for row in splits.valid.x}


def test_reading_an_archive_half_uses_the_models_class_numbers(tmp_path, rng):
    path, halves = archive(tmp_path, rng)
    layout = load_ucr(path, name="ECG200").layout
    read = read_series(tmp_path / "ECG200_TEST.tsv", like=layout)
    np.testing.assert_array_equal(read.x[:, 0], halves["TEST"].astype(np.float32))
    assert read.y.tolist() == [1, 0] * 5


@pytest.mark.parametrize(
    ("line", "message"), [("1\t2\t3", "series 21 has 2 values, not 12"), ("1" + "\tNaN" * 12, "series 21 has no n")]
)
def test_a_bad_series_is_named(tmp_path, rng, line, message):
    path, _ = archive(tmp_path, rng)
    path.write_text(path.read_text() + line)
    with pytest.raises(InputError, match=message):
        load_ucr(path, name="ECG200")


def test_a_missing_half_and_an_empty_one_are_said(tmp_path, rng):
    path, _ = archive(tmp_path, rng)
    (tmp_path / "ECG200_TEST.tsv").write_text("\n")
    with pytest.raises(InputError, match="no series"):
        load_ucr(path, name="ECG200")
    (tmp_path / "ECG200_TEST.tsv").unlink()
    with pytest.raises(InputError, match="no ECG200_TEST"):
        load_ucr(path, name="ECG200")


def test_halves_of_different_lengths_are_refused(tmp_path, rng):
    archive(tmp_path, rng, length=9)
    test = (tmp_path / "ECG200_TEST.tsv").read_bytes()
    path, _ = archive(tmp_path, rng)
    (tmp_path / "ECG200_TEST.tsv").write_bytes(test)
    with pytest.raises(InputError, match="one shape"):
        load_ucr(path, name="ECG200")


def test_npz_without_its_arrays_or_cut_is_said(tmp_path, rng):
    np.savez(tmp_path / "set.npz", X_train=rng.normal(size=(20, 4)))
    with pytest.raises(InputError, match="X_test"):
        load_ucr(tmp_path / "set.npz", name="set")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "set.npz").read_bytes()[:200])
    with pytest.raises(DamagedError, match="cut"):
        load_ucr(tmp_path / "cut.npz", name="set")


def test_windows_of_two_sides_share_no_sample_and_keep_a_window_apart(tmp_path, rng):
    path, _ = recorded(tmp_path, rng)
    splits = load_series(path, window=20)
    train, valid, test = (spans(split, 20) for split in (splits.train, splits.valid, splits.test))
    assert min(valid) - max(train) > 20
    assert min(test) - max(valid) > 20
    assert (min(train), max(test)) == (0, 999)


def test_a_window_is_the_recording_from_its_place_on(tmp_path, rng):
    path, values = recorded(tmp_path, rng)
    splits = load_series(path, window=20)
    start = int(splits.train.where[3].split()[1])
    np.testing.assert_array_equal(splits.train.x[3, 0], values[start : start + 20])
    assert splits.layout.shape == (1, 20)


def test_the_window_is_chosen_where_none_is_given(tmp_path, rng):
    assert load_series(recorded(tmp_path, rng)[0]).layout.shape == (1, 50)
    assert load_series(recorded(tmp_path, rng, samples=4000)[0]).layout.shape == (1, 128)


def test_reading_covers_every_sample(tmp_path, rng):
    path, values = recorded(tmp_path, rng, samples=1007)
    read = read_series(path, like=load_series(path, window=20).layout)
    assert spans(read, 20) == set(range(1007))
    np.testing.assert_array_equal(read.x[-1, 0], values[-20:])


def test_columns_are_channels_times_are_places_and_a_label_marks_windows(tmp_path, rng):
    rows = [f"2024-01-01 {i // 60:02}:{i % 60:02},{i},{-i},{int(i == 505)}" for i in range(600)]
    (tmp_path / "pump.csv").write_text("time,flow,heat,fault\n" + "\n".join(rows))
    splits = load_series(tmp_path / "pump.csv", window=10, label="fault")
    marked = splits.test.take(np.flatnonzero(splits.test.y == 1))
    assert splits.layout.classes == ("0", "1")
    assert marked.x[:, 0].min(0).max() >= 505 >= marked.x[:, 0].max(1).min() - 10
    assert sorted(marked.where) == ["2024-01-01 08:20", "2024-01-01 08:25"]
    assert read_series(tmp_path / "pump.csv", like=splits.layout, label="fault").y.sum() == 2


def test_a_repeating_recording_leaves_no_equal_window_in_test(tmp_path):
    (tmp_path / "clock.txt").write_text("\n".join(str(i % 10) for i in range(400)))
    with pytest.raises(InputError, match="repeats itself"):
        load_series(tmp_path / "clock.txt", window=10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("value\n", "no numbers"),
        ("value\n3.5\n", "1 sample;"),
        ("name\nann\nbob\n", "no numbers"),
        ("v\n" + "1\n" * 30 + "nan\n" + "2\n" * 70, "no number at sample 30, and 0 more"),
        ("v\n" + "1\n" * 30 + "\n3\n", "32 samples|31 samples"),
    ],
)
def test_bad_recordings_are_said(tmp_path, text, message):
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        load_series(tmp_path / "bad.csv")


def test_a_window_too_long_says_which_fits(tmp_path, rng):
    path, _ = recorded(tmp_path, rng)
    with pytest.raises(InputError, match=r"data\.window=50"):
        load_series(path, window=51)
    with pytest.raises(UsageError, match="one of value"):
        load_series(path, label="fault")


def test_reading_refuses_other_channels_and_lengths(tmp_path, rng):
    path, _ = recorded(tmp_path, rng)
    layout = load_series(path, window=20).layout
    (tmp_path / "two.csv").write_text("\n".join("1,2" for _ in range(50)))
    (tmp_path / "short.csv").write_text("\n".join("1" for _ in range(10)))
    with pytest.raises(ModelError, match="2 channels"):
        read_series(tmp_path / "two.csv", like=layout)
    with pytest.raises(ModelError, match="at least 20"):
        read_series(tmp_path / "short.csv", like=layout)
    archive(tmp_path, rng)
    with pytest.raises(ModelError, match=r"\(1, 12\)"):
        read_series(tmp_path / "ECG200_TEST.tsv", like=layout)


def test_a_nab_recording(tmp_path, real):
    import zipfile

    name = "data/realKnownCause/ambient_temperature_system_failure.csv"
    with zipfile.ZipFile(real("nab/nab_data.zip")) as packed:
        (tmp_path / "nab.csv").write_bytes(packed.read(name))
    splits = load_series(tmp_path / "nab.csv", window=48)
    assert splits.train.where[0].startswith("201")
    assert len(read_columns(tmp_path / "nab.csv")[0]["value"]) == 7267


@pytest.mark.parametrize("rows", ["no colon\n", "a:b:c\n1:2\n", ":\n"])
def test_ts_rows_that_do_not_fit_are_said(tmp_path, rows):
    (tmp_path / "bad.ts").write_text("@classLabel true a\n@data\n" + rows)
    with pytest.raises(InputError, match=r"bad\.ts"):
        load_series(tmp_path / "bad.ts")
