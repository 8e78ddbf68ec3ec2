"""A command that has tasks below it: its first word is the name of a task, or belongs to the command itself."""

from typing import Any

from typer.core import TyperGroup

TASK = "narrows.task"


class Tasks(TyperGroup):
    """`narrows train mnist --code 8` is the command's own; `narrows train detect cards.csv` is its task `detect`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words of a task for it; take all others as a plain command does."""
        if args and args[0] in self.commands:
            ctx.meta[TASK] = list(args)
            return super().parse_args(ctx, [])
        ctx.allow_interspersed_args, ctx.allow_extra_args = True, False
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Do the task, or the command itself."""
        if TASK not in ctx.meta:
            return super().invoke(ctx)
        name, *words = ctx.meta[TASK]
        # Beside this command rather than below it: its own argument is none of the task's words.
        with self.commands[name].make_context(f"{ctx.info_name} {name}", words, parent=ctx.parent) as inner:
            return inner.command.invoke(inner)
