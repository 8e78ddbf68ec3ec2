import numpy as np
import pytest

from narrows.data.tones import MAKERS, load_tones, simulate_tones
from narrows.errors import LimitError, UsageError

CLASSES = list(MAKERS)


@pytest.fixture(scope="module")
def long_ones():
    return simulate_tones(140, np.random.default_rng(0), seconds=1.0)


def power(sounds):
    return (sounds.astype(float) ** 2).mean(1)


@pytest.mark.parametrize("snr", [-5, 0, 20])
def test_the_noise_has_exactly_the_level_asked(snr):
    clean, noisy, _, _ = simulate_tones(70, np.random.default_rng(1), snr=snr)
    measured = 10 * np.log10(power(clean) / power(noisy - clean))
    np.testing.assert_allclose(measured, snr, atol=1e-3)


def test_a_pure_tone_peaks_at_its_frequency(long_ones):
    clean, _, labels, frequencies = long_ones
    pure = labels == CLASSES.index("pure tone")
    peak = np.abs(np.fft.rfft(clean[pure])).argmax(1)
    np.testing.assert_allclose(peak, frequencies[pure], atol=0.51)


def test_a_chord_has_its_root_third_and_fifth(long_ones):
    clean, _, labels, frequencies = long_ones
    three = labels == CLASSES.index("chord")
    spectrum = np.abs(np.fft.rfft(clean[three] * np.hanning(8000)))
    peaks = np.round(frequencies[three][:, None] * [1, 1.25, 1.5]).astype(int)
    near = max(spectrum[0, peaks[0] + shift].min() for shift in (-1, 0, 1))
    assert near > 20 * np.median(spectrum[0])
    inside = sum(np.take_along_axis(spectrum, peaks + shift, 1).sum(1) for shift in (-2, -1, 0, 1, 2))
    assert (inside > 0.9 * spectrum.sum(1)).all()


def test_a_sweep_passes_its_frequency_in_the_middle(long_ones):
    clean, _, labels, frequencies = long_ones
    rising = labels == CLASSES.index("sweep")
    middle = clean[rising][:, 3200:4800] * np.hanning(1600)
    peak = np.abs(np.fft.rfft(middle, 8000)).argmax(1)
    np.testing.assert_allclose(peak, frequencies[rising], rtol=0.1)


def test_clicks_come_as_often_as_said(long_ones):
    clean, _, labels, frequencies = long_ones
    beats = clean[labels == CLASSES.index("clicks")]
    count = (np.diff(beats, axis=1) > 0.3 * beats.max(1, keepdims=True)).sum(1)
    np.testing.assert_allclose(count, frequencies[labels == CLASSES.index("clicks")], atol=1.5)


def test_white_noise_is_flat_and_pink_noise_falls_three_decibels_an_octave(long_ones):
    clean, _, labels, _ = long_ones
    slopes = []
    for name in ("white noise", "pink noise"):
        spectrum = (np.abs(np.fft.rfft(clean[labels == CLASSES.index(name)])) ** 2).mean(0)
        octaves = [spectrum[2**k : 2 ** (k + 1)].mean() for k in range(4, 11)]
        slopes.append(np.polyfit(range(7), 10 * np.log10(octaves), 1)[0])
    assert slopes[0] == pytest.approx(0, abs=0.5)
    assert slopes[1] == pytest.approx(-3, abs=0.5)


def test_a_tremolo_swings_and_a_tone_does_not(long_ones):
    clean, _, labels, _ = long_ones
    loudness = np.abs(clean).reshape(len(clean), -1, 16).max(2)
    swing = loudness.std(1) / loudness.mean(1)
    assert swing[labels == CLASSES.index("tremolo")].min() > 2 * swing[labels == CLASSES.index("chord")].min()


def test_only_noises_have_no_frequency(long_ones):
    _, _, labels, frequencies = long_ones
    noise = np.isin(labels, [CLASSES.index("white noise"), CLASSES.index("pink noise")])
    np.testing.assert_array_equal(np.isnan(frequencies), noise)


def test_all_sounds_fit_and_the_seed_decides():
    first, again = (simulate_tones(70, np.random.default_rng(3), snr=-10)[:2] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first).max() <= 1


def test_load_gives_series_with_their_frequency():
    splits = load_tones(count=210)
    assert (splits.layout.kind, splits.layout.shape, splits.layout.rate) == ("series", (1, 256), 8000)
    assert splits.train.x.dtype == np.float32
    assert (splits.test.where[splits.test.y == 4] == "no pitch").all()
    assert all(text.endswith(" Hz") for text in splits.test.where[splits.test.y == 0])
    assert (np.bincount(splits.test.y) == 6).all()


def test_views_and_windows():
    clean, noisy = load_tones(count=70, window=64), load_tones(count=70, window=64, view="noisy")
    assert clean.layout.shape == (1, 64)
    assert 0 < np.abs(noisy.train.x - clean.train.x).max() < 0.5
    with pytest.raises(UsageError, match="clean, noisy"):
        load_tones(view="frames")


@pytest.mark.parametrize("wrong", [(0, 8000, 1.0), (5, 4000, 1.0), (5, 8000, 0.0), (5, 8000, float("nan"))])
def test_impossible_settings_are_refused(wrong):
    count, rate, seconds = wrong
    with pytest.raises(UsageError, match="at least"):
        simulate_tones(count, np.random.default_rng(0), rate, seconds)


def test_too_much_is_refused():
    with pytest.raises(LimitError, match="limit"):
        simulate_tones(10**6, np.random.default_rng(0), seconds=10)
