"""What of a batch's truth is no instance that stands still: things that move, and targets that are floor."""

from collections.abc import Sequence as OrderedCollection

import numpy as np
import torch
from jaxtyping import Int64

from backsight.records.batch import MovingBatch, PlaceBatch
from backsight.records.instruction import Instruction
from backsight.records.sequence import Sequence, moving_poses

FramesOfWalk = tuple[Sequence, Int64[np.ndarray, " frames"]]
"""A walk, and the frames of it that a sample has; the last one is the current frame."""


def moving_batch(samples: OrderedCollection[FramesOfWalk]) -> MovingBatch | None:
    """Return what moves in each sample; None where nothing does.

    The world's origin is moved to the current camera, as the poses of a batch are.

    Args:
        samples: Of one batch.
    """
    most = max(len(sequence.annotations.motions) for sequence, _ in samples)
    if most == 0:
        return None
    ids = np.zeros((len(samples), most), dtype=np.int64)
    poses = np.tile(np.eye(4, dtype=np.float32), (len(samples), len(samples[0][1]), most, 1, 1))
    for row, (sequence, frames) in enumerate(samples):
        numbers, world_from_thing = moving_poses(sequence.annotations)
        ids[row, : len(numbers)] = numbers
        chosen = world_from_thing[:, frames].swapaxes(0, 1)
        chosen[..., :3, 3] -= sequence.world_from_camera[frames[-1], :3, 3]
        poses[row, :, : len(numbers)] = chosen
    return MovingBatch(torch.from_numpy(ids), torch.from_numpy(poses))


def place_batch(
    samples: OrderedCollection[FramesOfWalk],
    instructions: OrderedCollection[OrderedCollection[Instruction]],
    slots: int,
) -> PlaceBatch | None:
    """Return the places among the targets of each sample; None where there are none.

    Args:
        samples: Of one batch.
        instructions: Of each sample.
        slots: Instructions of each sample in the batch.
    """
    places = [[one.target_place for one in of_sample] for of_sample in instructions]
    most = max((len(place.points_m) for row in places for place in row if place is not None), default=0)
    if most == 0:
        return None
    points_m = np.zeros((len(samples), slots, most, 3), dtype=np.float32)
    radius_m = np.zeros((len(samples), slots), dtype=np.float32)
    for row, ((sequence, frames), of_sample) in enumerate(zip(samples, places, strict=True)):
        for slot, place in enumerate(of_sample):
            if place is not None:
                line = np.array(place.points_m) - sequence.world_from_camera[frames[-1], :3, 3]
                points_m[row, slot] = line[np.minimum(np.arange(most), len(line) - 1)]
                radius_m[row, slot] = place.radius_m
    return PlaceBatch(torch.from_numpy(points_m), torch.from_numpy(radius_m))
