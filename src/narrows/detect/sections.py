"""The sections of a report of odd rows, as HTML; every word that comes from data goes through `text_of`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from narrows.detect.blame import Alarm, Blame
from narrows.detect.curves import Judgement
from narrows.detect.drift import Drift, Moved, p_words
from narrows.detect.peers import FULL_NAMES, Beside, Peer
from narrows.detect.svg import text_of

MOST_MOVED = 12


def section(title: str, body: Sequence[str], *, about: str = "", whole: bool = False) -> str:
    """A card with a title, a sentence about it and its body; half as wide as the page, or as the whole."""
    said = f'<p class="about">{text_of(about, 600)}</p>' if about else ""
    kind = ' class="wide"' if whole else ""
    return f"<section{kind}><h2>{text_of(title)}</h2>{said}{''.join(body)}</section>"


def figure(picture: str) -> str:
    """A drawing in its place."""
    return f"<figure>{picture}</figure>"


def wide(body: str, name: str, kind: str = "") -> str:
    """What may be wider than a small screen: it can be scrolled, by keyboard too."""
    return f'<div class="scroll {kind}" tabindex="0" role="group" aria-label="{text_of(name)}">{body}</div>'


def table(name: str, head: str, rows: str) -> str:
    """A table of head cells and of rows."""
    return wide(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>", name)


def tile(name: str, value: str, more: str = "") -> str:
    """A number with its name above and what it means below."""
    said = f'<dd class="more">{text_of(more, 160)}</dd>' if more else ""
    return f'<div class="tile"><dt>{text_of(name)}</dt><dd class="value">{text_of(value)}</dd>{said}</div>'


def alarm_list(alarms: Sequence[Alarm]) -> str:
    """The first alarms with their blame, the oddest first."""
    largest = max((blame.part for alarm in alarms for blame in alarm.blames), default=1.0)
    return f'<ol class="alarms">{"".join(alarm_item(alarm, largest) for alarm in alarms)}</ol>'


def alarm_item(alarm: Alarm, largest: float) -> str:
    """One alarm: which row, and a bar for each column that made it odd."""
    p = "" if alarm.p_value is None else f", p = {alarm.p_value:.2g}"
    tag = "" if alarm.odd is None else f' <b class="tag{" odd" if alarm.odd else ""}">{label_words(alarm.odd)}</b>'
    which = f'<div class="which">{text_of(alarm.row)}{tag}<span>score {alarm.score:.4g}{p}</span></div>'
    rows = [blame_row(blame, largest) for blame in alarm.blames]
    rest = f'<dt class="rest">all other columns</dt>{bar(alarm.others, largest, "rest")}<dd></dd>'
    return f'<li>{which}<dl class="blames">{"".join(rows)}{rest}</dl></li>'


def blame_row(blame: Blame, largest: float) -> str:
    """One column of an alarm: its name, its bar, what was given and what was expected."""
    said = f" <small>expected {text_of(blame.expected)}</small>" if blame.expected else ""
    value = f"<dd><strong>{text_of(blame.given)}</strong>{said}</dd>"
    return f"<dt>{text_of(blame.column, 40)}</dt>{bar(blame.part, largest)}{value}"


def label_words(odd: bool) -> str:
    """A label in words."""
    return "odd by its label" if odd else "normal by its label"


def bar(part: float, largest: float, kind: str = "") -> str:
    """A bar for a part of a score, as long as its share of the largest part."""
    width = 70 * min(max(part / largest, 0.0), 1.0) if largest > 0 else 0.0
    return f'<dd class="bar {kind}"><i style="width:{width:.1f}%"></i>{signed(part)}</dd>'


def signed(part: float) -> str:
    """A number with its sign, of two digits or more.

    Example:
        >>> signed(341.2), signed(-0.034)
        ('+341', '-0.034')
    """
    return f"{part:+,.0f}" if abs(part) >= 10 else f"{part:+.2g}"


def peer_table(beside: Beside) -> str:
    """The detector and the classical methods, row by row, the best first where labels tell which that is."""
    peers = sorted(beside.peers, key=precision, reverse=True) if beside.gap else beside.peers
    judged = beside.peers[0].judgement
    names = ["average precision", "95% interval", "AUROC"] if judged else []
    names += [f"recall at {k:,} alerts" for k in judged.recall] if judged else []
    names += ["rank correlation", f"shared of the first {beside.top:,}"]
    head = "".join(f'<th scope="col"{number_class(name)}>{text_of(name)}</th>' for name in names)
    rows = "".join(peer_row(peer, beside.peers[0].name == peer.name) for peer in peers)
    return table("Methods", f'<th scope="col">method</th>{head}', rows)


def number_class(name: str) -> str:
    """Numbers stand at the right of their column, pictures at the left."""
    return "" if name == "95% interval" else ' class="number"'


def precision(peer: Peer) -> float:
    """Average precision of a peer that was judged."""
    return peer.judgement.average_precision.value if peer.judgement else 0.0


def peer_row(peer: Peer, own: bool) -> str:
    """One method."""
    judged = peer.judgement
    cells = peer_cells(judged) if judged else []
    cells += ["", ""] if own else [f"{peer.agreement:.2f}", f"{peer.overlap:.0%}"]
    row = "".join(f"<td>{c}</td>" if c.startswith("<span") else f'<td class="number">{c}</td>' for c in cells)
    name = text_of(FULL_NAMES.get(peer.name, peer.name))
    return f'<tr{" class=own" if own else ""}><th scope="row">{name}</th>{row}</tr>'


def peer_cells(judged: Judgement) -> list[str]:
    """What the labels say of a method."""
    area = judged.average_precision
    left, width = 100 * area.low, 100 * (area.high - area.low)
    span = f'<i style="left:{left:.1f}%;width:{width:.1f}%"></i><b style="left:{100 * area.value:.1f}%"></b>'
    told = f"{area.value:.3f}"
    recall = [f"{value.value:.3f}" for value in judged.recall.values()]
    return [
        told,
        f'<span class="range">{span}</span><small>{area.low:.3f} to {area.high:.3f}</small>',
        f"{judged.auroc.value:.3f}",
        *recall,
    ]


def drift_body(drift: Drift) -> list[str]:
    """What moved, the farthest first."""
    moved = [*([drift.scores] if drift.scores and drift.scores.moved else []), *drift.moved]
    said = f'<p class="verdict{" moved" if moved else ""}">{text_of(drift.sentence, 400)}</p>'
    if not moved:
        return [said]
    names = {"column": "", "index": "number", "corrected p": "number", "what moved": ""}
    head = "".join(f'<th scope="col" class="{kind}">{name}</th>' for name, kind in names.items())
    rows = "".join(moved_row(column) for column in moved[:MOST_MOVED])
    more = [f'<p class="quiet">and {len(moved) - MOST_MOVED:,} more</p>'] if len(moved) > MOST_MOVED else []
    return [said, table("Columns that moved", head, rows), *more]


def moved_row(column: Moved) -> str:
    """One column that moved."""
    words = column.words.removeprefix(f"{column.name}: ")
    sure = text_of(p_words(column.corrected).removeprefix("p = ").removeprefix("p "))
    numbers = f'<td class="number">{column.psi:.2f}</td><td class="number">{sure}</td>'
    return (
        f'<tr><th scope="row">{text_of(column.name, 40)}</th>{numbers}<td class="said">{text_of(words, 300)}</td></tr>'
    )


def done_list(sentences: Sequence[str]) -> str:
    """Sentences, one below the other."""
    return f'<ul class="done">{"".join(f"<li>{text_of(sentence, 600)}</li>" for sentence in sentences)}</ul>'


def right_of(scores: np.ndarray, labels: np.ndarray, value: float) -> tuple[int, int]:
    """How many alarms there are, and how many of them are right by the labels."""
    alarms = scores >= value
    return int(alarms.sum()), int(labels[alarms].sum())
