"""From a command line to an exit status: every error one sentence, or one object with --json."""

import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from narrows.errors import EnvironmentProblem, Interrupted, NarrowsError, UsageError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit status: 0, or the one of the error (see narrows.errors)."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit status."""
    # Waiting threads that spin take the processor from those that work; this must be set before torch is imported.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        return call(arguments)
    except NarrowsError as error:
        return tell(error, arguments)
    except KeyboardInterrupt:
        return tell(Interrupted("interrupted"), arguments)
    except MemoryError:
        return tell(EnvironmentProblem("the memory is used up", step="Use a smaller batch or fewer objects"), arguments)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        bug = NarrowsError(
            f"a bug in narrows: {type(error).__name__}: {error}",
            step="Run it again with --debug and report it",
            code="bug",
        )
        return tell(bug, arguments)


def call(arguments: Sequence[str]) -> int:
    """Let typer find and run the command; its own complaints become usage errors."""
    import typer

    from narrows.cli.app import app

    # The base of typer's complaints; it is click's, which newer versions of typer carry inside.
    complaint: Any = typer.BadParameter.__bases__[0].__bases__[0]
    try:
        status = app(args=list(arguments), prog_name="narrows", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.Exit as exit_:
        return exit_.exit_code
    except complaint as error:
        raise explain(error) from None
    return status if isinstance(status, int) else 0


def explain(error: Any) -> UsageError:
    """A complaint of typer's as an error of ours."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "narrows"
    words = error.format_message().strip().rstrip(".")
    return UsageError(words or "no command", step=f"See {command} --help", code="usage.arguments")


def tell(error: NarrowsError, arguments: Sequence[str]) -> int:
    """Say an error on standard error, or as an object on standard output with --json."""
    if "--debug" in arguments:
        traceback.print_exc()
    if "--json" in arguments:
        print(json.dumps({"error": error.as_dict()}, ensure_ascii=False))
    else:
        print(f"narrows: {error}", file=sys.stderr)
    return error.exit
