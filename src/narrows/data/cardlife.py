"""The small country that the card simulator plays in: towns, merchants, customers, and what fraudsters do.

    towns -> merchants, customers' homes and habits -> genuine purchases -> fraud woven in -> nobody travels too fast

Inspired by the simulator of the Fraud Detection Handbook (customers with habits, terminals, fraud by scenario),
with places, channels and kinds of fraud of its own.

References:
    Reproducible Machine Learning for Credit Card Fraud Detection (Le Borgne, Siblini, Lebichot and Bontempi, 2022),
    https://fraud-detection-handbook.github.io/fraud-detection-handbook/
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Purchases = dict[str, np.ndarray]

KINDS = ("genuine", "card testing", "stolen card", "account takeover", "cloned card")
CHANNELS = ("chip", "contactless", "online")
CATEGORIES = {
    "groceries": (3.3, 0.6),
    "fuel": (3.8, 0.35),
    "restaurants": (3.1, 0.6),
    "clothes": (3.9, 0.6),
    "electronics": (4.6, 0.8),
    "travel": (5.0, 0.8),
    "entertainment": (2.8, 0.6),
    "health": (3.2, 0.6),
}
"""Mean and spread of the logarithm of an amount, by category."""
USUAL = np.array([0.34, 0.12, 0.18, 0.09, 0.05, 0.04, 0.1, 0.08])
DEAR = np.array([3, 4, 5])

ONLINE = 2
HOUR, DAY = 3600, 86400
TOWNS, LOCAL, WEB = 12, 40, 80
FASTEST, IMPOSSIBLE = 120.0, 300.0  # km/h: a car, and what no purchase in person can do


@dataclass(frozen=True, eq=False)
class World:
    """Who lives where and buys what.

    Args:
        towns: Places of the towns in km, shape (T, 2).
        places: Place of each merchant in km, shape (M, 2); the last `WEB` merchants sell online only.
        category: Category of each merchant, shape (M,).
        town: Home town of each customer, shape (C,).
        home: Place of each home in km, shape (C, 2).
        rate: Purchases a day of each customer, shape (C,).
        wealth: Factor on the amounts of each customer, shape (C,).
        online: Share of each customer's purchases that are online, shape (C,).
        hour: Hour of the day about which each customer buys, shape (C,).
        favourites: Merchants each customer returns to, in person and online, shapes (C, 10) and (C, 4).
    """

    towns: np.ndarray
    places: np.ndarray
    category: np.ndarray
    town: np.ndarray
    home: np.ndarray
    rate: np.ndarray
    wealth: np.ndarray
    online: np.ndarray
    hour: np.ndarray
    favourites: tuple[np.ndarray, np.ndarray]


def make_world(customers: int, rng: np.random.Generator) -> World:
    """Towns in 600 x 600 km, 40 merchants in each and 80 online, and customers with their habits."""
    towns = rng.uniform(0, 600, (TOWNS, 2))
    places = np.concatenate([np.repeat(towns, LOCAL, 0) + rng.normal(0, 3, (TOWNS * LOCAL, 2)), np.zeros((WEB, 2))])
    town = rng.integers(0, TOWNS, customers)
    return World(
        towns=towns,
        places=places,
        category=rng.choice(len(USUAL), len(places), p=USUAL),
        town=town,
        home=towns[town] + rng.normal(0, 4, (customers, 2)),
        rate=rng.gamma(4, 0.25, customers),
        wealth=rng.lognormal(0, 0.35, customers),
        online=rng.beta(2, 6, customers),
        hour=np.where(rng.random(customers) < 0.1, rng.normal(1, 2, customers), rng.normal(14, 2.5, customers)),
        favourites=(
            town[:, None] * LOCAL + rng.integers(0, LOCAL, (customers, 10)),
            TOWNS * LOCAL + rng.integers(0, WEB, (customers, 4)),
        ),
    )


def genuine_purchases(world: World, days: int, rng: np.random.Generator) -> Purchases:
    """What customers buy: mostly from favourites at home, now and then on a trip to another town."""
    customer = np.repeat(np.arange(len(world.town)), rng.poisson(world.rate * days))
    time = rng.integers(0, days, len(customer)) * DAY + (rng.normal(world.hour[customer], 3) % 24 * HOUR).astype(
        np.int64
    )
    # One purchase in twenty is followed by another within minutes, as on any market day.
    again = rng.random(len(customer)) < 0.05
    customer = np.append(customer, customer[again])
    time = np.append(time, time[again] + rng.exponential(400, again.sum()).astype(np.int64))
    count = len(customer)
    begin = rng.uniform(0, 2 * days, len(world.town)) * DAY
    away = (time >= begin[customer]) & (time < (begin + rng.uniform(3, 9, len(begin)) * DAY)[customer])
    town = np.where(away, rng.integers(0, TOWNS, len(begin))[customer], world.town[customer])
    online = rng.random(count) < world.online[customer]
    loyal = rng.random(count) < np.where(away & ~online, 0, 0.85)
    liked = (rng.random(count) ** 2)[:, None] * [10, 4]
    local, web = (f[customer, k] for f, k in zip(world.favourites, liked.astype(int).T, strict=True))
    local = np.where(loyal, local, town * LOCAL + rng.integers(0, LOCAL, count))
    web = np.where(loyal, web, TOWNS * LOCAL + rng.integers(0, WEB, count))
    merchant = np.where(online, web, local)
    amount = usual_amounts(world, customer, merchant, rng)
    return purchases(world, customer, time, merchant, amount, same(0, count), rng)


def purchases(
    world: World,
    customer: np.ndarray,
    time: np.ndarray,
    merchant: np.ndarray,
    amount: np.ndarray,
    kind: np.ndarray,
    rng: np.random.Generator,
) -> Purchases:
    """Purchases with all their columns; what is paid online is paid from home."""
    category = world.category[merchant]
    amount = np.maximum(amount, 0.5).round(2)
    tapped = (amount < 50) & (rng.random(len(customer)) < 0.7)
    channel = np.where(merchant >= TOWNS * LOCAL, ONLINE, tapped.astype(np.int64))
    place = np.where((channel == ONLINE)[:, None], world.home[customer], world.places[merchant])
    columns = {"time": time, "customer": customer, "merchant": merchant, "category": category, "amount": amount}
    x, y = place.T
    return {**columns, "channel": channel, "x": x, "y": y, "kind": kind}


def usual_amounts(world: World, customer: np.ndarray, merchant: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What these customers pay to these merchants; three in a hundred times it is something dear."""
    mean, spread = np.array(list(CATEGORIES.values()))[world.category[merchant]].T
    dear = np.where(rng.random(len(customer)) < 0.03, rng.normal(1.5, 0.5, len(customer)), 0)
    return np.exp(rng.normal(mean, spread) + dear) * world.wealth[customer]


def card_testing(world: World, genuine: Purchases, count: int, days: int, rng: np.random.Generator) -> Purchases:
    """Bursts of tiny online payments within minutes: does this card number work?"""
    episode = episodes(count, 6, 15, rng)
    customer, start = (
        rng.integers(0, len(world.town), count)[episode],
        (rng.uniform(0.05, 1, count) * days * DAY)[episode],
    )
    time = start + spread_in_time(episode, rng.exponential(60, count) + 5)
    merchant = TOWNS * LOCAL + rng.integers(0, WEB, count)
    return purchases(world, customer, time.astype(np.int64), merchant, rng.uniform(0.5, 8, count), same(1, count), rng)


def stolen_card(world: World, genuine: Purchases, count: int, days: int, rng: np.random.Generator) -> Purchases:
    """Sprees of dear things in shops of a far town, as soon as a car can be there."""
    episode = episodes(count, 3, 8, rng)
    anchor = anchors(genuine, count, rng)[episode]
    town, distance = far_town(world, genuine, anchor, rng.random(count)[episode])
    start = genuine["time"][anchor] + (distance / 80 + 0.5 + rng.uniform(0, 2, count)[episode]) * HOUR
    time = start + spread_in_time(episode, rng.uniform(600, 2400, count))
    merchant = town * LOCAL + rng.integers(0, LOCAL, count)
    amount = np.exp(rng.normal(5.2, 0.7, count))
    return purchases(world, genuine["customer"][anchor], time.astype(np.int64), merchant, amount, same(2, count), rng)


def account_takeover(world: World, genuine: Purchases, count: int, days: int, rng: np.random.Generator) -> Purchases:
    """Somebody else at the keyboard for one to three nights: online merchants that sell dear things."""
    episode = episodes(count, 3, 10, rng)
    customer = rng.integers(0, len(world.town), count)[episode]
    night = rng.integers(days // 20, days, count)[episode] + rng.integers(0, 3, count)
    time = np.minimum(night, days - 1) * DAY + rng.uniform(0, 5 * HOUR, count)
    dear = np.flatnonzero(np.isin(world.category, DEAR) & (np.arange(len(world.category)) >= TOWNS * LOCAL))
    merchant = rng.choice(dear if len(dear) else np.arange(TOWNS * LOCAL, TOWNS * LOCAL + WEB), count)
    amount = np.exp(rng.normal(4.6, 0.8, count))
    return purchases(world, customer, time.astype(np.int64), merchant, amount, same(3, count), rng)


def cloned_card(world: World, genuine: Purchases, count: int, days: int, rng: np.random.Generator) -> Purchases:
    """A copy of the card is used in a far town minutes after its owner paid at home."""
    anchor = anchors(genuine, count, rng)
    town, _ = far_town(world, genuine, anchor, rng.random(count))
    time = genuine["time"][anchor] + rng.uniform(600, 2400, count)
    customer, merchant = genuine["customer"][anchor], town * LOCAL + rng.integers(0, LOCAL, count)
    amount = usual_amounts(world, customer, merchant, rng)
    return purchases(world, customer, time.astype(np.int64), merchant, amount, same(4, count), rng)


SCENARIOS = (card_testing, stolen_card, account_takeover, cloned_card)
"""What makes the purchases of KINDS[1], KINDS[2] ..."""


def same(kind: int, count: int) -> np.ndarray:
    """One kind, `count` times."""
    return np.full(count, kind, np.int64)


def episodes(count: int, fewest: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Number of the episode that each of `count` purchases belongs to."""
    return np.repeat(np.arange(count), rng.integers(fewest, most + 1, count))[:count]


def spread_in_time(episode: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Seconds since the start of its episode of each purchase, from the gaps between them."""
    total = np.cumsum(gaps)
    first = np.searchsorted(episode, episode)
    return total - total[first]


def anchors(genuine: Purchases, count: int, rng: np.random.Generator) -> np.ndarray:
    """Genuine purchases in person to begin from, not among the first 5 %."""
    from_shops = np.flatnonzero((genuine["channel"] != ONLINE) & (genuine["time"] > np.quantile(genuine["time"], 0.05)))
    return rng.choice(from_shops, count)


def far_town(world: World, genuine: Purchases, anchor: np.ndarray, chance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A town in the farther third from where a purchase was made, by a chance in [0, 1), and how far it is in km."""
    here = np.stack([genuine["x"][anchor], genuine["y"][anchor]], 1)
    distance = np.linalg.norm(world.towns[None] - here[:, None], axis=2)
    town = np.argsort(distance, 1)[np.arange(len(anchor)), TOWNS - 1 - (chance * (TOWNS // 3)).astype(int)]
    return town, distance[np.arange(len(anchor)), town]


def speeds(bought: Purchases) -> np.ndarray:
    """Speed in km/h since the same customer's previous purchase in person; 0 online and for the first one.

    The purchases are sorted by customer, then by time.
    """
    shop = np.flatnonzero(bought["channel"] != ONLINE)
    customer, time = bought["customer"][shop], bought["time"][shop]
    km = np.hypot(np.diff(bought["x"][shop]), np.diff(bought["y"][shop]))
    found = np.zeros(len(bought["time"]))
    found[shop[1:]] = np.where(np.diff(customer) == 0, km / (np.maximum(np.diff(time), 60) / HOUR), 0)
    return found


def possible(bought: Purchases) -> Purchases:
    """The purchases that can be: nobody travels faster than a car, except that a cloned card does.

    Sorted by customer, then by time. Leaving out a stop never makes a journey faster, so this comes to an end.
    """
    order = np.lexsort((bought["time"], bought["customer"]))
    bought = {name: column[order] for name, column in bought.items()}
    while True:
        fast, cloned = speeds(bought), bought["kind"] == KINDS.index("cloned card")
        kept = np.where(cloned, fast > IMPOSSIBLE, fast <= FASTEST)
        if kept.all():
            return bought
        bought = {name: column[kept] for name, column in bought.items()}
