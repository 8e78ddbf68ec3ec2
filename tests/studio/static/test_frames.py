"""The page reads the bytes that the trainer writes."""

import struct

import numpy as np
import pytest

from narrows.studio import frames

READ = 'const { unpack, placed } = await import("narrows/state/frames"); const frame = unpack(bytes.buffer);'


def bytes_of(frame):
    return np.frombuffer(frame, np.uint8)


def test_points_come_back_within_a_step_of_the_grid(lab):
    rng = np.random.default_rng(0)
    xy = rng.normal(size=(100, 2)).astype("f4")
    low, high = xy.min(0), xy.max(0)
    packed = np.round((xy - low) / (high - low) * 65535).astype("<u2")
    payload = np.concatenate([low, high]).astype("<f4").tobytes() + packed.tobytes()
    frame = frames.pack(frames.POINTS, 7, 100, 1 | 1 << 8, payload, slot=2)
    found = lab(
        READ + " const { xy: _, bounds: __, ...head } = frame; return { head, xy: placed(frame) };",
        bytes=bytes_of(frame),
    )
    assert found["head"] == {"kind": "points", "slot": 2, "step": 7, "count": 100, "all": True, "projection": "pca"}
    assert np.abs(found["xy"].reshape(-1, 2) - xy).max() <= (high - low).max() / 65535


def test_weights_and_tiles(lab):
    weights = np.arange(5, dtype="<f2")
    found = lab(READ + " return frame.values;", bytes=bytes_of(frames.pack(frames.WEIGHTS, 1, 5, 0, weights.tobytes())))
    assert found.tobytes()[:10] == weights.tobytes()
    tiles = np.arange(6, dtype="u1")
    body = READ + " return { bytes: frame.bytes, count: frame.count, values: frame.values };"
    found = lab(body, bytes=bytes_of(frames.pack(frames.TILES, 1, 2, 3, tiles.tobytes())))
    assert (found["count"], found["values"], found["bytes"].tolist()) == (2, 3, tiles.tolist())


def test_frames_one_after_the_other(lab):
    parts = [frames.pack(frames.TILES, n, 1, n + 1, bytes(n + 1)) for n in range(3)]
    whole = b"".join(struct.pack("<I", len(part)) + part for part in parts)
    body = (
        'const { unpackAll } = await import("narrows/state/frames");'
        "return unpackAll(bytes.buffer).map(({ step, values }) => [step, values]);"
    )
    assert lab(body, bytes=bytes_of(whole)) == [[0, 1], [1, 2], [2, 3]]


@pytest.mark.parametrize("damage", [b"", b"N", b"X" * 32, b"N\x02" + bytes(30), b"N\x01\x09" + bytes(29)])
def test_what_is_no_frame_is_refused(lab, damage):
    body = (
        'const { unpack } = await import("narrows/state/frames");'
        'try { unpack(bytes.buffer); return "read"; } catch (e) { return e.name; }'
    )
    assert lab(body, bytes=bytes_of(damage)) == "RangeError"


def test_a_run_takes_news_in_any_order(lab):
    body = """
      const { Run } = await import("narrows/state/run");
      const run = new Run("abc");
      const judged = [{ epoch: 1, train: { loss: 2 }, valid: { loss: 1 } }];
      run.hear({ state: "running", step: 2, curve: { step: [1, 2], loss: [4, 3] }, judged });
      run.hear({ step: 3, curve: { step: [2, 3], loss: [3, 2] }, snapshots: [{ step: 0 }, { step: 3 }] });
      const [{ valid }, snaps] = [run.epochs.value[0], run.snapshots.value.length];
      const before = { curve: run.curve.value, info: run.info.value.step, valid, snaps };
      run.hear({ dropped: [0] });
      const left = run.snapshots.value.map(({ step }) => step);
      run.hear({ fresh: true, curve: { step: [1], loss: [9] } });
      return { ...before, left, after: run.curve.value, epochs: run.epochs.value.length };
    """
    found = lab(body)
    assert found["curve"] == {"step": [1, 2, 3], "loss": [4, 3, 2]}
    assert (found["info"], found["valid"], found["snaps"], found["left"]) == (3, 1, 2, [3])
    assert (found["after"], found["epochs"]) == ({"step": [1], "loss": [9]}, 0)


def test_only_the_frame_of_a_snapshot_is_shown_while_one_looks_at_it(lab):
    tiles = [bytes_of(frames.pack(frames.TILES, step, 1, 1, bytes([step]))) for step in (1, 2)]
    body = """
      const { Run } = await import("narrows/state/run");
      const { unpack } = await import("narrows/state/frames");
      const run = new Run("abc");
      run.take(unpack(first.buffer));
      run.scrubbed.value = 1;
      run.take(unpack(second.buffer));
      const seen = run.tiles.value.step;
      await run.scrub(null);
      return [seen, run.tiles.value.step];
    """
    assert lab(body, first=tiles[0], second=tiles[1]) == [1, 2]


def test_the_page_asks_for_no_more_objects_than_are_answered(lab):
    from narrows.studio.routes.numbers import OBJECTS_BYTES

    body = 'const { chunkOf } = await import("narrows/state/run"); return sizes.map(chunkOf);'
    sizes = [64, 784, 3 * 256 * 256, 50_000_000]
    chunks = lab(body, sizes=sizes)
    assert chunks == [250, 250, 42, 1]
    assert all(chunk == 1 or chunk * size * 2 <= OBJECTS_BYTES for chunk, size in zip(chunks, sizes, strict=True))


def test_the_page_says_where_data_outside_lie(lab):
    body = 'const { describe } = await import("narrows/page/bar"); return describe(info, "table", false, null).rest;'
    assert lab(body, info={"state": "done", "step": 3, "outside": "/home/ann/mine.csv"}) == (
        "step 3 · its data lie outside and are read from /home/ann/mine.csv"
    )
    assert lab(body, info={"state": "done", "step": 3, "outside": None}) == "step 3"
