"""What reviewed alarms are worth: average precision on later rows, before and after the oddest rows were reviewed.

    python benchmarks/feedback.py              cards and 15 tables of ADBench, 5 seeds
    python benchmarks/feedback.py --seeds 1

The first half of the rows (cards: the first 60% in the order of time) is fitted, odd rows among them and unlabelled.
Of the next quarter (20%) the rows with the highest scores are reviewed: their labels are told. The last rows are
judged. Beside it stand logistic regression and gradient boosting, both learned from the reviewed rows alone, and the
votes without the detector's score. Development sets: how far a verdict reaches and how much it counts was chosen on
their first seed. Needs NARROWS_DATA.
"""

import argparse
import warnings
from collections.abc import Iterator
from statistics import mean

import detect
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from narrows.detect import Detector
from narrows.detect.feedback import Reviewed

REVIEWS = (10, 30, 100)
Parts = tuple[tuple[np.ndarray, np.ndarray], ...]


def tables(seed: int, rows: int) -> Iterator[tuple[str, Parts]]:
    """Rows to fit, to review and to judge of every table, each with its labels."""
    x, y = detect.card_rows()
    yield "cards", parted(x, y, (0.6, 0.8))
    for path in detect.paths():
        x, y = detect.cut(path, np.random.default_rng(seed), rows)
        order = np.random.default_rng(seed).permutation(len(x))
        yield path.stem.split("_")[1], parted(x[order], y[order], (0.5, 0.75))


def parted(x: np.ndarray, y: np.ndarray, at: tuple[float, float]) -> Parts:
    first, second = (round(share * len(x)) for share in at)
    middle, spread = x[:first].mean(0), x[:first].std(0)
    x = ((x - middle) / np.where(spread < 1e-9, 1, spread)).astype(np.float32)
    return (x[:first], y[:first]), (x[first:second], y[first:second]), (x[second:], y[second:])


def learned(model, x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """What a classifier says of new rows; nothing where all reviewed rows are of one class."""
    return model.fit(x, y).predict_proba(new)[:, 1] if len(np.unique(y)) > 1 else np.zeros(len(new))


def measure(parts: Parts, seed: int) -> dict[str, float]:
    """Average precision on the last rows by way of scoring them."""
    (fit, _), (shown, verdicts), (new, y) = parts
    detector = Detector.fit(fit, seed=seed)
    plain = detector.score(new)
    oddest = np.argsort(-detector.score(shown))
    found = {"detector": plain}
    for count in REVIEWS:
        rows, said = shown[oddest[:count]], verdicts[oddest[:count]]
        heeding = Reviewed.by(detector, rows, 2 * said - 1)
        found |= {
            f"{count} reviewed": heeding.score(new),
            f"{count}, votes alone": heeding.factor(new),
            f"{count}, logistic": learned(LogisticRegression(max_iter=1000), rows, said, new),
            f"{count}, boosting": learned(HistGradientBoostingClassifier(random_state=seed), rows, said, new),
        }
    return {name: average_precision_score(y, scores) for name, scores in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=8000)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    lines: dict[str, list[dict[str, float]]] = {}
    for seed in range(options.seeds):
        for name, parts in tables(seed, options.rows):
            lines.setdefault(name, []).append(measure(parts, seed))
            print(f"  seed {seed}, {name}", end="\033[K\r", flush=True)
    each = [name for name in lines if name != "cards"]
    print("| scored by | cards | spread over seeds | mean of ADBench | spread over seeds |\n|---|---|---|---|---|")
    for way in lines["cards"][0]:
        cards = [found[way] for found in lines["cards"]]
        means = [mean(lines[name][seed][way] for name in each) for seed in range(options.seeds)]
        cells = [f"{mean(values):.3f} | {np.std(values):.3f}" for values in (cards, means)]
        print(f"| {way} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
