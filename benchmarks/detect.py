"""How well odd rows are found: card transactions and 15 tables of ADBench, the classical methods beside the detector.

    python benchmarks/detect.py                          everything that is not yet in detect.jsonl
    python benchmarks/detect.py --task cards-all         one of cards-all, cards-normal, adbench-normal, adbench-all
    python benchmarks/detect.py --only narrows,kNN       the methods named
    python benchmarks/detect.py --seeds 1 --rows 3000    less of it
    python benchmarks/detect.py --table                  print what is there, measure nothing

Cards: 18,091 rows of the ULB set in the order of time, Time left out, log(1 + Amount); the first 60% are fitted (all
of them, or the normal ones), the last 20% judged. ADBench: tables of more than 10,000 rows are cut to as many, chosen
by the seed; half of the normal rows are fitted and all others judged, or all rows are fitted and judged. Classical
methods get standardised columns. All of these sets were looked at while the detector was designed: they are
development sets, and its figures on them are no promise for another table. Needs NARROWS_DATA.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import odd
from sklearn.metrics import average_precision_score, roc_auc_score

RESULTS = Path("detect.jsonl")
TASKS = ("cards-all", "cards-normal", "adbench-normal", "adbench-all")
ROUNDS = 200
"""Resamples of the judged rows, for the intervals."""

Parts = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Rows to fit, rows to judge, and 1 where one of these is odd."""


def data() -> Path:
    return Path(os.environ["NARROWS_DATA"])


def card_rows() -> tuple[np.ndarray, np.ndarray]:
    """The card transactions in the order of time, and 1 where one is a fraud."""
    from pyarrow import parquet

    columns = parquet.read_table(data() / "creditcard" / "creditcard_subset.parquet").to_pydict()
    order = np.argsort(columns.pop("Time"), kind="stable")
    y = np.array(columns.pop("Class"))[order]
    del columns["n_sources"]
    columns["Amount"] = np.log1p(columns["Amount"])
    return np.stack([np.asarray(values) for values in columns.values()], 1)[order], y


def cards(task: str) -> Parts:
    """The card transactions of a task."""
    x, y = card_rows()
    fitted, judged = int(0.6 * len(x)), int(0.8 * len(x))
    fit = x[:fitted] if task == "cards-all" else x[:fitted][y[:fitted] == 0]
    return fit, x[judged:], y[judged:]


def paths() -> list[Path]:
    """The tables of ADBench, by name."""
    return sorted((data() / "adbench").glob("*.npz"), key=lambda path: path.stem.split("_")[1])


def cut(path: Path, rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """One table of ADBench and its labels, so many rows at most."""
    with np.load(path) as held:
        x, y = held["X"].astype(np.float64), held["y"].astype(int)
    some = rng.permutation(len(x))[:rows] if len(x) > rows else np.arange(len(x))
    return x[some], y[some]


def adbench(path: Path, task: str, seed: int, rows: int) -> Parts:
    """One table of ADBench, cut and split by the seed."""
    rng = np.random.default_rng(seed)
    x, y = cut(path, rng, rows)
    if task == "adbench-all":
        return x, x, y
    normal = rng.permutation(np.flatnonzero(y == 0))
    fitted = normal[: len(normal) // 2]
    judged = np.setdiff1d(np.arange(len(x)), fitted)
    return x[fitted], x[judged], y[judged]


def tables(task: str, seed: int, rows: int) -> dict[str, Parts]:
    """Every table of a task by name."""
    if task.startswith("cards"):
        return {"cards": cards(task)}
    return {path.stem.split("_")[1]: adbench(path, task, seed, rows) for path in paths()}


def standardised(fit: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spread = fit.std(0)
    spread[spread < 1e-9] = 1
    return tuple(((x - fit.mean(0)) / spread).astype(np.float32) for x in (fit, new))


def measure(method: odd.Method, parts: Parts, seed: int) -> dict:
    """AUROC and average precision of a method on a table, with 95% intervals, and its seconds."""
    fit, new, y = parts
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x, z = standardised(fit, new)
        scores = np.nan_to_num(method(x, seed)(z).astype(np.float64), posinf=1e300)
    seconds, rng, resampled = time.perf_counter() - start, np.random.default_rng(0), []
    for _ in range(ROUNDS):
        i = rng.integers(len(y), size=len(y))
        if 0 < y[i].sum() < len(y):
            resampled.append((roc_auc_score(y[i], scores[i]), average_precision_score(y[i], scores[i])))
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0)
    found = {"auroc": roc_auc_score(y, scores), "ap": average_precision_score(y, scores)}
    ranges = {"auroc_range": [low[0], high[0]], "ap_range": [low[1], high[1]]}
    return found | ranges | {"rate": y.mean(), "seconds": seconds}


def known() -> list[dict]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def run(tasks: list[str], chosen: dict[str, odd.Method], seeds: int, rows: int) -> None:
    """Measure what is not yet in the results."""
    done = {(line["task"], line["table"], line["method"], line["seed"], line["rows"]) for line in known()}
    for task in tasks:
        for seed in range(seeds):
            for table, parts in tables(task, seed, rows).items():
                for name, method in chosen.items():
                    key = {"task": task, "table": table, "method": name, "seed": seed, "rows": rows}
                    if tuple(key.values()) in done:
                        continue
                    with RESULTS.open("a") as file:
                        file.write(json.dumps(key | measure(method, parts, seed)) + "\n")


def spread(values: list[float]) -> str:
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def print_cards(lines: list[dict]) -> None:
    """One row a method: mean and spread over seeds, and the interval of the first seed."""
    print(f"base rate {lines[0]['rate']:.3f}\n")
    print("| method | AUROC | 95% | AP | 95% | seeds | seconds |\n|---|---|---|---|---|---|---|")
    for name in dict.fromkeys(line["method"] for line in lines):
        mine = [line for line in lines if line["method"] == name]
        cells = []
        for figure in ("auroc", "ap"):
            low, high = mine[0][f"{figure}_range"]
            cells += [spread([line[figure] for line in mine]), f"{low:.3f} to {high:.3f}"]
        print(f"| {name} | {' | '.join(cells)} | {len(mine)} | {mean(line['seconds'] for line in mine):.1f} |")


def print_adbench(lines: list[dict]) -> None:
    """One row a method: the mean AUROC over tables, its spread over seeds, and each table."""
    names = list(dict.fromkeys(line["table"] for line in lines))
    rates = {name: next(line["rate"] for line in lines if line["table"] == name) for name in names}
    print("| method | mean AUROC | mean AP | " + " | ".join(f"{name} {rates[name]:.3f}" for name in names) + " |")
    print("|---" * (len(names) + 3) + "|")
    for method in dict.fromkeys(line["method"] for line in lines):
        mine = [line for line in lines if line["method"] == method]
        seeds = [[line for line in mine if line["seed"] == seed] for seed in {line["seed"] for line in mine}]
        whole = [seed for seed in seeds if len(seed) == len(names)]
        if not whole:
            continue
        figures = [spread([mean(line[figure] for line in seed) for seed in whole]) for figure in ("auroc", "ap")]
        each = [f"{mean(line['auroc'] for line in mine if line['table'] == name):.3f}" for name in names]
        print(f"| {method} | {' | '.join(figures + each)} |")


def print_tables() -> None:
    for task in TASKS:
        for rows in sorted({line["rows"] for line in known() if line["task"] == task}):
            lines = [line for line in known() if line["task"] == task and line["rows"] == rows]
            print(f"\n## {task}" + ("" if task.startswith("cards") else f", tables of at most {rows:,} rows"))
            print("Development sets: the detector was chosen on them.")
            (print_cards if task.startswith("cards") else print_adbench)(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=TASKS)
    parser.add_argument("--only", help="methods, with commas between")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if not options.table:
        found = odd.methods()
        chosen = {name: found[name] for name in options.only.split(",")} if options.only else found
        run([options.task] if options.task else list(TASKS), chosen, options.seeds, options.rows)
    print_tables()


if __name__ == "__main__":
    main()
