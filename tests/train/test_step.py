"""All terms of a step together: what the truth, constant and mixed-up maps get, and a world that is turned."""

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor
from torch.nn.functional import normalize

from backsight.data.truth import MapGrid
from backsight.geometry.cells import ImageFit
from backsight.losses.matching import MatchingConfig
from backsight.losses.total import LossTerms, MapTruth, constant_maps
from backsight.model.heatmap.odometry import Odometry, relative_poses
from backsight.model.outputs import Encoding, Footprints, Targets
from backsight.records.batch import Batch
from backsight.train.step import BatchTruth, batch_truth, constant_map_terms, loss_terms

GRID = MapGrid(ImageFit(68, 54, 64, 48), 16, 12)
ON_FOOTPRINTS = ("footprint_bce", "footprint_iou", "footprint_presence", "identification", "similarity_hinge")
ON_TARGETS = ("target_bce", "target_iou", "target_presence", "consistency", "total_variation", "compactness")
OF_IMAGINED = {"imagined_bce", "imagined_iou", "imagined_presence"}
OF_LANGUAGE = {
    "answer",
    "attention_alignment",
    "footprint_distillation",
    "target_distillation",
    "footprint_pseudo",
    "target_pseudo",
    *OF_IMAGINED,
}
"""Made by the language model alone, with a teacher, or of views that are imagined; none takes part here."""
ON_MAPS = {*ON_FOOTPRINTS, *ON_TARGETS, "temporal_smoothness"}


@pytest.fixture(scope="module")
def batch(make_sequence: Callable) -> Batch:
    """Two walks of five frames, the last three of them current views."""
    walks = [make_sequence(frames=43, width=68, height=54, seed=seed) for seed in (0, 3)]
    frames = np.array([0, 11, 20, 31, 42])
    others = np.array([[0, 1, 2, 3], [0, 1, 2, 4], [0, 1, 3, 4]])

    def stack(values: Callable) -> Tensor:
        return torch.from_numpy(np.stack([values(walk) for walk in walks]))

    return Batch(
        rgb=stack(lambda walk: walk.rgb[frames]).permute(0, 1, 4, 2, 3).contiguous(),
        depth_m=stack(lambda walk: walk.depth_m[frames]),
        instance_ids=stack(lambda walk: walk.instance_ids[frames]).long(),
        intrinsics=stack(lambda walk: walk.intrinsics).float(),
        world_from_camera=stack(lambda walk: walk.world_from_camera[frames]).float(),
        frame_index=torch.from_numpy(frames).expand(2, -1).contiguous(),
        keyframes=torch.tensor([[0, 2, 4], [1, 3, 4]]),
        current=torch.tensor([[b, c] for b in range(2) for c in (4, 3, 2)]),
        history=torch.from_numpy(np.concatenate([others, others])),
        instruction_tokens=torch.zeros(2, 3, 1, dtype=torch.long),
        answer_tokens=torch.zeros(2, 3, 1, dtype=torch.long),
        target_ids=torch.tensor([[[9, -1], [7, 8], [-1, -1]], [[10, -1], [8, -1], [-1, -1]]]),
        has_instruction=torch.tensor([[True, True, True], [True, True, False]]),
        has_truth=torch.tensor([True, True]),
    )


@pytest.fixture(scope="module")
def truth(batch: Batch) -> BatchTruth:
    return batch_truth(batch, GRID)


def random_outputs(truth: BatchTruth, seed: int = 0) -> tuple[Encoding, Footprints, Targets]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    def unread(*shape: int) -> Tensor:
        return torch.full(shape, torch.nan)

    encoding = Encoding(
        match=normal(2, 5, 3, 6, 8),
        context=unread(2, 5, 2, 6, 8),
        skip=unread(2, 5, 2, 12, 16),
        trunk=unread(2, 5, 3, 6, 8),
        fused_tokens=unread(2, 5, 12, 2),
        geometry_features=normalize(normal(2, 5, 7, 3, 4), dim=2) * 0.6**0.5,
        appearance_features=normalize(normal(2, 5, 5, 3, 4), dim=2) * 0.4**0.5,
        camera_tokens=unread(2, 5, 2),
        pose_encodings=normal(2, 2, 5, 9),
        depth=normal(2, 5, 12, 16).exp(),
        depth_confidence=1 + normal(2, 5, 12, 16).exp(),
    )
    odometry = Odometry(relative_poses(normal(2, 4, 9)), unread(2, 5, 4, 4), unread(2, 5), unread(2, 5))
    footprints = Footprints(
        logits=normal(*truth.footprint.maps.shape),
        presence_logits=normal(6, 4),
        bearing=normalize(normal(6, 4, 3), dim=-1),
        log_distance=normal(6, 4),
        similarity=normal(6, 4, 48, 48).tanh(),
        direct=relative_poses(normal(6, 4, 9)),
        odometry=odometry,
    )
    return encoding, footprints, Targets(normal(*truth.target.maps.shape), normal(*truth.target.present.shape))


def sure(truth: Tensor) -> Tensor:
    return torch.logit(truth.float(), eps=1e-7)


def means_of(batch: Batch, truth: BatchTruth, footprints: Tensor, targets: Tensor) -> dict[str, float]:
    """All terms on maps, for maps given as probabilities and for presence that is known."""
    encoding, one, other = random_outputs(truth)
    one = replace(one, logits=sure(footprints), presence_logits=sure(truth.footprint.present))
    other = Targets(sure(targets), sure(truth.target.present))
    means = loss_terms(batch, truth, encoding, one, other).means()
    return {name: value.item() for name, value in means.items() if name in ON_MAPS}


def test_every_term_is_there_and_something_counts_in_each(batch: Batch, truth: BatchTruth) -> None:
    terms = loss_terms(batch, truth, *random_outputs(truth))
    for name in {field.name for field in fields(LossTerms)} - OF_LANGUAGE:
        assert getattr(terms, name).counted.any(), name


def test_the_truth_costs_nothing(batch: Batch, truth: BatchTruth) -> None:
    for name, value in means_of(batch, truth, truth.footprint.maps, truth.target.maps).items():
        assert value == pytest.approx(0, abs=1e-4), name


def test_constant_maps_get_what_is_logged_for_them(batch: Batch, truth: BatchTruth) -> None:
    logged = constant_map_terms(batch, truth).means()
    assert set(logged) == ON_MAPS
    found, target = truth.footprint, truth.target
    everywhere = torch.ones_like(target.maps, dtype=torch.bool)
    real = batch.has_instruction[..., None].expand_as(target.present)
    footprint_maps = constant_maps(MapTruth(found.maps, found.valid, found.present, torch.ones_like(found.present)))
    target_maps = constant_maps(MapTruth(target.maps, everywhere, target.present, real))
    encoding, footprints, _ = random_outputs(truth)
    footprints = replace(footprints, logits=footprint_maps.logits, presence_logits=footprint_maps.presence_logits)
    targets = Targets(target_maps.logits, target_maps.presence_logits)
    means = loss_terms(batch, truth, encoding, footprints, targets).means()
    for name, value in logged.items():
        torch.testing.assert_close(value, means[name], msg=name)
    # Nothing is 0 for constant maps but what compares neighbours, or views, with each other.
    assert {name for name, value in logged.items() if value == 0} == {"consistency", "total_variation"}
    assert logged["temporal_smoothness"] > 0.5


def test_mixed_up_frames_cost_more_than_constant_maps(batch: Batch, truth: BatchTruth) -> None:
    constant = constant_map_terms(batch, truth).means()
    mixed = means_of(batch, truth, truth.footprint.maps.roll(1, dims=1), truth.target.maps.roll(1, dims=2))
    for name in ("footprint_bce", "target_bce", "consistency", "identification"):
        assert mixed[name] > constant[name], name
    # Frames mixed up alike over all views stay steady; mixed up over the middle one of three they do not.
    middle = (torch.arange(6) % 3 == 1)[:, None, None, None]
    maps = torch.where(middle, truth.footprint.maps.roll(1, dims=1), truth.footprint.maps)
    unsteady = means_of(batch, truth, maps, truth.target.maps)
    assert unsteady["temporal_smoothness"] > constant["temporal_smoothness"]
    # The hinge is greatest for maps that are all the same; mixing them up costs more than the truth only.
    for name in ("footprint_iou", "target_iou", "similarity_hinge"):
        assert mixed[name] > 0.01, name


def test_shuffled_cells_cost_more_than_the_truth(batch: Batch, truth: BatchTruth) -> None:
    order = torch.randperm(GRID.rows * GRID.columns, generator=torch.Generator().manual_seed(0))
    shuffled = [
        maps.flatten(-2)[..., order].view_as(maps).contiguous() for maps in (truth.footprint.maps, truth.target.maps)
    ]
    values = means_of(batch, truth, *shuffled)
    for name in ("footprint_bce", "target_bce", "total_variation", "compactness", "consistency", "temporal_smoothness"):
        assert values[name] > 0.01, name


def test_a_turned_and_moved_world_changes_nothing(batch: Batch, truth: BatchTruth) -> None:
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec([0.3, -1.1, 0.7]).as_matrix()
    turn[:3, 3] = [0.5, -0.2, 0.9]
    turned = replace(batch, world_from_camera=torch.from_numpy(turn @ batch.world_from_camera.double().numpy()).float())
    outputs = random_outputs(truth)
    before = loss_terms(batch, truth, *outputs).means()
    after = loss_terms(turned, batch_truth(turned, GRID), *outputs).means()
    assert set(before) == {field.name for field in fields(LossTerms)} - OF_LANGUAGE
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, atol=1e-4, rtol=1e-3, msg=name)


def test_a_wrong_pose_changes_the_geometric_terms(batch: Batch, truth: BatchTruth) -> None:
    poses = batch.world_from_camera.clone()
    poses[:, 2] = poses[:, 3]
    wrong = replace(batch, world_from_camera=poses)
    outputs = random_outputs(truth)
    before, after = (loss_terms(b, batch_truth(b, GRID), *outputs).means() for b in (batch, wrong))
    for name in ("bearing", "relative_pose", "odometry", "camera", "consistency", "footprint_bce"):
        assert abs(after[name] - before[name]) > 1e-4, name


def test_the_window_of_time_reaches_the_matching_term(batch: Batch, truth: BatchTruth) -> None:
    outputs = random_outputs(truth)
    counted = [
        loss_terms(batch, truth, *outputs, matching=MatchingConfig(window_frames=window)).matching.counted
        for window in (None, 43, 12, 1)
    ]
    far = (batch.frame_index[0][batch.history] - batch.frame_index[0][batch.current[:, 1:]]).abs() > 12
    assert torch.equal(counted[0], counted[1])
    assert torch.equal(counted[2], counted[0] & ~far)
    assert not counted[3].any()


def test_steps_without_instructions_or_second_current_view_leave_terms_out(batch: Batch, truth: BatchTruth) -> None:
    encoding, footprints, targets = random_outputs(truth)
    plain = replace(batch, has_instruction=torch.zeros_like(batch.has_instruction))
    terms = loss_terms(plain, truth, encoding, footprints, targets)
    assert terms.target_bce is None
    assert terms.transfer is None
    assert terms.temporal_smoothness is not None
    assert set(constant_map_terms(plain, truth).means()) == ON_MAPS - set(ON_TARGETS)


def test_the_geometry_heads_are_held_to_the_crop_that_the_model_sees(batch: Batch) -> None:
    cut = slice(7, 61)
    intrinsics = batch.intrinsics.clone()
    intrinsics[:, 0, 2] -= 7
    cropped = replace(
        batch,
        rgb=batch.rgb[..., cut],
        depth_m=batch.depth_m[..., cut],
        instance_ids=batch.instance_ids[..., cut],
        intrinsics=intrinsics,
    )
    grids = MapGrid(ImageFit(68, 54, 48, 48), 12, 12), MapGrid(ImageFit(54, 54, 48, 48), 12, 12)
    truths = [batch_truth(one, grid) for one, grid in zip((batch, cropped), grids, strict=True)]
    outputs = random_outputs(truths[0])
    seen, expected = (loss_terms(b, t, *outputs).means() for b, t in zip((batch, cropped), truths, strict=True))
    whole = loss_terms(batch, batch_truth(batch, GRID), *random_outputs(batch_truth(batch, GRID))).means()
    for name in ("camera", "depth"):
        torch.testing.assert_close(seen[name], expected[name], msg=name)
        assert abs(seen[name] - whole[name]) > 1e-4
