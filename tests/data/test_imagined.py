"""Imagined views of a batch and their truth."""

from dataclasses import fields, replace

import msgspec
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from backsight.data.imagined import draw_imagined, imagined_batch
from backsight.data.imagined_views import current_from_imagined, imagined_of_frame
from backsight.data.truth import MapGrid, imagined_truth, target_truth
from backsight.geometry.cells import ImageFit, target_cells
from backsight.records.batch import Batch

GRID = MapGrid(ImageFit(68, 54, 64, 48), columns=16, rows=12)
COUNT = 3


@pytest.fixture(scope="module")
def walks(make_sequence):
    return [make_sequence(frames=13, width=68, height=54, seed=seed, imagined=n) for seed, n in ((0, 5), (3, 2))]


def batch_of(walks, drawn, keyframes=((0, 2), (1, 2))) -> Batch:
    frames = np.array([0, 6, 12])

    def stack(values) -> torch.Tensor:
        return torch.from_numpy(np.stack([values(walk) for walk in walks]))

    return Batch(
        rgb=stack(lambda walk: walk.rgb[frames]).permute(0, 1, 4, 2, 3).contiguous(),
        depth_m=stack(lambda walk: walk.depth_m[frames]),
        instance_ids=stack(lambda walk: walk.instance_ids[frames]).long(),
        intrinsics=stack(lambda walk: walk.intrinsics).float(),
        world_from_camera=stack(lambda walk: walk.world_from_camera[frames]).float(),
        frame_index=torch.from_numpy(frames).expand(2, -1).contiguous(),
        keyframes=torch.tensor(keyframes),
        current=torch.tensor([[0, 2], [1, 2]]),
        history=torch.tensor([[0, 1], [0, 1]]),
        instruction_tokens=torch.zeros(2, 3, 1, dtype=torch.long),
        answer_tokens=torch.zeros(2, 3, 1, dtype=torch.long),
        target_ids=torch.tensor([[[9, -1], [7, 8], [-1, -1]], [[10, -1], [8, -1], [-1, -1]]]),
        has_instruction=torch.tensor([[True, True, True], [True, False, False]]),
        has_truth=torch.ones(2, dtype=torch.bool),
        imagined=imagined_batch(walks, drawn, COUNT),
    )


@pytest.fixture(scope="module")
def drawn(walks):
    return [draw_imagined(walk, 12, COUNT, np.random.default_rng(5)) for walk in walks]


def test_views_are_padded_and_marked(walks, drawn):
    views = batch_of(walks, drawn).imagined
    assert views.real.tolist() == [[True] * 3, [True, True, False]]
    assert torch.equal(views.current_from_imagined[1, 2], torch.eye(4))
    assert not views.instance_ids[1, 2].any()
    for row, (walk, draw) in enumerate(zip(walks, drawn, strict=True)):
        assert len(set(draw.views.tolist())) == len(draw.views) == (3, 2)[row]
        for slot, view in enumerate(draw.views):
            np.testing.assert_array_equal(views.instance_ids[row, slot].numpy(), walk.imagined.instance_ids[view])
            pose = walk.world_from_camera[12] @ views.current_from_imagined[row, slot].double().numpy()
            asked = np.array(walk.annotations.imagined[view].world_from_camera).reshape(4, 4)
            np.testing.assert_allclose(pose, asked, atol=1e-6)


def test_without_any_view_there_is_nothing(walks, make_sequence):
    plain = make_sequence(frames=13, width=68, height=54)
    nothing = [draw_imagined(plain, 12, COUNT, np.random.default_rng(0)) for _ in range(2)]
    assert imagined_batch([plain, plain], nothing, COUNT) is None
    batch = batch_of([plain, plain], nothing)
    assert imagined_truth(batch, GRID, target_truth(batch, GRID)) is None
    assert batch.to("cpu").imagined is None
    assert len(imagined_of_frame(walks[0], 11)) == 0
    assert len(draw_imagined(walks[0], 11, COUNT, np.random.default_rng(0)).views) == 0


def test_drawing_nothing_leaves_the_random_numbers_of_what_follows(make_sequence):
    rng = np.random.default_rng(3)
    draw_imagined(make_sequence(frames=7), 6, COUNT, rng)
    assert rng.random() == np.random.default_rng(3).random()


def test_truth_is_that_of_the_rendered_views_cell_by_cell(walks, drawn):
    batch = batch_of(walks, drawn)
    truth = imagined_truth(batch, GRID, target_truth(batch, GRID))
    shown = 0
    for row, (walk, draw) in enumerate(zip(walks, drawn, strict=True)):
        for slot, view in enumerate(draw.views):
            for instruction, ids in enumerate(batch.target_ids[row].tolist()):
                wanted = tuple(i for i in ids if i > 0)
                maps, present = target_cells(walk.imagined.instance_ids[view], wanted, GRID.fit, 16, 12)
                np.testing.assert_allclose(truth.maps[row, instruction, slot].numpy(), maps, atol=1e-6)
                assert bool(truth.present[row, instruction, slot]) == present
                shown += present
    assert 3 <= shown < 15


def test_only_targets_that_a_keyframe_shows_count(walks, drawn):
    batch = batch_of(walks, drawn)
    truth = imagined_truth(batch, GRID, target_truth(batch, GRID))
    # Real views of real instructions with a target that was seen; padding, and what is nowhere, do not.
    assert truth.counted.tolist() == [
        [[True] * 3, [True] * 3, [False] * 3],
        [[True, True, False], [False] * 3, [False] * 3],
    ]
    hidden = batch.instance_ids.clone()
    hidden[0, 2][hidden[0, 2] == 9] = 0
    elsewhere = replace(batch, instance_ids=hidden)
    still = imagined_truth(elsewhere, GRID, target_truth(elsewhere, GRID))
    assert torch.equal(still.counted, truth.counted)
    hidden[0, 0][hidden[0, 0] == 9] = 0
    nowhere = imagined_truth(elsewhere, GRID, target_truth(elsewhere, GRID))
    assert not nowhere.counted[0, 0].any()
    assert torch.equal(nowhere.counted[0, 1:], truth.counted[0, 1:])


def test_a_turned_world_changes_nothing(walks, drawn):
    world = np.eye(4)
    world[:3, :3] = Rotation.from_euler("xyz", (0.3, 1.1, -0.4)).as_matrix()
    world[:3, 3] = (5.0, -2.0, 7.0)
    walk = walks[0]
    moved = replace(
        walk,
        world_from_camera=world @ walk.world_from_camera,
        annotations=msgspec.structs.replace(
            walk.annotations,
            imagined=tuple(
                msgspec.structs.replace(
                    view, world_from_camera=tuple((world @ np.array(view.world_from_camera).reshape(4, 4)).ravel())
                )
                for view in walk.annotations.imagined
            ),
        ),
    )
    np.testing.assert_allclose(current_from_imagined(moved, 12), current_from_imagined(walk, 12), atol=1e-9)


def test_views_move_to_a_device_together(walks, drawn):
    moved = batch_of(walks, drawn).to("cpu").imagined
    assert all(isinstance(getattr(moved, f.name), torch.Tensor) for f in fields(moved))
