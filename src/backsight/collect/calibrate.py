"""How long a collection will take and how large it will be: measured on a few of its own sequences."""

import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.constants import golden

from backsight.collect.config import MIN_SIDE_PX, CollectConfig
from backsight.collect.plan import SequencePlan
from backsight.collect.simulators import SimulatorMaker, configured_simulator
from backsight.collect.work import CollectWork
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.errors import DataError
from backsight.sim.backends.habitat.client import HabitatSimulator

SEQUENCES_A_SCENE = 3
"""So many sequences of a loaded scene are collected, of different kinds."""


@dataclass(frozen=True)
class Measured:
    """A quantity per frame, over the collected sequences."""

    mean: float
    """All together over all frames."""
    low: float
    """Of the sequence with the least."""
    high: float
    error: float
    """Standard error of the mean, from the differences between sequences; 0 for one sequence."""


@dataclass(frozen=True)
class Calibration:
    """What a few sequences took."""

    sequences: int
    kinds: int
    """Different ones among them."""
    scenes: int
    rejected: int
    """Attempts that were collected in vain; their time counts."""
    seconds_per_frame: Measured
    """Of one core: plan, render, annotate, check, encode, write."""
    bytes_per_frame: Measured
    seconds_per_scene: float
    """To load a scene."""


@dataclass(frozen=True)
class Expectation:
    """What a plan will amount to; the ranges are two standard errors to either side."""

    size_bytes: float
    size_range_bytes: tuple[float, float]
    hours: float
    hours_range: tuple[float, float]


@dataclass(frozen=True)
class _Sample:
    kind: str
    scene_id: str
    frames: int
    seconds: float
    size_bytes: int
    rejected: int


def calibrate(
    config: CollectConfig,
    plans: Sequence[SequencePlan],
    budget_s: float,
    *,
    make_simulator: SimulatorMaker = configured_simulator,
    on_progress: Callable[[float, int], None] = lambda share, sequences: None,
) -> Calibration | None:
    """Collect, check and encode a few sequences in a temporary folder; None when none of them could be.

    Scenes are spread evenly over the plan, and of each a few sequences of kinds that have not been seen are taken. The
    first sequence is not counted, since programs are compiled and loaded during it.

    Args:
        config: Of the collection; its folder is not touched.
        plans: The plan.
        budget_s: No sequence is begun after that time, once a second scene has been loaded.
        make_simulator: Makes the simulator.
        on_progress: Called after each sequence with the share of the budget that is spent and the number of sequences.

    Raises:
        UsageError: The configuration names what there is not.
        EnvironmentProblem: The simulator can't be started.
    """
    with tempfile.TemporaryDirectory(prefix="backsight-calibration-") as folder:
        bench = _Bench(config, make_simulator, Path(folder))
        try:
            return _measure(bench, _choose(plans), budget_s, on_progress)
        finally:
            bench.close()


def expect(plans: Sequence[SequencePlan], calibration: Calibration, workers: int) -> Expectation:
    """Return how large a data set will be and how long its collection will take.

    Args:
        plans: The plan.
        calibration: Measured on some of it.
        workers: Processes, a core for each.
    """
    frames = sum(plan.num_frames for plan in plans)
    size, pace = calibration.bytes_per_frame, calibration.seconds_per_frame
    loading_s = count_loads(plans) * calibration.seconds_per_scene
    hours = [(frames * (pace.mean + by * pace.error) + loading_s) / workers / 3600.0 for by in (0, -2, 2)]
    sizes = [frames * (size.mean + by * size.error) for by in (0, -2, 2)]
    return Expectation(
        sizes[0], (max(sizes[1], 0.0), sizes[2]), hours[0], (max(hours[1], loading_s / workers / 3600.0), hours[2])
    )


def count_loads(plans: Sequence[SequencePlan]) -> int:
    """Return how many scenes have to be loaded for a plan when it is collected in order.

    Args:
        plans: In the plan's order.
    """
    scenes = [plan.scene_id for plan in plans]
    return min(len(scenes), 1) + sum(before != after for before, after in pairwise(scenes))


class _Bench:
    """Loads scenes and collects sequences, one after the other, and measures how long that takes.

    Args:
        config: Of the collection.
        make_simulator: Makes the simulator.
        folder: Existing; what is collected is left there.
    """

    def __init__(self, config: CollectConfig, make_simulator: SimulatorMaker, folder: Path) -> None:
        self._config = config
        self._simulator = make_simulator(config)
        self._folder = folder
        self._work = self._work_in("measured")

    def close(self) -> None:
        if isinstance(self._simulator, HabitatSimulator):
            self._simulator.close()

    def load(self, scene_id: str) -> float | None:
        """Load a scene with everything that simulators put off, and return the seconds; None when it can't be read."""
        with _Stopwatch() as watch:
            try:
                self._simulator.load_scene(scene_id)
            except DataError:
                return None
            pose = np.eye(4)
            pose[1, 3] = self._simulator.navigation.floors_m[0] + self._config.camera_height_m
            intrinsics = intrinsics_from_hfov(MIN_SIDE_PX, MIN_SIDE_PX, self._config.hfov_deg)
            self._simulator.render(pose[None], intrinsics, MIN_SIDE_PX, MIN_SIDE_PX)
        return watch.seconds

    def warm_up(self, plan: SequencePlan) -> None:
        """Collect a sequence elsewhere: programs are compiled and loaded."""
        self._work_in("first")(plan)

    def collect(self, plan: SequencePlan) -> _Sample:
        with _Stopwatch() as watch:
            outcome = self._work(plan)
        return _Sample(
            plan.kind, plan.scene_id, outcome.num_frames, watch.seconds, outcome.size_bytes, len(outcome.rejections)
        )

    def _work_in(self, name: str) -> CollectWork:
        folder = self._folder / name
        folder.mkdir()
        return CollectWork(self._config.model_copy(update={"out": folder}), lambda _: self._simulator)


def _measure(
    bench: _Bench,
    scenes: Iterator[list[SequencePlan]],
    budget_s: float,
    on_progress: Callable[[float, int], None],
) -> Calibration | None:
    samples: list[_Sample] = []
    loads_s: list[float] = []
    began_s: float | None = None
    on_progress(0.0, 0)
    for plans in scenes:
        load_s = bench.load(plans[0].scene_id)
        if load_s is None:
            continue
        if began_s is None:
            bench.warm_up(plans[0])
            began_s = time.monotonic()
        else:
            loads_s.append(load_s)
        for plan in plans:
            samples.append(bench.collect(plan))
            spent_s = time.monotonic() - began_s
            on_progress(min(1.0, spent_s / budget_s), len(samples))
            if spent_s >= budget_s and loads_s:
                return _summary(samples, loads_s)
    return _summary(samples, loads_s or [0.0])


def _choose(plans: Sequence[SequencePlan]) -> Iterator[list[SequencePlan]]:
    """Yield sequences of one scene after the other: scenes evenly over the plan, of each the kinds seen least."""
    scenes: dict[str, list[SequencePlan]] = {}
    for plan in plans:
        scenes.setdefault(plan.scene_id, []).append(plan)
    names = list(scenes)
    seen: Counter[str] = Counter()
    for index in _spread(len(names)):
        chosen: list[SequencePlan] = []
        waiting = list(scenes[names[index]])
        while waiting and len(chosen) < SEQUENCES_A_SCENE:
            chosen.append(min(waiting, key=lambda plan: seen[plan.kind]))
            waiting.remove(chosen[-1])
            seen[chosen[-1].kind] += 1
        yield chosen


def _spread(count: int) -> list[int]:
    """Return 0 to count - 1, each once, in an order whose beginnings are spread evenly.

    By the golden section and not by halves: types of scenes take turns in a plan, sixteen of them, and the places of
    repeated halves would be of few types.
    """
    place = np.arange(count) * golden % 1.0
    return np.argsort(np.argsort(place)).tolist()


class _Stopwatch:
    """Measures seconds of one core: of the clock, or of all threads together where that is more."""

    seconds = 0.0

    def __enter__(self) -> "_Stopwatch":
        self._began_s = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        clock_s, threads_s = self._began_s
        self.seconds = max(time.perf_counter() - clock_s, time.process_time() - threads_s)


def _summary(samples: list[_Sample], loads_s: list[float]) -> Calibration | None:
    good = [sample for sample in samples if sample.frames]
    if not good:
        return None
    return Calibration(
        sequences=len(good),
        kinds=len({sample.kind for sample in good}),
        scenes=len({sample.scene_id for sample in good}),
        rejected=sum(sample.rejected for sample in samples),
        seconds_per_frame=_per_frame([(sample.frames, sample.seconds) for sample in samples]),
        bytes_per_frame=_per_frame([(sample.frames, float(sample.size_bytes)) for sample in samples]),
        seconds_per_scene=sum(loads_s) / len(loads_s),
    )


def _per_frame(amounts: list[tuple[int, float]]) -> Measured:
    """Return amounts over frames as a ratio of sums; a sequence that was given up has an amount and no frames."""
    frames = sum(count for count, _ in amounts)
    mean = sum(amount for _, amount in amounts) / frames
    off = sum((amount - mean * count) ** 2 for count, amount in amounts)
    error = math.sqrt(off * len(amounts) / (len(amounts) - 1)) / frames if len(amounts) > 1 else 0.0
    each = [amount / count for count, amount in amounts if count]
    return Measured(mean, min(each), max(each), error)
