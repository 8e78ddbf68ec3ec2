"""How fast odd rows are found: fitting and scoring arrays, a Parquet file from end to end, memory, and a cold start.

    python benchmarks/odd_speed.py
    python benchmarks/odd_speed.py --peers peers/bin/python      PyOD's autoencoder too, from the Python that has it
    python benchmarks/odd_speed.py --rows 100000 --rounds 3      less of it

Made-up rows of 29 dependent columns, one with a long tail; the second table has 5 columns of words more, and a tenth of
its cells is missing. All is measured in turns, in processes of their own where memory is, and told as the minimum and
the median of the rounds. What is timed is what `narrows detect` does: with scores, p-values, alarms, what is to blame
for them, the watch over drift, and the table written. How fast networks of one shape are trained beside PyOD, Keras and
scikit-learn is in `benchmarks/speed.py --work stack`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import odd
from peers.parent import search_path

COLUMNS, WORDS, LEVELS = 29, 5, 20
MEASURE = """
import re, sys, time
from pathlib import Path
from narrows.data.frames import open_table, write_table
from narrows.detect.model import TableModel
from narrows.detect.table import with_model
begin = time.perf_counter()
found = with_model(open_table(Path(sys.argv[1])), TableModel.from_files(sys.argv[2]))
rows = write_table(Path(sys.argv[3]), found.rows(), replace=True)
found.report(peers=False)
seconds = time.perf_counter() - begin
# What getrusage says is never less than what the parent had when it forked.
kibibytes = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(rows, seconds, int(kibibytes) / 1024)
"""
PYOD = """
import sys, time
import numpy as np
from pyod.models.auto_encoder import AutoEncoder
x = np.load(sys.argv[1])
begin = time.perf_counter()
detector = AutoEncoder(epoch_num=1, batch_size=256, hidden_neuron_list=[16, 8], verbose=0, preprocessing=False).fit(x)
fitted = time.perf_counter()
detector.decision_function(x[:20_000])
print(fitted - begin, time.perf_counter() - fitted)
"""


def made(rows: int, seed: int) -> np.ndarray:
    """Rows (N, 29), float32."""
    mixing = np.eye(COLUMNS) + np.random.default_rng(0).normal(size=(COLUMNS, COLUMNS)) / 5
    x = np.random.default_rng(seed).normal(size=(rows, COLUMNS)) @ mixing
    x[:, -1] = 30 * np.exp(x[:, -1])
    return x.astype(np.float32)


def write(path: Path, rows: int, seed: int, *, mixed: bool) -> Path:
    """A table of such rows, with words and missing cells or without."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    rng, columns = np.random.default_rng(seed), {}
    for place, values in enumerate(made(rows, seed).T):
        missing = rng.random(rows) < 0.1 if mixed else np.zeros(rows, bool)
        columns[f"v{place}"] = pa.array(values, mask=missing)
    for place in range(WORDS if mixed else 0):
        words = np.array([f"level {level}" for level in range(LEVELS)])
        columns[f"w{place}"] = pa.array(
            words[rng.geometric(0.2, rows).clip(max=LEVELS) - 1], mask=rng.random(rows) < 0.1
        )
    table = pa.table(columns)
    if path.suffix == ".csv":
        csv.write_csv(table, path)
    else:
        parquet.write_table(table, path)
    return path


def in_turns(works: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each work gives, round by round."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work())
    return found


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def child(python: str, program: str, *arguments: Path) -> list[float]:
    """The numbers that a program prints, run in a process of its own."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(search_path()), "GOMP_SPINCOUNT": "1000"}
    words = [python, "-c", program, *map(str, arguments)]
    return [
        float(part)
        for part in subprocess.run(words, env=env, check=True, capture_output=True, text=True).stdout.split()
    ]


def arrays(rows: int, rounds: int, folder: Path, peers: str | None) -> None:
    """Fitting and scoring arrays, the classical methods beside."""
    from narrows.detect import Detector

    x = made(rows, 1)
    fitted: dict[str, odd.Scorer] = {}

    def narrows() -> None:
        fitted["narrows"] = Detector.fit(x).score

    methods = {"narrows": narrows}
    for name in ("Isolation Forest", "kNN", "PCA", "ECOD"):
        some = x[:20_000] if name in {"kNN", "ECOD"} else x
        methods[name] = lambda name=name, some=some: fitted.update({name: odd.METHODS[name](some, 0)})
    fits = in_turns({name: lambda work=work: timed(work) for name, work in methods.items()}, rounds)
    scored = {name: x if name in {"narrows", "PCA"} else x[:20_000] for name in methods}
    scores = in_turns(
        {name: lambda name=name: timed(lambda: fitted[name](scored[name])) / len(scored[name]) for name in methods},
        rounds,
    )
    if peers:
        np.save(folder / "x.npy", x)
        both = [child(peers, PYOD, folder / "x.npy") for _ in range(rounds)]
        fits["PyOD AutoEncoder, 1 epoch"] = [fit for fit, _ in both]
        scores["PyOD AutoEncoder, 1 epoch"] = [score / 20_000 for _, score in both]
    print(f"\n{rows:,} x {COLUMNS} float32; kNN and ECOD are fitted on 20,000 of them\n")
    print("| | fit, s: min | median | rows/s scored: best | median |\n|---|---|---|---|---|")
    for name, seconds in fits.items():
        best, usual = 1 / min(scores[name]), 1 / median(scores[name])
        print(f"| {name} | {min(seconds):.2f} | {median(seconds):.2f} | {best:,.0f} | {usual:,.0f} |")


def tables(rows: int, rounds: int, folder: Path) -> None:
    """A Parquet file from end to end, numbers alone and mixed, and what memory it takes at ten times the rows."""
    from narrows.data.frames import open_table
    from narrows.detect.learn import learn

    print("\n| Parquet, from end to end | rows | rows/s: best | median | largest memory, MiB |\n|---|---|---|---|---|")
    for mixed in (False, True):
        name = f"{COLUMNS} numbers" + (f", {WORDS} of words, a tenth of the cells missing" if mixed else "")
        model = folder / f"model-{mixed}"
        learn(open_table(write(folder / "fit.parquet", 20_000, 0, mixed=mixed))).model.to_files(model)
        for count in (rows // 10, rows):
            path = write(folder / "new.parquet", count, 1, mixed=mixed)
            runs = [child(sys.executable, MEASURE, path, model, folder / "out.parquet") for _ in range(rounds)]
            rates = [count / seconds for _, seconds, _ in runs]
            memory = max(run[2] for run in runs)
            print(f"| {name} | {count:,} | {max(rates):,.0f} | {median(rates):,.0f} | {memory:,.0f} |")


def cold(rounds: int, folder: Path) -> None:
    """`narrows detect` on a CSV file of 10,000 rows, from the start of the process to its end."""
    path, model = write(folder / "new.csv", 10_000, 1, mixed=False), folder / "model-False"
    words = [sys.executable, "-m", "narrows", "detect", str(path), "--model", str(model), "--force", "--json"]
    words += ["--out", str(folder / "out.csv"), "--report", str(folder / "out.html")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(search_path())}
    seconds = [
        timed(lambda: subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)) for _ in range(rounds)
    ]
    print(f"\nCSV of 10,000 rows, a cold start: {min(seconds):.2f} s at best, {median(seconds):.2f} median")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=284_807)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", help="the Python that has PyOD")
    options = parser.parse_args()
    print(json.dumps({"cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0]}))
    with TemporaryDirectory() as name:
        arrays(options.rows, options.rounds, Path(name), options.peers)
        tables(max(options.rows, 100_000) * 3, options.rounds, Path(name))
        cold(options.rounds, Path(name))


if __name__ == "__main__":
    main()
