"""What this machine has of what the commands need."""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av
import numpy as np
import psutil
from av.error import FFmpegError

from backsight.records.errors import BacksightError
from backsight.storage.codecs import decode_png_zip, decode_rgb, encode_png_zip, encode_rgb
from backsight.storage.sealed_json import write_durably

State = Literal["ok", "note", "missing"]

PYTHONS = ((3, 11), (3, 13))
CORE_PACKAGES = ("numpy", "scipy", "warp-lang", "opencv-python-headless", "av", "msgspec", "pydantic", "tyro", "rich")
MODULES = {"warp-lang": "warp", "opencv-python-headless": "cv2"}
TRAIN_PACKAGES = ("torch", "transformers", "accelerate", "safetensors", "peft", "torchjd")
ENCODERS = {"libx264": "RGB videos of every sequence", "ffv1": "depth with --depth-codec ffv1", "png": "depth and ids"}
LOW_DISK_GB, LOW_MEMORY_GB, LOW_SHM_MB = 10.0, 4.0, 256.0
SLOW_SYNC_MS, FEW_OPEN_FILES = 30.0, 1024
_SYNCS, _SYNCED_BYTES = 8, 256 * 1024
_TRIED, _TRIED_SIDE_PX = Path("two tried frames"), 64
_LARGEST_DIFFERENCE = 8.0
"""Mean over all pixels [of 255] that a video of smooth colours may lose."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    name: str
    state: State
    """'missing' is something that is needed; 'note' is worth knowing."""
    detail: str
    advice: str = ""


def examine(data: Path) -> Iterator[Finding]:
    """Yield findings about Python, packages, codecs, devices, disk, cores, open files and memory.

    Args:
        data: Folder that data sets would go to.
    """
    version = sys.version_info[:2]
    supported = PYTHONS[0] <= version <= PYTHONS[1]
    wanted = f"{PYTHONS[0][0]}.{PYTHONS[0][1]} to {PYTHONS[1][0]}.{PYTHONS[1][1]}"
    place = f"{platform.python_version()}, {sys.executable}"
    yield Finding("Python", "ok" if supported else "missing", place, "" if supported else f"use Python {wanted}")
    yield _packages()
    yield from _codecs()
    yield _coding()
    yield _renderer()
    yield _torch()
    yield _disk(data)
    yield _disk_speed(data)
    yield _cores()
    yield _open_files()
    yield _memory()
    yield _shared_memory()


def _packages() -> Finding:
    missing = [name for name in CORE_PACKAGES if importlib.util.find_spec(MODULES.get(name, name)) is None]
    if missing:
        return Finding("packages", "missing", f"not there: {', '.join(missing)}", "pip install backsight")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in CORE_PACKAGES[:4]]
    return Finding("packages", "ok", ", ".join(versions))


def _codecs() -> Iterator[Finding]:
    for name, use in ENCODERS.items():
        if name in av.codecs_available:
            continue
        state: State = "note" if name == "ffv1" else "missing"
        yield Finding(
            "codec", state, f"PyAV {av.__version__} has no {name}: {use}", "install PyAV's own wheel: pip install av"
        )
    there = [name for name in ENCODERS if name in av.codecs_available]
    yield Finding("codecs", "ok", f"PyAV {av.__version__}: {', '.join(there)}")


def _coding() -> Finding:
    """Encode two frames of each kind and decode them again, as every sequence is."""
    row, column = np.mgrid[0:_TRIED_SIDE_PX, 0:_TRIED_SIDE_PX]
    rgb = np.stack([np.stack([2 * row, 2 * column, row + column], axis=-1)] * 2).astype(np.uint8)
    grey = np.stack([300 * row + column, 65535 - 7 * row]).astype(np.uint16)
    began_s = time.perf_counter()
    advice = "install the wheels of PyPI: pip install --force-reinstall av opencv-python-headless"
    try:
        seen = decode_rgb(encode_rgb(rgb, 2.0), 2, _TRIED_SIDE_PX, _TRIED_SIDE_PX, _TRIED)
        back = decode_png_zip(encode_png_zip(grey), 2, _TRIED_SIDE_PX, _TRIED_SIDE_PX, _TRIED)
    except (BacksightError, FFmpegError) as error:
        return Finding("coding", "missing", f"two frames did not come back: {error}", advice)
    difference = float(np.abs(seen.astype(float) - rgb).mean())
    if not np.array_equal(back, grey) or difference > _LARGEST_DIFFERENCE:
        return Finding("coding", "missing", f"two frames came back changed, colours by {difference:.1f} of 255", advice)
    spent_ms = (time.perf_counter() - began_s) * 1000.0
    return Finding("coding", "ok", f"two frames there and back in H.264 and 16-bit PNG, {spent_ms:.0f} ms")


def _renderer() -> Finding:
    warp = importlib.import_module("warp")
    importlib.import_module("backsight.sim.embedded.warp_device").init_warp()
    devices = [str(device) for device in warp.get_devices()]
    return Finding("renderer", "ok", f"warp {warp.__version__} on {', '.join(devices)}")


def _torch() -> Finding:
    absent = [name for name in TRAIN_PACKAGES if importlib.util.find_spec(name) is None]
    if absent:
        advice = "collecting and scoring work without; for the rest pip install 'backsight[train]'"
        return Finding("training", "note", f"not there: {', '.join(absent)}", advice)
    torch = importlib.import_module("torch")
    if not torch.cuda.is_available():
        advice = "presets small and full need a GPU; if there is one, see that nvidia-smi works and torch has CUDA"
        built = torch.version.cuda or "no CUDA"
        return Finding("training", "note", f"torch {torch.__version__} ({built}), no GPU to be seen", advice)
    devices = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    listed = ", ".join(f"{device.name} {device.total_memory / 1e9:.0f} GB" for device in devices)
    return Finding("training", "ok", f"torch {torch.__version__}, CUDA {torch.version.cuda}: {listed}")


def _disk(data: Path) -> Finding:
    folder = data.absolute()
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        return Finding("disk", "missing", f"{folder} can't be written", "choose another folder with --data")
    free_gb = shutil.disk_usage(folder).free / 1e9
    low = free_gb < LOW_DISK_GB
    advice = "a sequence of 32 frames at 640x480 takes about 7 MB" if low else ""
    return Finding("disk", "note" if low else "ok", f"{free_gb:.0f} GB free for {data}", advice)


def _disk_speed(data: Path) -> Finding:
    """Write and sync small files, as committing a sequence does."""
    folder = data.absolute()
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        return Finding("disk speed", "note", "can't be measured")
    block = os.urandom(_SYNCED_BYTES)
    try:
        with tempfile.TemporaryDirectory(prefix=".backsight-", dir=folder) as name:
            began_s = time.perf_counter()
            for number in range(_SYNCS):
                write_durably(Path(name) / str(number), block)
            spent_ms = (time.perf_counter() - began_s) * 1000.0 / _SYNCS
    except OSError as error:
        return Finding("disk speed", "missing", f"{folder}: {error}", "choose another folder with --data")
    slow = spent_ms > SLOW_SYNC_MS
    advice = (
        "a sequence needs about ten of these: collect to a local disk and move the data set afterwards" if slow else ""
    )
    detail = f"{spent_ms:.1f} ms to write and sync {_SYNCED_BYTES // 1024} KiB"
    return Finding("disk speed", "note" if slow else "ok", detail, advice)


def _open_files() -> Finding:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = limit < FEW_OPEN_FILES
    advice = "many workers need more: ulimit -n 4096" if low else ""
    return Finding("open files", "note" if low else "ok", f"{limit} at a time in one process", advice)


def _cores() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("cores", "ok", f"{usable} usable of {os.cpu_count()}; --workers {usable} keeps all busy")


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    limit = _group_limit_bytes()
    total_gb = min(memory.total, limit or memory.total) / 1e9
    free_gb = memory.available / 1e9
    detail = f"{total_gb:.1f} GB, {free_gb:.1f} GB of the machine free"
    low = min(total_gb, free_gb) < LOW_MEMORY_GB
    return Finding("memory", "note" if low else "ok", detail, "use fewer --workers" if low else "")


def _group_limit_bytes() -> int | None:
    """Return the limit that a container or a scheduler has put on memory, None where there is none."""
    path = Path("/sys/fs/cgroup/memory.max")
    text = path.read_text().strip() if path.is_file() else "max"
    return int(text) if text.isdigit() else None


def _shared_memory() -> Finding:
    path = Path("/dev/shm")
    if not path.is_dir():
        return Finding("shared memory", "note", "no /dev/shm", "training with several processes needs it")
    size_mb = shutil.disk_usage(path).total / 1e6
    low = size_mb < LOW_SHM_MB
    advice = "in a container give --shm-size=2g; training with several processes needs it" if low else ""
    return Finding("shared memory", "note" if low else "ok", f"{size_mb:.0f} MB", advice)
