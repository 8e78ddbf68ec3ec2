"""Writing: whole or not at all, the same when read again, and nothing that a spreadsheet would run."""

import csv

import numpy as np
import pyarrow as pa
import pytest

from narrows.data.frames import batch_of, open_table, write_table
from narrows.data.frames.batch import part_of
from narrows.errors import InputError, UsageError

EVIL = ["=1+1", "+44 20", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("http://x";"y")']
TAME = ["-5", "+3.5", "-1,5", "-1.234,5", "1e-5", "-1E+5", "-", "", "plain", "a=b", "'=1", "-inf", "5%"]


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".parquet"])
def test_a_table_is_the_same_when_it_is_read_again(tmp_path, suffix, rng):
    table = batch_of(
        {
            "amount": [1.5, None, -3.25, 1e300],
            "count": [1, 2, None, 4],
            "text": ['say "hi"', "a,b;c\td", " lines\r\nand\nmore ", None],
            "kind": pa.array(["x", "y", "x", "x"]).dictionary_encode(),
            "ok": [True, False, None, True],
        }
    )
    rows = [(part_of(table, 0, 1), {"score": [0.1]}), (part_of(table, 1, 4), {"score": [0.2, 0.3, 1 / 3]})]
    path = tmp_path / f"out{suffix}"
    assert write_table(path, rows) == 4
    found = [row for batch in open_table(path) for row in batch.to_pylist()]
    wanted = [{**row, "score": score} for row, score in zip(table.to_pylist(), [0.1, 0.2, 0.3, 1 / 3], strict=True)]
    if suffix != ".parquet":
        words = {None: "", True: "true", False: "false"}
        assert [float(row["amount"] or "nan") for row in found] == pytest.approx(
            [1.5, np.nan, -3.25, 1e300], nan_ok=True
        )
        wanted = [
            {k: words[v] if v is None or v is True or v is False else v for k, v in row.items()} for row in wanted
        ]
        found = [
            {**row, "amount": w["amount"], "count": w["count"], "score": float(row["score"])}
            for row, w in zip(found, wanted, strict=True)
        ]
    assert found == wanted


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_texts_that_begin_like_formulas_get_an_apostrophe_wherever_they_are(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    cells = EVIL + TAME
    table = batch_of({"=cmd": cells, "coded": pa.array(cells).dictionary_encode(), "number": -np.arange(1.0, 22)})
    write_table(path, [(table, {"because": cells})])
    (batch,) = open_table(path)
    assert batch.schema.names == ["'=cmd", "coded", "number", "because"]
    for name in ("'=cmd", "coded", "because"):
        found = [cell or "" for cell in batch.column(name).to_pylist()]
        assert found == [f"'{cell}" for cell in EVIL] + TAME
    assert [float(value) for value in batch.column("number").to_pylist()] == (-np.arange(1.0, 22)).tolist()


def test_csv_is_what_other_readers_read(tmp_path):
    table = batch_of({"a": ["x,y", 'q"q', "two\nlines", "plain"], "b": [1.0, 2.5, None, -4.0]})
    write_table(tmp_path / "t.csv", [(table, {})])
    assert read(tmp_path / "t.csv") == [["a", "b"], ["x,y", "1"], ['q"q', "2.5"], ["two\nlines", ""], ["plain", "-4"]]


def test_a_lone_column_with_gaps_keeps_its_rows(tmp_path):
    write_table(tmp_path / "t.csv", [(batch_of({"a": ["x", None, "y"]}), {})])
    assert [cell for batch in open_table(tmp_path / "t.csv") for cell in batch.column(0).to_pylist()] == ["x", "", "y"]


def test_decimal_commas_stay(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n1,5;x\n-2,5;y\n")
    write_table(tmp_path / "out.csv", [(batch, {"score": [0.25, 7.5]}) for batch in open_table(tmp_path / "t.csv")])
    assert (tmp_path / "out.csv").read_text() == "a;b;score\n1,5;x;0,25\n-2,5;y;7,5\n"


def test_what_is_there_is_not_replaced_unless_told_so(tmp_path):
    path, rows = tmp_path / "t.csv", [(batch_of({"a": [1, 2]}), {})]
    path.write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        write_table(path, rows)
    assert path.read_text() == "mine"
    assert write_table(path, rows, replace=True) == 2
    assert path.read_text() == "a\n1\n2\n"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_that_cannot_be_finished_leaves_nothing(tmp_path, suffix):
    def rows():
        yield batch_of({"a": [1, 2]}), {}
        raise InputError("no more rows")

    with pytest.raises(InputError, match="no more rows"):
        write_table(tmp_path / f"t{suffix}", rows())
    with pytest.raises(InputError, match="without rows"):
        write_table(tmp_path / f"t{suffix}", [])
    assert list(tmp_path.iterdir()) == []


def test_wrong_columns_and_names_are_told(tmp_path):
    table = batch_of({"a": [1, 2], "score": [1, 2]})
    with pytest.raises(InputError, match="has columns called 'score' already"):
        write_table(tmp_path / "t.csv", [(table, {"score": [1, 2]})])
    with pytest.raises(InputError, match="'p_value' with 1 values; 2"):
        write_table(tmp_path / "t.csv", [(table, {"p_value": [1]})])
    with pytest.raises(UsageError, match=r"one of \.csv"):
        write_table(tmp_path / "t.xlsx", [(table, {})])
    different = [(batch_of({"a": [1]}), {}), (batch_of({"a": ["x"]}), {})]
    with pytest.raises(InputError, match="whose columns differ"):
        write_table(tmp_path / "t.parquet", different)


def test_an_added_column_may_begin_with_nothing(tmp_path):
    table = batch_of({"a": [1, 2]})
    rows = [(part_of(table, 0, 1), {"because": [None]}), (part_of(table, 1, 2), {"because": ["amount 3"]})]
    write_table(tmp_path / "t.parquet", rows)
    found = [cell for batch in open_table(tmp_path / "t.parquet") for cell in batch.column("because").to_pylist()]
    assert found == [None, "amount 3"]
