"""One step: what the model says of a batch against its truth, term by term."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from backsight.data.truth import (
    CellGeometry,
    FootprintTruth,
    MapGrid,
    TargetTruth,
    cell_geometry,
    footprint_truth,
    target_truth,
)
from backsight.geometry.projection_torch import invert_pose_torch, warp_maps_torch
from backsight.losses.camera import camera_loss, pose_encoding_from_poses, scene_scale
from backsight.losses.coherence import compactness_loss, temporal_smoothness_loss, total_variation_loss
from backsight.losses.consistency import ViewPairs, consistency_loss, ordered_view_pairs
from backsight.losses.depth import depth_loss, pool_depth
from backsight.losses.discrimination import identification_loss, similarity_hinge_loss
from backsight.losses.matching import matching_loss, true_matches
from backsight.losses.projection import balanced_bce, bearing_loss, log_distance_loss, presence_bce, soft_iou_loss
from backsight.losses.reasoning import answer_cross_entropy, attention_alignment_loss, target_losses
from backsight.losses.relative_pose import relative_pose_loss
from backsight.losses.total import LossTerms, Term
from backsight.losses.transfer import transfer_loss
from backsight.model.config import IMAGE_TOKEN_CELLS
from backsight.model.heatmap.odometry import RelativePoses
from backsight.model.outputs import Encoding, Footprints, Targets
from backsight.records.batch import Batch

MATCHING_TEMPERATURE = 0.07
"""Of the InfoNCE over correlation cells; the decoder learns one of its own."""
SMALLEST_BASELINE_M = 0.05
"""Cameras nearer to each other than this have no bearing."""


@dataclass(frozen=True)
class BatchTruth:
    """Everything that the losses compare with."""

    footprint: FootprintTruth
    target: TargetTruth
    cells: CellGeometry
    grid: MapGrid


def batch_truth(batch: Batch, grid: MapGrid) -> BatchTruth:
    """Compute the truth of a batch on its device."""
    return BatchTruth(footprint_truth(batch, grid), target_truth(batch, grid), cell_geometry(batch, grid), grid)


def loss_terms(
    batch: Batch, truth: BatchTruth, encoding: Encoding, footprints: Footprints, targets: Targets
) -> LossTerms:
    """Return every term of the five losses, in single precision and unreduced."""
    # The task asks for the bearing of frames before the current view: where one came from is no even guess.
    earlier = batch.history < batch.current[:, 1:]
    terms = _footprint_terms(footprints, truth.footprint, earlier)
    terms |= _relative_pose_terms(batch, footprints)
    terms |= _camera_and_depth_terms(batch, encoding)
    terms["matching"] = _matching_term(batch, truth, encoding, footprints)
    temporal = _temporal_term(batch, truth, footprints)
    if temporal is not None:
        terms["temporal_smoothness"] = temporal
    if batch.has_instruction.any():
        terms |= _target_terms(batch, truth, encoding, targets)
        terms |= _language_terms(truth, targets)
    return LossTerms(**terms)


def _footprint_terms(
    footprints: Footprints, truth: FootprintTruth, earlier: Bool[Tensor, "groups history"]
) -> dict[str, Term]:
    logits = footprints.logits.float()
    probability = logits.sigmoid()
    everywhere = torch.ones_like(truth.present)
    apart = truth.distance_m > SMALLEST_BASELINE_M
    judged = probability, truth.maps, truth.valid, truth.present
    return {
        "footprint_bce": Term(balanced_bce(logits, truth.maps, truth.valid), everywhere),
        "footprint_iou": Term(soft_iou_loss(logits, truth.maps, truth.valid), truth.present),
        "footprint_presence": Term(presence_bce(footprints.presence_logits.float(), truth.present), everywhere),
        "bearing": Term(bearing_loss(footprints.bearing.float(), truth.bearing), apart & earlier),
        "log_distance": Term(log_distance_loss(footprints.log_distance.float(), truth.distance_m), everywhere),
        "identification": Term(identification_loss(*judged), truth.present),
        "similarity_hinge": Term(similarity_hinge_loss(*judged), truth.present),
    }


def _relative_pose_terms(batch: Batch, footprints: Footprints) -> dict[str, Term]:
    poses = batch.world_from_camera
    sample, position = batch.current.unbind(-1)
    current_from_world = invert_pose_torch(poses[sample, position])
    pairs = _pose_error(footprints.direct, current_from_world[:, None] @ poses[sample[:, None], batch.history])
    steps = _pose_error(footprints.odometry.steps, invert_pose_torch(poses[:, 1:]) @ poses[:, :-1])
    return {
        "relative_pose": Term(pairs, torch.ones_like(pairs, dtype=torch.bool)),
        "odometry": Term(steps, torch.ones_like(steps, dtype=torch.bool)),
    }


def _pose_error(found: RelativePoses, truth: Float[Tensor, "*pairs 4 4"]) -> Float[Tensor, "*pairs"]:
    return relative_pose_loss(found.position_m, found.quaternion, found.log_scale_m, found.log_scale_rad, truth)


def _camera_and_depth_terms(batch: Batch, encoding: Encoding) -> dict[str, Term]:
    height, width = batch.depth_m.shape[-2:]
    scale_m = scene_scale(batch.depth_m, batch.intrinsics, batch.world_from_camera)
    poses = pose_encoding_from_poses(batch.world_from_camera, batch.intrinsics, (height, width), scale_m)
    frame_errors = camera_loss(encoding.pose_encodings.float(), poses)
    depth = encoding.depth.float()
    depth_truth_m, valid = pool_depth(batch.depth_m, *depth.shape[-2:])
    depth_errors = depth_loss(depth, encoding.depth_confidence.float(), depth_truth_m, valid)
    return {
        "camera": Term(frame_errors, torch.ones_like(frame_errors, dtype=torch.bool)),
        "depth": Term(depth_errors, valid.flatten(2).any(-1)),
    }


def _matching_term(batch: Batch, truth: BatchTruth, encoding: Encoding, footprints: Footprints) -> Term:
    sample, position = batch.current.unbind(-1)
    poses = batch.world_from_camera
    history_from_world = invert_pose_torch(poses[sample[:, None], batch.history])
    rows, columns = encoding.match.shape[-2:]
    matches = true_matches(
        batch.depth_m[sample, position],
        truth.footprint.labels,
        batch.intrinsics[sample],
        history_from_world @ poses[sample, position][:, None],
        truth.grid.fit,
        rows,
        columns,
    )
    loss = matching_loss(footprints.similarity.float(), matches, MATCHING_TEMPERATURE)
    return Term(loss, matches.matched.any(-1))


@dataclass(frozen=True)
class SuccessiveMaps:
    """Footprints of one history frame over two current views of the same walk, the earlier one first."""

    earlier: Int64[Tensor, " pairs"]
    """Group of the earlier current view."""
    later: Int64[Tensor, " pairs"]
    earlier_slot: Int64[Tensor, " pairs"]
    """Position of the history frame on the history axis of the earlier group."""
    later_slot: Int64[Tensor, " pairs"]
    view_slot: Int64[Tensor, " pairs"]
    """Position of the earlier current view on the history axis of the later group."""


def successive_maps(batch: Batch) -> SuccessiveMaps:
    """Pair the current views of each sample in time order and find the history frames that both are compared with."""
    sample, position = batch.current.unbind(-1)
    order = torch.argsort(sample * batch.rgb.shape[1] + position)
    same_walk = sample[order[1:]] == sample[order[:-1]]
    earlier, later = order[:-1][same_walk], order[1:][same_walk]
    views = (batch.history[later] == position[earlier][:, None]).long().argmax(-1)
    shared = batch.history[earlier][:, :, None] == batch.history[later][:, None, :]
    pair, earlier_slot, later_slot = shared.nonzero(as_tuple=True)
    return SuccessiveMaps(earlier[pair], later[pair], earlier_slot, later_slot, views[pair])


def _temporal_term(batch: Batch, truth: BatchTruth, footprints: Footprints) -> Term | None:
    maps = successive_maps(batch)
    if len(maps.earlier) == 0:
        return None
    probability = footprints.logits.float().sigmoid()
    sample, position = batch.current.unbind(-1)
    poses = batch.world_from_camera[sample, position]
    earlier_from_later = invert_pose_torch(poses[maps.earlier]) @ poses[maps.later]
    warped, inside = warp_maps_torch(
        probability[maps.earlier, maps.earlier_slot],
        truth.cells.depth_m[sample, position][maps.later],
        truth.cells.intrinsics[sample[maps.later]],
        earlier_from_later,
    )
    seen_twice = inside & (truth.footprint.maps[maps.later, maps.view_slot] >= 0.5)
    present = (
        truth.footprint.present[maps.earlier, maps.earlier_slot] & truth.footprint.present[maps.later, maps.later_slot]
    )
    loss = temporal_smoothness_loss(warped, probability[maps.later, maps.later_slot], seen_twice)
    return Term(loss, present & seen_twice.flatten(1).any(-1))


def _target_terms(batch: Batch, truth: BatchTruth, encoding: Encoding, targets: Targets) -> dict[str, Term]:
    maps, present = truth.target.maps, truth.target.present
    logits = targets.logits.float()
    probability = logits.sigmoid()
    real = batch.has_instruction[..., None].expand_as(present)
    valid = torch.ones_like(maps, dtype=torch.bool)
    loss = target_losses(logits, targets.presence_logits.float(), maps, valid, present)
    rows = torch.arange(len(batch.keyframes), device=maps.device)[:, None]
    depth_m = truth.cells.depth_m[rows, batch.keyframes]
    pairs = ordered_view_pairs(depth_m, truth.cells.intrinsics, batch.world_from_camera[rows, batch.keyframes])
    single = (batch.target_ids > 0).sum(-1) == 1
    return {
        "target_bce": Term(loss.bce, real),
        "target_iou": Term(loss.iou, present),
        "target_presence": Term(loss.presence, real),
        "consistency": Term(*consistency_loss(probability, maps, present, pairs)),
        "transfer": _transfer_term(encoding, batch.keyframes, maps, present, pairs),
        "total_variation": Term(total_variation_loss(probability, depth_m[:, None]), real),
        "compactness": Term(compactness_loss(probability, maps, valid), present & single[..., None]),
    }


def _language_terms(truth: BatchTruth, targets: Targets) -> dict[str, Term]:
    terms: dict[str, Term] = {}
    if targets.answers is not None:
        answers = targets.answers
        loss = answer_cross_entropy(answers.log_probability, answers.counted)
        terms["answer"] = Term(loss, answers.counted.any(-1))
    if targets.attention is not None:
        own_view = targets.attention.diagonal(dim1=2, dim2=3).movedim(-1, 2)
        loss = attention_alignment_loss(own_view, truth.target.maps, truth.grid.rows // IMAGE_TOKEN_CELLS)
        terms["attention_alignment"] = Term(loss, truth.target.present)
    return terms


def _transfer_term(
    encoding: Encoding,
    keyframes: Int64[Tensor, "batch keyframes"],
    maps: Float[Tensor, "batch instructions keyframes rows columns"],
    present: Bool[Tensor, "batch instructions keyframes"],
    pairs: ViewPairs,
) -> Term:
    # The encoder's features have lengths sqrt(0.6) and sqrt(0.4): side by side their inner product is the similarity.
    features = torch.cat([encoding.geometry_features, encoding.appearance_features], dim=2).float()
    rows = torch.arange(len(keyframes), device=keyframes.device)[:, None]
    chosen = features[rows, keyframes]
    grid = (chosen.shape[-2], chosen.shape[-1])
    return Term(*transfer_loss(chosen.flatten(3).transpose(2, 3), maps, present, pairs, grid))
