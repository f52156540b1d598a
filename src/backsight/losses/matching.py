"""Matching of current cells to history cells: InfoNCE on their similarity at the true matches."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Float32, Int64, UInt8
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from backsight.geometry.cells import ImageFit
from backsight.geometry.covisibility import Label


class MatchingConfig(BaseModel):
    """Which pairs and which negatives the matching term reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(default=0.07, gt=0, le=10)
    """Divides the similarity; the decoder learns one of its own."""
    hard_negative_share: float = Field(default=1.0, gt=0, le=1)
    """Share of each cell's negatives that is kept, the most similar ones; 1 keeps all."""
    exclusion_radius: float = Field(default=0.0, ge=0, le=64)
    """Cells whose middles are at most so many cells from the true position are no negatives."""
    window_frames: int | None = Field(default=None, ge=1, le=4096)
    """Pairs farther apart in time do not count; None counts all."""


@dataclass(frozen=True)
class TrueMatches:
    """Where the middle of each current cell lies in each history frame."""

    position: Float32[Tensor, "groups history cells 2"]
    """x, y in history cells: cell (0, 0) covers [0, 1) x [0, 1). Means nothing where nothing is matched."""
    matched: Bool[Tensor, "groups history cells"]
    rows: int
    """Cells down."""
    columns: int
    """Cells across."""

    def index(self) -> Int64[Tensor, "groups history cells"]:
        """Return the row-major history cell of each match, -1 where there is none."""
        column, row = self.position.floor().long().unbind(-1)
        return torch.where(self.matched, row * self.columns + column, -1)


@torch.no_grad()
def true_matches(
    current_depth_m: Float32[Tensor, "groups height width"],
    labels: UInt8[Tensor, "groups history height width"],
    intrinsics: Float32[Tensor, "groups 3 3"],
    history_from_current: Float32[Tensor, "groups history 4 4"],
    fit: ImageFit,
    rows: int,
    columns: int,
) -> TrueMatches:
    """Return the true matches on the correlation grid; a cell is matched where its middle is co-visible.

    Depth and labels are read at stored resolution in the pixel that holds the middle of the cell. The occlusion test
    is that of the labels, so matches and footprints never disagree.

    Args:
        current_depth_m: Planar depth of the current views, 0 = none.
        labels: `Label` of each current pixel towards each history frame (`covisibility_labels_torch`).
        intrinsics: Camera matrices in stored pixels, the same for current and history frames.
        history_from_current: Rigid transforms.
        fit: From the stored images to the images that the cells divide.
        rows: Cells down.
        columns: Cells across.
    """
    options = {"device": current_depth_m.device, "dtype": torch.float64}
    cell_px = torch.tensor([fit.crop_width_px / columns, fit.crop_height_px / rows], **options)
    corner_px = torch.tensor([fit.left_px, fit.top_px], **options)
    x_px = corner_px[0] + (torch.arange(columns, **options) + 0.5) * cell_px[0]
    y_px = corner_px[1] + (torch.arange(rows, **options) + 0.5) * cell_px[1]
    row, column = y_px.long()[:, None], x_px.long()[None, :]
    depth_m = current_depth_m[:, row, column].flatten(1)
    covisible = labels[:, :, row, column].flatten(2) == int(Label.COVISIBLE)

    grid_x, grid_y = torch.meshgrid(x_px, y_px, indexing="xy")
    pixels = torch.stack([grid_x.flatten(), grid_y.flatten(), torch.ones_like(grid_x).flatten()])
    points = torch.linalg.inv(intrinsics.double()) @ pixels * depth_m[:, None]
    rotation, translation = history_from_current[..., :3, :3], history_from_current[..., :3, 3:]
    in_history = intrinsics.double()[:, None] @ (rotation.double() @ points[:, None] + translation.double())
    depth_there = in_history[:, :, 2]
    position_px = (in_history[:, :, :2] / depth_there.clamp_min(1e-6)[:, :, None]).transpose(-1, -2)
    position = ((position_px - corner_px) / cell_px).float()
    size = torch.tensor([columns, rows], device=position.device)
    inside = ((position >= 0) & (position < size)).all(dim=-1)
    matched = covisible & inside & (depth_there > 0) & (depth_m > 0)[:, None]
    return TrueMatches(position, matched, rows, columns)


def bilinear_targets(
    position: Float[Tensor, "matches 2"], rows: int, columns: int
) -> tuple[Int64[Tensor, "matches 4"], Float[Tensor, "matches 4"]]:
    """Return the four cells whose middles surround each position, and weights that sum to 1.

    Args:
        position: x, y in cells.
        rows: Cells down.
        columns: Cells across.
    """
    x = (position[:, 0] - 0.5).clamp(0, columns - 1)
    y = (position[:, 1] - 0.5).clamp(0, rows - 1)
    left, top = x.floor(), y.floor()
    right, bottom = (left + 1).clamp_max(columns - 1), (top + 1).clamp_max(rows - 1)
    across, down = x - left, y - top
    cells = torch.stack(
        [top * columns + left, top * columns + right, bottom * columns + left, bottom * columns + right], dim=-1
    )
    weights = torch.stack([(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down], dim=-1)
    return cells.long(), weights


def matches_within_window(
    matches: TrueMatches,
    current_frame: Int64[Tensor, " groups"],
    history_frame: Int64[Tensor, "groups history"],
    window_frames: int | None,
) -> TrueMatches:
    """Return the matches of pairs that are close in time; the others have none.

    Args:
        matches: True matches.
        current_frame: Index of each current view in its walk.
        history_frame: Index of each history frame in the same walk.
        window_frames: Largest difference of the indices; None keeps all.
    """
    if window_frames is None:
        return matches
    near = (history_frame - current_frame[:, None]).abs() <= window_frames
    return replace(matches, matched=matches.matched & near[..., None])


def _kept_cells(
    scores: Float[Tensor, "matches cells"],
    position: Float[Tensor, "matches 2"],
    target: Int64[Tensor, "matches 4"],
    columns: int,
    config: MatchingConfig,
) -> Bool[Tensor, "matches cells"]:
    """Return which history cells each match is told from: its targets and the hardest of its negatives."""
    number = scores.shape[1]
    cell = torch.arange(number, device=scores.device)
    across = position[:, :1] - (cell % columns + 0.5)
    down = position[:, 1:] - (cell // columns + 0.5)
    is_target = torch.zeros_like(scores, dtype=torch.bool).scatter_(1, target, True)
    negative = (across.square() + down.square() > config.exclusion_radius**2) & ~is_target
    wanted = (negative.sum(dim=1) * config.hard_negative_share).ceil().long()
    falling = scores.detach().masked_fill(~negative, -torch.inf).sort(dim=1, descending=True, stable=True).indices
    rank = torch.empty_like(falling).scatter_(1, falling, cell.expand(len(scores), -1))
    return is_target | (negative & (rank < wanted[:, None]))


def matching_loss(
    similarity: Float[Tensor, "groups history cells other_cells"],
    matches: TrueMatches,
    temperature: float | Float[Tensor, ""],
    symmetric: bool = False,
    negatives: MatchingConfig | None = None,
) -> Float[Tensor, "groups history"]:
    """Return InfoNCE less the soft target's entropy, a mean over matched cells; a pair without matches gives 0.

    The target spreads bilinearly over the four cells around the true position. All other cells are negatives, and
    the softmax itself weighs the hardest of them most; `negatives` drops the easy ones, and those beside the truth.
    Optimised alone it ends where each matched row's softmax over the cells it is told from is its target; other rows,
    and cells that are dropped, keep any similarity.

    Args:
        similarity: Cosine of each current cell (rows) with each history cell (columns).
        matches: True matches on the same grid.
        temperature: Divides the similarity.
        symmetric: Average with the same loss from history cells to current cells, which keeps all negatives.
        negatives: Share and radius of the negatives; None keeps all.
    """
    cells = similarity.shape[-1]
    groups, history, cell = matches.matched.nonzero(as_tuple=True)
    position = matches.position[groups, history, cell]
    target, weight = bilinear_targets(position, matches.rows, matches.columns)
    flat = similarity.flatten(0, 2)
    row = (groups * matches.matched.shape[1] + history) * matches.matched.shape[2] + cell
    chosen = flat.index_select(0, row) / temperature
    at_target = chosen.gather(1, target) if symmetric else None
    if negatives is not None and (negatives.hard_negative_share < 1 or negatives.exclusion_radius > 0):
        chosen = chosen.masked_fill(~_kept_cells(chosen, position, target, matches.columns, negatives), -torch.inf)
    # One fused pass each way over what is by far the largest tensor of a step.
    cross_entropy = -(weight * chosen.log_softmax(dim=1).gather(1, target)).sum(dim=1)
    if at_target is not None:
        backward = (similarity / temperature).logsumexp(dim=2)
        pair = groups * matches.matched.shape[1] + history
        column_partition = backward.flatten(0, 1).flatten().take(pair[:, None] * cells + target)
        cross_entropy = 0.5 * (cross_entropy + (weight * (column_partition - at_target)).sum(dim=1))
    loss = cross_entropy + torch.xlogy(weight, weight).sum(dim=1)
    pairs = matches.matched.shape[0] * matches.matched.shape[1]
    total = loss.new_zeros(pairs).index_add(0, groups * matches.matched.shape[1] + history, loss)
    return total.view(matches.matched.shape[:2]) / matches.matched.sum(dim=-1).clamp_min(1)
