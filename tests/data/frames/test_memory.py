"""Memory: ten times the rows take no more of it, whatever is done with them."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from pyarrow import parquet

WORK = """
import resource, sys
from narrows.data.frames import source
source.BLOCK = 1 << 18  # so that the small file, too, is many blocks
from narrows.data.frames import History, Schema, open_table, write_table
table = open_table(sys.argv[1])
history = History.learn(table, customer="card", time="second", amount="amount")
schema = Schema.fit(history.over(table))
scored = ((batch, {"score": schema.features(batch)[:, 0]}) for batch in history.over(table))
print(write_table(sys.argv[2], scored), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


def write(path, count):
    """Payments of 500 cards, 100,000 at a time."""
    rng, writer = np.random.default_rng(0), None
    for start in range(0, count, 100_000):
        size = min(100_000, count - start)
        cards = pa.array([f"card {number}" for number in range(500)]).take(pa.array(rng.integers(0, 500, size)))
        batch = pa.table({"card": cards, "second": np.arange(start, start + size), "amount": rng.lognormal(3, 1, size)})
        if writer is None:
            make = parquet.ParquetWriter if path.suffix == ".parquet" else pyarrow.csv.CSVWriter
            writer = make(path, batch.schema)
        writer.write_table(batch)
    writer.close()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_ten_times_the_rows_take_no_more_memory(tmp_path, suffix):
    peaks = []
    for count in (250_000, 2_500_000):
        path = tmp_path / f"{count}{suffix}"
        write(path, count)
        command = [sys.executable, "-c", WORK, str(path), str(tmp_path / f"out{count}{suffix}")]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        done, peak = map(int, answer.stdout.split())
        assert done == count
        peaks.append(peak)
    print("peaks in MiB", peaks)
    assert peaks[1] < 1.25 * peaks[0] + 32
