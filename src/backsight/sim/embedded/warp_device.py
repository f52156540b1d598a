"""Warp's devices, and the lock around what Warp must not do in two threads at once."""

import os
import sys
import tempfile
import threading
from typing import Any

import warp as wp

from backsight.records.errors import EnvironmentProblem, UsageError

WARP_LOCK = threading.Lock()
"""Warp's mesh construction and module loading are not safe in several threads at once."""

wp.config.log_level = wp.LOG_ERROR

_NO_DRIVER = b"Could not find or load the NVIDIA CUDA driver"


def init_warp() -> None:
    """Start Warp without its remark on machines that have no GPU: it comes from native code, whatever the log level.

    All else that is written to the standard error meanwhile is passed on.
    """
    with WARP_LOCK, tempfile.TemporaryFile() as said:
        sys.stderr.flush()
        terminal = os.dup(2)
        try:
            os.dup2(said.fileno(), 2)
            wp.init()
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            said.seek(0)
            for line in said:
                if _NO_DRIVER not in line:
                    os.write(2, line)


def warp_device(name: str) -> Any:
    """Return Warp's device of that name.

    Args:
        name: 'cpu' or 'cuda'.

    Raises:
        UsageError: another name.
        EnvironmentProblem: 'cuda' without such a device.
    """
    init_warp()
    if name not in ("cpu", "cuda"):
        raise UsageError(f"renderer: unknown device {name!r}; use 'cpu' or 'cuda'")
    if name == "cuda" and not wp.is_cuda_available():
        raise EnvironmentProblem("renderer: no CUDA device here; use device 'cpu' or check the driver")
    return wp.get_device(name)
