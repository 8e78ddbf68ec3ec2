"""The hub: what is known of each run just now, and who looks at it.

    children -> record of a run -> what is new to a viewer -> one update -> its acknowledgement -> the next

Nothing is queued for a viewer: it has a place in each record, gets what came since in one piece, and the next only
when it has acknowledged that. So a slow viewer skips frames and never costs memory, and all viewers at the same place
share the same bytes. Everything here runs in the server's event loop.
"""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Any

from narrows.files import finite
from narrows.studio.wire import Message

KINDS = {"points": 1, "weights": 2, "tiles": 3}
"""Number of a kind of frame by the name a viewer asks for it with."""

KIND_AT, SLOT_AT = 2, 3
"""Where a frame has its kind and its slot."""

CALM, CALM_SECONDS = ("progress", "epoch", "snapshot"), 0.3
"""What goes along with the next frame, while frames come at least so often."""

CURVE_LIMIT = 20_000
NOTICES_LIMIT = 100
NEWS_LIMIT = 64
VIEWERS_LIMIT = 2048
WATCH_LIMIT = 8


@dataclass
class Record:
    """What is known of a run: numbers, curves, and the newest frame of each kind.

    Each part has a version or only grows, so that a viewer's place in it is a number.
    """

    life: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    curve: dict[str, list[float]] = field(default_factory=lambda: {"step": [], "loss": []})
    judged: list[dict[str, Any]] = field(default_factory=list)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    baseline: dict[str, Any] | None = None
    baselines: int = 0
    frames: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    framed: float = -inf

    def know(self, **facts: Any) -> None:
        """Take in facts."""
        self.facts |= facts
        self.version += 1

    def add_curve(self, steps: list[float], losses: list[float]) -> None:
        """Take in a piece of the loss curve; a long one is thinned by half, the newest part last."""
        self.curve["step"] += steps
        self.curve["loss"] += losses
        if len(self.curve["step"]) > CURVE_LIMIT:
            for name, values in self.curve.items():
                self.curve[name] = values[: CURVE_LIMIT // 2 : 2] + values[CURVE_LIMIT // 2 :]

    def add_frame(self, frame: bytes) -> None:
        """Take in a frame in the place of the last of its kind."""
        if len(frame) > SLOT_AT:
            self.framed = monotonic()
            kind = frame[KIND_AT]
            self.frames[kind] = (self.frames.get(kind, (0, b""))[0] + 1, frame)

    def forget(self) -> None:
        """The run begins again: what was known of its course is forgotten."""
        fresh = Record(life=self.life + 1, facts=self.facts, version=self.version + 1)
        self.__dict__.update(fresh.__dict__)

    def rewind(self, step: int) -> None:
        """The run goes on from an earlier step than it had come to: what came after is forgotten."""
        count = bisect_right(self.curve["step"], step)
        if count < len(self.curve["step"]):
            self.life += 1
            self.curve = {name: values[:count] for name, values in self.curve.items()}
            self.judged = [epoch for epoch in self.judged if epoch["step"] <= step]
            self.snapshots = [snapshot for snapshot in self.snapshots if snapshot["step"] <= step]


@dataclass
class Place:
    """How far a viewer has been told a record."""

    life: int = -1
    version: int = -1
    step: float = -1
    judged: int = 0
    snapshots: int = 0
    notices: int = 0
    dropped: int = 0
    baselines: int = 0
    frames: dict[int, int] = field(default_factory=dict)

    def key(self) -> tuple[float, ...]:
        """What tells two places apart, frames aside."""
        return (
            self.life,
            self.version,
            self.step,
            self.judged,
            self.snapshots,
            self.notices,
            self.dropped,
            self.baselines,
        )


@dataclass(eq=False)
class Viewer:
    """Somebody who looks: which runs, which kinds of frames, and how far it is.

    Args:
        watch: Ids of runs; the number of one in this list is its slot.
        want: Kinds of frames.
    """

    watch: list[str] = field(default_factory=list)
    want: set[int] = field(default_factory=set)
    places: dict[str, Place] = field(default_factory=dict)
    news: deque[str] = field(default_factory=lambda: deque(maxlen=NEWS_LIMIT))
    is_free: bool = True
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledge(self) -> None:
        """It has painted what it got, and takes more."""
        self.is_free = True
        self.stirred.set()


class Hub:
    """All records and all viewers.

    Args:
        looked_at: Called with a run when somebody begins or ceases to look at it.
    """

    def __init__(self, looked_at: Callable[[str], None] = lambda run: None):
        self.records: dict[str, Record] = {}
        self.viewers: set[Viewer] = set()
        self.looked_at = looked_at
        self.told: dict[tuple[Any, ...], str] = {}
        self.slotted: dict[tuple[str, int, int], tuple[int, bytes]] = {}

    def record(self, run: str) -> Record:
        """The record of a run, a new one if there was none."""
        return self.records.setdefault(run, Record())

    def held(self, run: str, kind: int) -> bytes | None:
        """The newest frame of a kind, if there is one."""
        record = self.records.get(run)
        return record.frames[kind][1] if record and kind in record.frames else None

    def take(self, message: Message, frames: list[bytes]) -> None:
        """Take in what a child says of a run."""
        run, event = message.get("id"), message.get("event")
        if isinstance(run, str) and event in TAKES:
            record = self.record(run)
            TAKES[event](record, message, frames)
            self.stir([run], with_frames=event in CALM and monotonic() - record.framed < CALM_SECONDS)

    def know(self, run: str, **facts: Any) -> None:
        """Take in facts of a run."""
        self.record(run).know(**facts)
        self.stir([run])

    def begin_again(self, run: str) -> None:
        """A run begins again from its first step."""
        self.record(run).forget()
        self.stir([run])

    def drop(self, run: str) -> None:
        """A run is gone."""
        self.records.pop(run, None)
        self.slotted = {key: value for key, value in self.slotted.items() if key[0] != run}

    def stir(self, runs: Iterable[str], *, with_frames: bool = False) -> None:
        """Wake who looks at one of these runs; with frames, not those who will be woken by the next frame anyway."""
        self.told.clear()
        changed = set(runs)
        for viewer in self.viewers:
            if not changed.isdisjoint(viewer.watch) and not (with_frames and viewer.want):
                viewer.stirred.set()

    def tell(self, news: Message) -> None:
        """Tell every viewer something that is not about the course of a run."""
        text = dumped(news)
        for viewer in self.viewers:
            viewer.news.append(text)
            viewer.stirred.set()

    def join(self, viewer: Viewer) -> bool:
        """Let somebody look; False where there are too many."""
        if len(self.viewers) >= VIEWERS_LIMIT:
            return False
        self.viewers.add(viewer)
        return True

    def leave(self, viewer: Viewer) -> None:
        """Somebody is gone."""
        self.viewers.discard(viewer)
        for run in viewer.watch:
            self.looked_at(run)

    def watch(self, viewer: Viewer, runs: list[str], want: Iterable[str]) -> None:
        """Let a viewer look at other runs; what it has been told of those it keeps is not told again."""
        before, viewer.watch = viewer.watch, list(dict.fromkeys(runs))[:WATCH_LIMIT]
        viewer.want = {KINDS[name] for name in want if name in KINDS}
        kept = {
            run: place for run, place in viewer.places.items() if run in viewer.watch and moved(run, before, viewer)
        }
        viewer.places = {run: kept.get(run, Place()) for run in viewer.watch}
        viewer.acknowledge()
        for run in {*before, *viewer.watch}:
            self.looked_at(run)

    def watched(self, run: str) -> bool:
        """Whether somebody looks at the frames of a run."""
        return any(run in viewer.watch and viewer.want for viewer in self.viewers)

    def update(self, viewer: Viewer) -> tuple[str, list[bytes]] | None:
        """All that is new to a viewer, which is taken to have been told then; None if nothing is."""
        parts: list[str] = []
        frames: list[bytes] = []
        for slot, run in enumerate(viewer.watch):
            record, place = self.record(run), viewer.places[run]
            if place.life != record.life:
                place.frames = {}
            new = self.new_frames(run, record, place, viewer.want, slot)
            text = self.part(run, record, place, slot)
            if new or text:
                parts.append(f"{json.dumps(run)}:{text or '{}'}")
                frames += new
        if not parts:
            return None
        return f'{{"type":"update","runs":{{{",".join(parts)}}},"frames":{len(frames)}}}', frames

    def part(self, run: str, record: Record, place: Place, slot: int) -> str:
        """What is new of a run, as JSON; empty if nothing is. All viewers at one place share it."""
        key = (run, slot, *place.key())
        if key not in self.told:
            news = news_of(record, place)
            self.told[key] = dumped({**news, "slot": slot}) if news else ""
        advance(record, place)
        return self.told[key]

    def new_frames(self, run: str, record: Record, place: Place, want: set[int], slot: int) -> list[bytes]:
        """The frames of a run that a viewer wants and has not got."""
        found = []
        for kind, (version, frame) in sorted(record.frames.items()):
            if kind in want and place.frames.get(kind) != version:
                place.frames[kind] = version
                found.append(self.in_slot(run, kind, version, frame, slot))
        return found

    def in_slot(self, run: str, kind: int, version: int, frame: bytes, slot: int) -> bytes:
        """A frame with the slot of a viewer in it, shared by all who have the run in that slot."""
        if frame[SLOT_AT] == slot:
            return frame
        known = self.slotted.get((run, kind, slot))
        if known is None or known[0] != version:
            known = version, frame[:SLOT_AT] + bytes([slot]) + frame[SLOT_AT + 1 :]
            self.slotted[run, kind, slot] = known
        return known[1]


def moved(run: str, before: list[str], viewer: Viewer) -> bool:
    """Whether a run that is still watched has the slot it had: its frames and numbers are known under that slot."""
    return run in before and before.index(run) == viewer.watch.index(run)


def news_of(record: Record, place: Place) -> dict[str, Any]:
    """What is known of a run and was not told at this place."""
    if place.life != record.life:
        place = Place(life=record.life)
        fresh: dict[str, Any] = {"fresh": True}
    else:
        fresh = {}
    first = bisect_right(record.curve["step"], place.step)
    found = {
        "curve": {name: values[first:] for name, values in record.curve.items()}
        if first < curve_length(record)
        else None,
        "judged": record.judged[place.judged :],
        "snapshots": record.snapshots[place.snapshots :],
        "notices": record.notices[place.notices :],
        "dropped": record.dropped[place.dropped :],
        "baseline": record.baseline if record.baselines != place.baselines else None,
    }
    facts = record.facts if record.version != place.version else {}
    return {**facts, **fresh, **{name: value for name, value in found.items() if value}}


def advance(record: Record, place: Place) -> None:
    """A viewer has been told all there is."""
    place.life, place.version, place.baselines = record.life, record.version, record.baselines
    place.step = record.curve["step"][-1] if curve_length(record) else -1
    place.judged, place.snapshots = len(record.judged), len(record.snapshots)
    place.notices, place.dropped = len(record.notices), len(record.dropped)


def curve_length(record: Record) -> int:
    """Points of the loss curve."""
    return len(record.curve["step"])


def dumped(values: Any) -> str:
    """Values as compact JSON; numbers that are not finite become null."""
    return json.dumps(finite(values), separators=(",", ":"), ensure_ascii=False)


def take_state(record: Record, message: Message, frames: list[bytes]) -> None:
    """The run is in another state."""
    record.know(state=message["state"], why=message.get("why", ""))


def take_started(record: Record, message: Message, frames: list[bytes]) -> None:
    """The run begins, or goes on."""
    record.rewind(message["step"])
    named = ("epochs", "steps", "step", "parameters", "counts")
    record.know(**{name: message[name] for name in named if name in message})
    for sentence in message.get("notes", []):
        take_notice(record, {"code": "note", "sentence": sentence}, [])


def take_progress(record: Record, message: Message, frames: list[bytes]) -> None:
    """Some steps were made."""
    # After its last step a run is in no further epoch.
    epoch = min(message["epoch"], record.facts.get("epochs") or message["epoch"])
    record.know(epoch=epoch, step=message["step"], seconds=message["seconds"], rate_objects_a_second=message["rate"])
    curve = message.get("curve", {"step": [], "loss": []})
    record.add_curve(curve["step"], curve["loss"])


def take_epoch(record: Record, message: Message, frames: list[bytes]) -> None:
    """An epoch was judged."""
    record.judged.append({name: message[name] for name in ("epoch", "step", "train", "valid", "best")})
    record.know(seconds=message["seconds"])


def take_snapshot(record: Record, message: Message, frames: list[bytes]) -> None:
    """A snapshot was written, and perhaps others thinned out."""
    record.snapshots.append({name: message.get(name) for name in ("step", "epoch", "valid")})
    record.dropped += message.get("dropped", [])


def take_notice(record: Record, message: Message, frames: list[bytes]) -> None:
    """Something a person should know."""
    if len(record.notices) < NOTICES_LIMIT:
        record.notices.append({"code": message["code"], "sentence": message["sentence"]})


def take_baseline(record: Record, message: Message, frames: list[bytes]) -> None:
    """What needs no training does so well."""
    record.baseline = message["baseline"]
    record.baselines += 1


def take_report(record: Record, message: Message, frames: list[bytes]) -> None:
    """How well the run did, and what is noticed about that."""
    record.know(has_report=True)
    for finding in message["report"].get("findings", []):
        take_notice(record, finding, [])


def take_frames(record: Record, message: Message, frames: list[bytes]) -> None:
    """New frames."""
    for frame in frames:
        record.add_frame(frame)


TAKES: dict[str, Callable[[Record, Message, list[bytes]], None]] = {
    "state": take_state,
    "started": take_started,
    "progress": take_progress,
    "epoch": take_epoch,
    "snapshot": take_snapshot,
    "notice": take_notice,
    "baseline": take_baseline,
    "report": take_report,
    "frames": take_frames,
}
"""What each event of a child does to the record of its run."""
