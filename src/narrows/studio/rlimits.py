"""Limits that a process of ours sets itself, where the system can."""

import contextlib
import ctypes
import os
import sys

LEAST, SHARE = 4 << 30, 0.75
"""Memory of the child that answers questions: a share of the machine's, but not less than so much."""

ARENA_MAX = -8
"""The name that glibc's `mallopt` has for the most heaps of a process."""


def share_one_heap() -> None:
    """Let all threads take memory from one heap, where glibc would give each its own.

    What training asks of the allocator helps the first heap alone, and a child trains in a thread that is not the first
    one: before this an LSTM's step took 1.4 times as long.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").mallopt(ARENA_MAX, 1)


def restrict(**limits: int) -> None:
    """Let this process use no more than this; what is narrower already stays.

    Args:
        limits: By the names of `resource`, such as AS or CPU.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        for name, limit in limits.items():
            kind = getattr(resource, f"RLIMIT_{name}")
            most = resource.getrlimit(kind)[1]
            allowed = limit if most == resource.RLIM_INFINITY else min(limit, most)
            resource.setrlimit(kind, (allowed, allowed))


def share_of_memory() -> int:
    """Bytes that the child that answers questions may hold.

    Example:
        >>> share_of_memory() >= 4 << 30
        True
    """
    try:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return LEAST
    return max(LEAST, int(SHARE * whole))
