"""Collect one sequence: plan the walk and what happens in it, render it, say what it shows."""

import msgspec
import numpy as np
from jaxtyping import Float64

from backsight.collect.annotate import true_relations, visible_objects
from backsight.collect.config import CollectConfig
from backsight.collect.instructions.config import InstructConfig, current_frames
from backsight.collect.instructions.draft import InstructionContext
from backsight.collect.instructions.imagine import imagine_views
from backsight.collect.instructions.make import make_instructions
from backsight.collect.instructions.told_walk import route_instructions
from backsight.collect.overlap import covisible_percent
from backsight.collect.plan import SequencePlan
from backsight.collect.render_walk import EventScript, render_walk, shapes_at_frames
from backsight.collect.scene_events import script_events
from backsight.collect.tracks import object_tracks
from backsight.collect.trajectories.plan_walk import plan_walk
from backsight.collect.trajectories.smooth import CameraMount, MotionLimits, TrajectoryError
from backsight.collect.trajectories.walk import Walk, WalkRequest
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.errors import BacksightError
from backsight.records.instruction import Instruction
from backsight.records.kinds import kind_named
from backsight.records.sequence import FORMAT_VERSION, ImaginedImages, Sequence, SequenceAnnotations, imagined_poses
from backsight.records.vocabulary import FURNITURE_CATEGORIES
from backsight.sim.simulator import Observation, Simulator

WALKS_TRIED = 6
"""So many walks are planned before the scene counts as one that can't host what should happen."""
LEAST_TARGETS = 4
"""Different targets that the instructions of a walk for reasoning must name between them: things, places and imagined
views. In a scan with fewer things that have a name, so many, and none where nothing has a label."""
LEAST_TARGETS_OF_OTHERS = 1
"""The same for walks that are collected for something else."""
_TRAJECTORY_STREAM, _INSTRUCTION_STREAM, _IMAGINED_STREAM, _EVENT_STREAM, _ROUTE_STREAM = 1, 2, 3, 4, 5


class TooFewTargetsError(BacksightError):
    """The walk shows too little to ask about; the next attempt may show more."""


def collect_sequence(plan: SequencePlan, simulator: Simulator, config: CollectConfig) -> Sequence:
    """Collect one walk; its content depends on plan, configuration and simulator version alone.

    Args:
        plan: Which walk.
        simulator: Any state: the scene is loaded here.
        config: Image size, camera and frame rate.

    Raises:
        TrajectoryError: The scene can't host the walk, or what should happen in it; the next attempt may.
        FalseInstructionError: One of its instructions is denied by the rules of quality control.
        TooFewTargetsError: Its instructions name fewer than `LEAST_TARGETS` different targets.
        UsageError: The plan names an unknown pattern.
    """
    # Also where it is loaded already: whoever was here before may have moved things or dimmed the lamps.
    simulator.load_scene(plan.scene_id)
    camera = (intrinsics_from_hfov(config.width, config.height, config.hfov_deg), config.width, config.height)
    kind = kind_named(plan.kind)
    walk, script = _plan_walk_with_events(plan, simulator, config, camera)
    seen = render_walk(simulator, walk, script, *camera)
    annotations = _annotate(plan, walk, script, seen, simulator, config)
    annotations, imagined = _imagine(annotations, plan, script, simulator, config)
    favoured = None if kind is None else kind.reasoning_type
    context = InstructionContext(annotations, simulator.navigation, imagined, favoured, seen.depth_m)
    instructions = make_instructions(context, _random(plan, _INSTRUCTION_STREAM), InstructConfig())
    _require_targets(instructions, simulator, plan, LEAST_TARGETS if favoured else LEAST_TARGETS_OF_OTHERS)
    routes = route_instructions(context, _random(plan, _ROUTE_STREAM))
    return Sequence(
        rgb=seen.rgb,
        depth_m=seen.depth_m,
        instance_ids=seen.instance_ids,
        intrinsics=camera[0],
        world_from_camera=walk.world_from_camera,
        annotations=msgspec.structs.replace(annotations, instructions=instructions, routes=routes),
        imagined=imagined,
    )


def _annotate(
    plan: SequencePlan,
    walk: Walk,
    script: EventScript,
    seen: Observation,
    simulator: Simulator,
    config: CollectConfig,
) -> SequenceAnnotations:
    """Return everything that is known without words."""
    poses = walk.world_from_camera
    intrinsics = intrinsics_from_hfov(config.width, config.height, config.hfov_deg)
    objects, motions = simulator.objects, script.motions
    visible = visible_objects(seen.instance_ids, objects)
    annotations = SequenceAnnotations(
        format_version=FORMAT_VERSION,
        sequence_id=plan.sequence_id,
        place_id=plan.place_id,
        scene_type=plan.scene_type,
        kind=plan.kind,
        pattern=plan.pattern,
        seed=plan.seed,
        simulator=simulator.name,
        simulator_version=simulator.version,
        frame_rate_hz=config.frame_rate_hz,
        intrinsics=tuple(tuple(row) for row in intrinsics.tolist()),
        world_from_camera=tuple(tuple(pose) for pose in poses.reshape(-1, 16).tolist()),
        objects=objects,
        rooms=simulator.rooms,
        visible_objects=visible,
        scene_id=plan.scene_id,
        variant=plan.variant,
        attempt=plan.attempt,
        challenges=plan.challenges,
        exposure_s=script.exposure_s,
        focus_ids=walk.focus_ids,
        coverage=walk.coverage,
        tracks=object_tracks(objects, motions, visible, (seen.depth_m, seen.instance_ids), intrinsics, poses),
        motions=motions,
        events=script.events,
        covisible_percent=covisible_percent(seen.depth_m, seen.instance_ids, motions, intrinsics, poses),
    )
    relations = true_relations(annotations, current_frames(len(poses), InstructConfig()))
    return msgspec.structs.replace(annotations, relations=relations)


def _imagine(
    annotations: SequenceAnnotations,
    plan: SequencePlan,
    script: EventScript,
    simulator: Simulator,
    config: CollectConfig,
) -> tuple[SequenceAnnotations, ImaginedImages | None]:
    """Return the annotations with imagined views of every current frame, and what these show at that frame's time."""
    intrinsics = intrinsics_from_hfov(config.width, config.height, config.hfov_deg)
    poses = np.array(annotations.world_from_camera, dtype=np.float64).reshape(-1, 4, 4)
    asked, rng = current_frames(len(poses), InstructConfig()), _random(plan, _IMAGINED_STREAM)
    views = imagine_views(poses, asked, config.imagined_views, simulator.navigation, rng)
    annotations = msgspec.structs.replace(annotations, imagined=views)
    if not views:
        return annotations, None
    frames = np.array([view.current_frame for view in views])
    camera = (intrinsics, config.width, config.height)
    seen = shapes_at_frames(simulator, imagined_poses(annotations), frames, script, camera)
    return annotations, ImaginedImages(seen.depth_m, seen.instance_ids)


def _require_targets(
    instructions: tuple[Instruction, ...], simulator: Simulator, plan: SequencePlan, least: int
) -> None:
    targets = {
        target
        for instruction in instructions
        for target in (*instruction.target_instance_ids, instruction.target_place, _imagined_view(instruction))
        if target is not None
    }
    wanted = min(least, sum(thing.category in FURNITURE_CATEGORIES for thing in simulator.objects))
    if len(targets) < wanted:
        raise TooFewTargetsError(f"{plan.sequence_id}: {len(targets)} different targets, at least {wanted} wanted")


def _imagined_view(instruction: Instruction) -> str | None:
    return None if instruction.imagined_view is None else f"view {instruction.imagined_view}"


def _plan_walk_with_events(
    plan: SequencePlan,
    simulator: Simulator,
    config: CollectConfig,
    camera: tuple[Float64[np.ndarray, "3 3"], int, int],
) -> tuple[Walk, EventScript]:
    """Return a walk and what happens in it; of several walks the first in which it can."""
    kind = kind_named(plan.kind)
    request = WalkRequest(
        simulator=simulator,
        rng=_random(plan, _TRAJECTORY_STREAM),
        num_frames=plan.num_frames,
        limits=MotionLimits(),
        camera=CameraMount(
            height_m=config.camera_height_m, frame_rate_hz=config.frame_rate_hz, hfov_deg=config.hfov_deg
        ),
        variant=plan.variant,
        challenges=plan.challenges,
        reasoning_type=None if kind is None else kind.reasoning_type,
    )
    rng = _random(plan, _EVENT_STREAM)
    walk = plan_walk(plan.pattern, request)
    for _ in range(WALKS_TRIED - 1):
        try:
            return walk, script_events(kind, plan.challenges, walk, simulator, camera, rng)
        except TrajectoryError:
            walk = plan_walk(plan.pattern, request)
    return walk, script_events(kind, plan.challenges, walk, simulator, camera, rng)


def _random(plan: SequencePlan, stream: int) -> np.random.Generator:
    """Return a stream of its own for each purpose, so that one does not shift the other."""
    return np.random.default_rng([plan.seed, plan.attempt, stream])
