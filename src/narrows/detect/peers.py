"""The classical methods beside a detector: fitted on the same rows, judged on the same rows.

References:
    Isolation forest (Liu, Ting and Zhou, 2008), https://doi.org/10.1109/ICDM.2008.17
    A novel anomaly detection scheme based on principal component classifier (Shyu et al., 2003)
    Efficient algorithms for mining outliers (Ramaswamy, Rastogi and Shim, 2000): the distance of the k-th neighbour
    ECOD: unsupervised outlier detection using empirical cumulative distribution functions (Li et al., 2022),
    arXiv 2201.00382
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from narrows.detect.crossfit import Fold, Scorer, cross_fit
from narrows.detect.curves import ROUNDS, Judgement, Ranking, interval, judge, precision_of, resampled
from narrows.detect.given import labels_of, scores_of
from narrows.errors import InputError, counted

NEIGHBOURS, NEIGHBOUR_ROWS = 5, 5000
"""kNN: which neighbour's distance, and among how many rows drawn from those to fit."""

BLOCK = 65_536
"""Rows scored at once."""

OWN = "narrows"


def isolation_forest(rows: np.ndarray, seed: int) -> Scorer:
    """Isolation Forest by scikit-learn: 100 trees of 256 rows each.

    Args:
        rows: Rows to fit (N, F).
        seed: Decides the trees.
    """
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(random_state=seed).fit(rows)
    return lambda x: -forest.score_samples(x)


def principal_components(rows: np.ndarray, seed: int) -> Scorer:
    """PCA by scikit-learn: the square distance from the mean along all components, each in units of its spread.

    Args:
        rows: Rows to fit (N, F), standardised here.
        seed: Not used.
    """
    from sklearn.decomposition import PCA

    scale = Standard.of(rows)
    with np.errstate(divide="ignore", invalid="ignore"):  # a table without any spread
        pca = PCA().fit(scale(rows))
    kept = pca.explained_variance_ > 1e-9 * pca.explained_variance_.max(initial=0.0)
    spread = np.sqrt(pca.explained_variance_[kept])
    return lambda x: np.square((scale(x) - pca.mean_) @ pca.components_[kept].T / spread).sum(1)


def nearest_neighbours(rows: np.ndarray, seed: int) -> Scorer:
    """kNN by scikit-learn: the distance of the 5th nearest among at most 5,000 of the rows to fit.

    Args:
        rows: Rows to fit (N, F), standardised here.
        seed: Decides which of them are kept.
    """
    from sklearn.neighbors import NearestNeighbors

    kept = np.random.default_rng(seed).permutation(len(rows))[:NEIGHBOUR_ROWS]
    scale = Standard.of(rows)
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(kept))).fit(scale(rows[np.sort(kept)]))
    return lambda x: near.kneighbors(scale(x))[0][:, -1]


def ecod(rows: np.ndarray, seed: int) -> Scorer:
    """ECOD: how far out in the tails each column is, added up over the columns.

    A tail probability is the share of the rows to fit that are as far out, the row itself counted in; the largest of
    three sums counts: left tails, right tails, and of each column the tail it is skewed to.

    Args:
        rows: Rows to fit (N, F).
        seed: Not used.
    """
    known, count = np.sort(rows.T), len(rows)
    centred = rows - rows.mean(0)
    to_left = np.power(centred, 3).mean(0) < 0

    def score(x: np.ndarray) -> np.ndarray:
        left, right, skewed = np.zeros((3, len(x)))
        for column in range(x.shape[1]):
            # Each value once, rising: a search among many rows is then several times as fast.
            values, place = np.unique(x[:, column], return_inverse=True)
            below = np.searchsorted(known[column], values, "right")
            reach = count - np.searchsorted(known[column], values, "left")
            tails = [-np.log((1 + rank) / (1 + count))[place] for rank in (below, reach)]
            left += tails[0]
            right += tails[1]
            skewed += tails[0 if to_left[column] else 1]
        return np.maximum(np.maximum(left, right), skewed)

    return score


@dataclass(frozen=True, eq=False)
class Standard:
    """Columns less their mean, in units of their spread; of a constant column less its mean only."""

    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> Standard:
        """The standard of some rows (N, F)."""
        spread = rows.std(0, dtype=np.float64)
        return cls(rows.mean(0, dtype=np.float64), np.where(spread > 0, spread, 1.0))

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Rows (N, F) by this standard, float64."""
        return (rows - self.mean) / self.spread


PEERS: dict[str, Callable[[np.ndarray, int], Scorer]] = {
    "Isolation Forest": isolation_forest,
    "PCA": principal_components,
    "kNN": nearest_neighbours,
    "ECOD": ecod,
}
"""Every classical method: from rows to fit (N, F) and a seed to a function from rows to scores."""

FULL_NAMES = {"kNN": f"kNN, {NEIGHBOURS}th of at most {NEIGHBOUR_ROWS:,} rows"}


@dataclass(frozen=True)
class Peer:
    """One method beside the detector.

    Args:
        name: Its name.
        judgement: How well it finds the odd rows, or None without labels.
        agreement: Spearman's correlation of its scores with the detector's; 1 for the detector.
        overlap: Share of its first alarms that are among the detector's first alarms.
    """

    name: str
    judgement: Judgement | None
    agreement: float
    overlap: float


@dataclass(frozen=True)
class Beside:
    """A detector and the classical methods on the same rows.

    Args:
        peers: The detector first, then the others.
        top: Number of first alarms whose overlap is told.
        gap: Average precision of the detector less that of the best other, with its 95% interval; or None.
    """

    peers: tuple[Peer, ...]
    top: int
    gap: tuple[float, float, float] | None

    @property
    def sentence(self) -> str:
        """Who won, plainly; without labels, how far they agree."""
        return self.agreeing() if self.gap is None else self.winner(*self.gap)

    def winner(self, gap: float, low: float, high: float) -> str:
        """Who won by the labels, and whether chance could have done it."""
        own, *others = self.ranked()
        best = max(others, key=lambda pair: pair[1])
        scores = f"average precision {own[1]:.3f}, and {best[1]:.3f} for {best[0]}, the best of the classical methods"
        gaps = f"a gap of {gap:+.3f} (95% interval {low:+.3f} to {high:+.3f})"
        if low <= 0 <= high:
            return f"No clear winner: {own[0]} has {scores}; {gaps} may be chance."
        return f"{own[0] if gap > 0 else best[0]} wins: {own[0]} has {scores}; {gaps}."

    def ranked(self) -> list[tuple[str, float]]:
        """Name and average precision of each method that was judged."""
        return [(peer.name, peer.judgement.average_precision.value) for peer in self.peers if peer.judgement]

    def agreeing(self) -> str:
        """How far they agree."""
        others = [f"{peer.name} {peer.overlap:.0%} (rank correlation {peer.agreement:.2f})" for peer in self.peers[1:]]
        shared = f"Of the first {self.top:,} alarms of {self.peers[0].name} these are shared: {', '.join(others)}."
        return f"Without labels nobody can say which method won. {shared}"

    def as_dict(self) -> dict[str, Any]:
        """All of it as one JSON-ready object."""
        peers = [
            {**asdict(peer), "judgement": peer.judgement.as_dict() if peer.judgement else None} for peer in self.peers
        ]
        return {"peers": peers, "top": self.top, "gap": self.gap, "sentence": self.sentence}


def peer_scores(fit: np.ndarray, score: np.ndarray, *, seed: int, names: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The scores (M,) of each classical method, fitted on some rows, for others.

    Args:
        fit: Rows to fit (N, F), the detector's.
        score: Rows to score (M, F).
        seed: Decides what is random in them.
        names: Which methods; all without.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> scores = peer_scores(rng.normal(size=(500, 3)), np.array([[0, 0, 0], [9, 9, 9.0]]), seed=0)
        >>> [name for name, (usual, odd) in scores.items() if odd > usual]
        ['Isolation Forest', 'PCA', 'kNN', 'ECOD']
    """
    rows, new = features(fit), features(score)
    scores = {}
    for name in names or PEERS:
        scorer = PEERS[name](rows, seed)
        blocks = [scorer(new[start : start + BLOCK]) for start in range(0, len(new), BLOCK)]
        scores[name] = np.concatenate(blocks).astype(np.float64)
    return scores


def cross_peer_scores(
    x: np.ndarray, folds: Sequence[Fold], *, seed: int, names: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """The scores (N,) of each classical method, cross-fitted on the detector's folds.

    Args:
        x: Rows (N, F).
        folds: The folds.
        seed: Decides what is random in them.
        names: Which methods; all without.
    """
    rows = features(x)

    def fitting(name: str) -> Callable[[np.ndarray], Scorer]:
        return lambda fit: lambda new: peer_scores(fit, new, seed=seed, names=[name])[name]

    return {name: cross_fit(rows, folds, fitting(name)).scores for name in names or PEERS}


def beside(
    scores: ArrayLike,
    others: dict[str, np.ndarray],
    labels: ArrayLike | None = None,
    *,
    name: str = OWN,
    top: int = 100,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> Beside:
    """A detector beside the classical methods, judged on the same rows.

    Args:
        scores: The detector's scores (N,).
        others: Scores (N,) of each method, by name.
        labels: 1 for each odd row, 0 for each normal one, where they are known.
        name: The detector's name.
        top: How many first alarms are compared, at most N.
        seed: Decides the samples of the bootstrap.
        rounds: How many samples.

    Example:
        >>> print(beside([1, 2, 3, 4], {"PCA": np.array([1, 2, 4, 3])}, top=1).sentence)
        Without labels nobody can say which method won. Of the first 1 alarms of narrows these are shared: \
PCA 0% (rank correlation 0.80).
    """
    everyone = {name: scores_of(scores), **{other: scores_of(values) for other, values in others.items()}}
    own = everyone[name]
    wrong = [other for other, values in everyone.items() if len(values) != len(own)]
    if wrong:
        raise InputError(f"{len(everyone[wrong[0]]):,} scores of {wrong[0]}", expected=counted(len(own), "row"))
    known = None if labels is None else labels_of(labels, len(own), "judging scores")
    top = min(top, len(own))
    peers = [
        Peer(
            other,
            None if known is None else judge(values, known, seed=seed, rounds=rounds),
            rank_correlation(own, values),
            shared(own, values, top),
        )
        for other, values in everyone.items()
    ]
    return Beside(tuple(peers), top, None if known is None or not others else gap_of(everyone, known, seed, rounds))


def gap_of(everyone: dict[str, np.ndarray], labels: np.ndarray, seed: int, rounds: int) -> tuple[float, float, float]:
    """Average precision of the first less that of the best other, and its 95% interval on the same samples of rows."""
    rankings = [Ranking.of(values, labels) for values in everyone.values()]
    whole = [precision_of(*ranking.counts()) for ranking in rankings]
    best = 1 + int(np.argmax(whole[1:]))
    pair = (rankings[0], rankings[best])
    drawn = []
    for weight in resampled(labels, seed, rounds):
        own, other = (precision_of(*ranking.weighted(labels, weight)) for ranking in pair)
        drawn.append(own - other)
    return (whole[0] - whole[best], *interval(drawn))


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation; 0 where either has one value only."""
    from scipy.stats import rankdata

    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (one, other)]
    length = np.sqrt(np.square(ranks[0]).sum() * np.square(ranks[1]).sum())
    return float(ranks[0] @ ranks[1] / length) if length else 0.0


def shared(one: np.ndarray, other: np.ndarray, top: int) -> float:
    """Share of the first `top` rows of one that are among those of the other."""
    first = [set(np.argsort(-values, kind="stable")[:top].tolist()) for values in (one, other)]
    return len(first[0] & first[1]) / top


def features(x: np.ndarray) -> np.ndarray:
    """Rows (N, F), checked: numbers, finite, at least one row and one column."""
    rows = np.asarray(x)
    if rows.ndim != 2 or not rows.size or rows.dtype.kind not in "fiu":
        raise InputError(f"rows of shape {rows.shape} and type {rows.dtype}", expected="numbers (N, F)")
    if not np.isfinite(rows).all():
        raise InputError("features that are not finite numbers", expected="none", code="input.nan")
    return rows
