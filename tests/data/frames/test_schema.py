"""The schema: kinds are found, features are the same however rows are cut, blame is in the units of the table."""

import json
from datetime import date, datetime, time

import numpy as np
import pyarrow as pa
import pytest

from narrows.data.frames import Schema, batch_of, open_table
from narrows.data.frames.batch import part_of, placed
from narrows.data.frames.kinds import KINDS
from narrows.errors import DamagedError, InputError, ModelError, UsageError

N = 600


def payments(rng, count=N):
    """Rows with a column of every kind, with gaps, and columns that are of no use."""
    day = np.datetime64("2024-03-01", "s") + np.sort(rng.integers(0, 40 * 86400, count)).astype("timedelta64[s]")
    return {
        "row": list(range(1, count + 1)),
        "amount": [
            None if row % 20 == 7 else float(f"{value:.2f}") for row, value in enumerate(rng.normal(31, 4, count))
        ],
        "income": rng.lognormal(8, 2, count),
        "pieces": rng.integers(1, 9, count),
        "country": rng.choice(["GB", "FR", "DE"], count, p=[0.7, 0.2, 0.1]).tolist(),
        "merchant": [f"M{value}" for value in rng.zipf(1.3, count) % 90],
        "online": rng.choice(["yes", "no", ""], count, p=[0.3, 0.6, 0.1]).tolist(),
        "chip": rng.random(count) < 0.5,
        "when": day,
        "opened": [date(2000 + int(value), 5, 1) for value in rng.integers(0, 20, count)],
        "clock": [time(int(value), 30) for value in rng.integers(0, 24, count)],
        "id": [f"tx-{row}" for row in range(count)],
        "empty": [None] * count,
        "one": ["same"] * count,
        "fraud": (rng.random(count) < 0.03).astype(int),
    }


@pytest.fixture
def table(rng):
    return batch_of(payments(rng))


@pytest.fixture
def schema(table):
    return Schema.fit([table], label="fraud", time="when")


def test_every_column_gets_its_kind_or_a_reason(schema):
    assert schema.kinds == {
        "amount": "number",
        "income": "number",
        "pieces": "number",
        "country": "category",
        "merchant": "category",
        "online": "yes/no",
        "chip": "yes/no",
        "when": "date",
        "opened": "date",
        "clock": "date",
    }
    assert set(schema.kinds.values()) == set(KINDS)
    assert schema.left == {
        "row": "it counts the rows",
        "id": "its texts name the rows: nearly all are different",
        "empty": "it is empty",
        "one": "it is the same everywhere (same)",
        "fraud": "it is the label",
    }


def test_the_same_table_as_text_gives_the_same_features(table, schema, tmp_path):
    import pyarrow.csv

    pyarrow.csv.write_csv(pa.table(table), tmp_path / "t.csv")
    text = open_table(tmp_path / "t.csv", rows=97)
    again = Schema.fit(text, label="fraud", time="when")
    assert again.kinds == schema.kinds
    whole = np.concatenate([again.features(batch) for batch in text])
    assert np.allclose(whole, schema.features(table), atol=1e-6)


@pytest.mark.parametrize("cut", [7, 64, 599])
def test_features_and_the_schema_do_not_depend_on_how_rows_are_cut(table, schema, cut):
    parts = [part_of(table, start, min(start + cut, N)) for start in range(0, N, cut)]
    assert np.array_equal(np.concatenate([schema.features(part) for part in parts]), schema.features(table))
    assert Schema.fit(parts, label="fraud", time="when") == schema


def test_a_row_alone_has_the_features_it_has_among_others(table, schema):
    x = schema.features(table)
    for row in range(0, N, 40):
        assert np.array_equal(schema.features(part_of(table, row, row + 1)), x[row : row + 1])


def test_features_are_finite_and_scaled(schema, table):
    x = schema.features(table)
    assert x.shape == (N, schema.width)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()
    assert schema.groups[0][0] == 0
    assert all(stop == start for (_, stop), (start, _) in zip(schema.groups, schema.groups[1:], strict=False))
    for name in ("amount", "pieces", "income"):
        start, _ = schema.groups[schema.place(name)]
        assert abs(np.median(x[:, start])) < 0.1
        assert 0.5 < np.subtract(*np.percentile(x[:, start], (75, 25))) / 1.349 < 1.5
    start, stop = schema.groups[schema.place("amount")]
    assert x[:, stop - 1].mean() == pytest.approx(0.05)
    assert schema.columns[schema.place("income")].scale.log > 0
    assert schema.columns[schema.place("amount")].scale.log == 0


@pytest.mark.parametrize("value", [-1e308, 1e308, 1e300, 1e-320, -0.0, 1e15])
def test_the_wildest_numbers_have_features_and_come_back_in_order(schema, table, value):
    for name in ("amount", "income"):
        wild = table.set_column(table.schema.get_field_index(name), name, pa.array([value] * N))
        start, _ = schema.groups[schema.place(name)]
        x = schema.features(wild)
        assert np.isfinite(x).all()
        scale = schema.columns[schema.place(name)].scale
        assert np.isfinite(scale.undo(float(x[0, start])))
        assert (scale.apply(np.array([value, 31.0])) * np.sign(value - 31.0))[0] > 0


def test_scales_are_undone():
    from narrows.data.frames.scales import Scale

    values = np.array([-1e9, -300, -1, 0, 0.5, 20, 1e4, 1e12])
    for scale in (Scale(center=3, unit=2), Scale(center=0.2, unit=0.7, log=5)):
        features = scale.apply(values)
        assert (np.diff(features) > 0).all()
        assert [scale.undo(float(feature)) for feature in features] == pytest.approx(
            values.tolist(), rel=1e-9, abs=1e-9
        )


def test_infinite_numbers_are_missing_and_said():
    values = np.random.default_rng(0).normal(size=200)
    values[[3, 5]] = np.inf, -np.inf
    for cells in (values, [f"{value:g}" for value in values]):
        table = batch_of({"a": cells, "b": np.arange(200) % 7})
        schema = Schema.fit([table])
        assert "a: infinite numbers are treated as missing." in schema.notes
        assert np.isfinite(schema.features(table)).all()
        assert schema.features(table)[3, 0] == 0
        assert schema.describe("a", table, 3) == "a infinite"
        assert schema.gaps(table) == {"a": 2}


def test_blame_is_in_the_units_of_the_table(rng):
    table = payments(rng)
    table["amount"][3], table["merchant"][3], table["country"][3] = 2125.87, "M-never", None
    table["when"][3] = np.datetime64("2024-03-03T02:12:00")
    batch = batch_of(table)
    schema = Schema.fit([batch_of(payments(rng))], time="when")
    usual = np.zeros(schema.width, np.float32)

    def expect(name, *values):
        start, _ = schema.groups[schema.place(name)]
        usual[start : start + len(values)] = values

    expect("country", 0.3, 0.9, 0.1)
    expect("chip", 0.8)
    expect("online", 0.2, 0.9)
    expect("when", 0.0, -1.0, np.sin(2 * np.pi * 1.5 / 7), np.cos(2 * np.pi * 1.5 / 7))
    said = {name: schema.describe(name, batch, 3, usual) for name in schema.names}
    assert said["amount"] == "amount 2,125.87, expected about 31"
    assert said["country"] == "country missing, expected GB"
    assert said["merchant"].startswith("merchant M-never (rare), expected ")
    assert said["when"] == "when 2024-03-03 02:12 (Sunday), expected about 12:00 on a Tuesday"
    assert said["chip"].endswith("expected true")
    assert said["online"].endswith("expected nothing")
    assert said["opened"].split(" near ")[1].startswith("20")
    assert schema.describe(schema.place("amount"), batch, 3) == "amount 2,125.87"
    with pytest.raises(UsageError, match="Did you mean 'amount'"):
        schema.describe("amuont", batch, 3)


def test_rare_and_unseen_levels_share_a_feature_and_are_as_surprising_as_they_are_new():
    words = ["a"] * 500 + ["b"] * 80 + ["c"] * 2 + [f"w{row % 60}" for row in range(418)]
    schema = Schema.fit([batch_of({"k": words})])
    (column,) = schema.columns
    assert column.levels == ("a", "b")
    x = schema.features(batch_of({"k": ["a", "c", "never", None]}))
    assert x[:, 1:].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]
    assert x[0, 0] == 0
    assert 3 < x[1, 0] < x[2, 0] < np.log(1000)
    assert schema.roles == ("surprise", "level", "level", "level")


def test_a_missing_word_is_as_surprising_as_it_is_rare():
    schema = Schema.fit([batch_of({"k": (["a"] * 100 + ["b"] * 90 + [None] * 10) * 5})])
    x = schema.features(batch_of({"k": ["a", None, "never"]}))
    assert x[:, 1:].tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert 0 == x[0, 0] < 2 < x[1, 0] < x[2, 0]


def test_a_new_word_is_no_surprise_where_every_second_one_is_new():
    codes = [f"k{row}" if row % 2 else f"k{row % 40}" for row in range(2000)]
    countries = ["GB", "FR", "DE", "GB"] * 500
    schema = Schema.fit([batch_of({"code": codes, "country": countries})], kinds={"code": "category"})
    x = schema.features(batch_of({"code": ["new"], "country": ["new"]}))
    code, country = (x[0, start] for start, _ in schema.groups)
    assert code < 1
    assert country > 5


def test_numbers_may_be_categories_if_a_person_says_so():
    codes = [5411, 5411, 5812, 4111] * 50
    schema = Schema.fit([batch_of({"mcc": codes})], kinds={"mcc": "category"})
    assert schema.columns[0].levels == ("5411", "4111", "5812")
    same = [batch_of({"mcc": kept}) for kept in (codes[:4], [float(c) for c in codes[:4]], [str(c) for c in codes[:4]])]
    assert all(np.array_equal(schema.features(batch), schema.features(same[0])) for batch in same)


@pytest.mark.parametrize(
    "written",
    ["31.12.2024", "31/12/2024 23:59", "12/31/2024", "2024/12/31", "2024-12-31T23:59:01Z", "2024-12-31 23:59:01.25"],
)
def test_dates_are_known_however_they_are_written(written):
    days = [written.replace("31", f"{day:02d}") for day in range(13, 29)] * 4
    schema = Schema.fit([batch_of({"day": days})])
    assert schema.kinds == {"day": "date"}
    assert "2024-12-14" in schema.describe("day", batch_of({"day": days}), 1)


def test_days_before_months_are_said_where_both_could_be():
    days = [f"{day:02d}/{month:02d}/2024" for day in range(1, 13) for month in range(1, 13)]
    assert "day: dates such as 03/04 are read with the day first." in Schema.fit([batch_of({"day": days})]).notes


def test_the_hour_of_a_moment_is_near_across_midnight():
    hours = [datetime(2024, 3, 1 + row % 28, row % 24, 59) for row in range(200)]
    schema = Schema.fit([batch_of({"t": hours})], time="t")
    x = schema.features(batch_of({"t": [datetime(2024, 3, 2, 23, 59), datetime(2024, 3, 3), datetime(2024, 3, 3, 12)]}))
    assert np.linalg.norm(x[0, :2] - x[1, :2]) < 0.01
    assert np.linalg.norm(x[0, :2] - x[2, :2]) > 1.99


def test_a_schema_travels_as_strict_json(schema, table):
    text = schema.to_json()
    again = Schema.from_json(text)
    assert again == schema
    assert np.array_equal(again.features(table), schema.features(table))
    values = json.loads(text)
    for altered in (
        text[:-5],
        text.replace('"version":2', '"version":1'),
        text.replace('"unit":', '"unti":', 1),
        json.dumps({**values, "rows": "many"}),
        json.dumps({**values, "columns": [{"kind": "magic", "name": "a"}]}),
        '{"rows":1,"rows":2}',
        "[]",
        text.replace('"center":', '"center":NaN,"was":', 1),
    ):
        with pytest.raises(DamagedError, match="a schema that cannot be read"):
            Schema.from_json(altered)


def test_columns_may_be_in_any_order_and_others_are_passed_over(schema, table):
    shuffled = table.select([*reversed(table.schema.names)]).append_column("new", pa.array(range(N)))
    assert np.array_equal(schema.features(shuffled), schema.features(table))
    assert schema.aside(shuffled.schema.names) == ("1 column is not known to the model and passed over: 'new'.",)
    assert schema.aside(table.schema.names) == ()


def test_missing_columns_are_all_named(schema, table):
    lacking = table.drop_columns(["amount", "country", "id"]).append_column("Amount", pa.array(range(N)))
    with pytest.raises(ModelError, match=r"lacks 2 columns: 'amount', 'country'; it has 'Amount' instead"):
        schema.features(lacking)


def test_mistyped_columns_are_all_named_with_their_row(schema, table):
    names = table.schema.names
    bad = table.set_column(names.index("amount"), "amount", pa.array(["1"] * 5 + ["many"] + ["2"] * (N - 6)))
    bad = bad.set_column(names.index("chip"), "chip", pa.array(["maybe"] * N))
    bad = bad.set_column(names.index("opened"), "opened", pa.array(["yesterday"] * N))
    bad = bad.set_column(names.index("pieces"), "pieces", table.column("when"))
    with pytest.raises(InputError) as caught:
        schema.features(placed(bad, 1001))
    said = str(caught.value)
    assert said.startswith("4 columns that cannot be read: ")
    for words in (
        "amount has 'many' in row 1,006",
        "chip has 'maybe' in row 1,001",
        "opened has 'yesterday'",
        "pieces",
    ):
        assert words in said


def test_text_among_numbers_is_named_with_its_row():
    cells = ["1.5", "2.5", "3"] * 40 + ["oops"]
    with pytest.raises(InputError, match=r"column 'a' has the text 'oops' in row 121; a number, as in 99.2%"):
        Schema.fit([batch_of({"a": cells})])
    assert Schema.fit([batch_of({"a": cells})], kinds={"a": "category"}).kinds == {"a": "category"}
    assert Schema.fit([batch_of({"a": cells, "b": [1, 2, 2] * 40 + [1]})], leave_out=["a"]).left == {"a": "as asked"}


@pytest.mark.parametrize("word", ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "-"])
def test_the_usual_words_for_nothing_are_missing(word):
    table = batch_of({"a": ["1.5", "2.5", word, "4"] * 40, "b": ["x", "y", word, "x"] * 40})
    schema = Schema.fit([table])
    x = schema.features(table)
    assert schema.kinds == {"a": "number", "b": "category"}
    assert all(x[:4, stop - 1].tolist() == [0, 0, 1, 0] for _, stop in schema.groups)


def test_one_row_or_none_is_told():
    with pytest.raises(InputError, match="without rows"):
        Schema.fit([batch_of({"a": pa.array([], pa.float64())})])
    with pytest.raises(InputError, match="without rows"):
        Schema.fit([])
    with pytest.raises(InputError, match=r"no column that can be used \(a: it is the same everywhere \(1.0\); b:"):
        Schema.fit([batch_of({"a": [1.0], "b": ["x"]})])


def test_a_header_without_rows_is_told(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(InputError, match="without rows"):
        Schema.fit(open_table(tmp_path / "t.csv"))


def test_ten_thousand_columns_are_fitted_and_travel(rng, tmp_path):
    wide = batch_of({f"c{place}": column for place, column in enumerate(rng.normal(size=(10_000, 50)))})
    schema = Schema.fit([wide])
    assert schema.features(wide).shape == (50, 10_000)
    assert Schema.from_json(schema.to_json()) == schema
    assert len(schema.to_json()) < 2_000_000


@pytest.mark.parametrize(
    ("cells", "odd", "expected"),
    [
        ([0, 0, 1], None, [0, 0, 1]),
        (["genuine", "genuine", "fraud"], None, [0, 0, 1]),
        ([True, False, False], None, [1, 0, 0]),
        (["a", "a", "b"], None, [0, 0, 1]),
        (["a", "a", "b"], ["a"], [1, 1, 0]),
        (["1", "", "0"], None, [1, -1, 0]),
    ],
)
def test_labels_say_which_rows_are_odd(cells, odd, expected):
    table = batch_of({"x": [1.0, 2.0, 4.0], "y": cells})
    schema = Schema.fit([table], label="y", odd=odd)
    assert schema.labels(table).tolist() == expected
    assert schema.names == ("x",)
    assert schema.labels(table.drop_columns(["y"])) is None
    assert "The label 'y' calls" in schema.notes[0]


def test_a_label_with_one_class_or_too_many_is_told():
    x = np.arange(300.0) ** 2
    schema = Schema.fit([batch_of({"x": x, "y": ["normal"] * 300})], label="y")
    assert "one class only, 'normal'" in schema.notes[0]
    with pytest.raises(InputError, match="300 different values; at most 256"):
        Schema.fit([batch_of({"x": x, "y": range(300)})], label="y")
    with pytest.raises(UsageError, match="unknown class of y 'fruad'"):
        Schema.fit([batch_of({"x": x, "y": ["fraud"] * 300})], label="y", odd=["fruad"])


def test_times_are_seconds(table, schema):
    when = table.column("when").to_numpy(zero_copy_only=False)
    assert np.array_equal(schema.times(table), when.astype("datetime64[s]").astype(np.float64))
    numbered = batch_of({"t": [3.0, 1.0, None], "x": [1, 2, 4]})
    schema = Schema.fit([numbered], time="t")
    assert schema.left == {"t": "it orders the rows"}
    assert np.array_equal(schema.times(numbered), [3, 1, np.nan], equal_nan=True)
    with pytest.raises(InputError, match="time column 't' has 'soon'"):
        Schema.fit([batch_of({"t": ["soon", "later"], "x": [1, 2]})], time="t")


def test_wrong_options_are_named(table):
    for options, said in (
        ({"label": "frud"}, "Did you mean 'fraud'"),
        ({"leave_out": ["amuont"]}, "Did you mean 'amount'"),
        ({"kinds": {"amount": "nummer"}}, "unknown kind of column"),
        ({"kinds": {"country": "date"}}, "'country' as date: it has 'GB'"),
        ({"kinds": {"country": "yes/no"}}, "'country' as yes/no: it has 'GB'"),
        ({"label": "fraud", "time": "fraud"}, "as label and as time"),
    ):
        with pytest.raises(UsageError, match=said):
            Schema.fit([table], **options)
    with pytest.raises(InputError, match="column 'country' has the text"):
        Schema.fit([table], kinds={"country": "number"})


def test_batches_of_different_columns_are_refused():
    with pytest.raises(InputError, match="batches with different columns: b, c"):
        Schema.fit([batch_of({"a": [1], "b": [2]}), batch_of({"a": [1], "c": [2]})])
    with pytest.raises(InputError, match="whose columns differ"):
        Schema.fit([batch_of({"a": [1, 2]}), batch_of({"a": ["x", "y"]})])
    with pytest.raises(InputError, match="columns that make no table"):
        batch_of({"a": [1], "b": [1, 2]})


def test_the_sample_stands_for_all_rows(rng, monkeypatch):
    monkeypatch.setattr("narrows.data.frames.tally.SAMPLE", 2000)
    values = rng.normal(100, 15, 50_000)
    words = rng.choice(["a", "b", "c"], 50_000, p=[0.6, 0.39, 0.01])
    parts = [
        batch_of({"v": v, "w": w.tolist()}) for v, w in zip(np.split(values, 50), np.split(words, 50), strict=True)
    ]
    number, category = Schema.fit(parts).columns
    assert number.scale.center == pytest.approx(100, abs=1)
    assert number.scale.unit == pytest.approx(15, rel=0.1)
    assert category.levels == ("a", "b", "c")
