"""Speed of collecting, end to end and by stage, in one process with one thread.

Whole places of a plan are collected in the plan's order, just as a worker does it, so that scenes are shared as in a real
run. Seconds are those of the processor; those of the clock stand beside them, since syncs wait for the disk.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
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
    (writing, "depth_to_mm", "encode: depth"),
    (writing, "instances_to_uint16", "encode: instances"),
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

    accepted: int = 0
    frames: int = 0
    size_bytes: int = 0
    rejected_s: float = 0.0


def places_of(arguments: Arguments, config: CollectConfig) -> list[list[SequencePlan]]:
    """Return the chosen places' sequences."""
    places = [list(plans) for _, plans in groupby(make_plan(config), key=lambda plan: plan.place_id)]
    count = max(1, round(arguments.sequences * len(places) / config.num_sequences))
    return [places[index] for index in np.linspace(0, len(places) - 1, count).astype(int)]


def wrap_stages(clock: StageClock) -> None:
    """Time every stage."""
    for owner, name, stage in STAGES:
        clock.wrap(owner, name, stage)
    # Depth and instances share one encoder; the file is told by the filter.
    encode = writing.encode_png_zip

    def encode_depth(images: np.ndarray, png_filter: int) -> bytes:
        return encode(images, png_filter)

    parts = {writing.DEPTH_FILTER: "encode: depth", writing.INSTANCES_FILTER: "encode: instances"}
    timed = {png_filter: clock.timed(encode_depth, stage) for png_filter, stage in parts.items()}
    writing.encode_png_zip = lambda images, png_filter: timed[png_filter](images, png_filter)


class TimedWork(CollectWork):
    """Knows how long attempts took that were rejected."""

    def __init__(self, config: CollectConfig) -> None:
        super().__init__(config, configured_simulator)
        self.tally = Tally()

    def _attempt(self, plan: Any, attempt: int, simulator: Any, rejections: list[str]) -> Any:
        began_s, found = time.process_time(), None
        try:
            found = super()._attempt(plan, attempt, simulator, rejections)
        finally:
            if found is None:
                self.tally.rejected_s += time.process_time() - began_s
        return found


def main(arguments: Arguments) -> None:
    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="backsight-speed-") as folder:
        config = CollectConfig(out=Path(folder), num_sequences=arguments.plan, size=arguments.size, seed=arguments.seed)
        places = places_of(arguments, config)
        # Programs are compiled and loaded during the first sequence, whose scene must not stay loaded.
        first = config.model_copy(update={"out": Path(folder) / "first"})
        CollectWork(first, configured_simulator)(places[-1][0])
        clock = StageClock()
        wrap_stages(clock)
        work = TimedWork(config)
        rejections: Counter[str] = Counter()
        plans = [plan for place in places for plan in place]
        clock.reset()
        began_s = time.monotonic()
        for plan in plans:
            try:
                outcome = work(plan)
            except AssertionError as error:
                # In a run a worker would be lost.
                console.print(f"fails: {error}")
                continue
            work.tally.accepted += outcome.accepted
            work.tally.frames += outcome.num_frames
            work.tally.size_bytes += outcome.size_bytes
            rejections.update(reason.split(":")[0] for reason in outcome.rejections)
        wall_s = time.monotonic() - began_s
        total_s = clock.total_s()
    show(console, clock, total_s, wall_s, len(plans), len({plan.scene_id for plan in plans}), work.tally, arguments)
    console.print("rejected attempts: " + ", ".join(f"{count} {why}" for why, count in rejections.most_common()))


def show(
    console: Console,
    clock: StageClock,
    total_s: float,
    wall_s: float,
    sequences: int,
    scenes: int,
    tally: Tally,
    arguments: Arguments,
) -> None:
    """Print the table of stages, groups first."""
    groups: Counter[str] = Counter()
    for stage, seconds in clock.seconds.items():
        groups[stage.split(":")[0]] += seconds
    table = Table(title=f"{sequences} sequences of {arguments.size}, {tally.frames} frames, {scenes} scenes")
    for column in ("stage", "calls", "ms a sequence", "share"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for group, seconds in groups.most_common():
        table.add_row(f"[bold]{group}", "", f"[bold]{1000 * seconds / sequences:.1f}", f"[bold]{seconds / total_s:.1%}")
        stages = [stage for stage, _ in clock.seconds.most_common() if stage.split(":")[0] == group]
        if arguments.detail and len(stages) > 1:
            for stage in stages:
                spent = clock.seconds[stage]
                name = "  " + stage.partition(": ")[2] if ": " in stage else "  itself"
                calls = str(clock.calls[stage])
                table.add_row(name, calls, f"{1000 * spent / sequences:.1f}", f"{spent / total_s:.1%}")
    table.add_row("[bold]all", "", f"[bold]{1000 * total_s / sequences:.1f}", "")
    console.print(table)
    console.print(
        f"end to end {tally.frames / total_s:.1f} frames per processor second ({tally.frames / wall_s:.1f} by the clock), "
        f"render only {tally.frames / groups['render']:.1f}; {tally.accepted} of {sequences} accepted, rejected attempts "
        f"{tally.rejected_s / total_s:.1%} of the time; {tally.size_bytes / max(tally.frames, 1) / 1000:.1f} kB a frame"
    )


if __name__ == "__main__":
    main(tyro.cli(Arguments))
