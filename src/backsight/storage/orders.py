"""Requests for further sequences: small files that wait in a folder of the data set until a collector takes them."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from backsight.records.errors import DataError, UsageError
from backsight.storage.layout import (
    DATASET_FILE,
    MAX_FRAMES,
    MAX_SMALL_JSON_BYTES,
    ORDERS_FOLDER,
    SEQUENCE_ID_PATTERN,
    is_own_folder,
)
from backsight.storage.sealed_json import read_sealed, write_sealed

DONE_FOLDER = "done"
MAX_ORDERED = 10_000
"""Sequences of one order."""
MAX_ORDER_ID = 64
"""Letters of an order's id; those of its sequences are longer."""
COMPLEXITIES = ("simple", "medium", "complex")


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for."""

    order_id: str
    kind: str
    """A name of `records.kinds`."""
    count: int
    """Number of sequences."""
    seed: int = 0
    complexity: Literal["simple", "medium", "complex"] | None = None
    """At least one instruction of every sequence has it."""
    challenges: tuple[str, ...] = ()
    """Names of `vocabulary.CHALLENGES`, beside those of the kind."""
    num_frames: int | None = None
    """Length of the sequences; None leaves it to the data set's configuration."""


class FinishedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of an order; stored in `.orders/done/`."""

    order_id: str
    state: Literal["done", "refused"]
    reason: str = ""
    """Why it was refused."""
    sequence_ids: tuple[str, ...] = ()
    """Those that were collected."""
    rejected: dict[str, str] = {}
    """Those that could not be collected, and why."""
    order: Order | None = None
    """None where the file could not be read."""


def new_order_id() -> str:
    """Return an id that no other order has; ids of later orders sort behind."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"


def check_order_id(order_id: str) -> str:
    """Return the id when it is allowed.

    Args:
        order_id: Becomes a file name.

    Raises:
        UsageError: It holds other characters than letters, digits, '_', '-' and '.', or is too long.
    """
    if SEQUENCE_ID_PATTERN.fullmatch(order_id) is None or len(order_id) > MAX_ORDER_ID:
        raise UsageError(f"order id {order_id!r}: expected 1 to {MAX_ORDER_ID} of A-Z a-z 0-9 _ - . and no leading dot")
    return order_id


def place_order(root: Path, order: Order) -> Path:
    """Put an order into the queue in one step and return its file.

    Args:
        root: Folder of a data set.
        order: What is asked for.

    Raises:
        UsageError: The folder is no data set, or the order asks for something impossible.
    """
    if not (root / DATASET_FILE).is_file():
        raise UsageError(f"{root}: is no data set: there is no {DATASET_FILE}; collect it first")
    problem = _find_problem(order)
    if problem is not None:
        raise UsageError(f"{problem[0]}: {problem[1]}")
    folder = root / ORDERS_FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"{check_order_id(order.order_id)}.json"
    write_sealed(path, msgspec.to_builtins(order))
    return path


def list_orders(root: Path) -> list[Path]:
    """Return the files of the orders that wait, the oldest id first.

    Args:
        root: Folder of a data set.
    """
    folder = root / ORDERS_FOLDER
    if not is_own_folder(folder):
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == ".json" and not path.name.startswith("."))


def read_order(path: Path) -> Order:
    """Return an order.

    Args:
        path: Its file.

    Raises:
        DataError: It is damaged, or asks for something that is no order.
    """
    content: dict[str, Any] = read_sealed(path, limit_bytes=MAX_SMALL_JSON_BYTES)
    try:
        order = msgspec.convert(content, Order, strict=True)
    except msgspec.ValidationError as error:
        raise DataError(path, "order", str(error)) from error
    problem = _find_problem(order)
    if problem is not None:
        raise DataError(path, *problem)
    if order.order_id != path.stem:
        raise DataError(path, "order_id", f"is {order.order_id!r}, the file is called {path.stem!r}")
    return order


def finish_order(root: Path, path: Path, finished: FinishedOrder) -> None:
    """Write what became of an order, then take it out of the queue; a kill in between only leaves it there.

    Args:
        root: Folder of the data set.
        path: The order's file.
        finished: What became of it.
    """
    folder = root / ORDERS_FOLDER / DONE_FOLDER
    folder.mkdir(exist_ok=True)
    write_sealed(folder / f"{check_order_id(finished.order_id)}.json", msgspec.to_builtins(finished))
    if path.is_dir() and not path.is_symlink():
        path.rename(folder / f".{path.name}-{os.getpid()}")
    else:
        path.unlink(missing_ok=True)


def read_finished(root: Path, order_id: str) -> FinishedOrder | None:
    """Return what became of an order; None when it is still waiting.

    Args:
        root: Folder of the data set.
        order_id: Of the order.

    Raises:
        DataError: The file is damaged.
    """
    path = root / ORDERS_FOLDER / DONE_FOLDER / f"{check_order_id(order_id)}.json"
    if not path.exists():
        return None
    content: dict[str, Any] = read_sealed(path)
    try:
        return msgspec.convert(content, FinishedOrder, strict=True)
    except msgspec.ValidationError as error:
        raise DataError(path, "order", str(error)) from error


def _find_problem(order: Order) -> tuple[str, str] | None:
    """Return the field that breaks a rule and how, or nothing."""
    if SEQUENCE_ID_PATTERN.fullmatch(order.order_id) is None or len(order.order_id) > MAX_ORDER_ID:
        return "order_id", f"{order.order_id!r} is not allowed"
    if not 1 <= order.count <= MAX_ORDERED:
        return "count", f"is {order.count}, expected 1 to {MAX_ORDERED}"
    if not 0 <= order.seed < 2**31:
        return "seed", f"is {order.seed}, expected 0 to {2**31 - 1}"
    if order.num_frames is not None and not 2 <= order.num_frames <= MAX_FRAMES:
        return "num_frames", f"is {order.num_frames}, expected 2 to {MAX_FRAMES}"
    return None
