import numpy as np
import pytest
import torch

from backsight.data.batches import BatchConfig, build_batch, training_items
from backsight.data.cache import SequenceCache, size_bytes
from backsight.data.sampler import Draw
from backsight.data.truth import MapGrid, cell_geometry, footprint_truth, target_truth
from backsight.geometry.cells import ImageFit, cell_share, target_cells
from backsight.geometry.covisibility import View, covisibility_labels
from backsight.geometry.poses import bearing_and_distance
from backsight.storage.layout import list_sequence_ids

GRID = MapGrid(ImageFit(64, 48, 64, 48), columns=16, rows=12)


@pytest.fixture(scope="module")
def cache(make_dataset, tmp_path_factory):
    root = make_dataset(tmp_path_factory.mktemp("data") / "set", places=3, frames=13, width=64, height=48)
    return SequenceCache(root, list_sequence_ids(root))


def tokenize(texts):
    return [[len(word) for word in text.split()] for text in texts]


def make_batch(cache, seed=0, **changes):
    config = BatchConfig(num_frames=5, num_keyframes=3, batch_size=2, currents_per_sample=2, **changes)
    items = training_items([cache[i].annotations for i in range(len(cache))], config)
    draws = [Draw(k, (seed, 0, k)) for k in range(2)]
    return build_batch(cache, items, draws, config, tokenize, padding_id=0, end_id=97), items


def test_equal_draws_give_equal_batches(cache):
    first, _ = make_batch(cache)
    again, _ = make_batch(cache)
    other, _ = make_batch(cache, seed=1)
    assert all(
        torch.equal(getattr(first, name), getattr(again, name))
        for name in first.__dataclass_fields__
        if name not in ("imagined", "moving", "places")
    )
    assert not torch.equal(first.frame_index, other.frame_index)


def test_the_batch_holds_the_frames_it_names(cache):
    batch, items = make_batch(cache)
    for row in range(2):
        walk = cache[items[row].sequence]
        frames = batch.frame_index[row].numpy()
        assert frames[-1] == items[row].current_frame
        np.testing.assert_array_equal(batch.rgb[row].permute(0, 2, 3, 1).numpy(), walk.rgb[frames])
        np.testing.assert_array_equal(batch.depth_m[row].numpy(), walk.depth_m[frames])
        relative = np.linalg.inv(walk.world_from_camera[frames[0]]) @ walk.world_from_camera[frames[2]]
        found = torch.linalg.inv(batch.world_from_camera[row, 0]) @ batch.world_from_camera[row, 2]
        np.testing.assert_allclose(found.numpy(), relative, atol=1e-5)


def test_every_current_view_is_compared_with_all_other_frames(cache):
    batch, _ = make_batch(cache)
    assert batch.current.shape == (4, 2)
    for (sample, current), history in zip(batch.current.tolist(), batch.history.tolist(), strict=True):
        assert sorted([*history, current]) == [0, 1, 2, 3, 4]
        assert sample in (0, 1)
    assert {tuple(c) for c in batch.current.tolist()} >= {(0, 4), (1, 4)}, "the sample's own current view is judged"


def test_footprint_truth_equals_the_numpy_definition(cache):
    batch, items = make_batch(cache)
    truth = footprint_truth(batch, GRID)
    for group, (sample, current) in enumerate(batch.current.tolist()):
        walk = cache[items[sample].sequence]
        frames = batch.frame_index[sample].tolist()

        def view(position, walk=walk, frames=frames):
            frame = frames[position]
            return View(walk.depth_m[frame], walk.intrinsics, walk.world_from_camera[frame])

        poses = walk.world_from_camera[[frames[p] for p in batch.history[group].tolist()]]
        bearing, distance_m = bearing_and_distance(walk.world_from_camera[frames[current]], poses)
        np.testing.assert_allclose(truth.bearing[group].numpy(), bearing, atol=1e-4)
        np.testing.assert_allclose(truth.distance_m[group].numpy(), distance_m, atol=1e-4)
        for slot, position in enumerate(batch.history[group].tolist()):
            labels = covisibility_labels(view(current), view(position))
            share, valid, presence = cell_share(labels, GRID.fit, GRID.columns, GRID.rows)
            assert (labels == truth.labels[group, slot].numpy()).mean() > 0.999
            assert np.abs(share - truth.maps[group, slot].numpy())[valid].max() < 0.2
            assert np.abs(share - truth.maps[group, slot].numpy()).mean() < 2e-3
            assert bool(truth.present[group, slot]) == (presence >= 0.01)


def test_target_truth_equals_the_numpy_definition(cache):
    batch, items = make_batch(cache, instructions_per_sample=3)
    truth = target_truth(batch, GRID)
    assert truth.present.any()
    for sample in range(2):
        walk = cache[items[sample].sequence]
        for slot in range(3):
            ids = tuple(int(i) for i in batch.target_ids[sample, slot] if i > 0)
            for k, position in enumerate(batch.keyframes[sample].tolist()):
                frame = int(batch.frame_index[sample, position])
                expected, present = target_cells(walk.instance_ids[frame], ids, GRID.fit, GRID.columns, GRID.rows)
                np.testing.assert_allclose(truth.maps[sample, slot, k].numpy(), expected, atol=1e-6)
                assert bool(truth.present[sample, slot, k]) == present


def test_instructions_without_answer_have_no_target_ids(cache):
    batch, _ = make_batch(cache, instructions_per_sample=4)
    assert (batch.has_instruction.sum(1) == 3).all(), (
        "each walk of the factory has three instructions, one without answer"
    )
    none = (batch.target_ids < 0).all(-1) & batch.has_instruction
    assert (none.sum(1) == 1).all()
    assert (batch.instruction_tokens[~batch.has_instruction] == 0).all()


def test_depth_of_cells_is_read_at_their_middles(cache):
    batch, _ = make_batch(cache)
    cells = cell_geometry(batch, GRID)
    assert cells.depth_m[0, 1, 3, 5] == batch.depth_m[0, 1, 3 * 4 + 2, 5 * 4 + 2]
    pixel_from_cell = torch.tensor([[4.0, 0, 0], [0, 4.0, 0], [0, 0, 1]])
    torch.testing.assert_close(pixel_from_cell @ cells.intrinsics[0], batch.intrinsics[0])


def test_the_cache_lets_go_of_the_oldest_when_full(cache):
    small = SequenceCache(cache.root, cache.sequence_ids, budget_bytes=size_bytes(cache[0]) + 1)
    first = small[0]
    assert small[0] is first
    assert small[1] is not first
    assert small[0] is not first
    np.testing.assert_array_equal(small[0].rgb, first.rgb)


def test_answers_carry_their_end_and_padding_behind_it(cache):
    batch, items = make_batch(cache, instructions_per_sample=4)
    assert batch.answer_tokens.shape[:2] == (2, 4)
    for sample in range(2):
        walk = cache[items[sample].sequence].annotations
        answers = {tuple([*tokenize([one.answer])[0], 97]) for one in walk.instructions}
        rows = [tuple(int(t) for t in row if t != 0) for row in batch.answer_tokens[sample]]
        assert {row for row in rows if row} <= answers
        for row, real in zip(batch.answer_tokens[sample], batch.has_instruction[sample], strict=True):
            assert (row == 97).sum() == int(real)
            length = int((row != 0).sum())
            assert (row[length:] == 0).all()
            assert not real or row[length - 1] == 97
