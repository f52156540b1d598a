"""Who may write to a data set at the same time: the parts of one plan and the orders, or one whole run alone."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from backsight.records.errors import UsageError
from backsight.storage.layout import FAILED_FOLDER, INCOMING_FOLDER, LOCK_FILE, ORDER_PREFIX, is_unfinished

ORDERS = "orders"
"""The part that serves orders."""


@contextmanager
def lock_dataset(root: Path, part: str | None) -> Iterator[None]:
    """Keep others from doing the same work; the system frees the locks whatever becomes of this process.

    Args:
        root: An existing folder.
        part: None is a whole run, which tolerates no other; 'i-of-n' tolerates other parts of the same n, and `ORDERS`
            any part.

    Raises:
        UsageError: Another process is at the same work.
    """
    with ExitStack() as held:
        whole = held.enter_context((root / LOCK_FILE).open("a"))
        _hold(whole, fcntl.LOCK_EX if part is None else fcntl.LOCK_SH, root)
        if part is not None:
            own = held.enter_context((root / f"{LOCK_FILE}-{part}").open("a"))
            _hold(own, fcntl.LOCK_EX, root)
            if part != ORDERS:
                _refuse_other_parts(root, part)
        yield


def _hold(file: IO[str], kind: int, root: Path) -> None:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(f"{root}: another collection is writing here; wait for it or stop it") from error


def _refuse_other_parts(root: Path, part: str) -> None:
    """Raise when a plan is being collected here in another number of parts: they would share sequences."""
    count = part.rpartition("-of-")[2]
    for path in sorted(root.glob(f"{LOCK_FILE}-*-of-*")):
        if path.name.rpartition("-of-")[2] == count:
            continue
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                other = path.name.removeprefix(f"{LOCK_FILE}-").replace("-of-", "/")
                raise UsageError(f"{root}: part {other} is being collected here; wait for it or stop it") from error


@contextmanager
def lock_splits(root: Path) -> Iterator[None]:
    """Wait until no other process is changing splits.json.

    Args:
        root: An existing folder.
    """
    with (root / f"{LOCK_FILE}-splits").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def clear_incoming(root: Path, part: str | None, sequence_ids: set[str]) -> None:
    """Remove what killed processes left unfinished.

    Args:
        root: Folder of a data set whose lock is held.
        part: As for `lock_dataset`; a whole run removes everything.
        sequence_ids: The sequences that a part is about; other parts are at work on others.
    """
    incoming = root / INCOMING_FOLDER
    if part is None:
        shutil.rmtree(incoming, ignore_errors=True)
        for path in sorted(root.iterdir()):
            if is_unfinished(path.name):
                path.unlink(missing_ok=True)
        for path in sorted((root / FAILED_FOLDER).glob(".*")):
            path.unlink(missing_ok=True)
        return
    for path in sorted(incoming.iterdir()) if incoming.is_dir() else ():
        sequence_id = path.name.rpartition("-")[0]
        mine = sequence_id.startswith(ORDER_PREFIX) if part == ORDERS else sequence_id in sequence_ids
        if mine:
            shutil.rmtree(path, ignore_errors=True)
