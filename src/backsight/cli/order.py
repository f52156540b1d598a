"""`backsight order`: ask a serving collector for further sequences of a data set."""

import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console

from backsight.cli.configuration import parse_arguments
from backsight.records.errors import DataError, UsageError
from backsight.records.kinds import KINDS, kind_named
from backsight.records.vocabulary import CHALLENGES
from backsight.storage.layout import MAX_FRAMES
from backsight.storage.orders import MAX_ORDERED, FinishedOrder, Order, new_order_id, place_order, read_finished

_LOOK_EVERY_S = 0.5


class OrderCommand(BaseModel):
    """Ask for further sequences; `backsight collect --serve` collects them into the data set while others read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path
    """Folder of the data set."""
    kind: str
    """Kind of the sequences, such as 'sharp turns' or sharp_turns; see docs/collection.md."""
    count: int = Field(ge=1, le=MAX_ORDERED)
    """How many."""
    complexity: Literal["simple", "medium", "complex"] | None = None
    """At least one instruction of every sequence has it."""
    challenges: tuple[str, ...] = ()
    """What makes them hard, beside what the kind says."""
    num_frames: int | None = Field(default=None, ge=2, le=MAX_FRAMES)
    """Length of the sequences; that of the data set unless given."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Decides the walks, with the order's id."""
    wait: bool = False
    """Wait until they are there."""


def run(arguments: list[str]) -> int:
    """Place an order; 0 when it is placed, or with --wait when all its sequences are there, else 3."""
    command = parse_arguments(OrderCommand, "order", arguments)
    console = Console(highlight=False)
    name = command.kind.replace("_", " ")
    if kind_named(name) is None:
        raise UsageError(f"kind {command.kind!r}: expected one of {', '.join(kind.name for kind in KINDS)}")
    for challenge in command.challenges:
        if challenge not in CHALLENGES:
            raise UsageError(f"challenge {challenge!r}: expected some of {', '.join(CHALLENGES)}")
    order = Order(
        order_id=new_order_id(),
        kind=name,
        count=command.count,
        seed=command.seed,
        complexity=command.complexity,
        challenges=command.challenges,
        num_frames=command.num_frames,
    )
    path = place_order(command.data, order)
    console.print(f"{path}: {order.count} x {order.kind}", markup=False, soft_wrap=True)
    if not command.wait:
        return 0
    finished = _wait_for(command.data, order)
    console.print(
        f"{finished.state}: {finished.reason or f'{len(finished.sequence_ids)} of {order.count} sequences'}",
        markup=False,
        soft_wrap=True,
    )
    return 0 if len(finished.sequence_ids) == order.count else DataError.exit_status


def _wait_for(root: Path, order: Order) -> FinishedOrder:
    while True:
        finished = read_finished(root, order.order_id)
        if finished is not None:
            return finished
        time.sleep(_LOOK_EVERY_S)
