"""Cells of a column of a batch: as numbers, as words, or as moments, whatever way the file keeps them.

Arrow array -> numbers (B,) float64 | words with their places | seconds (B,) float64; NaN or -1 where missing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.data.columns import MISSING
from narrows.errors import missing_extra

if TYPE_CHECKING:
    import pyarrow as pa

DAY = 86400
WORD_LIMIT = 256
"""Characters of a text by which it is told from others."""

NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|^[-+]?(?i:inf|infinity)$"
THOUSANDS = {".": (r"^([-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?)$", ","), ",": (r"^([-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)?)$", ".")}
"""For each decimal sign: what a number with signs between thousands looks like, and that sign."""

DATE = r"^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])"
CLOCK = r"([ T]([01]\d|2[0-3])(:[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)?)?"

FORMATS = (
    "iso",
    "iso with zone",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%H:%M",
    "%H:%M:%S",
)
"""Ways to write a date or a time of day, in the order in which they are tried."""


def arrow() -> Any:
    """The package pyarrow with its functions on columns.

    Raises:
        EnvironmentProblem: It is not installed.
    """
    try:
        import pyarrow
        import pyarrow.compute
    except ImportError:
        raise missing_extra("pyarrow", "table", "reading a table as a stream") from None
    return pyarrow


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text."""
    types = arrow().types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def is_moment(kind: pa.DataType) -> bool:
    """Whether a column holds dates or times of day."""
    return arrow().types.is_date(kind) or arrow().types.is_time(kind) or arrow().types.is_timestamp(kind)


def is_usable(kind: pa.DataType) -> bool:
    """Whether cells of this kind can be read: numbers, yes/no, text, dates and times, or nothing at all."""
    types = arrow().types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return (
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
        or types.is_duration(kind)
        or types.is_null(kind)
        or is_text(kind)
        or is_moment(kind)
    )


def plain(text: pa.Array) -> pa.Array:
    """Text without blanks around it, cut to `WORD_LIMIT` characters, null where it means that nothing is there."""
    pa, c = arrow(), arrow().compute
    text = c.utf8_trim_whitespace(c.utf8_slice_codeunits(c.cast(text, pa.string()), 0, WORD_LIMIT + 1))
    empty = c.is_in(c.utf8_lower(text), value_set=pa.array(sorted(MISSING)))
    return c.if_else(empty, pa.scalar(None, pa.string()), c.utf8_slice_codeunits(text, 0, WORD_LIMIT))


def numbers(array: pa.Array, decimal: str = ".") -> tuple[np.ndarray, np.ndarray | None]:
    """A column as numbers (B,) float64, NaN where missing, and which cells (B,) are no numbers; None where all are.

    Example:
        >>> numbers(arrow().array(["1,5", "NA", "x"]), ",")
        (array([1.5, nan, nan]), array([False, False,  True]))
    """
    pa, c = arrow(), arrow().compute
    kind = array.type
    if pa.types.is_dictionary(kind):
        inner, bad = numbers(array.dictionary, decimal)
        places = indices(array)
        wrong = None if bad is None or not len(inner) else np.append(bad, False)[places]
        return np.append(inner, np.nan)[places], wrong
    if is_text(kind):
        return parsed_numbers(array, decimal)
    if is_moment(kind) or not is_usable(kind):
        return np.full(len(array), np.nan), np.asarray(c.is_valid(array))
    if pa.types.is_duration(kind):
        seconds = c.cast(c.cast(array, pa.duration("ns"), safe=False), pa.int64())
        return seconds.to_numpy(zero_copy_only=False).astype(np.float64) / 1e9, None
    if not pa.types.is_floating(kind) or kind.bit_width == 16:
        array = c.cast(array, pa.float64(), safe=False)
    return array.to_numpy(zero_copy_only=False).astype(np.float64, copy=False), None


def parsed_numbers(text: pa.Array, decimal: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Text as numbers, and which cells are none."""
    pa, c = arrow(), arrow().compute
    values = quick_numbers(text, decimal)
    if values is not None:
        return values, None
    text = plain(text)
    text = without_thousands(text, decimal) if decimal == "." else with_point(text, decimal)
    good = c.match_substring_regex(text, NUMBER)
    cast = c.cast(c.if_else(good, text, pa.scalar(None, pa.string())), pa.float64())
    bad = ~np.asarray(c.fill_null(good, True))
    return cast.to_numpy(zero_copy_only=False), bad if bad.any() else None


def quick_numbers(text: pa.Array, decimal: str) -> np.ndarray | None:
    """Text that is nothing but plain numbers and the usual words for a gap, as numbers; None where it is more."""
    pa, c = arrow(), arrow().compute
    if pa.types.is_dictionary(text.type):
        return None
    for cells in (text, None):
        try:
            usual = with_point(without_gaps(text) if cells is None else cells, decimal)
            return c.cast(usual, pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            pass
    return None


def with_point(text: pa.Array, decimal: str) -> pa.Array:
    """Numbers as text with the point as decimal sign."""
    if decimal == ".":
        return text
    c = arrow().compute
    if c.any(c.match_substring(text, ".")).as_py():
        text = without_thousands(text, decimal)
    return c.replace_substring(text, ",", ".")


def without_gaps(text: pa.Array) -> pa.Array:
    """Text, null where it is one of the usual words for a gap, in one of the usual spellings."""
    pa = arrow()
    usual = pa.array(
        [spelt for word in sorted(MISSING) for spelt in {word, word.upper(), word.capitalize(), word + " "}]
    )
    return pa.compute.if_else(pa.compute.is_in(text, value_set=usual), pa.scalar(None, text.type), text)


def without_thousands(text: pa.Array, decimal: str) -> pa.Array:
    """Numbers as text without the sign between thousands."""
    c = arrow().compute
    pattern, sign = THOUSANDS[decimal]
    return c.if_else(c.match_substring_regex(text, pattern), c.replace_substring(text, sign, ""), text)


def words(array: pa.Array, decimal: str = ".") -> tuple[np.ndarray, list[str]]:
    """A column as places (B,) in a list of its different words; -1 where missing.

    Numbers read the same whether the file keeps them as text, as whole numbers or as fractions.

    Example:
        >>> words(arrow().array([7.0, None, 7.5])), words(arrow().array(["b", "b ", "?"]))
        ((array([ 0, -1,  1]), ['7', '7.5']), (array([ 0,  0, -1]), ['b']))
    """
    pa, c = arrow(), arrow().compute
    if pa.types.is_boolean(array.type):
        array = c.cast(array, pa.string())
    if pa.types.is_dictionary(array.type) and not is_text(array.type):
        array = array.dictionary_decode()
    if is_text(array.type):
        coded = array if pa.types.is_dictionary(array.type) else c.dictionary_encode(array)
        again = c.dictionary_encode(plain(coded.dictionary))
        moved = np.append(indices(again), -1)
        return moved[indices(coded)], again.dictionary.to_pylist()
    if is_moment(array.type) or not is_usable(array.type):
        coded = c.dictionary_encode(c.cast(array, pa.string()))
        return indices(coded), coded.dictionary.to_pylist()
    values, _ = numbers(array, decimal)
    known = np.isfinite(values)
    different, places = np.unique(values[known], return_inverse=True)
    found = np.full(len(values), -1, np.int64)
    found[known] = places
    return found, [number_word(value) for value in different.tolist()]


def number_word(value: float) -> str:
    """A number as a word: whole ones without a point."""
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def indices(array: pa.DictionaryArray) -> np.ndarray:
    """Places (B,) of cells in their dictionary, -1 where missing."""
    places = array.indices
    return arrow().compute.fill_null(places.cast(arrow().int64()), -1).to_numpy(zero_copy_only=False)


def seconds(array: pa.Array, form: str = "iso") -> tuple[np.ndarray, np.ndarray | None]:
    """A column as seconds (B,) since 1970 (UTC, where it knows zones) or midnight, and which cells are no moments.

    Example:
        >>> seconds(arrow().array(["02.01.1970", "-", "soon"]), "%d.%m.%Y")
        (array([86400.,    nan,    nan]), array([False, False,  True]))
    """
    pa, c = arrow(), arrow().compute
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if is_text(array.type):
        text = plain(array)
        moments, bad = parsed_moments(text, form)
        values = as_seconds(moments)
        # A time of day is read as one of some day in 1900.
        return (values % DAY if form.startswith("%H") else values), bad
    if pa.types.is_null(array.type):
        return np.full(len(array), np.nan), None
    if not is_moment(array.type):
        return np.full(len(array), np.nan), np.asarray(c.is_valid(array))
    return as_seconds(array), None


def as_seconds(array: pa.Array) -> np.ndarray:
    """Dates and times as seconds (B,)."""
    pa, c = arrow(), arrow().compute
    if pa.types.is_date(array.type):
        array = c.cast(array, pa.timestamp("s"), safe=False)
    unit = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[array.type.unit]
    if array.type.bit_width == 32:
        array = c.cast(array, pa.int32())
    whole = c.cast(array, pa.int64())
    known = np.asarray(c.is_valid(whole))
    values = c.fill_null(whole, 0).to_numpy(zero_copy_only=False).astype(np.float64) / unit
    return np.where(known, values, np.nan)


def parsed_moments(text: pa.Array, form: str) -> tuple[pa.Array, np.ndarray | None]:
    """Text as moments in one way of writing them, null where it is no moment, and which cells are none."""
    pa, c = arrow(), arrow().compute
    if form.startswith("iso"):
        kind = pa.timestamp("us", "UTC" if form == "iso with zone" else None)
        try:
            return c.cast(text, kind), None
        except pa.ArrowInvalid:
            zone = r"(Z|[-+]\d\d:?\d\d)$" if form == "iso with zone" else "$"
            good = c.fill_null(c.match_substring_regex(text, DATE + CLOCK + zone), False)
            moments = castable(c.if_else(good, text, pa.scalar(None, pa.string())), kind)
    else:
        whole = c.replace_substring_regex(text, r"(:\d\d:\d\d)\.\d{1,9}$", r"\1")
        moments = c.strptime(whole, format=form, unit="s", error_is_null=True)
    bad = np.asarray(c.and_(c.is_valid(text), c.is_null(moments)))
    return moments, bad if bad.any() else None


def castable(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Text as moments, null for days that no calendar has."""
    pa, c = arrow(), arrow().compute
    try:
        return c.cast(text, kind)
    except pa.ArrowInvalid:
        pass
    found = []
    for word in text.to_pylist():
        try:
            found.append(None if word is None else c.cast(pa.scalar(word), kind).as_py())
        except pa.ArrowInvalid:
            found.append(None)
    return pa.array(found, kind)


def form_of(array: pa.Array) -> str | None:
    """The first way of writing dates that fits every cell of text that is not missing; None if none does."""
    c = arrow().compute
    if array.type != arrow().string():
        array = c.cast(array.dictionary_decode() if hasattr(array, "dictionary") else array, arrow().string())
    text = c.unique(plain(array)).drop_null()
    if not len(text):
        return None
    # Whole numbers such as 2024 are no dates, and most texts are ruled out by their first few.
    if not c.all(c.match_substring_regex(text.slice(0, 16), r"^\d{1,4}[-/.:]\d{1,2}")).as_py():
        return None
    return next((form for form in FORMATS if parsed_moments(text, form)[1] is None), None)
