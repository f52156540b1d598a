"""Speed of collecting, end to end and by stage, in one process with one thread.

Whole places of a plan are collected in the plan's order, just as a worker does it, so that scenes are shared as in a
real run. Seconds are those of the processor; those of the clock stand beside them, since syncs wait for the disk.
"""

import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from rich.console import Console
from rich.table import Table
from stage_clock import StageClock

from backsight.collect import sequence as collecting
from backsight.collect import work as working
from backsight.collect.config import CollectConfig
from backsight.collect.instructions import make as instructing
from backsight.collect.plan import SequencePlan, make_plan
from backsight.collect.simulators import configured_simulator
from backsight.collect.work import CollectWork
from backsight.quality import annotations as judging
from backsight.quality import check as checking
from backsight.sim.embedded import device_scene as scene_loading
from backsight.sim.embedded import simulator as simulating
from backsight.sim.embedded.renderer import Renderer
from backsight.storage import write as writing

STAGES: tuple[tuple[Any, str, str], ...] = (
    (simulating, "build_scene", "scene: geometry and textures"),
    (simulating, "GridNavigation", "scene: navigation"),
    (scene_loading, "bake_light", "scene: light"),
    (simulating, "Renderer", "scene: arrays and trees"),
    (Renderer, "render", ".pictures"),
    (Renderer, "render_shapes", ".shapes"),
    (collecting, "plan_walk", "walk"),
    (collecting, "script_events", "events"),
    (collecting, "render_walk", "render"),
    (collecting, "_imagine", "imagined views"),
    (collecting, "visible_objects", "annotate: visible things"),
    (collecting, "object_tracks", "annotate: tracks"),
    (collecting, "covisible_percent", "annotate: overlap"),
    (collecting, "true_relations", "annotate: relations"),
    (collecting, "make_instructions", "instruct: choice, memory"),
    (instructing, "plain_drafts", "instruct: plain"),
    (instructing, "spatial_drafts", "instruct: spatial"),
    (instructing, "viewpoint_drafts", "instruct: viewpoint"),
    (instructing, "own_walk_drafts", "instruct: own walk"),
    (instructing, "change_drafts", "instruct: changes"),
    (instructing, "route_drafts", "instruct: routes"),
    (instructing, "absent_drafts", "instruct: absent"),
    (instructing, "_verify", "instruct: verify"),
    (collecting, "route_instructions", "instruct: ways told"),
    (working, "check_sequence", "check: the rest"),
    (checking, "find_broken_parts", "check: integrity"),
    (checking, "sample_views", "check: samples"),
    (checking, "compare_frames", "check: reprojection"),
    (checking, "judge_geometry", "check: geometry"),
    (checking, "judge_pictures", "check: pictures"),
    (checking, "judge_coverage", "check: coverage"),
    (checking, "judge_motion", "check: motion"),
    (checking, "judge_annotations", "check: annotations, the rest"),
    (judging, "visibility_problems", "check: visible things"),
    (judging, "relation_problems", "check: relations"),
    (judging, "instruction_problems", "check: instructions"),
    (judging, "route_problems", "check: ways told"),
    (judging, "track_problems", "check: tracks"),
    (judging, "overlap_problems", "check: overlap"),
    (judging, "judge_surfaces", "check: boxes"),
    (judging, "judge_ids", "check: ids"),
    (checking, "measure_walk", "check: measures"),
    (working, "write_sequence", "commit: the rest"),
    (writing, "encode_rgb", "encode: rgb"),
    (writing, "depth_to_mm", "encode: depth and ids"),
    (writing, "instances_to_uint16", "encode: depth and ids"),
    (writing, "encode_png_zip", "encode: depth and ids"),
    (writing, "_check_parts_agree", "commit: checks"),
    (writing, "encode_annotations", "encode: annotations"),
    (writing, "file_entry", "commit: hashes"),
    (writing, "write_durably", "commit: write and sync"),
    (writing, "sync_folder", "commit: write and sync"),
    (writing, "_move_into_place", "commit: rename"),
)
"""Where functions are called, what they are called there, and their line in the table."""


@dataclass
class Arguments:
    """What to collect."""

    sequences: int = 60
    """About so many: whole places, spread evenly over the plan and with it over the types of scenes."""
    size: str = "256x256"
    plan: int = 1000
    """Sequences of the plan that the places are taken from."""
    seed: int = 0
    detail: bool = True
    """Print all stages, not only their groups."""


@dataclass
class Tally:
    """What was collected."""

    sequences: int
    scenes: int
    accepted: int = 0
    frames: int = 0
    size_bytes: int = 0
    rejected_s: float = 0.0
    clock_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    """Of rejections."""


def places_of(arguments: Arguments, config: CollectConfig) -> list[list[SequencePlan]]:
    """Return the chosen places' sequences."""
    places = [list(plans) for _, plans in groupby(make_plan(config), key=lambda plan: plan.place_id)]
    count = max(1, round(arguments.sequences * len(places) / config.num_sequences))
    return [places[index] for index in np.linspace(0, len(places) - 1, count).astype(int)]


def wrap_stages(clock: StageClock) -> None:
    """Time every stage."""
    for owner, name, stage in STAGES:
        clock.wrap(owner, name, stage)


class TimedWork(CollectWork):
    """Knows how long attempts took that were rejected."""

    def __init__(self, config: CollectConfig, plans: list[SequencePlan]) -> None:
        super().__init__(config, configured_simulator)
        self.tally = Tally(len(plans), len({plan.scene_id for plan in plans}))

    def _attempt(self, plan: Any, attempt: int, simulator: Any, rejections: list[str]) -> Any:
        began_s, found = time.process_time(), None
        try:
            found = super()._attempt(plan, attempt, simulator, rejections)
        finally:
            if found is None:
                self.tally.rejected_s += time.process_time() - began_s
        return found


def collect(work: TimedWork, plans: list[SequencePlan]) -> None:
    """Collect sequences and count what comes of them."""
    tally, began_s = work.tally, time.monotonic()
    for plan in plans:
        outcome = work(plan)
        tally.accepted += outcome.accepted
        tally.frames += outcome.num_frames
        tally.size_bytes += outcome.size_bytes
        tally.reasons.update(reason.split(":")[0] for reason in outcome.rejections)
    tally.clock_s = time.monotonic() - began_s


def show(console: Console, clock: StageClock, tally: Tally, arguments: Arguments) -> None:
    """Print the table of stages, groups first."""
    total_s = clock.total_s()
    groups: Counter[str] = Counter()
    for stage, spent_ns in clock.spent_ns.items():
        groups[stage.split(":")[0]] += spent_ns
    table = Table(
        title=f"{tally.sequences} sequences of {arguments.size}, {tally.frames} frames, {tally.scenes} scenes"
    )
    for column in ("stage", "calls", "ms a sequence", "share"):
        table.add_column(column, justify="left" if column == "stage" else "right")

    def add(name: str, calls: str, spent_ns: float) -> None:
        table.add_row(name, calls, f"{spent_ns / 1e6 / tally.sequences:.1f}", f"{spent_ns / 1e9 / total_s:.1%}")

    for group, spent_ns in groups.most_common():
        add(f"[bold]{group}", "", spent_ns)
        stages = [stage for stage, _ in clock.spent_ns.most_common() if stage.split(":")[0] == group]
        if arguments.detail and len(stages) > 1:
            for stage in stages:
                add("  " + (stage.partition(": ")[2] or "itself"), str(clock.calls[stage]), clock.spent_ns[stage])
    add("[bold]all", "", 1e9 * total_s)
    console.print(table)
    console.print(
        f"end to end {tally.frames / total_s:.1f} frames per processor second "
        f"({tally.frames / tally.clock_s:.1f} by the clock), render only {1e9 * tally.frames / groups['render']:.1f}; "
        f"{tally.accepted} of {tally.sequences} accepted, rejected attempts take {tally.rejected_s / total_s:.1%}; "
        f"{tally.size_bytes / max(tally.frames, 1) / 1000:.1f} kB a frame"
    )
    console.print("rejected: " + ", ".join(f"{count} {why}" for why, count in tally.reasons.most_common()))


def main(arguments: Arguments) -> None:
    console = Console(width=120)
    if os.environ.get("OMP_NUM_THREADS") != "1":
        console.print("set OMP_NUM_THREADS=1: a worker has one thread")
        return
    with tempfile.TemporaryDirectory(prefix="backsight-speed-") as folder:
        config = CollectConfig(out=Path(folder), num_sequences=arguments.plan, size=arguments.size, seed=arguments.seed)
        places = places_of(arguments, config)
        # Programs are compiled and loaded during the first sequence.
        warm_up = config.model_copy(update={"out": Path(folder) / "first"})
        CollectWork(warm_up, configured_simulator)(places[-1][0])
        clock, plans = StageClock(), [plan for place in places for plan in place]
        wrap_stages(clock)
        work = TimedWork(config, plans)
        clock.reset()
        collect(work, plans)
    show(console, clock, work.tally, arguments)


if __name__ == "__main__":
    main(tyro.cli(Arguments))
