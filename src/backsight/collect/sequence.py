"""Collect one sequence: plan the walk, render it, say what it shows."""

import msgspec
import numpy as np

from backsight.collect.annotate import true_relations, visible_objects
from backsight.collect.config import CollectConfig
from backsight.collect.instructions.config import InstructConfig, current_frames
from backsight.collect.instructions.draft import InstructionContext
from backsight.collect.instructions.imagine import imagine_views
from backsight.collect.instructions.make import make_instructions
from backsight.collect.plan import SequencePlan
from backsight.collect.trajectories.plan_walk import plan_walk
from backsight.collect.trajectories.smooth import CameraMount, MotionLimits
from backsight.collect.trajectories.walk import Walk, WalkRequest
from backsight.geometry.cameras import intrinsics_from_hfov
from backsight.records.errors import BacksightError
from backsight.records.instruction import Instruction
from backsight.records.kinds import kind_named
from backsight.records.sequence import FORMAT_VERSION, ImaginedImages, Sequence, SequenceAnnotations, imagined_poses
from backsight.records.vocabulary import FURNITURE_CATEGORIES
from backsight.sim.simulator import Observation, Simulator

LEAST_TARGETS = 4
"""Different targets that the instructions of a walk must name between them; in a scan with fewer things that have a
name, all of them, and none where nothing has a label: such walks are for geometry alone."""
_TRAJECTORY_STREAM, _INSTRUCTION_STREAM, _IMAGINED_STREAM = 1, 2, 3


class TooFewTargetsError(BacksightError):
    """The walk shows too little to ask about; the next attempt may show more."""


def collect_sequence(plan: SequencePlan, simulator: Simulator, config: CollectConfig) -> Sequence:
    """Collect one walk; its content depends on plan, configuration and simulator version alone.

    Args:
        plan: Which walk.
        simulator: Any state: the scene is loaded here.
        config: Image size, camera and frame rate.

    Raises:
        TrajectoryError: The scene can't host the walk; the next attempt may.
        TooFewTargetsError: Its instructions name fewer than `LEAST_TARGETS` different targets.
        UsageError: The plan names an unknown pattern.
    """
    simulator.load_scene(plan.scene_id)
    walk = _plan_walk(plan, simulator, config)
    poses = walk.world_from_camera
    intrinsics = intrinsics_from_hfov(config.width, config.height, config.hfov_deg)
    seen = simulator.render(poses, intrinsics, config.width, config.height)
    annotations = _annotate(plan, walk, seen, simulator, config)
    instruct = InstructConfig()
    kind = kind_named(plan.kind)
    favoured = None if kind is None else kind.reasoning_type
    context = InstructionContext(annotations, simulator.navigation, None, favoured)
    instructions = make_instructions(context, _random(plan, _INSTRUCTION_STREAM), instruct)
    _require_targets(instructions, simulator, plan)
    asked = sorted({instruction.current_frame for instruction in instructions})
    asked = asked or list(current_frames(len(poses), instruct))
    navigation, rng = simulator.navigation, _random(plan, _IMAGINED_STREAM)
    views = imagine_views(poses, asked, config.imagined_views, navigation, rng)
    annotations = msgspec.structs.replace(annotations, instructions=instructions, imagined=views)
    return Sequence(
        rgb=seen.rgb,
        depth_m=seen.depth_m,
        instance_ids=seen.instance_ids,
        intrinsics=intrinsics,
        world_from_camera=poses,
        annotations=annotations,
        imagined=_imagined_images(annotations, simulator, config),
    )


def _annotate(
    plan: SequencePlan, walk: Walk, seen: Observation, simulator: Simulator, config: CollectConfig
) -> SequenceAnnotations:
    """Return everything that is known without words."""
    poses = walk.world_from_camera
    intrinsics = intrinsics_from_hfov(config.width, config.height, config.hfov_deg)
    visible = visible_objects(seen.instance_ids, simulator.objects)
    return SequenceAnnotations(
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
        objects=simulator.objects,
        rooms=simulator.rooms,
        visible_objects=visible,
        scene_id=plan.scene_id,
        variant=plan.variant,
        attempt=plan.attempt,
        challenges=plan.challenges,
        focus_ids=walk.focus_ids,
        coverage=walk.coverage,
        relations=true_relations(simulator.objects, visible, poses, current_frames(len(poses), InstructConfig())),
    )


def _require_targets(instructions: tuple[Instruction, ...], simulator: Simulator, plan: SequencePlan) -> None:
    targets = {target for instruction in instructions for target in instruction.target_instance_ids}
    wanted = min(LEAST_TARGETS, sum(thing.category in FURNITURE_CATEGORIES for thing in simulator.objects))
    if len(targets) < wanted:
        raise TooFewTargetsError(f"{plan.sequence_id}: {len(targets)} different targets, at least {wanted} wanted")


def _imagined_images(
    annotations: SequenceAnnotations, simulator: Simulator, config: CollectConfig
) -> ImaginedImages | None:
    if not annotations.imagined:
        return None
    intrinsics = np.array(annotations.intrinsics, dtype=np.float64)
    seen = simulator.render(imagined_poses(annotations), intrinsics, config.width, config.height)
    return ImaginedImages(seen.depth_m, seen.instance_ids)


def _plan_walk(plan: SequencePlan, simulator: Simulator, config: CollectConfig) -> Walk:
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
    return plan_walk(plan.pattern, request)


def _random(plan: SequencePlan, stream: int) -> np.random.Generator:
    """Return a stream of its own for each purpose, so that one does not shift the other."""
    return np.random.default_rng([plan.seed, plan.attempt, stream])
