"""Geometry oracles: the label code itself on disturbed depth and poses. They bound what geometry can reach.

The tolerance is that of the truth. The maps get a light blur, which breaks the ties between cells that the labels
call fully co-visible or not at all. 'oracle' without disturbance is 1 by construction and tests the code alone.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64

from backsight.evaluate.baselines.question import (
    Answer,
    FootprintAnswer,
    Question,
    TargetAnswer,
    answer_prediction,
    presence_probability,
)
from backsight.evaluate.truth import footprint_maps, truth_of
from backsight.geometry.poses import bearing_and_distance
from backsight.records.prediction import Prediction

BLUR_CELLS = 0.7
"""Standard deviation of the blur of the disturbed oracles' maps."""


@dataclass(frozen=True)
class Disturbance:
    """Standard deviations of what is done to the truth before the labels are computed."""

    predictor: str
    depth: float = 0.0
    """Relative, per pixel."""
    scale: float = 0.0
    """Relative, one factor for each frame's depth."""
    position_m: float = 0.0
    """Root mean square length of the offset of each history camera."""
    rotation_rad: float = 0.0
    """Turn of each history camera about a random axis."""


DEPTH_NOISE = Disturbance("oracle_depth_noise", depth=0.02)
POSE_NOISE = Disturbance("oracle_pose_noise", depth=0.02, scale=0.02, position_m=0.02, rotation_rad=math.radians(1.0))


def oracle_prediction(question: Question) -> Prediction:
    """Return the truth itself."""
    sample = question.sample
    frames = sample.current_frame, sample.history_frames, question.keyframes
    truth = truth_of(question.sequence, *frames, sample.instructions, question.fit)
    footprints = FootprintAnswer(
        truth.footprint, truth.footprint_presence.astype(np.float32), truth.bearing, truth.distance_m
    )
    targets = TargetAnswer(truth.target, truth.target_presence.astype(np.float32))
    return answer_prediction(question, Answer("oracle", footprints, targets, "given"))


def disturbed_oracle_prediction(question: Question, disturbance: Disturbance) -> Prediction:
    """Return footprints and bearings computed from disturbed depth and poses."""
    sequence, sample = question.sequence, question.sample
    random = sample.random_generator(question.config.seed)
    frames = np.append(sample.history_frames, sample.current_frame)
    depth_m = sequence.depth_m[frames].astype(np.float64)
    depth_m *= 1.0 + disturbance.depth * random.standard_normal(depth_m.shape)
    depth_m *= 1.0 + disturbance.scale * random.standard_normal((len(frames), 1, 1))
    poses = sequence.world_from_camera[frames].copy()
    poses[:-1] = disturbed_poses(poses[:-1], disturbance, random)
    depth_m = np.maximum(depth_m, 0.0).astype(np.float32)
    share, _, covisible = footprint_maps(depth_m, poses, sequence.intrinsics, question.fit)
    blurred = np.array([cv2.GaussianBlur(m, (0, 0), BLUR_CELLS) for m in share], dtype=np.float32)
    bearing, distance_m = bearing_and_distance(poses[-1], poses[:-1])
    footprints = FootprintAnswer(
        np.clip(blurred.reshape(share.shape), 0.0, 1.0), presence_probability(covisible), bearing, distance_m
    )
    return answer_prediction(question, Answer(disturbance.predictor, footprints, geometry="given"))


def disturbed_poses(
    world_from_camera: Float64[np.ndarray, "frames 4 4"],
    disturbance: Disturbance,
    random: np.random.Generator,
) -> Float64[np.ndarray, "frames 4 4"]:
    """Return the poses with an offset and a turn of the camera."""
    count = len(world_from_camera)
    offset_m = random.standard_normal((count, 3)) * disturbance.position_m / math.sqrt(3.0)
    axis = random.standard_normal((count, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle_rad = random.standard_normal((count, 1, 1)) * disturbance.rotation_rad
    x, y, z = axis.T
    zero = np.zeros(count)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(count, 3, 3)
    turn = np.eye(3) + np.sin(angle_rad) * cross + (1.0 - np.cos(angle_rad)) * cross @ cross
    disturbed = world_from_camera.copy()
    disturbed[:, :3, :3] = world_from_camera[:, :3, :3] @ turn
    disturbed[:, :3, 3] += offset_m
    return disturbed
