"""Truth of what moves, and of targets that are floor, against rays through single points and against evaluation."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from backsight.data.imagined import draw_imagined, imagined_batch
from backsight.data.moving_and_places import moving_batch, place_batch
from backsight.data.truth import MapGrid, footprint_truth, imagined_truth, target_truth
from backsight.evaluate.truth import truth_of
from backsight.geometry.cells import ImageFit
from backsight.geometry.covisibility import Label
from backsight.geometry.places import place_mask
from backsight.records.batch import Batch
from backsight.records.instruction import Place
from backsight.records.scene import OrientedBox
from backsight.records.sequence import ObjectMotion, moving_poses, objects_at
from factories import cast, room_objects, visible_objects

GRID = MapGrid(ImageFit(68, 54, 64, 48), columns=16, rows=12)
FRAMES = 7
CHAIR = 7


@pytest.fixture(scope="module")
def walk(make_sequence):
    """The red chair slides half a metre between frames 2 and 4 and is turned by a quarter, which its box hides."""
    still = make_sequence(frames=FRAMES, width=68, height=54)
    centre = np.array(next(thing.box.centre_m for thing in room_objects() if thing.instance_id == CHAIR))
    share = np.clip((np.arange(FRAMES) - 2) / 2, 0.0, 1.0)
    centres = centre + share[:, None] * np.array([0.35, 0.0, 0.55])
    yaws = np.where(share > 0.4, np.pi / 2, 0.0)
    images = []
    for frame, pose in enumerate(still.world_from_camera):
        moved = [
            msgspec.structs.replace(t, box=OrientedBox(tuple(centres[frame].tolist()), t.box.size_m))
            if t.instance_id == CHAIR
            else t
            for t in room_objects()
        ]
        images.append(cast(pose, still.intrinsics, 68, 54, moved))
    depth, ids, rgb = (np.stack(parts) for parts in zip(*images, strict=True))
    motion = ObjectMotion(CHAIR, tuple(map(tuple, centres.tolist())), tuple(yaws.tolist()))
    annotations = msgspec.structs.replace(
        still.annotations, motions=(motion,), visible_objects=tuple(visible_objects(i, room_objects()) for i in ids)
    )
    return replace(still, depth_m=depth, instance_ids=ids, rgb=rgb, annotations=annotations)


def batch_of(walks, frames, instructions=((), ())) -> Batch:
    centred = []
    for walk in walks:
        poses = walk.world_from_camera[frames].copy()
        poses[:, :3, 3] -= poses[-1, :3, 3]
        centred.append(poses)
    last = len(frames) - 1
    pairs = [(walk, frames) for walk in walks]

    def stack(values) -> torch.Tensor:
        return torch.from_numpy(np.stack(values))

    return Batch(
        rgb=stack([walk.rgb[frames] for walk in walks]).permute(0, 1, 4, 2, 3).contiguous(),
        depth_m=stack([walk.depth_m[frames] for walk in walks]),
        instance_ids=stack([walk.instance_ids[frames] for walk in walks]).long(),
        intrinsics=stack([walk.intrinsics for walk in walks]).float(),
        world_from_camera=stack(centred).float(),
        frame_index=torch.from_numpy(frames).expand(len(walks), -1).contiguous(),
        keyframes=torch.tensor([[0, last]] * len(walks)),
        current=torch.tensor([[row, last] for row in range(len(walks))]),
        history=torch.arange(last).expand(len(walks), -1).contiguous(),
        instruction_tokens=torch.zeros(len(walks), 2, 1, dtype=torch.long),
        answer_tokens=torch.zeros(len(walks), 2, 1, dtype=torch.long),
        target_ids=torch.full((len(walks), 2, 2), -1),
        has_instruction=torch.ones(len(walks), 2, dtype=torch.bool),
        has_truth=torch.ones(len(walks), dtype=torch.bool),
        moving=moving_batch(pairs),
        places=place_batch(pairs, instructions, 2),
    )


def seen_before(walk, frame, current) -> np.ndarray:
    """Which pixels of the chair in the current frame another frame shows, by rays through each point alone."""
    now, then = walk.annotations.motions[0].centres_m[current], walk.annotations.motions[0].centres_m[frame]
    yaw = walk.annotations.motions[0].yaws_rad[frame] - walk.annotations.motions[0].yaws_rad[current]
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    rows, columns = np.nonzero(walk.instance_ids[current] == CHAIR)
    pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], -1) @ np.linalg.inv(walk.intrinsics).T
    pose = walk.world_from_camera[current]
    points = pixels * walk.depth_m[current][rows, columns][:, None] @ pose[:3, :3].T + pose[:3, 3]
    points = (points - now) @ turn.T + then
    other = walk.world_from_camera[frame]
    local = (points - other[:3, 3]) @ other[:3, :3]
    image = local @ walk.intrinsics.T
    column, row = (image[:, :2] / image[:, 2:]).T
    inside = (local[:, 2] > 0) & (column >= 0) & (column < 68) & (row >= 0) & (row < 54)
    reading = np.full(len(rows), np.inf)
    reading[inside] = walk.depth_m[frame][row[inside].astype(int), column[inside].astype(int)]
    return inside & (np.abs(local[:, 2] - reading) < 0.1)


def test_what_moved_is_found_where_it_was(walk):
    frames = np.arange(FRAMES)
    batch = batch_of([walk, walk], frames)
    labels = footprint_truth(batch, GRID).labels.numpy()
    static = footprint_truth(replace(batch, moving=None), GRID).labels.numpy()
    chair = walk.instance_ids[-1] == CHAIR
    assert chair.sum() > 30
    agreeing = []
    for frame in range(FRAMES - 1):
        wanted = seen_before(walk, frame, FRAMES - 1)
        found = labels[1, frame][chair] == Label.COVISIBLE
        agreeing.append((found == wanted).mean())
        np.testing.assert_array_equal(labels[0, frame][~chair], static[0, frame][~chair])
    assert np.mean(agreeing) > 0.93
    assert min(agreeing) > 0.85
    assert (labels[0, 0][chair] == Label.COVISIBLE).mean() > 0.3
    assert (static[0, 0][chair] == Label.COVISIBLE).mean() < 0.1


def test_a_walk_in_which_nothing_moves_is_padded(walk, make_sequence):
    still = make_sequence(frames=FRAMES, width=68, height=54)
    frames = np.array([0, 3, 6])
    assert moving_batch([(still, frames)]) is None
    moving = moving_batch([(still, frames), (walk, frames)])
    assert moving.instance_ids.tolist() == [[0], [CHAIR]]
    assert torch.equal(moving.world_from_thing[0], torch.eye(4).expand(3, 1, 4, 4))
    batch = batch_of([still, walk], frames)
    alone = footprint_truth(replace(batch, moving=None), GRID)
    assert torch.equal(footprint_truth(batch, GRID).labels[0], alone.labels[0])


def test_poses_say_where_boxes_are(walk):
    ids, poses = moving_poses(walk.annotations)
    assert ids.tolist() == [CHAIR]
    for frame in (0, 3, 6):
        box = next(thing.box for thing in objects_at(walk.annotations, frame) if thing.instance_id == CHAIR)
        signs = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
        local = np.append(signs * np.array(box.size_m), np.ones((8, 1)), axis=1)
        np.testing.assert_allclose((local @ poses[0, frame].T)[:, :3], box.corners_m(), atol=1e-12)


def test_training_and_evaluation_hold_the_same_truth(walk):
    place = Place(((2.5, 0.0, 1.6), (3.2, 0.0, 2.0)), 0.3)
    asked = msgspec.structs.replace(walk.annotations.instructions[0], target_instance_ids=(), target_place=place)
    thing = walk.annotations.instructions[1]
    frames = np.arange(FRAMES)
    batch = batch_of([walk], frames, [[asked, thing]])
    batch.target_ids[0, 1, 0] = thing.target_instance_ids[0]
    truth = truth_of(walk, 6, frames[:-1], np.array([0, 6]), [asked, thing], GRID.fit)
    footprints = footprint_truth(batch, GRID)
    np.testing.assert_allclose(footprints.maps[0].numpy(), truth.footprint, atol=0.07)
    assert np.abs(footprints.maps[0].numpy() - truth.footprint).mean() < 1e-3
    targets = target_truth(batch, GRID)
    np.testing.assert_allclose(targets.maps[0].numpy(), truth.target, atol=0.13)
    np.testing.assert_array_equal(targets.present[0].numpy(), truth.target_presence)
    assert truth.target_presence[0].any()
    mask = place_mask(walk.depth_m[6], walk.intrinsics, walk.world_from_camera[6], np.array(place.points_m), 0.3)
    assert (truth.target[0, 1] > 0).sum() >= mask.sum() / 16 / 2


def test_places_are_not_asked_of_imagined_views(make_sequence):
    walk = make_sequence(frames=FRAMES, width=68, height=54, imagined=3)
    place = Place(((2.5, 0.0, 2.0),), 0.4)
    asked = msgspec.structs.replace(walk.annotations.instructions[0], target_instance_ids=(), target_place=place)
    batch = batch_of([walk], np.arange(FRAMES), [[asked, walk.annotations.instructions[1]]])
    batch.target_ids[0, 1, 0] = 9
    drawn = draw_imagined(walk, FRAMES - 1, 2, np.random.default_rng(0), [1])
    assert drawn.views[0] == 1
    batch = replace(batch, imagined=imagined_batch([walk], [drawn], 2))
    counted = imagined_truth(batch, GRID, target_truth(batch, GRID)).counted
    assert counted[0].tolist() == [[False, False], [True, True]]
    assert batch.to("cpu").places.radius_m.tolist() == batch.places.radius_m.tolist()
