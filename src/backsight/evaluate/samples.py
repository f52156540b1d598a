"""Which current views, histories and instructions make up an evaluation."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int64
from pydantic import BaseModel, ConfigDict, Field

from backsight.geometry.cells import ImageFit
from backsight.interchange.rgbd_folder import read_rgbd_folder, windows
from backsight.records.errors import DataError
from backsight.records.instruction import Instruction
from backsight.records.sequence import Sequence, SequenceAnnotations
from backsight.storage.dataset import read_splits
from backsight.storage.layout import DATASET_FILE, list_sequence_ids
from backsight.storage.read import read_annotations, read_sequence

CELL_PX = 4
"""A map cell covers this many pixels of the preset's appearance image, in both directions."""

Geometry = Literal["estimated", "given"]


Shuffle = Literal["instructions", "history"]
"""What a control of the model gets from somewhere else."""


class EvaluationConfig(BaseModel):
    """What is evaluated and on which grid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Literal["train", "val", "test"] = "test"
    """Split of the data set that is evaluated."""
    max_history: int | None = Field(default=None, ge=1)
    """Latest history frames that are used; None: all of them."""
    map_width: int = Field(default=32, ge=2, le=1024)
    """Cells across a map, from the checkpoint's configuration."""
    map_height: int = Field(default=24, ge=2, le=1024)
    """Cells down a map."""
    num_keyframes: int = Field(default=5, ge=1, le=256)
    """Keyframes per sample, the current view included."""
    shuffles: tuple[Shuffle, ...] = ("instructions", "history")
    """Controls to predict beside the model: somebody else's words, somebody else's frames."""
    keyframes: Literal["space_aware", "uniform"] = "space_aware"
    """How the model's keyframes are chosen: by the depth it estimates, or uniform in time."""
    bootstrap_samples: int = Field(default=1000, ge=10, le=100_000)
    """Draws behind every interval."""
    window_frames: int = Field(default=24, ge=2)
    """Frames of each piece that a recorded walk is cut into."""
    window_step: int = Field(default=12, ge=1)
    """Frames from one piece of a recorded walk to the next."""
    window_stride: int = Field(default=1, ge=1)
    """Every such frame of a recorded walk is used."""
    window_width_px: int | None = Field(default=256, ge=16)
    """Width to which the images of a recorded walk are brought; None: as they are.
    Twice the width of the smallest preset's images: labels stay finer than the cells, and scoring stays quick."""
    geometry: Geometry = "estimated"
    """given: the model is also given depth and poses, in a row of its own (predictor model_given)."""
    seed: int = Field(default=0, ge=0)
    """Seed of the bootstrap, of the oracles' noise and of the choice of random examples."""

    def fit_of(self, sequence: Sequence) -> ImageFit:
        """Return how the sequence's images are cropped to the maps' field of view."""
        width, height = sequence.image_size
        return ImageFit(width, height, self.map_width * CELL_PX, self.map_height * CELL_PX)


@dataclass(frozen=True)
class EvaluationSample:
    """One current view with everything before it and what is asked of it."""

    sequence_id: str
    place_id: str
    current_frame: int
    history_frames: Int64[np.ndarray, " history"]
    """Frame indices before the current frame, rising."""
    instructions: tuple[Instruction, ...]

    @property
    def key(self) -> tuple[str, int]:
        """Sequence and current frame: what identifies a sample."""
        return self.sequence_id, self.current_frame

    @property
    def instruction_ids(self) -> tuple[str, ...]:
        """Ids of the instructions, in the order of the target maps."""
        return tuple(i.instruction_id for i in self.instructions)

    def random_generator(self, seed: int) -> np.random.Generator:
        """Return a generator that depends on the seed and on this sample alone, never on the order of samples."""
        return np.random.default_rng([seed, self.current_frame, *self.sequence_id.encode()])


def samples_of(annotations: SequenceAnnotations, max_history: int | None = None) -> list[EvaluationSample]:
    """Return the samples of one walk: every current frame that instructions belong to, or else the last frame.

    A current frame without any history is left out, since nothing can be asked of it.

    Args:
        annotations: of the walk.
        max_history: use at most this many of the latest history frames; None: all of them.
    """
    by_frame: dict[int, list[Instruction]] = {}
    for instruction in annotations.instructions:
        by_frame.setdefault(instruction.current_frame, []).append(instruction)
    if not by_frame:
        by_frame[len(annotations.world_from_camera) - 1] = []
    samples = []
    for frame in sorted(by_frame):
        first = 0 if max_history is None else max(0, frame - max_history)
        history = np.arange(first, frame, dtype=np.int64)
        if len(history):
            found = tuple(by_frame[frame])
            samples.append(EvaluationSample(annotations.sequence_id, annotations.place_id, frame, history, found))
    return samples


@dataclass(frozen=True)
class SequenceSource:
    """The walks of one evaluation: those of a split on disk, or walks in memory."""

    root: Path | None = None
    split: str = "test"
    in_memory: tuple[Sequence, ...] = ()

    def sequence_ids(self) -> list[str]:
        """Return the ids of the walks, sorted.

        Raises:
            DataError: the split holds no walk.
        """
        if self.root is None:
            return sorted(s.annotations.sequence_id for s in self.in_memory)
        splits = read_splits(self.root)
        ids = [i for i in list_sequence_ids(self.root) if splits.get(self.annotations(i).place_id) == self.split]
        if not ids:
            raise DataError(self.root, "splits", f"no sequence belongs to '{self.split}'", "collect more places")
        return ids

    def annotations(self, sequence_id: str) -> SequenceAnnotations:
        """Return the annotations of one walk without decoding its images."""
        if self.root is None:
            return self.read(sequence_id).annotations
        return read_annotations(self.root, sequence_id)

    def read(self, sequence_id: str) -> Sequence:
        """Return one walk.

        Raises:
            DataError: there is no such walk.
        """
        if self.root is not None:
            return read_sequence(self.root, sequence_id)
        for sequence in self.in_memory:
            if sequence.annotations.sequence_id == sequence_id:
                return sequence
        raise DataError("walks in memory", sequence_id, "is not among them", "predictions of other walks?")

    def samples(self, max_history: int | None = None) -> Iterator[tuple[Sequence, EvaluationSample]]:
        """Yield every sample with its walk; each walk is read once."""
        for sequence_id in self.sequence_ids():
            sequence = self.read(sequence_id)
            for sample in samples_of(sequence.annotations, max_history):
                yield sequence, sample


def open_source(path: Path, config: EvaluationConfig) -> SequenceSource:
    """Return the walks of a data set's split, or the pieces of a recorded RGB-D walk.

    Args:
        path: folder of a data set, or of a recording as `interchange.rgbd_folder` describes it.
        config: names the split, and how a recording is cut.

    Raises:
        DataError: the folder is neither.
    """
    if (path / DATASET_FILE).is_file():
        return SequenceSource(path, config.split)
    if (path / "poses.txt").is_file():
        width = config.window_width_px
        size = None if width is None else (width, round(width * config.map_height / config.map_width))
        walk = read_rgbd_folder(path, stride=config.window_stride, image_size=size)
        length = min(config.window_frames, walk.num_frames)
        return SequenceSource(in_memory=tuple(windows(walk, length, config.window_step)))
    raise DataError(path, "folder", f"holds neither {DATASET_FILE} nor poses.txt", "give a data set or a recording")
