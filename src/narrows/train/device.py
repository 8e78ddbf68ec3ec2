"""Where and how to compute: the device, the threads and the arithmetic, decided once for a run.

"float32" is torch's default. "fast" sends float32 matrix products through oneDNN with permission to use bfloat16
units: on processors without them it computes in full float32, and faster. "bf16" is autocast: products in bfloat16,
sums and weights in float32.
"""

import contextlib
import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch

from narrows.errors import EnvironmentProblem

ONEDNN: Any = torch.backends.mkldnn
"""torch's settings of oneDNN, which its type stubs do not know in full."""


@dataclass(frozen=True)
class Place:
    """Device, arithmetic route and threads of a run.

    Example:
        >>> Place("cpu", "float32", 1).as_dict()["route"]
        'float32'
    """

    device: str
    route: str = "float32"
    threads: int = 1

    def as_dict(self) -> dict[str, Any]:
        """What the bits of a result depend on, beside the recipe: JSON-ready."""
        processor = torch.cuda.get_device_name() if self.device == "cuda" else torch.backends.cpu.get_cpu_capability()
        return {**asdict(self), "torch": torch.__version__, "processor": f"{platform.machine()} {processor}"}

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Compute in this place inside, as before outside: the settings are torch's own and global."""
        threads, precision = torch.get_num_threads(), ONEDNN.matmul.fp32_precision
        torch.set_num_threads(self.threads)
        # Squared gradients of a nearly perfect model sink below the normal numbers, which processors handle slowly.
        torch.set_flush_denormal(True)
        if self.route == "fast" and self.device == "cpu":
            ONEDNN.matmul.fp32_precision = "bf16"
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_flush_denormal(False)
            ONEDNN.matmul.fp32_precision = precision

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Products in bfloat16 where the route says so."""
        if self.route == "bf16":
            return torch.autocast(self.device, dtype=torch.bfloat16)
        return contextlib.nullcontext()


def keep_memory() -> None:
    """Ask glibc to keep freed memory: training frees and takes the same blocks at every step.

    Measured before: an LSTM step takes half the time, since the kernel no longer clears fresh pages for it.
    """
    if not sys.platform.startswith("linux"):
        return
    trim, top_pad, mmap_threshold = -1, -2, -3
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim, 2**31 - 1)
        libc.mallopt(top_pad, 64 << 20)


def choose_device(asked: str) -> str:
    """The device for "auto", "cpu", "cuda" or "mps".

    Raises:
        EnvironmentProblem: The device asked for is not there, or is Apple's, where nothing of this is tested.
    """
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if asked == "mps":
        raise EnvironmentProblem(
            "training.device=mps, on which narrows has not been tested",
            step="Use training.device=cpu",
            code="environment.device",
        )
    if asked == "cuda" and not torch.cuda.is_available():
        raise EnvironmentProblem(
            f"training.device={asked}, which torch does not find here",
            step="Use training.device=auto",
            code="environment.device",
        )
    return asked


def available_threads() -> int:
    """Processor threads this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
