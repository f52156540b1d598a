"""Worst cases within bounds: of a few small changes of view and wording, the one that the model does worst on."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerBase

from backsight.geometry.projection_torch import invert_pose_torch
from backsight.losses.total import LossTerms, LossWeights, total_loss
from backsight.model.tokenizer import encode_texts
from backsight.records.batch import Batch
from backsight.train.self_supervision import of_samples
from backsight.train.techniques.wording import paraphrases

CHANGED = ("rgb", "depth_m", "instance_ids", "world_from_camera", "instruction_tokens")
"""What candidates may differ in."""


class AdversarialConfig(BaseModel):
    """Whether worst cases are trained on, how often, and within which bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    share: float = Field(default=0.25, gt=0.0, le=1.0)
    """Share of the steps that look for worst cases."""
    candidates: int = Field(default=2, ge=1, le=32)
    """Changed examples beside the given one; each costs a forward pass."""
    rotation_rad: float = Field(default=0.05, ge=0.0, le=0.5)
    """Largest turn of the current camera, about any axis; 0 leaves views alone."""
    wording: bool = True
    """Whether instructions are said in other words."""


def looks_for_worst(config: AdversarialConfig, seed: int, step: int) -> bool:
    """Return whether a step looks for worst cases; the same on every rank and after every resume."""
    return config.enabled and bool(np.random.default_rng([seed, step, 0]).random() < config.share)


def turned_views(batch: Batch, turn: Float[Tensor, "batch 3 3"]) -> Batch:
    """Return the batch with each current camera turned about its centre, and what it sees with it.

    Such a turn moves pixels by a homography whatever their depth, so image, depth, instance ids and pose stay true to
    each other. Colour is interpolated; depth and ids take the nearest pixel. What was out of view has neither depth
    nor id, so it counts nowhere, and continues the colour of the border.

    Args:
        batch: samples whose last frame is the current view.
        turn: rotation of old camera from new camera.
    """
    height, width = batch.rgb.shape[-2:]
    device = batch.rgb.device
    y, x = torch.meshgrid(
        torch.arange(height, device=device) + 0.5, torch.arange(width, device=device) + 0.5, indexing="ij"
    )
    pixels = torch.stack([x, y, torch.ones_like(x)], dim=-1).double()
    intrinsics, turn64 = batch.intrinsics.double(), turn.double()
    rays = torch.einsum("bij,hwj->bhwi", turn64 @ torch.linalg.inv(intrinsics), pixels)
    landed = torch.einsum("bij,bhwj->bhwi", intrinsics, rays)
    forward = rays[..., 2]
    found = (landed[..., :2] / forward.clamp_min(1e-6)[..., None]).float()
    inside = (forward > 0) & (found >= 0).all(-1) & (found[..., 0] < width) & (found[..., 1] < height)
    grid = found * found.new_tensor([2.0 / width, 2.0 / height]) - 1.0
    colour = functional.grid_sample(
        batch.rgb[:, -1].float(), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    column, row = found[..., 0].long().clamp(0, width - 1), found[..., 1].long().clamp(0, height - 1)
    sample = torch.arange(len(turn), device=device)[:, None, None]
    # A ray keeps its length while the axis that depth is measured along turns.
    depth_m = (batch.depth_m[sample, -1, row, column] / forward.float()).where(inside, 0.0)
    ids = batch.instance_ids[sample, -1, row, column].where(inside, 0)
    poses = batch.world_from_camera.clone()
    poses[:, -1, :3, :3] = (poses[:, -1, :3, :3].double() @ turn64).float()
    return replace(
        batch,
        rgb=_with_last(batch.rgb, colour.round().clamp(0, 255).to(torch.uint8)),
        depth_m=_with_last(batch.depth_m, depth_m),
        instance_ids=_with_last(batch.instance_ids, ids),
        world_from_camera=poses,
    )


def _with_last(frames: Tensor, last: Tensor) -> Tensor:
    return torch.cat([frames[:, :-1], last[:, None]], dim=1)


def random_turns(count: int, largest_rad: float, rng: np.random.Generator) -> Float[Tensor, "count 3 3"]:
    """Return rotations about random axes by angles up to a bound, float64.

    Args:
        count: how many.
        largest_rad: bound of the angle.
        rng: of the step.
    """
    axis = rng.standard_normal((count, 3))
    axis *= rng.uniform(0.0, largest_rad, (count, 1)) / np.linalg.norm(axis, axis=1, keepdims=True)
    x, y, z = torch.from_numpy(axis).unbind(-1)
    nil = torch.zeros_like(x)
    skew = torch.stack([nil, -z, y, z, nil, -x, -y, x, nil], dim=-1).unflatten(-1, (3, 3))
    return torch.linalg.matrix_exp(skew)


def reworded(
    tokens: Int64[Tensor, "batch instructions tokens"], tokenizer: PreTrainedTokenizerBase, rng: np.random.Generator
) -> Int64[Tensor, "batch instructions other_tokens"]:
    """Return every instruction in other words that mean the same and that the tokenizer knows; else as it was.

    Args:
        tokens: of instructions, padded at the end.
        tokenizer: of the model.
        rng: of the step.
    """
    texts = []
    for row in tokens.flatten(0, 1).tolist():
        text = str(tokenizer.decode([token for token in row if token != tokenizer.pad_token_id]))
        others = paraphrases(text)
        other = others[int(rng.integers(len(others)))] if others else text
        known = tokenizer.unk_token_id not in tokenizer.encode(other, add_special_tokens=False)
        texts.append(other if known else text)
    return encode_texts(tokenizer, texts).unflatten(0, tokens.shape[:2]).to(tokens.device)


def candidates(
    batch: Batch, config: AdversarialConfig, tokenizer: PreTrainedTokenizerBase, rng: np.random.Generator
) -> list[Batch]:
    """Return the batch as it is and changed within bounds, all with instructions of one width.

    Args:
        batch: of the step.
        config: bounds.
        tokenizer: of the model.
        rng: of the step.
    """
    found = [batch]
    for _ in range(config.candidates):
        changed = batch
        if config.rotation_rad > 0:
            turn = random_turns(len(batch.rgb), config.rotation_rad, rng)
            # Without depth there is no truth that could follow the view.
            still = torch.eye(3, dtype=turn.dtype).expand_as(turn)
            changed = turned_views(
                changed, torch.where(batch.has_truth.cpu()[:, None, None], turn, still).to(batch.rgb.device)
            )
        if config.wording:
            changed = replace(changed, instruction_tokens=reworded(batch.instruction_tokens, tokenizer, rng))
        found.append(_imagined_follow(changed, batch))
    width = max(one.instruction_tokens.shape[-1] for one in found)
    return [replace(one, instruction_tokens=_padded(one.instruction_tokens, width, tokenizer)) for one in found]


def _padded(tokens: Tensor, width: int, tokenizer: PreTrainedTokenizerBase) -> Tensor:
    padding = tokenizer.pad_token_id
    if not isinstance(padding, int):
        raise ValueError("the tokenizer has no padding token")
    return functional.pad(tokens, (0, width - tokens.shape[-1]), value=padding)


def sample_losses(terms: LossTerms, batch: Batch, weights: LossWeights) -> Float[Tensor, " batch"]:
    """Return the total loss of each sample alone.

    Args:
        terms: with truth, of the whole batch.
        batch: they were computed on.
        weights: of the losses and terms.
    """
    each = torch.eye(len(batch.rgb), dtype=torch.bool, device=batch.rgb.device)
    return torch.stack([total_loss(of_samples(terms, batch, kept), weights)[0] for kept in each])


def _imagined_follow(changed: Batch, batch: Batch) -> Batch:
    """Return the changed batch with imagined views where they were, now seen from the turned current cameras."""
    if batch.imagined is None:
        return changed
    new_from_old = invert_pose_torch(changed.world_from_camera[:, -1]) @ batch.world_from_camera[:, -1]
    poses = new_from_old[:, None] @ batch.imagined.current_from_imagined
    return replace(changed, imagined=replace(batch.imagined, current_from_imagined=poses))


def worst_of(found: Sequence[Batch], losses_of: Callable[[Batch], Float[Tensor, " batch"]]) -> Batch:
    """Return, sample by sample, the candidate with the highest loss; the first one for samples without truth.

    Args:
        found: of `candidates`.
        losses_of: total loss of each sample, without gradient.
    """
    losses = torch.stack([losses_of(one) for one in found])
    worst = torch.where(found[0].has_truth, losses.argmax(dim=0), 0)
    sample = torch.arange(len(worst), device=worst.device)
    chosen = {name: torch.stack([getattr(one, name) for one in found])[worst, sample] for name in CHANGED}
    return _imagined_follow(replace(found[0], **chosen), found[0])
