"""The truth and all terms of a step, one pair and one map at a time, with the primitives of the package."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from losses_room import Outputs
from torch import Tensor

from backsight.data.truth import PRESENT_FOOTPRINT_SHARE, MapGrid, cell_geometry
from backsight.geometry.cells_torch import pool_labels_torch, pool_targets_torch
from backsight.geometry.covisibility import Label
from backsight.geometry.covisibility_torch import covisibility_labels_torch
from backsight.geometry.projection_torch import invert_pose_torch, warp_maps_torch
from backsight.geometry.scene_scale_torch import scene_scale
from backsight.losses.camera import camera_loss, pose_encoding_from_poses
from backsight.losses.coherence import compactness_loss, total_variation_loss
from backsight.losses.consistency import ViewPairs, consistency_loss
from backsight.losses.depth import depth_loss, depth_unit_loss, pool_depth
from backsight.losses.discrimination import jensen_shannon_matrix
from backsight.losses.matching import MatchingConfig, TrueMatches, matching_loss, true_matches
from backsight.losses.projection import balanced_bce, bearing_loss, log_distance_loss, presence_bce, soft_iou_loss
from backsight.losses.reasoning import answer_cross_entropy, attention_alignment_loss
from backsight.losses.relative_pose import relative_pose_loss
from backsight.losses.total import LossTerms, Term
from backsight.losses.transfer import join_features, transfer_loss
from backsight.model.config import IMAGE_TOKEN_CELLS
from backsight.model.heatmap.odometry import RelativePoses
from backsight.records.batch import Batch
from backsight.train.step import SMALLEST_BASELINE_M


@dataclass
class Collected:
    """Values of each term so far; what does not count is never computed."""

    values: dict[str, list[Tensor]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, value: Tensor) -> None:
        """Add one map's or pair's value."""
        self.values[name].append(value.sum())

    def terms(self) -> LossTerms:
        """Return all of them as terms of a step."""
        stacked = {name: torch.stack(values) for name, values in self.values.items()}
        return LossTerms(**{name: Term(v, torch.ones_like(v, dtype=torch.bool)) for name, v in stacked.items()})


@dataclass(frozen=True)
class Apart:
    """The large outputs taken apart once: a slice for every pair would fill a whole gradient for each of them."""

    logits: list[tuple[Tensor, ...]]
    similarity: list[tuple[Tensor, ...]]
    geometry: list[tuple[Tensor, ...]]
    appearance: list[tuple[Tensor, ...]]
    targets: list[list[tuple[Tensor, ...]]]


def take_apart(outputs: Outputs) -> Apart:
    encoding, footprints = outputs.encoding, outputs.footprints
    whole = footprints.logits, footprints.similarity, encoding.geometry_features, encoding.appearance_features
    rows = ([row.unbind() for row in tensor.unbind()] for tensor in whole)
    return Apart(*rows, [[row.unbind() for row in sample.unbind()] for sample in outputs.targets.logits.unbind()])


@dataclass(frozen=True)
class PairTruth:
    """Footprint of one history frame in one current view; every tensor has a first axis of 1."""

    labels: Tensor
    maps: Tensor
    valid: Tensor
    present: Tensor
    bearing: Tensor
    distance_m: Tensor


def terms_one_by_one(batch: Batch, grid: MapGrid, outputs: Outputs, matching: MatchingConfig) -> LossTerms:
    """Return every term that `loss_terms` returns, and the truth behind it, from loops over pairs and maps."""
    found, apart = Collected(), take_apart(outputs)
    truths = [
        [_pair_truth(batch, grid, group, slot) for slot in range(batch.history.shape[1])]
        for group in range(len(batch.current))
    ]
    for group, row in enumerate(truths):
        for slot, truth in enumerate(row):
            _pair_terms(found, batch, outputs, apart.logits[group][slot][None], (group, slot), truth)
            matches = _pair_matches(batch, grid, (group, slot), truth, tuple(outputs.encoding.match.shape[-2:]))
            if matches.matched.any():
                similarity = apart.similarity[group][slot][None, None]
                found.add("matching", matching_loss(similarity, matches, matching.temperature, negatives=matching))
        _discrimination_terms(found, [logits.sigmoid() for logits in apart.logits[group]], row)
    _frame_terms(found, batch, outputs)
    _temporal_terms(found, batch, grid, apart.logits, truths)
    _target_terms(found, batch, grid, outputs, apart)
    return found.terms()


def _pair_truth(batch: Batch, grid: MapGrid, group: int, slot: int) -> PairTruth:
    sample, current = batch.current[group].tolist()
    both = torch.stack([batch.current[group, 1], batch.history[group, slot]])
    first = both.new_zeros(1)
    poses = batch.world_from_camera[sample, both]
    intrinsics = batch.intrinsics[sample].expand(2, 3, 3)
    with torch.no_grad():
        labels = covisibility_labels_torch(batch.depth_m[sample, both], first, first + 1, intrinsics, poses)
        maps, valid, share = pool_labels_torch(labels, grid.fit, grid.columns, grid.rows)
        offset = poses[0, :3, :3].T @ (poses[1, :3, 3] - batch.world_from_camera[sample, current, :3, 3])
    distance_m = offset.norm()
    present = share >= PRESENT_FOOTPRINT_SHARE
    return PairTruth(labels, maps, valid, present, (offset / distance_m.clamp_min(1e-6))[None], distance_m[None])


def _pair_terms(
    found: Collected, batch: Batch, outputs: Outputs, logits: Tensor, pair: tuple[int, int], truth: PairTruth
) -> None:
    group, slot = pair
    footprints = outputs.footprints
    found.add("footprint_bce", balanced_bce(logits, truth.maps, truth.valid))
    if truth.present:
        found.add("footprint_iou", soft_iou_loss(logits, truth.maps, truth.valid))
    found.add("footprint_presence", presence_bce(footprints.presence_logits[group, slot][None], truth.present))
    if truth.distance_m > SMALLEST_BASELINE_M and batch.history[group, slot] < batch.current[group, 1]:
        found.add("bearing", bearing_loss(footprints.bearing[group, slot][None], truth.bearing))
    found.add("log_distance", log_distance_loss(footprints.log_distance[group, slot][None], truth.distance_m))
    sample, current = batch.current[group].tolist()
    poses = batch.world_from_camera[sample]
    this_from_other = invert_pose_torch(poses[current]) @ poses[batch.history[group, slot]]
    found.add("relative_pose", _pose_error(footprints.direct, pair, this_from_other))


def _pose_error(poses: RelativePoses, at: tuple[int, int], truth: Tensor) -> Tensor:
    return relative_pose_loss(
        poses.position_m[at], poses.quaternion[at], poses.log_scale_m[at], poses.log_scale_rad[at], truth
    )


def _pair_matches(
    batch: Batch, grid: MapGrid, pair: tuple[int, int], truth: PairTruth, size: tuple[int, int]
) -> TrueMatches:
    group, slot = pair
    sample, current = batch.current[group].tolist()
    poses = batch.world_from_camera[sample]
    return true_matches(
        batch.depth_m[sample, current][None],
        truth.labels[None],
        batch.intrinsics[sample][None],
        (invert_pose_torch(poses[batch.history[group, slot]]) @ poses[current])[None, None],
        grid.fit,
        *size,
    )


def _divergence(first: Tensor, second: Tensor, valid: Tensor) -> Tensor:
    return jensen_shannon_matrix(first[None, None], second[None, None], valid[None, None])[0, 0, 0]


def _discrimination_terms(
    found: Collected, maps: list[Tensor], truths: list[PairTruth], temperature: float = 0.1
) -> None:
    there = [k for k, truth in enumerate(truths) if truth.present]
    for k in there:
        crossed, true, own = [], [], []
        for j in there:
            valid = truths[k].valid[0] & truths[j].valid[0]
            crossed.append(_divergence(maps[k], truths[j].maps[0], valid))
            true.append(_divergence(truths[k].maps[0], truths[j].maps[0], valid))
            if j != k:
                own.append(torch.relu(true[-1] - _divergence(maps[k], maps[j], valid)))
        wanted = (-torch.stack(true) / temperature).log_softmax(dim=0)
        found.add("identification", wanted.exp() * (wanted - (-torch.stack(crossed) / temperature).log_softmax(dim=0)))
        found.add("similarity_hinge", torch.stack(own).mean() if own else maps[k].new_zeros(()))


def _frame_terms(found: Collected, batch: Batch, outputs: Outputs) -> None:
    encoding = outputs.encoding
    for sample in range(len(batch.depth_m)):
        # Scale and unit are those of a scene, so a scene is the least that can be taken alone.
        alone = slice(sample, sample + 1)
        depth_m, intrinsics, poses = batch.depth_m[alone], batch.intrinsics[alone], batch.world_from_camera[alone]
        scale_m = scene_scale(depth_m, intrinsics, poses)
        truth = pose_encoding_from_poses(poses, intrinsics, tuple(depth_m.shape[-2:]), scale_m)
        depth_truth_m, valid = pool_depth(depth_m, *encoding.depth.shape[-2:])
        depth_errors = depth_loss(encoding.depth[alone], encoding.depth_confidence[alone], depth_truth_m, valid)
        depth_errors = depth_errors + depth_unit_loss(encoding.depth[alone], depth_truth_m, valid, scale_m)
        for frame in range(depth_m.shape[1]):
            predicted = encoding.pose_encodings[:, alone, frame : frame + 1]
            found.add("camera", camera_loss(predicted, truth[:, frame : frame + 1]))
            if valid[0, frame].any():
                found.add("depth", depth_errors[0, frame])
            if frame:
                step = invert_pose_torch(poses[0, frame]) @ poses[0, frame - 1]
                found.add("odometry", _pose_error(outputs.footprints.odometry.steps, (sample, frame - 1), step))


def _temporal_terms(
    found: Collected, batch: Batch, grid: MapGrid, logits: list[tuple[Tensor, ...]], truths: list[list[PairTruth]]
) -> None:
    order = sorted(range(len(batch.current)), key=lambda group: batch.current[group].tolist())
    cells = cell_geometry(batch, grid)
    for earlier, later in pairwise(order):
        (sample, position), (later_sample, later_position) = (batch.current[g].tolist() for g in (earlier, later))
        if sample != later_sample:
            continue
        poses = batch.world_from_camera[sample]
        geometry = (
            cells.depth_m[sample, later_position][None],
            cells.intrinsics[sample][None],
            (invert_pose_torch(poses[position]) @ poses[later_position])[None],
        )
        before_slot = {frame: slot for slot, frame in enumerate(batch.history[earlier].tolist())}
        frames = batch.history[later].tolist()
        view = truths[later][frames.index(position)]
        present = [
            (before_slot[frame], slot)
            for slot, frame in enumerate(frames)
            if frame in before_slot and truths[later][slot].present and truths[earlier][before_slot[frame]].present
        ]
        if len(present) < 2:
            continue
        predicted, true = [], []
        for before, after in present:
            warped, inside = warp_maps_torch(logits[earlier][before].sigmoid()[None], *geometry)
            predicted.append((warped[0], logits[later][after].sigmoid()))
            warped, _ = warp_maps_torch(truths[earlier][before].maps, *geometry)
            true.append((warped[0], truths[later][after].maps[0]))
        twice = inside[0] & (view.maps[0] >= 0.5) & view.valid[0]
        if twice.any():
            for found_ratio, allowed in zip(_ratios(predicted, twice), _ratios(true, twice), strict=True):
                found.add("temporal_smoothness", torch.relu(found_ratio - allowed))


def _ratios(maps: list[tuple[Tensor, Tensor]], cells: Tensor) -> list[Tensor]:
    ratios = []
    for k, (_, after) in enumerate(maps):
        errors = [((after - before).square() * cells).sum() / cells.sum() for before, _ in maps]
        others = torch.stack(errors[:k] + errors[k + 1 :]).mean()
        ratios.append((errors[k] + 1e-3) / (others + 1e-3))
    return ratios


def _target_terms(found: Collected, batch: Batch, grid: MapGrid, outputs: Outputs, apart: Apart) -> None:
    cells = cell_geometry(batch, grid)
    for sample, keyframes in enumerate(batch.keyframes.tolist()):
        truths = [_target_truths(batch, grid, sample, frame) for frame in keyframes]
        for slot in range(batch.target_ids.shape[1]):
            if batch.has_instruction[sample, slot]:
                _answer_term(found, outputs, sample, slot)
                for k, frame in enumerate(keyframes):
                    depth_m = cells.depth_m[sample, frame]
                    single = int((batch.target_ids[sample, slot] > 0).sum()) == 1
                    _map_terms(found, outputs, apart, (sample, slot, k), truths[k][slot], (depth_m, single, grid))
        for i, source in enumerate(keyframes):
            for j, target in enumerate(keyframes):
                if i != j:
                    views = _view_pair(batch, cells, sample, source, target)
                    _view_pair_terms(found, batch, apart, (sample, i, j), views, (truths[i], truths[j]))


def _target_truths(batch: Batch, grid: MapGrid, sample: int, frame: int) -> list[tuple[Tensor, Tensor]]:
    ids = batch.instance_ids[sample, frame][None]
    size = grid.fit, grid.columns, grid.rows
    return [pool_targets_torch(ids, targets[None], *size) for targets in batch.target_ids[sample]]


def _answer_term(found: Collected, outputs: Outputs, sample: int, slot: int) -> None:
    answers = outputs.targets.answers
    if answers is not None and answers.counted[sample, slot].any():
        loss = answer_cross_entropy(answers.log_probability[sample, slot][None], answers.counted[sample, slot][None])
        found.add("answer", loss)


def _map_terms(
    found: Collected,
    outputs: Outputs,
    apart: Apart,
    at: tuple[int, int, int],
    truth: tuple[Tensor, Tensor],
    about: tuple[Tensor, bool, MapGrid],
) -> None:
    (maps, present), (depth_m, single, grid) = truth, about
    logits = apart.targets[at[0]][at[1]][at[2]][None]
    valid = torch.ones_like(maps, dtype=torch.bool)
    found.add("target_bce", balanced_bce(logits, maps, valid))
    found.add("target_presence", presence_bce(outputs.targets.presence_logits[at][None], present))
    if present:
        found.add("target_iou", soft_iou_loss(logits, maps, valid))
        found.add("total_variation", total_variation_loss(logits.sigmoid(), depth_m[None], truth=maps))
        if outputs.targets.attention is not None:
            own_view = outputs.targets.attention[(*at, at[2])][None]
            loss = attention_alignment_loss(own_view, maps, grid.rows // IMAGE_TOKEN_CELLS)
            found.add("attention_alignment", loss)
        if single:
            found.add("compactness", compactness_loss(logits.sigmoid(), maps, valid))


def _view_pair(batch: Batch, cells, sample: int, source: int, target: int) -> ViewPairs:
    depth_m = cells.depth_m[sample, [source, target]]
    poses = batch.world_from_camera[sample, [source, target]]
    intrinsics = cells.intrinsics[sample][None]
    first = batch.current.new_zeros(1)
    labels = covisibility_labels_torch(depth_m, first + 1, first, intrinsics.expand(2, 3, 3), poses)
    source_from_target = invert_pose_torch(poses[:1]) @ poses[1:]
    covisible = labels == int(Label.COVISIBLE)
    return ViewPairs(first, first, first + 1, depth_m[1:], intrinsics, source_from_target, covisible)


def _view_pair_terms(
    found: Collected,
    batch: Batch,
    apart: Apart,
    at: tuple[int, int, int],
    views: ViewPairs,
    truths: tuple[list[tuple[Tensor, Tensor]], list[tuple[Tensor, Tensor]]],
) -> None:
    sample, i, j = at
    frames = batch.keyframes[sample, [i, j]].tolist()
    geometry, appearance = (
        torch.stack([part[sample][frame] for frame in frames])[None] for part in (apart.geometry, apart.appearance)
    )
    features = join_features(geometry, appearance)
    grid = tuple(geometry.shape[-2:])
    for slot, ((source_map, source_present), (target_map, target_present)) in enumerate(zip(*truths, strict=True)):
        if not (source_present and target_present):
            continue
        maps, present = torch.stack([source_map, target_map], dim=1)[None], torch.ones(1, 1, 2, dtype=torch.bool)
        present = present.to(maps.device)
        logits = apart.targets[sample][slot]
        probability = torch.stack([logits[i], logits[j]]).sigmoid()[None, None]
        value, counted = consistency_loss(probability, maps, present, views, above_truth=True)
        if counted.any():
            found.add("consistency", value)
        value, counted = transfer_loss(features, maps, present, views, grid)
        if counted.any():
            found.add("transfer", value)
