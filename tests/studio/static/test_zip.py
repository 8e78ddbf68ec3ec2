"""Many dropped files become a zip that Python's own reader opens."""

import io
import zipfile

import numpy as np


def test_python_reads_the_zip(lab):
    body = """
      const { zipped } = await import("narrows/page/zip");
      const files = [new File([data], "one.png"), new File(["words"], "zwei ü.txt"), new File([], "empty")];
      return new Uint8Array(await (await zipped(files)).arrayBuffer());
    """
    data = np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)
    archive = zipfile.ZipFile(io.BytesIO(lab(body, data=data).tobytes()))
    assert archive.testzip() is None
    assert archive.namelist() == ["one.png", "zwei ü.txt", "empty"]
    assert archive.read("one.png") == data.tobytes()
    assert archive.read("zwei ü.txt") == b"words"
