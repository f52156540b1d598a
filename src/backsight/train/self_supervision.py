"""Supervision by truth, by the model's own estimated geometry, or by both, sample by sample."""

from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from backsight.data.truth import MapGrid
from backsight.geometry.projection_torch import invert_pose_torch
from backsight.losses.coherence import temporal_smoothness_loss, total_variation_loss
from backsight.losses.consistency import consistency_loss, ordered_view_pairs
from backsight.losses.matching import MatchingConfig
from backsight.losses.total import LossTerms, Term
from backsight.losses.transfer import join_features, transfer_loss
from backsight.model.geometry.pose_encoding import intrinsics_of, world_from_camera_of
from backsight.model.outputs import Encoding, Footprints, Targets
from backsight.records.batch import Batch
from backsight.records.errors import UsageError
from backsight.train.step import BatchTruth, constant_map_terms, loss_terms, successive_views, warp_histories

Supervision = Literal["geometry", "self", "mixed"]

FIELD_OF_VIEW_RAD = (0.2, 2.8)
"""Estimated fields of view are held inside: an untrained camera head says 0, which no camera has."""
_OF_GROUPS = {
    "footprint_bce",
    "footprint_iou",
    "footprint_presence",
    "bearing",
    "log_distance",
    "relative_pose",
    "matching",
    "identification",
    "similarity_hinge",
}
_OF_PAIRS = {"consistency", "transfer"}
_OF_STEPS = {"temporal_smoothness"}


def supervised_terms(
    batch: Batch,
    truth: BatchTruth,
    encoding: Encoding,
    footprints: Footprints,
    targets: Targets,
    matching: MatchingConfig,
    supervision: Supervision,
) -> LossTerms:
    """Return the terms of a step: those with truth for samples that have it, those without for the others.

    `geometry`: samples without truth count nowhere. `mixed`: they are supervised by `self_terms`. `self`: all samples
    are, and truth is not read.

    Args:
        batch: samples with and without truth.
        truth: of the batch; means nothing for samples without.
        encoding: of the model.
        footprints: of the model.
        targets: of the model.
        matching: of the matching term.
        supervision: which samples are supervised by what.

    Raises:
        UsageError: `geometry` and no sample has truth.
    """
    known = ~unsupervised(batch, supervision)
    alone = torch.zeros_like(known) if supervision == "geometry" else ~known
    terms = LossTerms()
    if known.any():
        terms = of_samples(loss_terms(batch, truth, encoding, footprints, targets, matching), batch, known)
    if alone.any():
        return joined(terms, self_terms(batch, truth.grid, alone, encoding, footprints, targets))
    if not known.any():
        raise UsageError("supervision geometry: a batch has no sample with truth; use mixed or self")
    return terms


def unsupervised(batch: Batch, supervision: Supervision) -> Bool[Tensor, " batch"]:
    """Return the samples whose truth is not used, because there is none or because all are treated so."""
    return ~batch.has_truth if supervision != "self" else torch.ones_like(batch.has_truth)


def supervised_constant_terms(batch: Batch, truth: BatchTruth, supervision: Supervision) -> LossTerms:
    """Return what terms with truth would be for constant maps, over the samples that have truth."""
    if supervision == "self" or not batch.has_truth.any():
        return LossTerms()
    return of_samples(constant_map_terms(batch, truth), batch, batch.has_truth)


def of_samples(terms: LossTerms, batch: Batch, kept: Bool[Tensor, " batch"]) -> LossTerms:
    """Return the terms with only what belongs to the kept samples counted.

    Args:
        terms: of `step.loss_terms`.
        batch: they were computed on.
        kept: samples that count.
    """
    if kept.all():
        return terms
    group = batch.current[:, 0]
    samples = torch.arange(len(kept), device=kept.device)
    views = batch.keyframes.shape[1]
    rows = dict.fromkeys(_OF_GROUPS, group)
    rows |= dict.fromkeys(_OF_PAIRS, samples.repeat_interleave(views * (views - 1)))
    rows |= dict.fromkeys(_OF_STEPS, group[successive_views(batch).later])
    chosen = {}
    for field in fields(terms):
        term = getattr(terms, field.name)
        if term is not None:
            keep = kept[rows.get(field.name, samples)]
            chosen[field.name] = Term(term.values, term.counted & keep.view(-1, *[1] * (term.counted.ndim - 1)))
    return replace(terms, **chosen)


def joined(terms: LossTerms, others: LossTerms) -> LossTerms:
    """Return all terms; where both have one, its mean runs over what counts in either."""
    both = {}
    for field in fields(terms):
        mine, other = getattr(terms, field.name), getattr(others, field.name)
        if mine is not None and other is not None:
            parts = [(part.values.flatten(), part.counted.flatten()) for part in (mine, other)]
            values, counted = (torch.cat(both_parts) for both_parts in zip(*parts, strict=True))
            both[field.name] = Term(values, counted)
        elif other is not None:
            both[field.name] = other
    return replace(terms, **both)


@dataclass(frozen=True)
class EstimatedGeometry:
    """Depth and cameras as the model sees them, without gradient, in the model's unit of length."""

    depth: Float[Tensor, "batch frames rows columns"]
    """Planar depth of each cell."""
    intrinsics: Float[Tensor, "batch 3 3"]
    """In cells."""
    world_from_camera: Float[Tensor, "batch frames 4 4"]
    """The world is the first frame's camera."""


@torch.no_grad()
def estimated_geometry(encoding: Encoding, grid: MapGrid) -> EstimatedGeometry:
    """Return the geometry that the depth head and the camera head agree on.

    Both speak in units of the scene's scale (`losses.camera.scene_scale`): the camera loss divides translations by it,
    and the depth term holds the depth head to it (`losses.depth.depth_unit_loss`). One camera took all frames of a
    sample, so its field of view is their mean.

    Args:
        encoding: of the model.
        grid: of the maps.
    """
    poses = encoding.pose_encodings[-1].float()
    camera = torch.cat([poses[..., :7], poses[..., 7:].clamp(*FIELD_OF_VIEW_RAD)], dim=-1).mean(dim=1)
    # The nearest reading, because a mean across a depth edge lies on neither surface.
    depth = functional.interpolate(encoding.depth.float(), size=(grid.rows, grid.columns), mode="nearest-exact")
    return EstimatedGeometry(depth, intrinsics_of(camera, grid.columns, grid.rows), world_from_camera_of(poses))


def self_terms(
    batch: Batch,
    grid: MapGrid,
    alone: Bool[Tensor, " batch"],
    encoding: Encoding,
    footprints: Footprints,
    targets: Targets,
) -> LossTerms:
    """Return consistency, transfer and coherence on the model's own geometry; no truth of the batch is read.

    The predictions themselves, without gradient, stand where the truth would: as what is carried, as the balance of
    cells, and for presence (predicted in both views of a pair). Cells are co-visible within 2 % of their depth, without
    the floor of 3 cm, since the unit is not the metre. The compactness of a target needs its truth and is left out.

    These terms ask for agreement, not for content: an empty map agrees with itself. They are meant to stand beside
    terms with truth, distillation or pseudo labels.

    Args:
        batch: images, and what goes with what.
        grid: of the maps.
        alone: samples that are supervised so.
        encoding: of the model.
        footprints: of the model.
        targets: of the model.
    """
    geometry = estimated_geometry(encoding, grid)
    terms = _temporal_term(batch, alone, geometry, footprints)
    sample = alone.nonzero()[:, 0]
    asked = batch.has_instruction[sample]
    if not asked.any():
        return LossTerms(**terms)
    views = sample[:, None], batch.keyframes[sample]
    depth = geometry.depth[views]
    pairs = ordered_view_pairs(
        depth, geometry.intrinsics[sample], geometry.world_from_camera[views], relative_tolerance_only=True
    )
    probability = targets.logits[sample].float().sigmoid()
    fixed = probability.detach()
    present = (targets.presence_logits[sample] > 0) & asked[..., None]
    patches = encoding.geometry_features.shape[-2], encoding.geometry_features.shape[-1]
    features = join_features(encoding.geometry_features[views].float(), encoding.appearance_features[views].float())
    return LossTerms(
        consistency=Term(*consistency_loss(probability, fixed, present, pairs)),
        transfer=Term(*transfer_loss(features, fixed, present, pairs, patches)),
        total_variation=Term(total_variation_loss(probability, depth[:, None]), present),
        **terms,
    )


def _temporal_term(
    batch: Batch, alone: Bool[Tensor, " batch"], geometry: EstimatedGeometry, footprints: Footprints
) -> dict[str, Term]:
    views = successive_views(batch)
    sample, position = batch.current.unbind(-1)
    chosen: Int64[Tensor, " steps"] = alone[sample[views.later]].nonzero()[:, 0]
    if len(chosen) == 0:
        return {}
    earlier, later = views.earlier[chosen], views.later[chosen]
    poses = geometry.world_from_camera[sample, position]
    probability = footprints.logits.float().sigmoid()
    present = footprints.presence_logits > 0
    before = earlier[:, None], views.earlier_slot[chosen]
    cameras = geometry.intrinsics[sample[later]], invert_pose_torch(poses[earlier]) @ poses[later]
    warped, inside = warp_histories(probability[before], (geometry.depth[sample, position][later], *cameras))
    seen_twice = inside & (probability[later, views.view_slot[chosen]] >= 0.5)
    both = present[before] & present[later] & views.shared[chosen]
    counted = both & seen_twice.flatten(1).any(-1, keepdim=True) & (both.sum(-1, keepdim=True) >= 2)
    return {
        "temporal_smoothness": Term(temporal_smoothness_loss(warped, probability[later], seen_twice, both), counted)
    }
