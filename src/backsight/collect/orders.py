"""Serving orders: a collector that adds sequences to a data set while others read it."""

import hashlib
import time
from collections.abc import Callable
from multiprocessing.connection import wait

import msgspec
from pydantic import ValidationError

from backsight.collect.config import CollectConfig
from backsight.collect.dataset_run import refuse_other_content, require_room, supervisor_config
from backsight.collect.locks import ORDERS, clear_incoming, lock_dataset
from backsight.collect.outcome import Outcome
from backsight.collect.places import with_options
from backsight.collect.plan import CHALLENGE_OPTIONS, SequencePlan, make_plan
from backsight.collect.simulators import SimulatorMaker, configured_simulator
from backsight.collect.split_file import add_training_places
from backsight.collect.supervise import Job, Progress, stop_signals, supervise
from backsight.collect.work import CollectWork
from backsight.records.errors import DataError, UsageError
from backsight.records.kinds import kind_named
from backsight.records.sequence import Sequence
from backsight.records.vocabulary import CHALLENGES
from backsight.storage.layout import ORDER_PREFIX
from backsight.storage.orders import FinishedOrder, Order, finish_order, list_orders, read_finished, read_order

FIRST_ORDERED_PLACE = 2**30
"""Places of orders are made from numbers from here on, far behind those of any plan."""
_LOOK_EVERY_S = 0.25


class OrderWork(CollectWork):
    """What a worker does for an order.

    Args:
        config: Of the order.
        make_simulator: A function of a module, so that it pickles.
        complexity: Of at least one instruction of every sequence; None asks for nothing.
    """

    def __init__(self, config: CollectConfig, make_simulator: SimulatorMaker, complexity: str | None) -> None:
        super().__init__(config, make_simulator)
        self._complexity = complexity

    def objection(self, sequence: Sequence) -> str:
        """Return why a sequence is not what was ordered; empty when it is.

        Args:
            sequence: Accepted by quality control.
        """
        complexities = {instruction.complexity for instruction in sequence.annotations.instructions}
        if self._complexity is None or self._complexity in complexities:
            return ""
        return f"no instruction is {self._complexity}"


def serve_orders(
    config: CollectConfig,
    *,
    idle_timeout_s: float | None = None,
    make_simulator: SimulatorMaker = configured_simulator,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_finished: Callable[[FinishedOrder], None] = lambda finished: None,
) -> int:
    """Take the orders of a data set in turn until there has been none for a while; return how many were taken.

    Args:
        config: That the data set was collected with.
        idle_timeout_s: End after so many seconds without an order; None waits for ever.
        make_simulator: Makes each worker's simulator; a function of a module, so that it pickles.
        on_progress: Called as `supervise` does.
        on_finished: Called with what became of each order.

    Raises:
        UsageError: The folder is not this configuration's data set, or another process serves or collects it.
        EnvironmentProblem: There is no room, or workers can't be started; the order stays in the queue.
        KeyboardInterrupt: Ctrl-C or SIGTERM; an order that was begun stays in the queue, its sequences are kept.
    """
    if config.scene_dir is not None or config.simulator != "embedded":
        raise UsageError("orders are walked in scenes that are made; those of files and of Habitat belong to the plan")
    refuse_other_content(config, make_simulator, must_exist=True)
    taken = 0
    with lock_dataset(config.out, ORDERS):
        clear_incoming(config.out, ORDERS, set())
        while _wait_for_order(config, idle_timeout_s):
            for path in list_orders(config.out):
                try:
                    order = read_order(path)
                    finished = read_finished(config.out, order.order_id) or _collect(
                        order, config, make_simulator, on_progress
                    )
                except (DataError, UsageError) as error:
                    finished = FinishedOrder(_safe_name(path.stem), "refused", str(error))
                finish_order(config.out, path, finished)
                on_finished(finished)
                taken += 1
    return taken


def plan_order(order: Order, config: CollectConfig) -> tuple[CollectConfig, list[SequencePlan]]:
    """Return the configuration and the sequences of an order, in places that no plan and no other order has.

    Args:
        order: What is asked for.
        config: Of the data set.

    Raises:
        UsageError: There is no such kind or challenge, or the data set's scenes can't host it.
    """
    kind = kind_named(order.kind)
    if kind is None:
        raise UsageError(f"kind {order.kind!r}: there is none of that name; see docs/collection.md")
    unknown = sorted(set(order.challenges) - set(CHALLENGES))
    if unknown:
        raise UsageError(f"challenge {unknown[0]!r}: expected some of {', '.join(CHALLENGES)}")
    digest = hashlib.sha256(order.order_id.encode("ascii")).digest()
    changes = {
        "num_sequences": order.count,
        "seed": order.seed,
        "groups": (kind.group,),
        "kinds": (kind.name,),
        "first_place": FIRST_ORDERED_PLACE + int.from_bytes(digest[:4], "big") % (FIRST_ORDERED_PLACE // 2),
        "shard": None,
        "places": None,
        "hold_out": (),
    }
    if order.num_frames is not None:
        changes |= dict.fromkeys(("min_frames", "mean_frames", "max_frames"), order.num_frames)
    try:
        ordered = CollectConfig(**(config.model_dump() | changes))
    except ValidationError as error:
        raise UsageError(f"order {order.order_id}: {error.errors()[0]['msg']}") from error
    name = f"{ORDER_PREFIX}{order.order_id}"
    # A kind that has the challenge by itself has its options too.
    further = [challenge for challenge in order.challenges if challenge not in kind.challenges]
    options = [option for challenge in further for option in CHALLENGE_OPTIONS.get(challenge, ())]
    return ordered, [
        msgspec.structs.replace(
            plan,
            sequence_id=f"{name}-{number:05d}",
            place_id=f"{name}-{plan.place_id}",
            scene_id=with_options(plan.scene_id, tuple(o for o in options if f"{o[0]}=" not in plan.scene_id)),
            challenges=tuple(item for item in CHALLENGES if item in {*plan.challenges, *order.challenges}),
        )
        for number, plan in enumerate(make_plan(ordered))
    ]


def _wait_for_order(config: CollectConfig, idle_timeout_s: float | None) -> bool:
    """Return whether an order has come before the time was up."""
    idle_since_s = time.monotonic()
    with stop_signals() as stop_reader:
        while not list_orders(config.out):
            if idle_timeout_s is not None and time.monotonic() - idle_since_s >= idle_timeout_s:
                return False
            if wait([stop_reader], timeout=_LOOK_EVERY_S):
                raise KeyboardInterrupt("no order was being collected")
    return True


def _collect(
    order: Order,
    config: CollectConfig,
    make_simulator: SimulatorMaker,
    on_progress: Callable[[Progress], None],
) -> FinishedOrder:
    ordered, plans = plan_order(order, config)
    require_room(ordered, plans)
    # Before the first of its sequences, so that whoever finds one finds its place's split.
    add_training_places(ordered.out, {plan.place_id for plan in plans})
    jobs = [Job(plan.sequence_id, plan.scene_id, plan) for plan in plans]
    work = OrderWork(ordered, make_simulator, order.complexity)
    done = supervise(jobs, work, supervisor_config(ordered), on_progress)
    if done.fatal is not None:
        raise done.fatal
    if done.interrupted:
        raise KeyboardInterrupt(f"order {order.order_id}: {len(done.results)} of {order.count} sequences")
    outcomes: list[Outcome] = sorted(done.results.values(), key=lambda outcome: outcome.sequence_id)
    rejected = {outcome.sequence_id: outcome.rejections[-1] for outcome in outcomes if not outcome.accepted}
    return FinishedOrder(
        order_id=order.order_id,
        state="done",
        sequence_ids=tuple(outcome.sequence_id for outcome in outcomes if outcome.accepted),
        rejected=rejected | {lost.job_id: lost.last_error for lost in done.poisoned},
        order=order,
    )


def _safe_name(text: str) -> str:
    """Return a name for what became of an order whose own name may be anything."""
    allowed = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text)
    return f"{allowed[:32]}-{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:8]}"
