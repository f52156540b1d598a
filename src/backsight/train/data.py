"""The part of a data set that a run trains or validates on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from backsight.data.batches import BatchConfig, Tokenize, TrainingItem, build_batch, training_items
from backsight.data.cache import SequenceCache
from backsight.data.sampler import Draw
from backsight.data.truth import MapGrid
from backsight.geometry.cells import ImageFit
from backsight.model.config import ModelConfig
from backsight.model.given import GivenGeometry, given_geometry
from backsight.records.batch import Batch
from backsight.records.errors import DataError
from backsight.records.sequence import SequenceAnnotations
from backsight.storage.dataset import read_dataset_info, read_splits
from backsight.storage.layout import list_sequence_ids
from backsight.storage.read import read_annotations


@dataclass(frozen=True)
class SplitData:
    """Walks of one split."""

    cache: SequenceCache
    annotations: tuple[SequenceAnnotations, ...]

    @property
    def places(self) -> int:
        """Number of different places."""
        return len({walk.place_id for walk in self.annotations})

    def texts(self) -> list[str]:
        """Return every instruction and answer."""
        return [text for walk in self.annotations for one in walk.instructions for text in (one.text, one.answer)]


@dataclass(frozen=True)
class BatchSource:
    """Makes batches of a split."""

    data: SplitData
    items: tuple[TrainingItem, ...]
    config: BatchConfig
    tokenize: Tokenize
    padding_id: int
    end_id: int
    """Ends an answer."""

    def batch(self, draws: list[Draw]) -> Batch:
        """Return the batch of `draws`."""
        return build_batch(self.data.cache, self.items, draws, self.config, self.tokenize, self.padding_id, self.end_id)


def open_split(root: Path, split: str) -> SplitData:
    """Open the walks of one split of a data set.

    Raises:
        DataError: the folder is not a data set, or the split has no walk.
    """
    read_dataset_info(root)
    splits = read_splits(root)
    walks = [(sequence_id, read_annotations(root, sequence_id)) for sequence_id in list_sequence_ids(root)]
    chosen = [(sequence_id, walk) for sequence_id, walk in walks if splits.get(walk.place_id) == split]
    if not chosen:
        raise DataError(root / "splits.json", split, "has no sequence", "collect at least three places")
    cache = SequenceCache(root, [sequence_id for sequence_id, _ in chosen])
    return SplitData(cache, tuple(walk for _, walk in chosen))


def batch_source(data: SplitData, config: BatchConfig, tokenize: Tokenize, padding_id: int, end_id: int) -> BatchSource:
    """Return a maker of batches.

    Raises:
        DataError: every walk is too short for `num_frames`.
    """
    items = tuple(training_items(data.annotations, config))
    if not items:
        raise DataError(data.cache.root, "frames", f"no walk has {config.num_frames} frames", "lower num_frames")
    return BatchSource(data, items, config, tokenize, padding_id, end_id)


def map_grid(data: SplitData, model: ModelConfig) -> MapGrid:
    """Return how the model's cells lie over the stored images.

    Raises:
        DataError: the stored images are smaller than the model's.
    """
    width, height = data.cache[0].image_size
    if width < model.image_width or height < model.image_height:
        raise DataError(
            data.cache.root,
            "image size",
            f"{width} x {height} is smaller than preset {model.preset} needs",
            f"collect with --size {model.image_width}x{model.image_height} or larger",
        )
    fit = ImageFit(width, height, model.image_width, model.image_height)
    return MapGrid(fit, model.map_columns, model.map_rows)


def gives_geometry(geometry: str, seed: int, step: int) -> bool:
    """Return whether the model is given depth and poses in a step; mixed gives them in half of the steps.

    Args:
        geometry: estimated, given or mixed.
        seed: of the run.
        step: optimiser step from 0; the answer depends on nothing before it, so that a run can be resumed.
    """
    if geometry == "mixed":
        return bool(np.random.default_rng([seed, step]).random() < 0.5)
    return geometry == "given"


def given_of(batch: Batch, grid: MapGrid, told: bool) -> GivenGeometry | None:
    """Return what the model is told of a batch's depth and cameras; nothing unless `told` and all samples have them."""
    if not told or not bool(batch.has_truth.all()):
        return None
    return given_geometry(batch.depth_m, batch.world_from_camera, batch.intrinsics, grid.fit)


def model_images(batch: Batch, grid: MapGrid) -> torch.Tensor:
    """Return the images scaled and cropped to the model's size: uint8 where nothing was scaled, else in [0, 1]."""
    fit = grid.fit
    if (fit.source_width, fit.source_height) == (fit.target_width, fit.target_height):
        return batch.rgb
    left, top = round(fit.left_px), round(fit.top_px)
    width, height = round(fit.crop_width_px), round(fit.crop_height_px)
    cropped = batch.rgb[..., top : top + height, left : left + width].flatten(0, 1).float() / 255
    size = (fit.target_height, fit.target_width)
    scaled = torch.nn.functional.interpolate(cropped, size=size, mode="bilinear", antialias=True, align_corners=False)
    return scaled.clamp(0, 1).unflatten(0, batch.rgb.shape[:2])
