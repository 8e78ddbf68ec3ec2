"""How well odd rows are found in tables of words, numbers and gaps; the classical methods on one-hot features.

    python benchmarks/mixed.py                            everything that is not yet in mixed.jsonl
    python benchmarks/mixed.py --part held-out            the tables that no choice was made on
    python benchmarks/mixed.py --only narrows,kNN --seeds 1 --rows 3000
    python benchmarks/mixed.py --table                    print what is there, measure nothing

The tables are made from ADBench by one rule and a seed: at most 30 columns and `--rows` rows; every second column,
drawn by the seed, becomes words, its values cut into 3 to 40 bins of equal counts or of equal width whose names are
shuffled; every second table loses a tenth of its cells; every third gets a column of 300 codes that say nothing. Beside
them two tables of payments: in one frauds have a large amount and a country of their own among 300 card numbers, the
other is the simulator of `narrows.data.cards` as a bank would store it. Half of the usual rows are fitted and all
others judged ("normal"), or all rows are fitted and judged ("all"). The weights of words were chosen on the development
tables; those held out were measured once, at the end. Classical methods get what a person would give them: words as
one-hot columns or as codes, gaps filled by the median, all standardised. Needs NARROWS_DATA.
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
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from narrows.data.cards import simulate_cards
from narrows.data.frames import Schema
from narrows.data.frames.batch import batch_of
from narrows.detect import Detector

RESULTS = Path("mixed.jsonl")
PARTS = ("development", "held-out")
PROTOCOLS = ("normal", "all")
WIDEST, CODES, GAPS = 30, 300, 0.1

Table = dict[str, np.ndarray]
"""Columns by name: numbers with NaN, or words with None, where a cell is missing."""

Scored = tuple[Table, Table]
"""Rows to fit and rows to judge."""


def words(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Numbers (N,) as words: bins of equal counts or of equal width, whose names say nothing of their order."""
    count, even = round(np.exp(rng.uniform(np.log(3), np.log(40)))), rng.random() < 0.5
    inner = np.linspace(0, 1, count + 1)[1:-1]
    edges = np.quantile(values, inner) if even else values.min() + inner * np.ptp(values)
    bins = np.searchsorted(np.unique(edges), values, "right")
    return np.array([f"w{name}" for name in rng.permutation(count + 1)], object)[bins]


def from_adbench(path: Path, place: int, rng: np.random.Generator, rows: int) -> tuple[Table, np.ndarray]:
    """One table of ADBench with words and gaps, and 1 where a row is odd."""
    with np.load(path) as held:
        x, y = held["X"].astype(np.float64), held["y"].astype(int)
    some = rng.permutation(len(x))[:rows]
    x, y = x[some], y[some]
    columns = rng.permutation(np.flatnonzero(x.std(0) > 0))[:WIDEST]
    table = {f"c{c}": words(x[:, c], rng) if i % 2 else x[:, c].copy() for i, c in enumerate(columns)}
    if place % 3 == 2:
        table["code"] = np.array([f"k{code}" for code in rng.integers(0, CODES, len(x))], object)
    if place % 2:
        for column in table.values():
            column[rng.random(len(x)) < GAPS] = None if column.dtype == object else np.nan
    return table, y


def payments(rng: np.random.Generator, rows: int) -> tuple[Table, np.ndarray]:
    """Payments by 300 cards; one in a hundred is a fraud: an amount twelve times as large, in a country of its own."""
    y = (rng.random(rows) < 0.01).astype(int)
    table = {
        "amount": rng.lognormal(3, 1, rows) * np.where(y, 12, 1),
        "card": np.array([f"k{card}" for card in rng.integers(0, CODES, rows)], object),
        "country": np.where(y, "RU", rng.choice(["GB", "FR", "DE"], rows, p=[0.6, 0.3, 0.1])).astype(object),
        "hour": rng.normal(14, 4, rows) % 24,
    }
    return table, y


def purchases(rng: np.random.Generator, rows: int) -> tuple[Table, np.ndarray]:
    """Purchases of the simulator, frauds of four kinds among them, without anything worked out from the past."""
    bought, kinds = simulate_cards(max(20, rows // 30), 30, rng, fraud=0.02)
    some = np.sort(rng.permutation(len(kinds))[:rows])
    named = {name: np.char.add("k", bought[name][some].astype(str)).astype(object)
             for name in ("merchant", "category", "channel")}  # fmt: skip
    far = np.hypot(bought["x"] - bought["home_x"], bought["y"] - bought["home_y"])[some]
    hour = bought["time"][some] % 86400 / 3600
    return {**named, "amount": bought["amount"][some], "km from home": far, "hour": hour}, (kinds[some] > 0).astype(int)


def tables(part: str, seed: int, rows: int) -> dict[str, tuple[Table, np.ndarray]]:
    """The tables of a part by name: every second one of ADBench by the alphabet, and one of payments."""
    folder = Path(os.environ["NARROWS_DATA"]) / "adbench"
    paths = sorted(folder.glob("*.npz"), key=lambda path: path.stem.split("_")[1].lower())
    own = list(enumerate(paths[PARTS.index(part) :: 2]))
    rng = [np.random.default_rng([seed, PARTS.index(part), place]) for place in range(len(own) + 1)]
    made = {path.stem.split("_")[1]: from_adbench(path, place, rng[place], rows) for place, path in own}
    last = {"development": payments, "held-out": purchases}[part]
    return made | {last.__name__: last(rng[-1], rows)}


def split(table: Table, y: np.ndarray, protocol: str, seed: int) -> tuple[Scored, np.ndarray]:
    """Rows to fit, rows to judge, and 1 where one of these is odd."""
    if protocol == "all":
        return (table, table), y
    usual = np.random.default_rng(seed).permutation(np.flatnonzero(y == 0))
    fitted = np.sort(usual[: len(usual) // 2])
    judged = np.setdiff1d(np.arange(len(y)), fitted)
    return tuple({name: column[rows] for name, column in table.items()} for rows in (fitted, judged)), y[judged]


def encoded(parts: Scored, how: str) -> tuple[np.ndarray, np.ndarray]:
    """Both parts as numbers, the way a person would do it: one-hot or codes, gaps filled, standardised."""
    fit, new = (
        np.stack([np.array(["" if cell is None else cell for cell in column], object) if column.dtype == object else
                  column for column in part.values()], 1).astype(object)
        for part in parts
    )  # fmt: skip
    kinds = np.array([column.dtype == object for column in parts[0].values()])
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    made = make_pipeline(
        ColumnTransformer([
            ("words", one_hot if how == "one-hot" else codes, np.flatnonzero(kinds)),
            ("numbers", SimpleImputer(strategy="median", add_indicator=True), np.flatnonzero(~kinds)),
        ]),
        StandardScaler(),
    )  # fmt: skip
    return made.fit_transform(fit).astype(np.float32), made.transform(new).astype(np.float32)


def narrows(parts: Scored, seed: int) -> np.ndarray:
    """The scores of the detector, by its own schema."""
    fit, new = (batch_of({name: column.tolist() if column.dtype == object else np.ma.masked_invalid(column).tolist()
                          for name, column in part.items()}) for part in parts)  # fmt: skip
    schema = Schema.fit([fit], seed=seed)
    detector = Detector.fit(schema.features(fit), groups=schema.groups, roles=schema.roles, seed=seed)
    return detector.score(schema.features(new))


def classical(method: odd.Method, how: str):
    """The scores of a classical method on encoded words."""

    def scores(parts: Scored, seed: int) -> np.ndarray:
        x, z = encoded(parts, how)
        return np.nan_to_num(method(x, seed)(z).astype(np.float64), posinf=1e300)

    return scores


METHODS = {"narrows": narrows} | {
    name if how == "one-hot" else f"{name}, codes": classical(odd.METHODS[name], how)
    for how, names in {
        "one-hot": ("Isolation Forest", "kNN", "PCA", "ECOD", "HBOS", "LOF"),
        "codes": ("Isolation Forest", "ECOD", "HBOS"),
    }.items()
    for name in names
}
"""Every method: from both parts and a seed to the scores of the rows that are judged."""


def known() -> list[dict]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def run(parts: list[str], chosen: list[str], seeds: int, rows: int) -> None:
    """Measure what is not yet in the results."""
    keys = ("part", "protocol", "table", "method", "seed", "rows")
    done = {tuple(line[key] for key in keys) for line in known()}
    for part, seed, protocol in ((p, s, how) for p in parts for s in range(seeds) for how in PROTOCOLS):
        for name, (table, y) in tables(part, seed, rows).items():
            both, odd_ones = split(table, y, protocol, seed)
            for method in chosen:
                key = (part, protocol, name, method, seed, rows)
                if key in done:
                    continue
                start = time.perf_counter()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    scores = METHODS[method](both, seed)
                found = {"auroc": roc_auc_score(odd_ones, scores), "ap": average_precision_score(odd_ones, scores)}
                line = dict(zip(keys, key, strict=True)) | found
                line |= {"rate": odd_ones.mean(), "seconds": time.perf_counter() - start}
                with RESULTS.open("a") as file:
                    file.write(json.dumps(line) + "\n")


def spread(values: list[float]) -> str:
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def print_table(lines: list[dict]) -> None:
    """One row a method: means over tables, their spread over seeds, and the AUROC of each table."""
    names = list(dict.fromkeys(line["table"] for line in lines))
    rates = {name: next(line["rate"] for line in lines if line["table"] == name) for name in names}
    print("| method | mean AUROC | mean AP | " + " | ".join(f"{name} {rates[name]:.3f}" for name in names) + " |")
    print("|---" * (len(names) + 3) + "|")
    for method in dict.fromkeys(line["method"] for line in lines):
        mine = [line for line in lines if line["method"] == method]
        seeds = [[line for line in mine if line["seed"] == seed] for seed in {line["seed"] for line in mine}]
        whole = [seed for seed in seeds if len(seed) == len(names)]
        if whole:
            figures = [spread([mean(line[figure] for line in seed) for seed in whole]) for figure in ("auroc", "ap")]
            each = [f"{mean(line['auroc'] for line in mine if line['table'] == name):.3f}" for name in names]
            print(f"| {method} | {' | '.join(figures + each)} |")


def print_tables() -> None:
    groups = dict.fromkeys((line["part"], line["protocol"], line["rows"]) for line in known())
    for part, protocol, rows in groups:
        print(f"\n## {part} tables, {protocol} rows fitted, at most {rows:,} rows\n")
        print_table(
            [line for line in known() if (line["part"], line["protocol"], line["rows"]) == (part, protocol, rows)]
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--only", help="methods, with semicolons between")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if not options.table:
        chosen = options.only.split(";") if options.only else list(METHODS)
        run([options.part] if options.part else list(PARTS), chosen, options.seeds, options.rows)
    print_tables()


if __name__ == "__main__":
    main()
