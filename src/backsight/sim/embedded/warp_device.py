"""Warp's devices, and the lock around what Warp must not do in two threads at once."""

import threading
from typing import Any

import warp as wp

from backsight.records.errors import EnvironmentProblem, UsageError

WARP_LOCK = threading.Lock()
"""Warp's mesh construction and module loading are not safe in several threads at once."""

wp.config.log_level = wp.LOG_ERROR


def warp_device(name: str) -> Any:
    """Return Warp's device of that name.

    Args:
        name: 'cpu' or 'cuda'.

    Raises:
        UsageError: another name.
        EnvironmentProblem: 'cuda' without such a device.
    """
    wp.init()
    if name not in ("cpu", "cuda"):
        raise UsageError(f"renderer: unknown device {name!r}; use 'cpu' or 'cuda'")
    if name == "cuda" and not wp.is_cuda_available():
        raise EnvironmentProblem("renderer: no CUDA device here; use device 'cpu' or check the driver")
    return wp.get_device(name)
