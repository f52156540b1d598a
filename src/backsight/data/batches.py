"""Training batches: groups of frames of several walks, with instructions, as torch tensors."""

from collections.abc import Callable
from collections.abc import Sequence as OrderedCollection
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int64
from pydantic import Field

from backsight.data.cache import SequenceCache
from backsight.data.frames import FrameChoice, FrameChoiceConfig, choose_frames
from backsight.data.imagined import draw_imagined, imagined_batch
from backsight.data.moving_and_places import moving_batch, place_batch
from backsight.data.sampler import Draw
from backsight.records.batch import Batch
from backsight.records.errors import DataError
from backsight.records.instruction import Instruction
from backsight.records.sequence import Sequence, SequenceAnnotations

Tokenize = Callable[[list[str]], list[list[int]]]
"""Texts to token ids without padding."""


class BatchConfig(FrameChoiceConfig):
    """What a training batch holds."""

    batch_size: int = Field(default=4, ge=1, le=1024)
    """Samples of a batch on each rank."""
    currents_per_sample: int = Field(default=3, ge=1, le=64)
    """Frames of a sample that footprints are supervised over, each against all the others."""
    instructions_per_sample: int = Field(default=4, ge=0, le=64)
    imagined_per_sample: int = Field(default=2, ge=0, le=64)
    """Imagined views of a sample, drawn from those of its current frame; walks without any have none."""


@dataclass(frozen=True)
class TrainingItem:
    """A walk and the current frame its instructions belong to."""

    sequence: int
    """Position in the cache."""
    current_frame: int


def training_items(
    annotations: OrderedCollection[SequenceAnnotations], config: FrameChoiceConfig
) -> list[TrainingItem]:
    """Return every (walk, current frame) that a sample can be made of: frames with instructions, else the last."""
    items = []
    for index, walk in enumerate(annotations):
        with_instructions = {instruction.current_frame for instruction in walk.instructions}
        for frame in sorted(with_instructions or {len(walk.world_from_camera) - 1}):
            if frame + 1 >= config.num_frames:
                items.append(TrainingItem(index, frame))
    return items


def build_batch(
    cache: SequenceCache,
    items: OrderedCollection[TrainingItem],
    draws: OrderedCollection[Draw],
    config: BatchConfig,
    tokenize: Tokenize,
    padding_id: int,
    end_id: int,
) -> Batch:
    """Build the batch of `draws`; equal draws give equal batches, whatever came before.

    Args:
        cache: the walks.
        items: what samples can be made of.
        draws: of the sampler.
        config: of the batch.
        tokenize: texts to ids.
        padding_id: behind every text.
        end_id: ends an answer.

    Raises:
        DataError: sequences of one batch differ in image size.
    """
    samples, groups, histories, imagined = [], [], [], []
    for position, draw in enumerate(draws):
        item = items[draw.item]
        sequence = cache[item.sequence]
        rng = np.random.default_rng(list(draw.seed))
        choice = choose_frames(sequence, item.current_frame, config, rng)
        current, history = _pairs(config, rng)
        groups.append(np.stack([np.full_like(current, position), current], axis=1))
        histories.append(history)
        instructions = _draw_instructions(sequence, item.current_frame, config, rng)
        samples.append((sequence, choice, instructions))
        asked = [one.imagined_view for one in instructions if one.imagined_view is not None]
        imagined.append(draw_imagined(sequence, item.current_frame, config.imagined_per_sample, rng, asked))
    sizes = {sequence.image_size for sequence, _, _ in samples}
    if len(sizes) > 1:
        raise DataError(cache.root, "image size", f"sequences differ: {sorted(sizes)}", "collect at one size")
    instructions = [instructions for *_, instructions in samples]
    target_ids, has_instruction = _target_arrays(instructions, config)
    texts = [[one.text for one in sample] for sample in instructions]
    answers = [[one.answer for one in sample] for sample in instructions]
    slots = config.instructions_per_sample
    frames = _frame_tensors([(sequence, choice) for sequence, choice, _ in samples])
    return Batch(
        **frames,
        current=torch.from_numpy(np.concatenate(groups)),
        history=torch.from_numpy(np.concatenate(histories)),
        instruction_tokens=torch.from_numpy(_token_array(texts, slots, tokenize, padding_id)),
        answer_tokens=torch.from_numpy(_token_array(answers, slots, tokenize, padding_id, end_id)),
        target_ids=torch.from_numpy(target_ids),
        has_instruction=torch.from_numpy(has_instruction),
        has_truth=frames["depth_m"].flatten(1).amax(1) > 0,
        imagined=imagined_batch([sequence for sequence, *_ in samples], imagined, config.imagined_per_sample),
        moving=moving_batch([(sequence, choice.frames) for sequence, choice, _ in samples]),
        places=place_batch([(sequence, choice.frames) for sequence, choice, _ in samples], instructions, slots),
    )


def _pairs(
    config: BatchConfig, rng: np.random.Generator
) -> tuple[Int64[np.ndarray, " groups"], Int64[np.ndarray, "groups history"]]:
    """Draw the supervised current views, the sample's own among them, and give each all other frames as history."""
    last = config.num_frames - 1
    others = rng.permutation(last)[: config.currents_per_sample - 1]
    current = np.concatenate([[last], others]).astype(np.int64)
    positions = np.arange(config.num_frames)
    return current, np.stack([positions[positions != c] for c in current]).astype(np.int64)


def _draw_instructions(
    sequence: Sequence, current_frame: int, config: BatchConfig, rng: np.random.Generator
) -> list[Instruction]:
    fitting = [i for i in sequence.annotations.instructions if i.current_frame == current_frame]
    order = rng.permutation(len(fitting))[: config.instructions_per_sample]
    return [fitting[k] for k in order]


def _frame_tensors(samples: list[tuple[Sequence, FrameChoice]]) -> dict[str, torch.Tensor]:
    rgb = np.stack([s.rgb[c.frames] for s, c in samples])
    return {
        "rgb": torch.from_numpy(rgb).permute(0, 1, 4, 2, 3).contiguous(),
        "depth_m": torch.from_numpy(np.stack([s.depth_m[c.frames] for s, c in samples])),
        "instance_ids": torch.from_numpy(np.stack([s.instance_ids[c.frames] for s, c in samples]).astype(np.int64)),
        "intrinsics": torch.from_numpy(np.stack([s.intrinsics for s, _ in samples]).astype(np.float32)),
        "world_from_camera": torch.from_numpy(np.stack([_centred_poses(s, c) for s, c in samples])),
        "frame_index": torch.from_numpy(np.stack([c.frames for _, c in samples])),
        "keyframes": torch.from_numpy(np.stack([c.keyframes for _, c in samples])),
    }


def _centred_poses(sequence: Sequence, choice: FrameChoice) -> np.ndarray:
    """Return the poses with the origin moved to the current camera: float32 keeps millimetres there."""
    poses = sequence.world_from_camera[choice.frames].copy()
    poses[:, :3, 3] -= poses[-1, :3, 3]
    return poses.astype(np.float32)


def _token_array(
    texts: list[list[str]], slots: int, tokenize: Tokenize, padding_id: int, end_id: int | None = None
) -> Int64[np.ndarray, "batch slots tokens"]:
    """Return token ids, padded at the end; where an end is given it follows every text that has a token."""
    encoded = iter(tokenize([text for sample in texts for text in sample]))
    ids = [[next(encoded) for _ in sample] for sample in texts]
    if end_id is not None:
        ids = [[[*tokens, end_id] if tokens else [] for tokens in sample] for sample in ids]
    width = max([1, *(len(tokens) for sample in ids for tokens in sample)])
    found = np.full((len(texts), slots, width), padding_id, dtype=np.int64)
    for row, sample in enumerate(ids):
        for slot, tokens in enumerate(sample):
            found[row, slot, : len(tokens)] = tokens
    return found


def _target_arrays(
    instructions: list[list[Instruction]], config: BatchConfig
) -> tuple[Int64[np.ndarray, "batch slots targets"], Bool[np.ndarray, "batch slots"]]:
    slots = config.instructions_per_sample
    num_targets = max([1, *(len(one.target_instance_ids) for sample in instructions for one in sample)])
    targets = np.full((len(instructions), slots, num_targets), -1, dtype=np.int64)
    present = np.zeros((len(instructions), slots), dtype=bool)
    for row, sample in enumerate(instructions):
        for slot, one in enumerate(sample):
            targets[row, slot, : len(one.target_instance_ids)] = one.target_instance_ids
            present[row, slot] = True
    return targets, present
