"""What goes wrong in a child, as an error a person can read."""

import traceback

from narrows.errors import LimitError, NarrowsError


def problem_of(error: Exception) -> NarrowsError:
    """What went wrong as one of our errors; a bug is said to be one, and traced in the log."""
    if isinstance(error, NarrowsError):
        return error
    # torch says it in words alone.
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and "allocate memory" in str(error)):
        return LimitError("more than the memory of this machine holds", step="Use a smaller model or fewer objects")
    traceback.print_exception(error)
    return NarrowsError(f"A bug in narrows: {type(error).__name__}: {str(error)[:200]}", code="bug")
