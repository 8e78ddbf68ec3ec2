import struct
import sys

import numpy as np
import pytest
from scipy.io import wavfile
from scipy.signal import get_window

from narrows.data.sounds import CEILING, FLOOR, levels, load_sounds, read_sounds
from narrows.data.wav import read_wav
from narrows.errors import DamagedError, EnvironmentProblem, InputError, LimitError, ModelError, UsageError
from narrows.types import Layout


def sung(path, frequency=440.0, seconds=0.5, rate=8000, phase=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate + phase)
    wavfile.write(path, rate, (sound * 32767).astype(np.int16))
    return path


@pytest.fixture
def choir(tmp_path):
    for number in range(10):
        sung(tmp_path / "choir" / "low" / f"{number}.wav", 200 + 7 * number)
        sung(tmp_path / "choir" / "high" / f"{number}.wav", 2000 + 31 * number)
    return tmp_path / "choir"


def names(split):
    return {text.split(" at ")[0] for text in split.where}


def test_levels_agree_with_scipy(rng):
    from scipy.signal import ShortTimeFFT

    sound = rng.uniform(-0.5, 0.5, 4096)
    window = get_window("hann", 256)
    spectrum = np.abs(ShortTimeFFT(window, 128, 8000).stft(sound, p0=1, p1=32)) * 2 / window.sum()
    np.testing.assert_allclose(levels(sound, 256), 20 * np.log10(spectrum.T), atol=1e-3)


def test_silence_is_the_floor_and_the_loudest_is_below_the_ceiling():
    assert (levels(np.zeros(1000), 128) == FLOOR).all()
    assert levels(np.ones(1000), 128).max() == pytest.approx(6.02, abs=0.01)
    assert levels(1000 * np.ones(1000), 128).max() == pytest.approx(CEILING)


def test_a_sound_shorter_than_a_frame_is_one_frame():
    assert levels(np.ones(10), 64).shape == (1, 33)


def test_a_folder_gives_frames_with_classes_and_frequencies(choir):
    splits = load_sounds(choir, window=256)
    layout = splits.layout
    assert (layout.kind, layout.shape, layout.rate, layout.units) == ("sound", (129,), 8000, "dB")
    assert layout.classes == ("high", "low")
    assert layout.columns[:3] == ("0 Hz", "31 Hz", "62 Hz")
    loudest = splits.test.x.mean(0, where=(splits.test.y == 1)[:, None]).argmax() * 8000 / 256
    assert 180 < loudest < 280


def test_all_frames_of_a_file_are_on_one_side(choir):
    splits = load_sounds(choir)
    sides = [names(part) for part in (splits.train, splits.valid, splits.test)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 20
    assert [len(side) for side in sides] == [14, 2, 4]


def test_patches_are_frames_side_by_side(choir):
    frames, patches = load_sounds(choir, seed=1), load_sounds(choir, seed=1, side=4)
    assert patches.layout.shape == (1, 257, 4)
    assert patches.layout.view == "patches"
    at = patches.test.where[0]
    first = np.flatnonzero(frames.test.where == at)[0]
    np.testing.assert_array_equal(patches.test.x[0, 0].T, frames.test.x[first : first + 4])


def test_the_last_patch_is_filled_up_with_silence(choir):
    patches = load_sounds(choir, view="patches")
    assert patches.test.x.shape[1:] == (1, 257, 32)
    assert (patches.test.x[0, 0, :, -1] == FLOOR).all()


def test_where_tells_the_file_and_the_time(choir):
    read = read_sounds(choir, like=load_sounds(choir, window=256).layout)
    assert read.where[:2].tolist() == ["high/0.wav at 0.00 s", "high/0.wav at 0.02 s"]
    assert np.unique(read.y, return_counts=True)[1].tolist() == [300, 300]


def test_a_single_sound_is_parted_in_time_with_a_gap(tmp_path, rng):
    wavfile.write(tmp_path / "one.wav", 8000, (rng.uniform(-1, 1, 40_000) * 20_000).astype(np.int16))
    splits = load_sounds(tmp_path / "one.wav", window=400)
    last, *begins = (
        [float(text.split()[-2]) for text in part.where] for part in (splits.train, splits.valid, splits.test)
    )
    assert max(last) + 400 / 8000 <= 3.5 < min(begins[0])
    assert max(begins[0]) + 400 / 8000 <= 4.0 < min(begins[1])
    assert splits.train.y is None


def test_silent_frames_do_not_straddle(choir):
    for number in range(10):
        sung(choir / "low" / f"quiet {number}.wav", frequency=0)
    splits = load_sounds(choir)
    train = {row.tobytes() for row in splits.train.x}
    assert not any(row.tobytes() in train for part in (splits.valid, splits.test) for row in part.x)
    assert any("silence" in note for note in splits.notes)


def test_other_rates_are_brought_to_the_commonest(choir):
    pytest.importorskip("soxr")
    sung(choir / "low" / "odd.wav", 300, seconds=1, rate=22050)
    splits = load_sounds(choir, window=256)
    read = read_sounds(choir / "low" / "odd.wav", like=splits.layout)
    assert splits.layout.rate == 8000
    assert "1 sounds of another rate" in splits.notes[0]
    assert abs(read.x[5].argmax() * 8000 / 256 - 300) < 32


def test_a_missing_package_is_named(choir, monkeypatch):
    sung(choir / "low" / "odd.wav", 300, rate=22050)
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(EnvironmentProblem, match=r"narrows\[sound\]"):
        load_sounds(choir)


def test_real_flac_files(real):
    pytest.importorskip("soundfile")
    folder = real("speech/cmu_arctic")
    splits = load_sounds(folder)
    assert splits.layout.rate == 16000
    assert (splits.train.x >= FLOOR).all()
    assert not names(splits.train) & names(splits.test)


def test_flac_and_wav_of_one_sound_agree(tmp_path, rng):
    soundfile = pytest.importorskip("soundfile")
    samples = (rng.uniform(-1, 1, (4000, 2)) * 30_000).astype(np.int16)
    soundfile.write(tmp_path / "a.flac", samples, 8000)
    wavfile.write(tmp_path / "b.wav", 8000, samples)
    like = Layout("any", "sound", (129,), rate=8000, view="frames")
    a, b = (read_sounds(tmp_path / name, like=like).x for name in ("a.flac", "b.wav"))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8"])
def test_wav_agrees_with_scipy(tmp_path, rng, dtype):
    sound = rng.uniform(-1, 1, (500, 3))
    kinds = {"u1": (sound + 1) * 127, "i2": sound * 32767, "i4": sound * (2**31 - 1)}
    stored = kinds.get(dtype, sound).astype(dtype)
    wavfile.write(tmp_path / "a.wav", 12345, stored)
    read, rate = read_wav(tmp_path / "a.wav")
    scale = {"u1": 128, "i2": 2**15, "i4": 2**31}.get(dtype, 1)
    np.testing.assert_allclose(read, (stored.astype(float) - 128 * (dtype == "u1")) / scale, atol=1e-7)
    assert rate == 12345


def test_wav_of_24_bits(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", np.array([0.5, -0.25, -1.0]), 8000, subtype="PCM_24")
    assert read_wav(tmp_path / "a.wav")[0].ravel().tolist() == [0.5, -0.25, -1.0]


def changed(path, at, form, value):
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, at, value)
    path.write_bytes(content)
    return path


def test_a_header_that_claims_too_much_is_damaged(tmp_path):
    with pytest.raises(DamagedError, match="claims 2,000,000,000 bytes of sound and has 8,000"):
        read_wav(changed(sung(tmp_path / "a.wav"), 40, "<I", 2_000_000_000))


def test_a_length_not_known_yet_means_to_the_end(tmp_path):
    assert len(read_wav(changed(sung(tmp_path / "a.wav"), 40, "<I", 0xFFFFFFFF))[0]) == 4000


@pytest.mark.parametrize(("at", "form", "value"), [(20, "<H", 2), (34, "<H", 12), (20, "<H", 85)])
def test_compressed_wav_is_refused(tmp_path, at, form, value):
    with pytest.raises(InputError, match="kind"):
        read_wav(changed(sung(tmp_path / "a.wav"), at, form, value))


@pytest.mark.parametrize(("at", "form", "value"), [(22, "<H", 0), (24, "<I", 0), (24, "<I", 2**31), (16, "<I", 10**9)])
def test_impossible_formats_are_damaged(tmp_path, at, form, value):
    with pytest.raises(DamagedError, match="claims"):
        read_wav(changed(sung(tmp_path / "a.wav"), at, form, value))


@pytest.mark.parametrize("kept", [0, 10, 30, 44, 4000])
def test_a_cut_wav_is_damaged(tmp_path, kept):
    path = sung(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedError, match=r"a\.wav"):
        read_wav(path)


def test_a_wav_too_long_is_refused_before_it_is_read(tmp_path):
    path = changed(sung(tmp_path / "a.wav"), 40, "<I", 2**30)
    with path.open("r+b") as sparse:
        sparse.truncate(2**30 + 44)
    with pytest.raises(LimitError, match="limit 268,435,456"):
        read_wav(path)


def test_a_cut_flac_is_damaged(tmp_path, rng):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.flac", rng.uniform(-0.5, 0.5, 20_000), 8000)
    (tmp_path / "a.flac").write_bytes((tmp_path / "a.flac").read_bytes()[:3000])
    with pytest.raises(DamagedError, match=r"a\.flac"):
        load_sounds(tmp_path / "a.flac")


def test_a_sample_that_is_no_number_is_refused(tmp_path):
    wavfile.write(tmp_path / "a.wav", 8000, np.array([0.1, np.nan, 0.2], np.float32))
    with pytest.raises(InputError, match="sample 1 is no number"):
        load_sounds(tmp_path / "a.wav")


def test_an_empty_folder_and_too_little_sound_are_said(tmp_path):
    with pytest.raises(InputError, match="no sounds"):
        load_sounds(tmp_path)
    with pytest.raises(InputError, match="objects to train"):
        load_sounds(sung(tmp_path / "a.wav", seconds=0.1))
    wavfile.write(tmp_path / "none.wav", 8000, np.zeros(0, np.int16))
    with pytest.raises(InputError, match="no samples"):
        load_sounds(tmp_path / "none.wav")


def test_links_that_lead_out_are_not_followed(choir, tmp_path):
    (choir / "low" / "link.wav").symlink_to(sung(tmp_path / "elsewhere.wav"))
    splits = load_sounds(choir)
    assert not any("link" in text for part in (splits.train, splits.valid, splits.test) for text in part.where)


def test_impossible_settings_are_usage_errors(choir):
    with pytest.raises(UsageError, match="even number"):
        load_sounds(choir, window=255)
    with pytest.raises(UsageError, match="Did you mean 'frames'"):
        load_sounds(choir, view="frame")
    with pytest.raises(UsageError, match="view=patches"):
        load_sounds(choir, view="frames", side=4)


def test_reading_needs_a_model_of_sounds(choir):
    with pytest.raises(ModelError, match="knows tables"):
        read_sounds(choir, like=Layout("t", "table", (3,)))
