"""Tables as streams: rows a second and peak memory from a file to features, on made-up rows.

    python benchmarks/frames.py           2 million rows of 29 numbers, and mixed ones; takes a minute

The second table has 5 columns of categories and a gap in a tenth of its cells. Times are of the clock and of the
processor: on a machine that does other things as well, only the second says something.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from narrows.data.frames import Schema, open_table

COLUMNS, WORDS, GAPS = 29, 5, 0.1


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=2_000_000)
    chosen = options.parse_args()
    print(f"{'table':<24}{'work':<14}{'rows/s':>12}{'rows/s of processor':>22}")
    with tempfile.TemporaryDirectory() as folder:
        for name, mixed, suffix, rows in (
            ("numbers, Parquet", False, "parquet", chosen.rows),
            ("mixed, Parquet", True, "parquet", chosen.rows),
            ("numbers, CSV", False, "csv", chosen.rows // 10),
        ):
            path = Path(folder) / f"table.{suffix}"
            make(path, rows, mixed)
            measure(name, path, rows)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def make(path: Path, rows: int, mixed: bool) -> None:
    """Rows in parts, so that making them is not what fills the memory."""
    rng, writer = np.random.default_rng(0), None
    for start in range(0, rows, 200_000):
        size = min(200_000, rows - start)
        table = {f"V{place}": rng.normal(size=size) for place in range(COLUMNS - WORDS * mixed)}
        if mixed:
            table |= {f"C{place}": rng.choice(["GB", "FR", "DE", "RU"], size) for place in range(WORDS)}
        gaps = [rng.random(size) < GAPS * mixed for _ in table]
        batch = pa.table(
            {key: pa.array(column, mask=gap) for (key, column), gap in zip(table.items(), gaps, strict=True)}
        )
        writer = writer or (parquet.ParquetWriter if path.suffix == ".parquet" else csv.CSVWriter)(path, batch.schema)
        writer.write_table(batch)
    assert writer is not None
    writer.close()


def measure(name: str, path: Path, rows: int) -> None:
    table = open_table(path)
    schema = Schema.fit(table)

    def features() -> None:
        for batch in table:
            schema.features(batch)

    for work, function in (
        ("read", lambda: [None for _ in table]),
        ("fit", lambda: Schema.fit(table)),
        ("to features", features),
    ):
        clock, processor = time.perf_counter(), time.process_time()
        function()
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        print(f"{name:<24}{work:<14}{rows / clock:>12,.0f}{rows / processor:>22,.0f}", flush=True)


if __name__ == "__main__":
    main()
