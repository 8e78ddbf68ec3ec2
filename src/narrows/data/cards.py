"""Card transactions, simulated, with labelled kinds of fraud: customers, merchants, places, habits.

purchases of every customer in order of time -> features from that customer's past only -> table (N, D)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from narrows.data.cardlife import (
    CATEGORIES,
    CHANNELS,
    DAY,
    HOUR,
    KINDS,
    ONLINE,
    SCENARIOS,
    Purchases,
    genuine_purchases,
    make_world,
    possible,
    speeds,
)
from narrows.data.splits import SHARES
from narrows.errors import LimitError, UsageError
from narrows.types import Layout, Split, Splits

CUSTOMERS, DAYS, FRAUD = 1000, 60, 0.005
PURCHASE_LIMIT = 50_000_000
TRUST = 3.0
"""How many purchases of its own a customer's running mean needs to outweigh the usual one."""
USUAL_AMOUNT, USUAL_ONLINE, LONG_AGO = 3.4, 0.25, 30 * DAY


def simulate_cards(
    customers: int, days: int, rng: np.random.Generator, *, fraud: float = FRAUD
) -> tuple[Purchases, np.ndarray]:
    """Purchases of a number of customers over a number of days, in order of time, some of them fraud.

    Of the frauds a quarter each are "card testing" (bursts of tiny online payments), "stolen card" (sprees of dear
    things in a far town), "account takeover" (dear things online, at night, from merchants new to the customer) and
    "cloned card" (a purchase in a far town minutes after one at home: impossible travel, which no other kind shows).

    Args:
        customers: How many, 1 or more; each makes about one purchase a day.
        days: How many, 2 or more.
        rng: Source of randomness.
        fraud: Share of all purchases that are fraud, about, in [0, 0.5].

    Returns:
        Columns by name: time in seconds since the first midnight (a Monday), customer, merchant, category and
        channel (numbers into `CATEGORIES` and `CHANNELS`), amount, x and y of the place in km, home_x and home_y;
        and the kind of each purchase, a number into `KINDS`, shape (N,).

    Raises:
        UsageError: Too few customers or days, or a share outside its range.

    Example:
        >>> columns, kinds = simulate_cards(100, 30, np.random.default_rng(0), fraud=0.02)
        >>> len(columns["amount"]) == len(kinds), bool((np.diff(columns["time"]) >= 0).all())
        (True, True)
    """
    if customers < 1 or days < 2 or not 0 <= fraud <= 0.5:
        raise UsageError(
            f"{customers} customers, {days} days, {fraud} fraud",
            expected="at least 1 customer, 2 days, and a share in [0, 0.5]",
            code="usage.cards",
        )
    if customers * days > PURCHASE_LIMIT:
        raise LimitError(
            f"about {customers * days:,} purchases", expected=f"limit {PURCHASE_LIMIT:,}", code="limit.memory"
        )
    world = make_world(customers, rng)
    genuine = possible(genuine_purchases(world, days, rng))
    each = round(len(genuine["time"]) * fraud / (1 - fraud) / len(SCENARIOS))
    shops = bool((genuine["channel"] != ONLINE).sum() > 20)
    woven = [scene(world, genuine, each, days, rng) for scene in SCENARIOS] if each and shops else []
    bought = possible({name: np.concatenate([column, *(w[name] for w in woven)]) for name, column in genuine.items()})
    order = np.argsort(bought["time"], kind="stable")
    order = order[bought["time"][order] < days * DAY]
    bought = {name: column[order] for name, column in bought.items()}
    kinds = bought.pop("kind")
    home_x, home_y = world.home[bought["customer"]].T
    return {**bought, "home_x": home_x, "home_y": home_y}, kinds


def card_features(bought: Purchases) -> tuple[tuple[str, ...], np.ndarray]:
    """What a bank knows when a purchase is asked for: the purchase itself and that customer's past, never the future.

    Args:
        bought: Columns as `simulate_cards` makes them, in any order.

    Returns:
        Names of the features and their values, shape (N, F), float32.
    """
    order = np.lexsort((bought["time"], bought["customer"]))
    b = {name: column[order] for name, column in bought.items()}
    first = np.searchsorted(b["customer"], b["customer"])
    amount, online = np.log(b["amount"]), (b["channel"] == ONLINE).astype(float)
    angle = b["time"] % DAY / DAY * 2 * np.pi
    features = {
        "log amount": amount,
        "log amount against own mean": amount - own_mean(amount, first, USUAL_AMOUNT),
        **recent(b, first),
        "hour sin": np.sin(angle),
        "hour cos": np.cos(angle),
        "hours from own usual hour": hours_from_usual(angle, first),
        "weekend": (b["time"] // DAY % 7 >= 5).astype(float),
        "log km from home": np.log1p(np.hypot(b["x"] - b["home_x"], b["y"] - b["home_y"])),
        "log km/h since last shop": np.log1p(speeds(b)),
        "new merchant": first_visit(b),
        "online against own share": online - own_mean(online, first, USUAL_ONLINE),
        **{f"channel={name}": (b["channel"] == i).astype(float) for i, name in enumerate(CHANNELS)},
        **{f"category={name}": (b["category"] == i).astype(float) for i, name in enumerate(CATEGORIES)},
    }
    x = np.empty((len(order), len(features)), np.float32)
    x[order] = np.stack(list(features.values()), 1)
    return tuple(features), x


def before(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sum of a customer's values before each purchase; `first` is where that customer's purchases begin."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return total[:-1] - total[first]


def own_mean(values: np.ndarray, first: np.ndarray, usual: float) -> np.ndarray:
    """Mean of a customer's values before each purchase, drawn to the usual one while there are few."""
    count = np.arange(len(values)) - first
    return (before(values, first) + TRUST * usual) / (count + TRUST)


def hours_from_usual(angle: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Hours between a purchase and the mean hour of the ones before, around the clock."""
    mean = np.arctan2(before(np.sin(angle), first), before(np.cos(angle), first))
    apart = np.abs((angle - mean + np.pi) % (2 * np.pi) - np.pi) * 12 / np.pi
    return np.where(np.arange(len(angle)) == first, 0, apart)


def recent(b: Purchases, first: np.ndarray) -> dict[str, np.ndarray]:
    """How long ago the last purchase was, and how many and how dear the ones of the last hour and day."""
    index = np.arange(len(first))
    ago = np.where(index > first, np.diff(b["time"], prepend=0), LONG_AGO)
    key = b["customer"] * (int(b["time"].max(initial=0)) + 2 * DAY) + b["time"]
    hour, day = (np.maximum(np.searchsorted(key, key - span), first) for span in (HOUR, DAY))
    return {
        "log seconds since last": np.log1p(np.clip(ago, 0, LONG_AGO)),
        "purchases in the last hour": (index - hour).astype(float),
        "purchases in the last day": (index - day).astype(float),
        "log spent in the last day": np.log1p(np.maximum(before(b["amount"], day), 0)),
    }


def first_visit(b: Purchases) -> np.ndarray:
    """1 where a customer buys from a merchant for the first time."""
    pairs = b["customer"] * (int(b["merchant"].max(initial=0)) + 1) + b["merchant"]
    new = np.zeros(len(pairs))
    new[np.unique(pairs, return_index=True)[1]] = 1
    return new


def load_cards(
    source: Path | None = None,
    *,
    seed: int = 0,
    limit: int | None = None,
    customers: int = CUSTOMERS,
    days: int = DAYS,
    fraud: float = FRAUD,
) -> Splits:
    """Simulated card transactions as a table of features, with the kind of fraud as class.

    Parted in order of time, as a bank would have it: the first 70 % of the purchases train, the next 10 % validate,
    the last 20 % judge. The training objects hold frauds as life does; their classes say which they are.

    Example:
        >>> data = load_cards(customers=50, days=30)
        >>> data.layout.classes
        ('genuine', 'card testing', 'stolen card', 'account takeover', 'cloned card')
    """
    rng = np.random.default_rng(seed)
    bought, kinds = simulate_cards(customers, days, rng, fraud=fraud)
    columns, x = card_features(bought)
    layout = Layout("cards", "table", (len(columns),), KINDS, columns, "feature")
    ends = np.round(np.cumsum(SHARES) * len(x)).astype(int)[:-1]
    parts = np.split(np.arange(len(x)), ends)
    parts[0] = rng.permutation(parts[0])[:limit]
    train, valid, test = (Split(x[at], kinds[at], spoken(bought, at)) for at in parts)
    notes = (
        "Parted in order of time: 70 % training, 10 % validation, 20 % test.",
        f"{(kinds > 0).mean():.2%} of the purchases are fraud, in training as in life.",
    )
    return Splits(layout, train, valid, test, notes)


def spoken(bought: Purchases, at: np.ndarray) -> np.ndarray:
    """When a purchase was, and by whom, in words."""
    pairs = zip(bought["time"][at].tolist(), bought["customer"][at].tolist(), strict=True)
    return np.array(
        [f"day {t // DAY}, {t // HOUR % 24:02}:{t // 60 % 60:02}:{t % 60:02}, customer {c}" for t, c in pairs], np.str_
    )
