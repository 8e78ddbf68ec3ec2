"""The command that finds odd rows of a table: detect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from narrows.cli.talk import Talk
from narrows.cli.train import check_suffix
from narrows.data.frames import open_table, write_table
from narrows.detect.model import TableModel
from narrows.detect.report import lines, write
from narrows.detect.table import Columns, Found, default_names, with_model, without_model
from narrows.detect.threshold import Budget, Conformal, Rule, Share
from narrows.errors import UsageError

PERIODS = ("hour", "day", "week", "all")


def detect(
    talk: Talk,
    table: Path,
    *,
    columns: Columns,
    rule: Rule | None,
    model: Path | None,
    save: Path | None,
    out: Path | None,
    report: Path | None,
    peers: bool,
    seed: int,
    force: bool,
) -> dict[str, Any]:
    """Odd rows of a table: `narrows detect`."""
    usual_out, usual_report = default_names(table)
    out, report = out or usual_out, report or usual_report
    check_suffix(report, (".html",))
    for path in (out, report):
        refuse(path, force)
    found = begin(talk, table, columns=columns, rule=rule, model=model, seed=seed)
    count = write_table(out, found.rows(), replace=force)
    if peers and found.x is not None:
        talk.say("The classical methods are fitted beside it; --no-peers leaves them out.")
    told = found.report(peers=peers, seed=seed)
    write(told, report)
    if save is not None:
        found.model().to_files(save)
    for line in lines(told):
        talk.say(printable(line))
    talk.say(f"{count:,} rows written to {out}, the report to {report}" + (f", the model to {save}" if save else ""))
    files = {"out": str(out), "report": str(report), "model": str(save) if save else None}
    return {**told.as_dict(), **files}


def begin(talk: Talk, table: Path, *, columns: Columns, rule: Rule | None, model: Path | None, seed: int) -> Found:
    """Fit, or take the model that is given."""
    if model is None:
        talk.say(f"{table.name} is read, and each row scored by models that did not see it.")
        return without_model(open_table(table), columns, rule=rule, seed=seed)
    if columns != Columns() or rule is not None:
        raise UsageError(
            "columns or a threshold beside --model",
            expected="those it was fitted with",
            step="Leave them out, or fit a new model without --model",
        )
    return with_model(open_table(table), TableModel.from_files(model))


def rule_of(alerts: int | None, per: str, share: float | None, false_alarms: float | None) -> Rule | None:
    """The rule for the threshold that the options ask for.

    Raises:
        UsageError: More than one.

    Example:
        >>> rule_of(100, "day", None, None).words
        '100 alerts a day'
    """
    asked = {
        "--alerts": None if alerts is None else Budget.model_validate({"count": alerts, "per": per}),
        "--share": None if share is None else Share(share=share),
        "--false-alarms": None if false_alarms is None else Conformal(rate=false_alarms),
    }
    given = [name for name, rule in asked.items() if rule is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} together", expected="one rule for the threshold")
    return asked[given[0]] if given else None


def refuse(path: Path, force: bool) -> None:
    """Refuse to write over what is there."""
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", step="Choose another name, or add --force", code="usage.exists")


def printable(line: str) -> str:
    """A line without what would move a terminal's cursor.

    Example:
        >>> printable("a\\x1b[2Jb")
        'a\\ufffd[2Jb'
    """
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in line)
