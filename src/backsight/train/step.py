"""One step: what the model says of a batch against its truth, term by term."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from backsight.data.truth import (
    CellGeometry,
    FootprintTruth,
    ImaginedTruth,
    MapGrid,
    TargetTruth,
    cell_geometry,
    footprint_truth,
    imagined_truth,
    target_truth,
)
from backsight.geometry.cells import ImageFit
from backsight.geometry.projection_torch import invert_pose_torch, warp_maps_torch
from backsight.geometry.scene_scale_torch import scene_scale
from backsight.losses.camera import camera_loss, pose_encoding_from_poses
from backsight.losses.coherence import compactness_loss, temporal_excess, total_variation_loss
from backsight.losses.consistency import ViewPairs, consistency_loss, ordered_view_pairs
from backsight.losses.depth import depth_loss, depth_unit_loss, pool_depth
from backsight.losses.discrimination import identification_loss, own_divergence, similarity_hinge_loss
from backsight.losses.matching import MatchingConfig, matches_within_window, matching_loss, true_matches
from backsight.losses.projection import balanced_bce, bearing_loss, log_distance_loss, presence_bce, soft_iou_loss
from backsight.losses.reasoning import answer_cross_entropy, attention_alignment_loss, target_losses
from backsight.losses.relative_pose import relative_pose_loss
from backsight.losses.total import LossTerms, MapTruth, Term, constant_maps
from backsight.losses.transfer import join_features, transfer_loss
from backsight.model.config import IMAGE_TOKEN_CELLS
from backsight.model.heatmap.odometry import RelativePoses
from backsight.model.outputs import Encoding, Footprints, Targets
from backsight.records.batch import Batch
from backsight.train.imagined_terms import constant_imagined_terms, imagined_terms

SMALLEST_BASELINE_M = 0.05
"""Cameras nearer to each other than this have no bearing."""


@dataclass(frozen=True)
class BatchTruth:
    """Everything that the losses compare with."""

    footprint: FootprintTruth
    target: TargetTruth
    cells: CellGeometry
    grid: MapGrid
    imagined: ImaginedTruth | None = None
    """None without imagined views."""


def batch_truth(batch: Batch, grid: MapGrid) -> BatchTruth:
    """Compute the truth of a batch on its device."""
    targets = target_truth(batch, grid)
    imagined = imagined_truth(batch, grid, targets)
    return BatchTruth(footprint_truth(batch, grid), targets, cell_geometry(batch, grid), grid, imagined)


def loss_terms(
    batch: Batch,
    truth: BatchTruth,
    encoding: Encoding,
    footprints: Footprints,
    targets: Targets,
    matching: MatchingConfig | None = None,
) -> LossTerms:
    """Return every term of the five losses, in single precision and unreduced."""
    # The task asks for the bearing of frames before the current view: where one came from is no even guess.
    earlier = batch.history < batch.current[:, 1:]
    logits = footprints.logits.float()
    terms = _footprint_terms(logits, footprints.presence_logits.float(), truth.footprint)
    terms |= _bearing_terms(footprints, truth.footprint, earlier)
    terms |= _relative_pose_terms(batch, footprints)
    terms |= _camera_and_depth_terms(batch, truth.grid.fit, encoding)
    terms["matching"] = _matching_term(batch, truth, encoding, footprints, matching or MatchingConfig())
    terms |= _temporal_terms(batch, truth, logits)
    if batch.has_instruction.any():
        pairs = _keyframe_pairs(batch, truth)
        terms |= _target_terms(batch, truth, pairs, targets.logits.float(), targets.presence_logits.float())
        terms["transfer"] = _transfer_term(encoding, batch.keyframes, truth.target, pairs)
        terms |= _language_terms(truth, targets)
        terms |= imagined_terms(truth.imagined, targets)
    return LossTerms(**terms)


@torch.no_grad()
def constant_map_terms(batch: Batch, truth: BatchTruth) -> LossTerms:
    """Return what every term on maps would be if all maps of a family were the same best constant."""
    footprints = truth.footprint
    everywhere = batch.has_truth[batch.current[:, 0], None].expand_as(footprints.present)
    constant = constant_maps(MapTruth(footprints.maps, footprints.valid, footprints.present, everywhere))
    terms = _footprint_terms(constant.logits, constant.presence_logits, footprints)
    terms |= _temporal_terms(batch, truth, constant.logits)
    if batch.has_instruction.any():
        maps, present = truth.target.maps, truth.target.present
        real = (batch.has_instruction & batch.has_truth[:, None])[..., None].expand_as(present)
        constant = constant_maps(MapTruth(maps, torch.ones_like(maps, dtype=torch.bool), present, real))
        pairs = _keyframe_pairs(batch, truth)
        terms |= _target_terms(batch, truth, pairs, constant.logits, constant.presence_logits)
        terms |= constant_imagined_terms(truth.imagined)
    return LossTerms(**terms)


def _footprint_terms(
    logits: Float[Tensor, "groups history rows columns"],
    presence_logits: Float[Tensor, "groups history"],
    truth: FootprintTruth,
) -> dict[str, Term]:
    probability = logits.sigmoid()
    everywhere = torch.ones_like(truth.present)
    divergence = own_divergence(truth.maps, truth.valid, truth.present)
    judged = probability, truth.maps, truth.valid, truth.present
    return {
        "footprint_bce": Term(balanced_bce(logits, truth.maps, truth.valid), everywhere),
        "footprint_iou": Term(soft_iou_loss(logits, truth.maps, truth.valid), truth.present),
        "footprint_presence": Term(presence_bce(presence_logits, truth.present), everywhere),
        "identification": Term(identification_loss(*judged, truth_divergence=divergence), truth.present),
        "similarity_hinge": Term(similarity_hinge_loss(*judged, truth_divergence=divergence), truth.present),
    }


def _bearing_terms(
    footprints: Footprints, truth: FootprintTruth, earlier: Bool[Tensor, "groups history"]
) -> dict[str, Term]:
    apart = truth.distance_m > SMALLEST_BASELINE_M
    return {
        "bearing": Term(bearing_loss(footprints.bearing.float(), truth.bearing), apart & earlier),
        "log_distance": Term(
            log_distance_loss(footprints.log_distance.float(), truth.distance_m), torch.ones_like(truth.present)
        ),
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


def _camera_and_depth_terms(batch: Batch, fit: ImageFit, encoding: Encoding) -> dict[str, Term]:
    # The heads speak of what the model sees: of the crop.
    left, top = round(fit.left_px), round(fit.top_px)
    width, height = round(fit.crop_width_px), round(fit.crop_height_px)
    seen_m = batch.depth_m[..., top : top + height, left : left + width]
    intrinsics = batch.intrinsics.clone()
    intrinsics[:, :2, 2] -= intrinsics.new_tensor([left, top])
    scale_m = scene_scale(seen_m, intrinsics, batch.world_from_camera)
    poses = pose_encoding_from_poses(batch.world_from_camera, intrinsics, (height, width), scale_m)
    frame_errors = camera_loss(encoding.pose_encodings.float(), poses)
    depth = encoding.depth.float()
    depth_truth_m, valid = pool_depth(seen_m, *depth.shape[-2:])
    depth_errors = depth_loss(depth, encoding.depth_confidence.float(), depth_truth_m, valid)
    depth_errors = depth_errors + depth_unit_loss(depth, depth_truth_m, valid, scale_m)[:, None]
    return {
        "camera": Term(frame_errors, torch.ones_like(frame_errors, dtype=torch.bool)),
        "depth": Term(depth_errors, valid.flatten(2).any(-1)),
    }


def _matching_term(
    batch: Batch, truth: BatchTruth, encoding: Encoding, footprints: Footprints, config: MatchingConfig
) -> Term:
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
    frames = batch.frame_index
    matches = matches_within_window(
        matches, frames[sample, position], frames[sample[:, None], batch.history], config.window_frames
    )
    loss = matching_loss(footprints.similarity.float(), matches, config.temperature, negatives=config)
    return Term(loss, matches.matched.any(-1))


@dataclass(frozen=True)
class Successive:
    """Current views of the same walk that follow each other, and the footprints that both have."""

    earlier: Int64[Tensor, " steps"]
    """Group of the earlier current view."""
    later: Int64[Tensor, " steps"]
    view_slot: Int64[Tensor, " steps"]
    """Position of the earlier current view on the history axis of the later group."""
    earlier_slot: Int64[Tensor, "steps history"]
    """Where the earlier group has the history frame that the later group has here."""
    shared: Bool[Tensor, "steps history"]
    """Whether it has it at all."""


def successive_views(batch: Batch) -> Successive:
    """Pair the current views of each sample in time order and find the history frames that both are compared with."""
    sample, position = batch.current.unbind(-1)
    order = torch.argsort(sample * batch.rgb.shape[1] + position)
    same_walk = sample[order[1:]] == sample[order[:-1]]
    earlier, later = order[:-1][same_walk], order[1:][same_walk]
    views = (batch.history[later] == position[earlier][:, None]).long().argmax(-1)
    shared = batch.history[later][:, :, None] == batch.history[earlier][:, None, :]
    return Successive(earlier, later, views, shared.long().argmax(-1), shared.any(-1))


def _temporal_terms(
    batch: Batch, truth: BatchTruth, logits: Float[Tensor, "groups history rows columns"]
) -> dict[str, Term]:
    views = successive_views(batch)
    if len(views.earlier) == 0:
        return {}
    sample, position = batch.current.unbind(-1)
    poses = batch.world_from_camera[sample, position]
    geometry = (
        truth.cells.depth_m[sample, position][views.later],
        truth.cells.intrinsics[sample[views.later]],
        invert_pose_torch(poses[views.earlier]) @ poses[views.later],
    )
    before = views.earlier[:, None], views.earlier_slot
    probability, true_maps = logits.sigmoid(), truth.footprint.maps
    warped, inside = warp_histories(probability[before], geometry)
    true_warped, _ = warp_histories(true_maps[before], geometry)
    view = views.later, views.view_slot
    seen_twice = inside & (true_maps[view] >= 0.5) & truth.footprint.valid[view]
    present = truth.footprint.present[before] & truth.footprint.present[views.later] & views.shared
    maps = warped, probability[views.later], true_warped, true_maps[views.later]
    # A map is compared with the others of its step.
    counted = present & seen_twice.flatten(1).any(-1, keepdim=True) & (present.sum(-1, keepdim=True) >= 2)
    return {"temporal_smoothness": Term(temporal_excess(*maps, seen_twice, present), counted)}


def warp_histories(
    maps: Float[Tensor, "steps history rows columns"], geometry: tuple[Tensor, Tensor, Tensor]
) -> tuple[Float[Tensor, "steps history rows columns"], Bool[Tensor, "steps rows columns"]]:
    """Return maps of earlier current views as the later ones would show them, and where that can be told.

    Args:
        maps: of the earlier views.
        geometry: depth of the later views' cells, intrinsics in cells, earlier_from_later.
    """
    history = maps.shape[1]
    depth_m, intrinsics, earlier_from_later = (part.repeat_interleave(history, dim=0) for part in geometry)
    warped, inside = warp_maps_torch(maps.flatten(0, 1), depth_m, intrinsics, earlier_from_later)
    return warped.view_as(maps), inside.view_as(maps)[:, 0]


def _keyframe_pairs(batch: Batch, truth: BatchTruth) -> ViewPairs:
    rows = torch.arange(len(batch.keyframes), device=batch.keyframes.device)[:, None]
    depth_m = truth.cells.depth_m[rows, batch.keyframes]
    return ordered_view_pairs(depth_m, truth.cells.intrinsics, batch.world_from_camera[rows, batch.keyframes])


def _target_terms(
    batch: Batch,
    truth: BatchTruth,
    pairs: ViewPairs,
    logits: Float[Tensor, "batch instructions keyframes rows columns"],
    presence_logits: Float[Tensor, "batch instructions keyframes"],
) -> dict[str, Term]:
    maps, present = truth.target.maps, truth.target.present
    probability = logits.sigmoid()
    real = batch.has_instruction[..., None].expand_as(present)
    valid = torch.ones_like(maps, dtype=torch.bool)
    loss = target_losses(logits, presence_logits, maps, valid, present)
    rows = torch.arange(len(batch.keyframes), device=maps.device)[:, None]
    depth_m = truth.cells.depth_m[rows, batch.keyframes][:, None]
    single = (batch.target_ids > 0).sum(-1) == 1
    return {
        "target_bce": Term(loss.bce, real),
        "target_iou": Term(loss.iou, present),
        "target_presence": Term(loss.presence, real),
        "consistency": Term(*consistency_loss(probability, maps, present, pairs, above_truth=True)),
        "total_variation": Term(total_variation_loss(probability, depth_m, truth=maps), present),
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
    encoding: Encoding, keyframes: Int64[Tensor, "batch keyframes"], truth: TargetTruth, pairs: ViewPairs
) -> Term:
    rows = torch.arange(len(keyframes), device=keyframes.device)[:, None]
    chosen = rows, keyframes
    grid = (encoding.geometry_features.shape[-2], encoding.geometry_features.shape[-1])
    features = join_features(encoding.geometry_features[chosen].float(), encoding.appearance_features[chosen].float())
    return Term(*transfer_loss(features, truth.maps, truth.present, pairs, grid))
