"""The truth and the terms as loops over single numbers: a few items of each are timed, the rest is multiplied out."""

import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import ModuleType

import torch
from losses_room import Outputs
from torch import Tensor

from backsight.data.truth import MapGrid
from backsight.geometry.cells import cell_share, target_cells
from backsight.geometry.covisibility import View, covisibility_labels
from backsight.geometry.projection_torch import invert_pose_torch
from backsight.losses.discrimination import jensen_shannon_matrix
from backsight.losses.matching import MatchingConfig, TrueMatches, matching_loss, true_matches
from backsight.losses.total import LossTerms
from backsight.losses.transfer import join_features, transfer_maps
from backsight.records.batch import Batch
from backsight.train.step import BatchTruth

LOOPS = Path(__file__).parents[1] / "tests" / "losses" / "naive.py"
TRANSFER_TEMPERATURE = 0.07

Call = Callable[[], "Tensor | float"]


@dataclass(frozen=True)
class Work:
    """Items of one kind."""

    name: str
    total: int
    """How many a whole step has."""
    items: Iterator[tuple[Call, Tensor]]
    """The loop of each, and what all at once says of it; values are compared."""


@dataclass(frozen=True)
class Timed:
    """What was measured of one kind of items."""

    name: str
    total: int
    timed: int
    seconds_each: float
    """Of the processor."""
    largest_difference: float
    """Between the loop's values and those of all items at once, over the larger of the value and 1."""

    @property
    def seconds(self) -> float:
        """Of all items, multiplied out."""
        return self.seconds_each * self.total


def load_loops() -> ModuleType:
    """Return the loops that the tests hold every term against."""
    spec = importlib.util.spec_from_file_location("naive", LOOPS)
    if spec is None or spec.loader is None:
        raise ImportError(f"{LOOPS} cannot be loaded; run from a checkout")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def time_loops(
    batch: Batch, grid: MapGrid, outputs: Outputs, truth: BatchTruth, terms: LossTerms, count: int
) -> list[Timed]:
    """Time `count` items of everything that takes longest; on the CPU, in float64, without gradients."""
    naive = load_loops()
    kinds = [
        *_truth_work(batch, grid, truth),
        *_footprint_work(naive, outputs, truth, terms),
        *_target_work(naive, batch, outputs, truth, terms),
        _matching_work(naive, outputs, _all_matches(batch, grid, outputs, truth)),
        _transfer_work(naive, outputs, terms),
    ]
    return [_timed(kind, count) for kind in kinds if kind.total]


def _timed(work: Work, count: int) -> Timed:
    seconds, worst, timed = 0.0, 0.0, 0
    with torch.no_grad():
        for call, expected in islice(work.items, count):
            start = time.process_time()
            found = call()
            seconds += time.process_time() - start
            expected = expected.double()
            error = (torch.as_tensor(found, dtype=torch.float64) - expected).abs() / expected.abs().clamp_min(1.0)
            worst, timed = max(worst, float(error.max())), timed + 1
    return Timed(work.name, work.total, timed, seconds / timed, worst)


def _counted(mask: Tensor) -> list[tuple[int, ...]]:
    return [tuple(index) for index in mask.nonzero().tolist()]


def _truth_work(batch: Batch, grid: MapGrid, truth: BatchTruth) -> list[Work]:
    size = grid.fit, grid.columns, grid.rows
    footprint, target = truth.footprint, truth.target

    def view(sample: int, frame: int) -> View:
        intrinsics, pose = batch.intrinsics[sample].double(), batch.world_from_camera[sample, frame].double()
        return View(batch.depth_m[sample, frame].double().numpy(), intrinsics.numpy(), pose.numpy())

    def one_footprint(group: int, slot: int) -> Tensor:
        sample, current = batch.current[group].tolist()
        labels = covisibility_labels(view(sample, current), view(sample, int(batch.history[group, slot])))
        return torch.from_numpy(cell_share(labels, *size)[0]).double().mean()

    def one_target(sample: int, slot: int, k: int) -> Tensor:
        ids = batch.instance_ids[sample, batch.keyframes[sample, k]].numpy()
        wanted = tuple(target for target in batch.target_ids[sample, slot].tolist() if target > 0)
        return torch.from_numpy(target_cells(ids, wanted, *size)[0]).double().mean()

    pairs, maps = _counted(torch.ones_like(footprint.present)), _counted(batch.has_instruction)
    maps = [(*at, k) for at in maps for k in range(batch.keyframes.shape[1])]
    return [
        Work(
            "footprint truth (numpy)",
            len(pairs),
            ((lambda at=at: one_footprint(*at), footprint.maps[at].mean()) for at in pairs),
        ),
        Work(
            "target truth (numpy)", len(maps), ((lambda at=at: one_target(*at), target.maps[at].mean()) for at in maps)
        ),
    ]


def _footprint_work(naive: ModuleType, outputs: Outputs, truth: BatchTruth, terms: LossTerms) -> list[Work]:
    found = truth.footprint
    logits, maps = outputs.footprints.logits.detach(), found.maps.double()
    probability = logits.sigmoid()
    present = [row.nonzero()[:, 0].tolist() for row in found.present]
    couples = [(g, k, j) for g, there in enumerate(present) for k in there for j in there]

    def divergence(g: int, k: int, j: int) -> tuple[Call, Tensor]:
        both = found.valid[g, k] & found.valid[g, j]
        expected = jensen_shannon_matrix(
            probability[g, k][None, None], found.maps[g, j][None, None], both[None, None]
        ).squeeze()
        return lambda: naive.jensen_shannon(probability[g, k].double(), maps[g, j], both), expected

    every, there = _counted(torch.ones_like(found.present)), _counted(found.present)
    bce, iou = _values(terms, "footprint_bce"), _values(terms, "footprint_iou")
    return [
        Work(
            "footprint BCE",
            len(every),
            (
                (lambda at=at: naive.balanced_bce(logits[at].double(), maps[at], found.valid[at], 1.0), bce[at])
                for at in every
            ),
        ),
        Work(
            "footprint IoU",
            len(there),
            ((lambda at=at: naive.soft_iou(logits[at].double(), maps[at], found.valid[at]), iou[at]) for at in there),
        ),
        # Identification compares each map with every truth, and truths with each other; the hinge maps and truths too.
        Work("map against map (JSD)", 4 * len(couples), (divergence(*couple) for couple in couples)),
    ]


def _target_work(naive: ModuleType, batch: Batch, outputs: Outputs, truth: BatchTruth, terms: LossTerms) -> list[Work]:
    if terms.target_bce is None:
        return []
    target, logits = truth.target, outputs.targets.logits.detach().double()
    maps, valid = target.maps.double(), torch.ones(target.maps.shape[-2:], dtype=torch.bool)
    bce, iou, flat = (_values(terms, name) for name in ("target_bce", "target_iou", "total_variation"))

    def variation(b: int, i: int, k: int) -> Tensor:
        depth_m = truth.cells.depth_m[b, batch.keyframes[b, k]].double()
        return naive.total_variation(logits[b, i, k].sigmoid(), depth_m, maps[b, i, k])

    every = [(*at, k) for at in _counted(batch.has_instruction) for k in range(batch.keyframes.shape[1])]
    there = _counted(target.present)
    return [
        Work(
            "target BCE",
            len(every),
            ((lambda at=at: naive.balanced_bce(logits[at], maps[at], valid, 1.0), bce[at]) for at in every),
        ),
        Work(
            "target IoU",
            len(there),
            ((lambda at=at: naive.soft_iou(logits[at], maps[at], valid), iou[at]) for at in there),
        ),
        Work("total variation", len(there), ((lambda at=at: variation(*at), flat[at]) for at in there)),
    ]


def _all_matches(batch: Batch, grid: MapGrid, outputs: Outputs, truth: BatchTruth) -> TrueMatches:
    sample, position = batch.current.unbind(-1)
    poses = batch.world_from_camera
    return true_matches(
        batch.depth_m[sample, position],
        truth.footprint.labels,
        batch.intrinsics[sample],
        invert_pose_torch(poses[sample[:, None], batch.history]) @ poses[sample, position][:, None],
        grid.fit,
        *outputs.encoding.match.shape[-2:],
    )


def _matching_work(naive: ModuleType, outputs: Outputs, matches: TrueMatches) -> Work:
    similarity, temperature = outputs.footprints.similarity.detach(), MatchingConfig().temperature
    rows = _counted(matches.matched)

    def one(g: int, h: int, cell: int) -> tuple[Call, Tensor]:
        alone = torch.zeros_like(matches.matched[g, h])
        alone[cell] = True
        single = replace(matches, position=matches.position[g, h][None, None], matched=alone[None, None])
        expected = matching_loss(similarity[g, h][None, None], single, temperature).squeeze()
        x, y = matches.position[g, h, cell].double().tolist()
        row = similarity[g, h, cell].double()
        size = matches.rows, matches.columns
        return lambda: naive.one_match(list(row / temperature), x, y, *size, 1.0, 0.0), expected

    return Work("matched cell (InfoNCE)", len(rows), (one(*row) for row in rows))


def _transfer_work(naive: ModuleType, outputs: Outputs, terms: LossTerms) -> Work:
    counted = terms.transfer.counted if terms.transfer is not None else torch.zeros(0, 0, dtype=torch.bool)
    encoding = outputs.encoding
    features = join_features(encoding.geometry_features.detach(), encoding.appearance_features.detach())[0]
    values = torch.linspace(0, 1, features.shape[1])

    def one(cell: int) -> tuple[Call, Tensor]:
        here, there = features[0, cell][None], features[1]
        carried = transfer_maps(here[None], there[None], values[None, :, None], TRANSFER_TEMPERATURE).squeeze()
        arguments = here.double(), there.double(), values.double()
        return lambda: naive.carry(*arguments, TRANSFER_TEMPERATURE)[0], carried

    return Work("carried cell (transfer)", int(counted.sum()) * features.shape[1], map(one, range(features.shape[1])))


def _values(terms: LossTerms, name: str) -> Tensor:
    return getattr(terms, name).values.detach()
