"""The command that finds odd rows of a table: detect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from narrows.cli.talk import Talk
from narrows.cli.train import check_suffix
from narrows.data.frames import open_table, write_table
from narrows.detect.learn import learn
from narrows.detect.model import ABOUT, TableModel
from narrows.detect.report import lines, write
from narrows.detect.rows import Columns
from narrows.detect.table import default_names, with_model, without_model
from narrows.detect.threshold import Budget, Conformal, Cost, Precision, Rule, Share
from narrows.detect.verdicts import verdicts_in
from narrows.errors import UsageError


def detect(
    talk: Talk,
    table: Path,
    *,
    columns: Columns,
    rule: Rule | None,
    model: Path | None,
    feedback: Path | None,
    save: Path | None,
    out: Path | None,
    report: Path | None,
    peers: bool | None,
    seed: int,
    force: bool,
) -> dict[str, Any]:
    """Odd rows of a table: `narrows detect`."""
    usual_out, usual_report = default_names(table)
    out, report = out or usual_out, report or usual_report
    check_suffix(report, (".html",))
    for path in (out, report):
        refuse(path, force)
    refuse_model(save, force)
    if model is None and feedback is not None:
        raise UsageError("--feedback without --model", expected="the model whose alarms were reviewed")
    if model is None:
        talk.say(f"{table.name} is read, and each row scored by models that did not see it.")
        found = without_model(open_table(table), columns, rule=rule, seed=seed)
    else:
        changed = changed_model(model, feedback, columns, rule)
        found = with_model(open_table(table), changed, label=columns.label, gather=bool(peers))
    count = write_table(out, found.rows(), replace=force)
    beside = peers or (peers is None and model is None)
    if beside:
        talk.say("The classical methods are fitted beside it; --no-peers leaves them out.")
    told = found.report(peers=beside, seed=seed)
    write(told, report)
    if save is not None:
        found.model().to_files(save)
    for line in lines(told):
        talk.say(printable(line))
    talk.say(f"{count:,} rows written to {out}, the report to {report}" + (f", the model to {save}" if save else ""))
    files = {"out": str(out), "report": str(report), "model": str(save) if save else None}
    return {**told.as_dict(), **files}


def train_detect(
    talk: Talk, table: Path, *, columns: Columns, rule: Rule | None, out: Path | None, seed: int, force: bool
) -> dict[str, Any]:
    """A model of a table: `narrows train detect`."""
    out = out or Path(f"{table.stem}-model")
    refuse_model(out, force)
    talk.say(f"{table.name} is read, and its rows learned.")
    learned = learn(open_table(table), columns, rule=rule, seed=seed)
    learned.model.to_files(out)
    told = [*learned.done, learned.model.threshold.sentence]
    told += [learned.judgement.sentence] if learned.judgement else []
    for line in told:
        talk.say(printable(line))
    talk.say(f"The model is in {out}; narrows detect TABLE --model {out} scores other tables by it.")
    return {**learned.as_dict(), "model": str(out)}


def changed_model(folder: Path, feedback: Path | None, columns: Columns, rule: Rule | None) -> TableModel:
    """The model in a folder, heeding reviewed rows and with another threshold where either is asked for.

    Raises:
        UsageError: Columns are named that a model knows already, or a number of alerts in all.
    """
    if replace(columns, label=None) != Columns():
        raise UsageError(
            "--time, --customer, --amount or --leave-out beside --model",
            expected="the columns it was fitted with",
            step="Leave them out, or fit a new model without --model",
        )
    model = TableModel.from_files(folder)
    if feedback is not None:
        model = model.heeding(*verdicts_in(open_table(feedback), model, columns.label))
    if isinstance(rule, Budget) and rule.per == "all":
        raise UsageError("--alerts beside --model", expected="--per hour, day or week, or --share")
    return model if rule is None else model.ruled(rule)


def rule_of(
    *,
    alerts: int | None = None,
    per: str = "all",
    share: float | None = None,
    false_alarms: float | None = None,
    miss_cost: float | None = None,
    precision: float | None = None,
) -> Rule | None:
    """The rule for the threshold that the options ask for.

    Raises:
        UsageError: More than one.

    Example:
        >>> rule_of(alerts=100, per="day").words
        '100 alerts a day'
    """
    asked = {
        "--alerts": None if alerts is None else Budget.model_validate({"count": alerts, "per": per}),
        "--share": None if share is None else Share(share=share),
        "--false-alarms": None if false_alarms is None else Conformal(rate=false_alarms),
        "--miss-cost": None if miss_cost is None else Cost(miss=miss_cost, false_alarm=1),
        "--precision": None if precision is None else Precision(at_least=precision),
    }
    given = [name for name, rule in asked.items() if rule is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} together", expected="one rule for the threshold")
    if per != "all" and alerts is None:
        raise UsageError(f"--per {per} without --alerts", expected="how many alarms there may be")
    return asked[given[0]] if given else None


def refuse_model(folder: Path | None, force: bool) -> None:
    """Refuse to write over a model."""
    if folder is not None:
        refuse(folder / ABOUT, force)


def refuse_options(given: Mapping[str, Any], why: str) -> None:
    """Refuse options that mean nothing here; all of them are named.

    Raises:
        UsageError: One has a value.

    Example:
        >>> refuse_options({"--window": 64, "--follow": False}, "without --series")
        Traceback (most recent call last):
        narrows.errors.UsageError: --window without --series.
    """
    named = [name for name, value in given.items() if value is not None and value is not False]
    if named:
        raise UsageError(f"{' and '.join(named)} {why}", code="usage.options")


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
