"""Tables as streams: how a file is written is found out, memory is bounded, and what is wrong with a file is said."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from narrows.data.frames import Schema, open_table
from narrows.data.frames.batch import row_of
from narrows.errors import DamagedError, InputError, LimitError, UsageError

LINES = "amount{0}country\n1{1}5{0}GB\n-2{1}25{0}Fürth\n"


def rows_of(table):
    return [row for batch in table for row in batch.to_pylist()]


@pytest.fixture
def write(tmp_path):
    """A function that writes bytes or text to a file and opens it as a table."""

    def make(content, name="t.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return open_table(path, **options)

    return make


@pytest.mark.parametrize(
    ("separator", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), ("|", ",")]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_separator_decimal_sign_and_encoding_are_found_out(write, separator, decimal, encoding):
    table = write(LINES.format(separator, decimal).encode(encoding))
    assert table.names == ("amount", "country")
    assert rows_of(table)[1] == {"amount": f"-2{decimal}25", "country": "Fürth"}
    schema = Schema.fit(table, kinds={"amount": "number", "country": "category"})
    (batch,) = table
    assert schema.columns[0].scale.undo(float(schema.features(batch)[1, 0])) == pytest.approx(-2.25)
    said = " ".join(table.notes)
    assert ("Latin-1" in said) == (encoding == "latin-1")
    assert ("comma is taken for the decimal sign" in said) == (decimal == ",")


def test_thousands_read_the_same_in_every_batch(write):
    table = write("a;b\n1.234,5;1\n12;2\n0,5;3\n1.000;4\n", rows=1)
    schema = Schema.fit(table, kinds={"a": "number"})
    found = [schema.columns[0].scale.undo(float(schema.features(batch)[0, 0])) for batch in table]
    assert found == pytest.approx([1234.5, 12, 0.5, 1000], rel=1e-5)


def test_an_accent_far_down_makes_all_of_the_file_latin_1(write):
    table = write("a,b\n" + "1,x\n" * 300_000 + "2,caf\xe9\n", name="u.csv")
    assert table.dialect.encoding == "utf-8"
    table = write(b"a,b\n" + b"1,x\n" * 300_000 + b"2,caf\xe9\n")
    assert table.dialect.encoding == "latin-1"
    assert rows_of(table)[-1]["b"] == "café"


def test_rows_know_their_number_and_come_in_batches_that_fit(write):
    table = write("a,b\n" + "1,2\n" * 10, rows=4)
    assert [(row_of(batch, 0), batch.num_rows) for batch in table] == [(1, 4), (5, 4), (9, 2)]
    assert len(rows_of(table)) == 10  # it can be gone through again
    wide = write(",".join(f"c{place}" for place in range(10_000)) + "\n" + (",".join("1" * 10_000) + "\n") * 600)
    assert max(batch.num_rows for batch in wide) <= (1 << 22) // 10_000


def test_a_file_without_names_has_columns_by_number(write):
    table = write("1,2\n3,4\n")
    assert table.names == ("column 1", "column 2")
    assert len(rows_of(table)) == 2
    assert "taken for a row" in table.notes[0]


def test_quoted_fields_may_hold_separators_line_ends_and_names(write):
    table = write('"a\nname","b"\n"1, 2\n3","x ""y"""\n')
    assert rows_of(table) == [{"a\nname": "1, 2\n3", "b": 'x "y"'}]


def test_names_that_are_there_twice_are_told_apart_and_said(write, tmp_path):
    table = write("a,a,,b\n1,2,3,4\n")
    assert table.names == ("a", "a (2)", "unnamed 3", "b")
    assert "More than one column is called 'a'" in table.notes[0]
    two = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([[3]])], names=["a", "a", "a"])
    parquet.write_table(two, tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet")
    assert rows_of(table) == [{"a": 1, "a (2)": 2}]
    assert "Left out, neither numbers nor text nor dates: a (3)." in table.notes


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b\n1,2\n\n1,2,3\n", "line 4 has 3 fields; 2, as the first"),
        (b'a,b\n"1\n2",2\n4\n', "line 4 has 1 fields"),
        (b"a,b\n1,2\n3,\0\n", "line 3 has a zero byte"),
        ("a,b\n1,\0\n".encode("utf-16"), "line 2 has a zero byte"),
        (b"PK\3\4" + b"\0" * 100, "not text"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(write, content, expected):
    with pytest.raises(InputError, match=expected):
        rows_of(write(content))


def test_a_stated_encoding_counts_and_must_be_right(write, tmp_path):
    assert write(b"a,b\n1,\xe9\n", encoding="latin-1").notes == ()
    with pytest.raises(InputError, match="not utf-8"):
        write(b"a,b\n1,\xe9\n", encoding="utf-8")
    with pytest.raises(InputError, match="not UTF-8 everywhere"):
        rows_of(write(b"a,b\n" + b"1,x\n" * 300_000 + b"1,\xe9\n", encoding="utf-8"))
    with pytest.raises(UsageError, match="Did you mean 'utf-8'"):
        write(b"a,b\n1,2\n", encoding="utf8")
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    with pytest.raises(UsageError, match="knows its own"):
        open_table(tmp_path / "t.parquet", encoding="utf-8")


def test_a_field_without_end_is_refused_before_it_fills_the_memory(write):
    with pytest.raises(LimitError, match="never closed"):
        rows_of(write(b'a,b\n"' + b"x" * 20_000_000 + b"\n"))
    with pytest.raises(LimitError, match="first line"):
        write(b"x" * 2_000_000)


def test_a_file_that_is_not_there_or_was_cut_is_named(tmp_path):
    with pytest.raises(InputError, match="is not a file"):
        open_table(tmp_path / "none.csv")
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"a": np.arange(10_000.0)}), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(DamagedError, match=r"t\.parquet cannot be read"):
        open_table(path)
    path.write_bytes(whole[:2000] + bytes(len(whole) - 4000) + whole[-2000:])
    with pytest.raises(DamagedError, match=r"t\.parquet cannot be read"):
        list(open_table(path))


def test_long_texts_in_parquet_are_refused(tmp_path):
    path = tmp_path / "bomb.parquet"
    parquet.write_table(pa.table({"a": ["x" * 3_000_000] * 20, "b": range(20)}), path, compression="zstd")
    assert path.stat().st_size < 100_000
    with pytest.raises(LimitError, match="column a has a text of 3,000,000 bytes"):
        list(open_table(path))


def test_columns_that_are_no_cells_are_left_out_and_said(tmp_path):
    path = tmp_path / "t.parquet"
    nested = {"x": [1, 2], "list": [[1], [2]], "struct": [{"a.b": 1}, {"a.b": 2}], "bytes": [b"a", b"b"]}
    parquet.write_table(pa.table(nested), path)
    table = open_table(path)
    assert table.names == ("x",)
    assert table.notes == ("Left out, neither numbers nor text nor dates: list, struct, bytes.",)
    assert rows_of(table) == [{"x": 1}, {"x": 2}]
