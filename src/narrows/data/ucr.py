"""The UCR archive of time series: its own text files, the .ts files of sktime, and .npz; original class names.

NAME_TRAIN.tsv and NAME_TEST.tsv    one series a line, its class first; tabs, commas or spaces
NAME_TRAIN.ts  and NAME_TEST.ts     a head of @ lines, then values:class
NAME.npz                            X_train, y_train, X_test, y_test (or anomaly_test)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from narrows.data.arrays import read_arrays
from narrows.errors import InputError, LimitError
from narrows.storage import as_float32

BYTE_LIMIT = 2 << 30
HALVES = re.compile(r"_(TRAIN|TEST)$", re.IGNORECASE)

NO_CLASS = {"", "?"}
BEATS = {
    "1": "normal",
    "2": "R-on-T premature ventricular contraction",
    "3": "premature ventricular contraction",
    "4": "supraventricular premature or ectopic beat",
    "5": "unclassified beat",
}

CLASS_NAMES = {
    "ecg5000": BEATS,
    "ecg200": {"1": "normal", "-1": "infarction", "0": "infarction"},
    "gunpoint": {"1": "gun", "2": "point"},
    "italypower": {"1": "October to March", "2": "April to September"},
}
"""What the archive's class labels mean, in the order the classes are numbered."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Series of one length with a word each for their class.

    Args:
        x: Values, shape (N, C, L), float32.
        words: Class of each series as the file has it, N strings.
    """

    x: np.ndarray
    words: np.ndarray


def read_pair(source: Path, name: str) -> tuple[Labelled, Labelled]:
    """Training and test series of a set, from its .npz, from one of its two text files, or from their folder.

    Raises:
        InputError: A half is missing, or not what the format says.
    """
    if source.is_dir():
        source = half_in(source, name, "TRAIN")
    if source.suffix.lower() == ".npz":
        return read_packed(source)
    stem = HALVES.sub("", source.stem)
    return read_half(half_in(source.parent, stem, "TRAIN")), read_half(half_in(source.parent, stem, "TEST"))


def half_in(folder: Path, stem: str, half: str) -> Path:
    """The file of a half of a set, in any case and of any kind."""
    wanted = f"{stem}_{half}".lower()
    kinds = (".tsv", ".txt", ".ts", ".csv", "")
    found = [file for file in folder.iterdir() if file.stem.lower() == wanted and file.suffix.lower() in kinds]
    if not found:
        raise InputError(
            f"{folder} has no {stem}_{half}",
            expected=f"{stem}_TRAIN and {stem}_TEST as .tsv, .txt or .ts",
            step="Put both files into one folder",
            code="input.missing",
        )
    return min(found, key=lambda file: kinds.index(file.suffix.lower()))


def read_packed(source: Path) -> tuple[Labelled, Labelled]:
    """Both halves of an .npz file; where its test series are only known to be normal or not, so are its others."""
    arrays = read_arrays(source)
    missing = {"X_train", "X_test", "y_train"} - arrays.keys()
    if missing or not {"y_test", "anomaly_test"} & arrays.keys():
        raise InputError(
            f"{source.name} has the arrays {', '.join(arrays) or 'none'}",
            expected="X_train, y_train, X_test and y_test (or anomaly_test)",
            code="input.keys",
        )
    train, test = arrays["y_train"], arrays.get("y_test", arrays.get("anomaly_test"))
    words = [plain_label(value) for value in train.ravel()], [plain_label(value) for value in test.ravel()]  # type: ignore[union-attr]
    if "y_test" not in arrays:
        words = (
            ["normal" if word == "1" else "anomaly" for word in words[0]],
            ["normal" if word == "0" else "anomaly" for word in words[1]],
        )
    return labelled(source, arrays["X_train"], words[0]), labelled(source, arrays["X_test"], words[1])


def read_half(source: Path) -> Labelled:
    """The series of one text file.

    Raises:
        InputError: Empty, not text, lines of different lengths, or something that is no number.
        LimitError: Larger than 2 GiB.
    """
    if source.stat().st_size > BYTE_LIMIT:
        raise LimitError(
            f"{source.name} has {source.stat().st_size:,} bytes", expected=f"limit {BYTE_LIMIT:,}", code="limit.bytes"
        )
    lines = [line.strip() for line in source.read_text("utf-8-sig", errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", "%"))]
    is_ts = source.suffix.lower() == ".ts" or any(line.lower().startswith("@data") for line in lines[:200])
    rows = ts_rows(source, lines) if is_ts else [text_row(line) for line in lines]
    if not rows:
        raise InputError(f"{source.name} has no series", step="Check the file", code="input.empty")
    return labelled(source, as_numbers(source, [row for _, row in rows]), [word for word, _ in rows])


def text_row(line: str) -> tuple[str, list[list[str]]]:
    """Class and values of a line of an archive file; one channel."""
    sign = "," if "," in line else "\t" if "\t" in line else None
    word, *values = line.split(sign)
    return plain_label(word), [values]


def ts_rows(source: Path, lines: list[str]) -> list[tuple[str, list[list[str]]]]:
    """Class and values, by channel, of each line of a .ts file."""
    head = [line.lower().split() for line in lines if line.startswith("@")]
    has_class = any(line[0] == "@classlabel" and line[1:2] == ["true"] for line in head)
    if any(line[:2] == ["@timestamps", "true"] for line in head):
        raise InputError(f"{source.name} has time stamps", expected="a .ts file without them", code="input.ts")
    rows = [line.split(":") for line in lines if not line.startswith("@")]
    cut = -1 if has_class else None
    return [(plain_label(row[-1]) if has_class else "", [channel.split(",") for channel in row[:cut]]) for row in rows]


def as_numbers(source: Path, rows: list[list[list[str]]]) -> np.ndarray:
    """Rows of channels of words as (N, C, L) numbers; a word that is no number becomes NaN."""
    shape = [len(channel) for channel in rows[0]]
    for number, row in enumerate(rows, 1):
        lengths = [len(channel) for channel in row]
        if lengths != shape or len(set(lengths)) != 1:
            # A class that the head of a .ts file does not announce reads like one more channel.
            unsaid = source.suffix.lower() == ".ts" and len(lengths) > 1 and lengths[-1] == 1
            other = f", not {in_words(shape)}" if lengths != shape else ""
            raise InputError(
                f"{source.name}: series {number} has {in_words(lengths)}{other}",
                expected="series of one length, and channels too",
                step="Put @classLabel true into the head, if the last part of a line is the class"
                if unsaid
                else "Cut or resample them to one length",
                code="input.lengths",
            )
    return as_float32(np.array([[[number_in(word) for word in channel] for channel in row] for row in rows]))


def in_words(lengths: list[int]) -> str:
    """How many values each channel of a series has.

    Example:
        >>> in_words([12]), in_words([3, 3, 1])
        ('12 values', 'channels of 3, 3 and 1 values')
    """
    if len(lengths) < 2:
        return f"{sum(lengths)} values"
    return f"channels of {', '.join(map(str, lengths[:-1]))} and {lengths[-1]} values"


def number_in(word: str) -> float:
    """The number a word stands for; NaN for "?", "NaN" and whatever is no number."""
    try:
        return float(word)
    except ValueError:
        return float("nan")


def labelled(source: Path, x: np.ndarray, words: list[str]) -> Labelled:
    """Series (N, L) or (N, C, L) with their classes, checked."""
    x = x[:, None] if x.ndim == 2 else x
    if x.ndim != 3 or 0 in x.shape or len(words) != len(x) or x.dtype.kind not in "fiu":
        raise InputError(
            f"{source.name} has series of shape {x.shape} and {len(words)} classes",
            expected="(N, L) numbers and a class each",
            code="input.shape",
        )
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        row, _, step = bad[0].tolist()
        raise InputError(
            f"{source.name}: series {row + 1} has no number at sample {step + 1}, and {len(bad) - 1:,} more",
            expected="numbers everywhere",
            step="Fill the gaps, or cut all series to one length",
            code="input.nan",
        )
    return Labelled(as_float32(x), np.array(words, np.str_))


def plain_label(value: object) -> str:
    """A class label as the archive means it: "1" for 1, 1.0 and "1.0000e+00"."""
    word = str(value).strip()
    try:
        number = float(word)
    except ValueError:
        return word
    return f"{number:g}"


def number_classes(words: np.ndarray, name: str) -> tuple[tuple[str, ...], dict[str, int]]:
    """Names of the classes in order, and the class number of each word of a file.

    Example:
        >>> number_classes(np.array(["2", "1", "10"]), "unknown")
        (('1', '2', '10'), {'1': 0, '2': 1, '10': 2})
        >>> number_classes(np.array(["1", "2"]), "GunPoint")
        (('gun', 'point'), {'1': 0, '2': 1})
    """
    known = CLASS_NAMES.get(name.lower().replace("-", "").removesuffix("demand"), {})
    found = set(words.tolist()) - NO_CLASS
    if found <= {"normal", "anomaly"}:
        known = {word: word for word in ("normal", "anomaly") if word in found}
    if not found <= known.keys():
        known = {word: word for word in sorted(found, key=numbers_first)}
    names = tuple(dict.fromkeys(known.values()))
    return names, {word: names.index(meaning) for word, meaning in known.items()}


def numbers_first(label: str) -> tuple[bool, float, str]:
    """Sorts class labels: numbers by value, then words."""
    number = number_in(label)
    return (True, 0.0, label) if np.isnan(number) else (False, number, label)
