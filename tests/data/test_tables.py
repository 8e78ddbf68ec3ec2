import numpy as np
import pytest

from narrows.data.columns import read_columns
from narrows.data.tables import load_creditcard, load_table, read_table
from narrows.errors import DamagedError, InputError, LimitError, ModelError, UsageError

SHOPS = ("grocery", "fuel", "books")


def rows(rng, count=60):
    return [(f"{rng.normal():.3f}", SHOPS[i % 3], str(rng.integers(0, 9)), str(i % 2)) for i in range(count)]


def written(tmp_path, lines, name="t.csv", sign=",", head=("amount", "shop", "items", "class"), encoding="utf-8"):
    text = "\n".join(sign.join(line) for line in ((head, *lines) if head else lines))
    (tmp_path / name).write_bytes((text + "\n").encode(encoding))
    return tmp_path / name


def everything(splits):
    parts = (splits.train, splits.valid, splits.test)
    order = np.argsort([int(word.split()[1]) for part in parts for word in part.where])
    return np.concatenate([part.x for part in parts])[order], np.concatenate([part.y for part in parts])[order]


def test_numbers_stay_and_words_become_columns(tmp_path, rng):
    lines = rows(rng)
    splits = load_table(written(tmp_path, lines))
    x, y = everything(splits)
    expected = [[float(a), float(n), s == "books", s == "fuel", s == "grocery"] for a, s, n, _ in lines]
    np.testing.assert_allclose(x, expected, rtol=1e-6)
    assert splits.layout.columns == ("amount", "items", "shop=books", "shop=fuel", "shop=grocery")
    assert splits.layout.vocabulary == {"shop": ("books", "fuel", "grocery")}
    assert y.tolist() == [i % 2 for i in range(60)]


def test_seventy_ten_twenty(tmp_path, rng):
    splits = load_table(written(tmp_path, rows(rng, 100)))
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (70, 10, 20)
    assert splits.train.x.dtype == np.float32


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_separator_and_encoding_gives_the_same_table(tmp_path, rng, sign, encoding):
    lines = rows(rng)
    plain = everything(load_table(written(tmp_path, lines, "plain.csv")))[0]
    other = everything(load_table(written(tmp_path, lines, "other.tsv", sign, encoding=encoding)))[0]
    np.testing.assert_array_equal(plain, other)


def test_latin_letters(tmp_path, rng):
    lines = [(a, "café" if s == "books" else s, n, c) for a, s, n, c in rows(rng)]
    splits = load_table(written(tmp_path, lines, encoding="latin-1"))
    assert "shop=café" in splits.layout.columns


def test_quoted_fields_keep_their_separators(tmp_path, rng):
    lines = [(a, '"books, maps and ""more"""' if s == "books" else s, n, c) for a, s, n, c in rows(rng)]
    splits = load_table(written(tmp_path, lines))
    assert 'shop=books, maps and "more"' in splits.layout.columns


def test_decimal_commas_between_semicolons(tmp_path):
    path = written(tmp_path, [(f"{i},5", str(i)) for i in range(30)], sign=";", head=("a", "b"))
    assert read_columns(path)[0]["a"].tolist() == [i + 0.5 for i in range(30)]


def test_a_table_without_header(tmp_path, rng):
    splits = load_table(written(tmp_path, [(str(i * i), str(rng.integers(9))) for i in range(40)], head=None))
    assert splits.layout.columns == ("column 1", "column 2")
    assert sum(len(part) for part in (splits.train, splits.valid, splits.test)) == 40


@pytest.mark.parametrize("name", ["Class", "label", "TARGET", "y"])
def test_a_usual_class_column_is_found(tmp_path, rng, name):
    splits = load_table(written(tmp_path, rows(rng), head=("amount", "shop", "items", name)))
    assert splits.layout.classes == ("0", "1")
    assert any(name in note for note in splits.notes)


def test_label_names_the_class_column_and_may_hold_words(tmp_path, rng):
    splits = load_table(written(tmp_path, rows(rng)), label="shop")
    _, y = everything(splits)
    assert splits.layout.classes == ("books", "fuel", "grocery")
    assert y[:3].tolist() == [2, 1, 0]
    assert "class" in splits.layout.columns


def test_a_continuous_target_is_a_column_like_others(tmp_path, rng):
    path = written(tmp_path, [(f"{rng.normal():.4f}", f"{rng.normal():.4f}") for _ in range(40)], head=("a", "target"))
    assert load_table(path).layout.columns == ("a", "target")


def test_rows_without_a_class_are_unlabelled(tmp_path, rng):
    lines = [(*line[:3], "" if i == 4 else line[3]) for i, line in enumerate(rows(rng))]
    _, y = everything(load_table(written(tmp_path, lines)))
    assert y[4] == -1
    assert (np.delete(y, 4) >= 0).all()


def test_names_numbers_of_rows_and_dates_are_left_out_and_said(tmp_path, rng):
    head = ("id", "who", "when", "value", "empty")
    lines = [(str(i), f"name {i}", f"2024-01-{i % 28 + 1:02}", f"{rng.normal():.4f}", "") for i in range(40)]
    splits = load_table(written(tmp_path, lines, head=head))
    assert splits.layout.columns == ("value",)
    said = " ".join(splits.notes)
    assert all(
        word in said for word in ("'id' is left out: it numbers", "different text", "dates or times", "is empty")
    )


def test_more_than_fifty_words_are_left_out(tmp_path, rng):
    lines = [(f"{rng.normal():.4f}", f"shop {i % 60}") for i in range(300)]
    splits = load_table(written(tmp_path, lines, head=("value", "shop")))
    assert splits.layout.columns == ("value",)
    assert "60 different words" in splits.notes[0]


def test_equal_rows_stay_on_one_side(tmp_path, rng):
    lines = rows(rng, 30) * 4
    splits = load_table(written(tmp_path, lines))
    sides = [{row.tobytes() for row in part.x} for part in (splits.train, splits.valid, splits.test)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 30


def test_reading_goes_by_name_and_passes_over_what_it_does_not_know(tmp_path, rng):
    layout = load_table(written(tmp_path, rows(rng))).layout
    other = written(
        tmp_path,
        [("7", "x", "zoo", "2.5"), ("8", "y", "fuel", "3.5")],
        "o.csv",
        head=("items", "new", "shop", "amount"),
    )
    read = read_table(other, like=layout)
    assert read.x.tolist() == [[2.5, 7, 0, 0, 0], [3.5, 8, 0, 1, 0]]
    assert read.y is None
    assert read.where.tolist() == ["row 1", "row 2"]


def test_reading_the_training_file_gives_its_rows_in_order(tmp_path, rng):
    path = written(tmp_path, rows(rng))
    splits = load_table(path)
    read = read_table(path, like=splits.layout)
    x, y = everything(splits)
    np.testing.assert_array_equal(read.x, x)
    np.testing.assert_array_equal(read.y, y)


def test_reading_names_missing_columns_and_text(tmp_path, rng):
    layout = load_table(written(tmp_path, rows(rng))).layout
    with pytest.raises(ModelError, match="lacks 2 columns: items, shop"):
        read_table(written(tmp_path, [("1", "2")], "o.csv", head=("amount", "else")), like=layout)
    wrong = written(tmp_path, [("1", "fuel", "3"), ("many", "fuel", "3")], "w.csv", head=("amount", "shop", "items"))
    with pytest.raises(InputError, match="'amount' has the text 'many' in row 2"):
        read_table(wrong, like=layout)


@pytest.mark.parametrize("gap", ["", "NaN", "NA", "null", "inf"])
def test_a_missing_number_is_named_and_counted(tmp_path, rng, gap):
    lines = rows(rng)
    lines[6], lines[9] = (gap, *lines[6][1:]), (gap, *lines[9][1:])
    with pytest.raises(InputError, match=r"in 1 column: amount \(2 rows, first 7\)") as caught:
        load_table(written(tmp_path, lines))
    assert caught.value.code == "input.nan"


def test_a_ragged_row_is_named(tmp_path, rng):
    lines = rows(rng)
    lines[6] = lines[6][:3]
    with pytest.raises(InputError, match=r"row 8, .* has 3 fields; 4"):
        load_table(written(tmp_path, lines))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b,c\n", "no rows"),
        (b"a,b\n1,2\n", "has 1 object"),
        (b"name\n" + b"".join(b"person %d\n" % i for i in range(40)), "no column of numbers"),
        (b"\x00\x01\x02\x03", "not text"),
    ],
)
def test_useless_files_are_said(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_table(tmp_path / "t.csv")


def test_an_unknown_label_is_a_usage_error(tmp_path, rng):
    with pytest.raises(UsageError, match="one of amount, shop, items, class"):
        load_table(written(tmp_path, rows(rng)), label="fraud")


def test_a_class_of_too_many_values_is_refused(tmp_path):
    path = written(tmp_path, [(str(i), str(i)) for i in range(300)], head=("value", "who"))
    with pytest.raises(InputError, match="300 different values"):
        load_table(path, label="who")


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "t.csv").open("wb") as sparse:
        sparse.truncate(5 << 30)
    with pytest.raises(LimitError, match="limit 4,294,967,296"):
        load_table(tmp_path / "t.csv")


def test_a_window_makes_a_recording_of_it(tmp_path, rng):
    path = written(tmp_path, [(f"{rng.normal():.4f}",) for _ in range(400)], head=("value",))
    assert load_table(path, window=20).layout.shape == (1, 20)
    assert read_table(path, like=load_table(path, window=20).layout).x.shape[1:] == (1, 20)


def test_parquet_gives_the_same_as_csv(tmp_path, rng):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    lines = rows(rng)
    amount, shop, items, kind = zip(*lines, strict=True)
    columns = {
        "amount": list(map(float, amount)),
        "shop": shop,
        "items": list(map(int, items)),
        "class": list(map(int, kind)),
    }
    dates = pa.array(range(60), pa.timestamp("s"))
    parquet.write_table(pa.table({**columns, "when": dates, "deep": [[1]] * 60}), tmp_path / "t.parquet")
    splits = load_table(tmp_path / "t.parquet")
    np.testing.assert_array_equal(everything(splits)[0], everything(load_table(written(tmp_path, lines)))[0])
    assert any("when, deep" in note for note in splits.notes)


def test_a_cut_parquet_file_is_damaged(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"a": list(range(100))}), tmp_path / "t.parquet")
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:200])
    with pytest.raises(DamagedError, match=r"t\.parquet"):
        load_table(tmp_path / "t.parquet")


def test_creditcard_goes_by_time(real):
    splits = load_creditcard(real("creditcard/creditcard_subset.parquet"))
    second = [
        np.array([int(word.split()[1]) for word in part.where]) for part in (splits.train, splits.valid, splits.test)
    ]
    assert second[0].max() < second[1].min() <= second[1].max() < second[2].min()
    assert sum(part.y.sum() for part in (splits.train, splits.valid, splits.test)) == 377
    assert splits.layout.columns[0] == "V1"
    assert splits.layout.shape == (29,)


def published(tmp_path, rng, count=50):
    head = ["Time", *(f"V{i}" for i in range(1, 29)), "Amount", "Class"]
    lines = [
        [str(i // 2), *(f"{v:.6f}" for v in rng.normal(size=28)), f"{i}.99", f'"{int(i % 10 == 0)}"']
        for i in range(count)
    ]
    text = "\n".join([",".join(f'"{name}"' for name in head), *map(",".join, lines)])
    (tmp_path / "creditcard.csv").write_text(text)
    return tmp_path / "creditcard.csv"


def test_creditcard_as_published(tmp_path, rng):
    path = published(tmp_path, rng)
    splits = load_creditcard(path)
    assert splits.layout.classes == ("genuine", "fraud")
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (34, 6, 10)
    assert splits.test.x[:, -1].tolist() == pytest.approx([i + 0.99 for i in range(40, 50)])
    assert read_table(path, like=splits.layout).y.tolist() == [int(i % 10 == 0) for i in range(50)]


def test_creditcard_leaves_out_a_row_that_comes_again_at_another_time(tmp_path, rng):
    path = published(tmp_path, rng)
    head, *lines = path.read_text().splitlines()
    again = ["24," + lines[4].split(",", 1)[1], *lines[:48], "49," + lines[38].split(",", 1)[1]]
    path.write_text("\n".join([head, *again]) + "\n")
    splits = load_creditcard(path)
    sides = [{row.tobytes() for row in part.x} for part in (splits.train, splits.valid, splits.test)]
    assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]
    assert any("rows of validation and test are left out" in note for note in splits.notes)


def test_creditcard_without_its_columns_is_said(tmp_path, rng):
    with pytest.raises(UsageError, match="no column 'Class'"):
        load_creditcard(written(tmp_path, rows(rng)))
    with pytest.raises(InputError, match="no column Time"):
        load_creditcard(written(tmp_path, rows(rng), head=("a", "b", "c", "Class")))
