"""History: right by a slow count, blind to later rows, the same however rows are cut, and bounded."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from narrows.data.frames import History, batch_of
from narrows.data.frames.batch import part_of, placed
from narrows.data.frames.history import DEPTH, Past
from narrows.errors import InputError, UsageError

N = 700
OPTIONS = {"customer": "card", "time": "second", "amount": "amount"}


def payments(rng, count=N):
    """Rows in order of time, with gaps; the first card pays more often than is remembered."""
    amounts = np.where(rng.random(count) < 0.05, np.nan, rng.lognormal(3, 1, count).round(2))
    cards = rng.choice(["a", "b", "c", None, "d"], count, p=[0.5, 0.3, 0.1, 0.05, 0.05])
    seconds = np.sort(rng.exponential(4000, count).cumsum().round(-2))
    return {"card": cards.tolist(), "second": seconds, "amount": amounts}


def columns_of(batches, history):
    made = [[batch.column(name).to_numpy(zero_copy_only=False) for name in history.names] for batch in batches]
    return np.concatenate(made, 1)


def counted_slowly(table):
    """The same columns, a row at a time by their definition."""
    rows = []
    for row, (card, now, amount) in enumerate(zip(*table.values(), strict=True)):
        if card is None:
            rows.append([np.nan] * 8)
            continue
        past = [at for at in range(row) if table["card"][at] == card][-DEPTH:]
        since = now - table["second"][past[-1]] if past else np.nan
        told = [since]
        for span in (3600, 86400, 30 * 86400):
            near = [*(at for at in past[-DEPTH + 1 :] if now - table["second"][at] < span), row]
            told += [len(near), np.nansum(table["amount"][near])]
        known = [table["amount"][at] for at in past if np.isfinite(table["amount"][at])]
        rows.append([*told, amount / np.median(known) if known else np.nan])
    return np.array(rows, float).T


@pytest.fixture
def table(rng):
    return payments(rng)


@pytest.fixture
def history(table):
    return History.learn([batch_of(table)], **OPTIONS)


def test_it_counts_what_its_names_say(table, history):
    found = columns_of(history.over([batch_of(table)]), history)
    assert np.allclose(found, counted_slowly(table), equal_nan=True)
    assert table["card"].count("a") > DEPTH


@pytest.mark.parametrize("cut", [1, 13, 128, 699])
def test_it_is_the_same_to_the_last_bit_however_rows_are_cut(table, history, cut):
    whole = batch_of(table)
    parts = [part_of(whole, start, min(start + cut, N)) for start in range(0, N, cut)]
    at_once = columns_of(history.over([whole]), history)
    assert np.array_equal(columns_of(history.over(parts), history), at_once, equal_nan=True)


@pytest.mark.parametrize("row", [0, 1, 77, 350, N - 1])
def test_later_rows_never_change_earlier_ones(table, history, rng, row):
    before = columns_of(history.over([batch_of(table)]), history)
    changed = {name: list(column) for name, column in table.items()}
    for later in range(row + 1, N):
        changed["amount"][later] = 1e9
        changed["card"][later] = "a"
        changed["second"][later] = changed["second"][row] + rng.integers(0, 5) * 0 + later
    changed["second"][row + 1 :] = sorted(changed["second"][row + 1 :])
    after = columns_of(history.over([batch_of(changed)]), history)
    assert np.array_equal(before[:, : row + 1], after[:, : row + 1], equal_nan=True)
    short = columns_of(history.over([part_of(batch_of(table), 0, row + 1)]), history)
    assert np.array_equal(before[:, : row + 1], short, equal_nan=True)


def test_rows_of_one_moment_follow_each_other_as_in_the_file():
    rows = batch_of({"card": [1, 1, 1], "second": ["5", "5", "5"], "amount": [1.0, 2.0, 4.0]})
    (after,) = History.learn([rows], **OPTIONS).over([rows])
    assert after.column("card: rows in 1 h").to_pylist() == [1, 2, 3]
    assert after.column("card: seconds since the last").to_pylist() == [None, 0, 0]


def test_moments_may_be_dates_and_amounts_left_out():
    days = [(datetime(2024, 3, 1) + timedelta(hours=12 * row)).strftime("%d.%m.%Y %H:%M") for row in range(70)]
    rows = batch_of({"card": ["x"] * 70, "day": days})
    history = History.learn([rows], customer="card", time="day")
    (after,) = history.over([rows])
    assert after.column("card: rows in 24 h").to_pylist()[:4] == [1, 2, 2, 2]
    assert after.column("card: rows in 30 d").to_pylist()[-1] == 60
    assert len(history.names) == 4
    assert History.model_validate_json(history.model_dump_json()) == history


def test_rows_out_of_order_are_named(table, history):
    table["second"][400] = 0
    table["card"][400] = "a"
    whole = placed(batch_of(table), 1)
    with pytest.raises(InputError, match="row 401 is earlier than one above it of the same card"):
        list(history.over([part_of(whole, 0, 300), part_of(whole, 300, N)]))


def test_wrong_columns_and_cells_are_named(table):
    rows = batch_of(table)
    with pytest.raises(UsageError, match="Did you mean 'card'"):
        History.learn([rows], customer="crad", time="second")
    with pytest.raises(UsageError, match="a different one each"):
        History.learn([rows], customer="card", time="second", amount="card")
    with pytest.raises(InputError, match="time column 'card' has"):
        History.learn([rows], customer="amount", time="card")
    words = batch_of({"card": ["a", "a"], "second": [1, 2], "amount": ["1", "much"]})
    with pytest.raises(InputError, match="column 'amount' has 'much' in row 2"):
        list(History.learn([words], **OPTIONS).over([words]))


def test_customers_not_seen_for_longest_are_forgotten(monkeypatch):
    monkeypatch.setattr("narrows.data.frames.history.CUSTOMERS", 100)
    past = Past()
    for start in range(0, 1000, 10):
        names = [f"c{number}" for number in range(start, start + 9)] + ["faithful"]
        slots = past.slots(np.arange(10), names)
        told = past.tell(slots, np.full(10, float(start)), np.ones(10))
        assert len(past.known) <= 100
    assert told.counts[2][-1] == 100
    assert len(past.times) == 1024 or len(past.times) <= 200
