"""The commands that find odd instants of a series: detect --series and train detect --series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from narrows.cli.detect import printable, refuse, refuse_options
from narrows.cli.talk import Talk
from narrows.cli.train import check_suffix
from narrows.data.frames import batch_of, open_table, write_table
from narrows.data.frames.write import beside, lines
from narrows.detect.report import lines as told_lines
from narrows.detect.report import write
from narrows.detect.rows import ADDED, Columns
from narrows.detect.series import Plan, SeriesModel, learn_series, series_with_model, series_without_model
from narrows.detect.series.follow import Follower, Piece
from narrows.detect.series.learn import BELIEVED
from narrows.detect.series.model import ABOUT, told_alarms
from narrows.detect.table import default_names
from narrows.detect.threshold import Budget, Rule
from narrows.errors import UsageError, counted
from narrows.train.stopping import stop_on_signal


def detect_series(
    talk: Talk,
    table: Path,
    *,
    columns: Columns,
    rule: Rule | None,
    model: Path | None,
    save: Path | None,
    out: Path | None,
    report: Path | None,
    window: int | None,
    architecture: str | None,
    follow: bool,
    seed: int,
    force: bool,
    others: Mapping[str, Any],
) -> dict[str, Any]:
    """Odd instants of a series: `narrows detect --series`."""
    refuse_options(others, "with --series")
    fitted = {"--window": window, "--architecture": architecture}
    if model is not None:
        refuse_options(fitted, "beside --model, which was fitted with its own")
    usual_out, usual_report = default_names(table)
    out, report = out or usual_out, report or usual_report
    refuse(out, force)
    if follow:
        return follow_series(talk, table, model, rule, out)
    check_suffix(report, (".html",))
    refuse(report, force)
    if save is not None:
        refuse(save / ABOUT, force)
    if model is None:
        talk.say(f"{table.name} is read, and each instant scored by autoencoders of other times.")
        plan = Plan(architecture=architecture or Plan().architecture)
        found = series_without_model(open_table(table), columns, window=window, rule=rule, plan=plan, seed=seed)
    else:
        found = series_with_model(open_table(table), model_in(model, rule), columns)
    count = write_table(out, found.rows(), replace=force)
    told = found.report(seed=seed)
    write(told, report)
    if save is not None:
        found.model().to_files(save)
    for line in told_lines(told):
        talk.say(printable(line))
    talk.say(f"{count:,} rows written to {out}, the report to {report}" + (f", the model to {save}" if save else ""))
    return {**told.as_dict(), "out": str(out), "report": str(report), "model": str(save) if save else None}


def train_series(
    talk: Talk,
    table: Path,
    *,
    columns: Columns,
    rule: Rule | None,
    out: Path | None,
    window: int | None,
    architecture: str | None,
    seed: int,
    force: bool,
    others: Mapping[str, Any],
) -> dict[str, Any]:
    """A model of a series: `narrows train detect --series`."""
    refuse_options(others, "with --series")
    out = out or Path(f"{table.stem}-model")
    refuse(out / ABOUT, force)
    talk.say(f"{table.name} is read, and learned.")
    plan = replace(Plan(trim=BELIEVED), architecture=architecture or Plan().architecture)
    learned = learn_series(open_table(table), columns, window=window, rule=rule, plan=plan, seed=seed)
    learned.model.to_files(out)
    told = [*learned.done, learned.model.threshold.sentence]
    told += [learned.judgement.sentence] if learned.judgement else []
    for line in told:
        talk.say(printable(line))
    talk.say(f"The model is in {out}; narrows detect SERIES --series --model {out} scores other series by it.")
    return {**learned.as_dict(), "model": str(out)}


def follow_series(talk: Talk, table: Path, model: Path | None, rule: Rule | None, out: Path) -> dict[str, Any]:
    """A growing file, scored until Ctrl-C: `narrows detect --series --follow`."""
    check_suffix(out, (".csv", ".txt", ".tsv"))
    if model is None:
        raise UsageError("--follow without --model", expected="a model of the series: narrows train detect --series")
    if table.suffix.lower() in {".parquet", ".pq"}:
        raise UsageError(f"--follow on {table.name}", expected="a text file, which can grow")
    used = model_in(model, rule)
    follower = Follower(table, used, lambda words: talk.say(printable(words)))
    wait = f"its score is final {counted(follower.delay, 'row')} after it"
    talk.say(f"{table.name} is followed, a row a line; {wait}. Ctrl-C ends it.")
    rows = alarms = 0
    with stop_on_signal() as stop, out.open("wb") as file:
        for piece in follower.pieces(lambda: stop.asked):
            text, raised = scored_lines(piece, used, follower, head=not rows)
            file.write(text)
            file.flush()
            rows, alarms = rows + len(piece.instants), alarms + len(raised)
            for line in raised:
                talk.say(printable(line))
    talk.say(f"{counted(rows, 'row')} with {counted(alarms, 'alarm')} written to {out}")
    return {"rows": rows, "alarm_count": alarms, "delay": follower.delay, "out": str(out)}


def scored_lines(piece: Piece, model: SeriesModel, follower: Follower, *, head: bool) -> tuple[bytes, list[str]]:
    """The lines of a table for some rows with what is put beside them, and a sentence for each alarm."""
    instants, p = piece.instants, model.p_values(piece.instants)
    alarm = model.alarms(instants)
    places = np.flatnonzero(alarm)
    told = told_alarms(places, instants, model.names, p)
    because = np.full(len(instants), "", object)
    because[places] = [each.because for each in told]
    dialect = piece.dialect
    columns = dict(zip(dialect.names, map(list, zip(*piece.fields, strict=True)), strict=True))
    batch = batch_of(columns, first=piece.first, decimal=dialect.decimal)
    added = (instants.scores, p, alarm, because.tolist())
    whole = beside(batch, dict(zip(ADDED, added, strict=True)))
    sign = ";" if dialect.decimal == "," else ","
    top = (sign.join(whole.schema.names) + "\n").encode() if head else b""
    return top + lines(whole, sign, dialect.decimal), [
        f"{each.row}: score {each.score:.4g}; {each.because}" for each in told
    ]


def model_in(folder: Path, rule: Rule | None) -> SeriesModel:
    """The model in a folder, with another threshold where one is asked for.

    Raises:
        UsageError: A number of alerts in all, which a model cannot know.
    """
    model = SeriesModel.from_files(folder)
    if isinstance(rule, Budget) and rule.per == "all":
        raise UsageError("--alerts beside --model", expected="--per hour, day or week, or --share")
    return model if rule is None else model.ruled(rule)
