"""A room of boxes in closed form, and random answers of a model about it: what `losses.py` measures on."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from backsight.data.keyframes import uniform_keyframes
from backsight.data.truth import MapGrid
from backsight.geometry.cameras import intrinsics_from_hfov, pixel_centres
from backsight.geometry.cells import ImageFit
from backsight.geometry.poses import look_pose
from backsight.model.config import MAP_CELL_PX, ModelConfig
from backsight.model.heatmap.odometry import Odometry, RelativePoses, relative_poses
from backsight.model.outputs import AnswerLikelihood, Encoding, Footprints, Targets
from backsight.records.batch import Batch

ROOM_M = np.array([[-4.0, -1.4, -3.0], [4.0, 1.4, 3.0]])
"""Lowest and highest corner of the walls."""
FURNITURE_M = np.array(
    [
        [[-0.4, -1.4, -0.3], [0.3, 1.4, 0.4]],
        [[-3.1, -1.4, -2.2], [-1.9, -0.4, -1.3]],
        [[1.6, -1.4, 1.2], [2.9, -0.2, 2.0]],
        [[2.2, -1.4, -2.4], [2.8, 0.7, -1.7]],
        [[-2.6, -1.4, 1.6], [-2.1, 0.3, 2.4]],
    ]
)
"""Corners of the boxes that hide each other and the walls: instances 1, 2, ..."""
TILE_M = 1.6
"""Walls are cut into tiles of about this size, each an instance of its own."""
FIELD_OF_VIEW_DEG = 79.0
ANSWER_TOKENS = 8


@dataclass(frozen=True)
class Sizes:
    """Of one step."""

    config: ModelConfig
    batch: int
    frames: int
    currents: int
    """Current views of each sample, each compared with all its other frames."""
    keyframes: int
    instructions: int

    @property
    def grid(self) -> MapGrid:
        """Map cells over stored images of the model's own size."""
        width, height = self.config.image_width, self.config.image_height
        return MapGrid(ImageFit(width, height, width, height), width // MAP_CELL_PX, height // MAP_CELL_PX)


@dataclass(frozen=True)
class Outputs:
    """Random answers of a model; gradients flow into everything that a loss reads."""

    encoding: Encoding
    footprints: Footprints
    targets: Targets

    def leaves(self) -> dict[str, Tensor]:
        """Return all tensors that gradients flow into, by name."""
        return dict(_leaves(self, ""))


def _leaves(part: object, name: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(part, Tensor) and part.requires_grad:
        yield name, part
    elif is_dataclass(part):
        for field in fields(part):
            yield from _leaves(getattr(part, field.name), f"{name}.{field.name}".lstrip("."))


def render(pose: np.ndarray, intrinsics: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return planar depth in metres and instance ids of the room."""
    pixels = pixel_centres(width, height)
    rays = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1) @ np.linalg.inv(intrinsics).T
    direction = rays @ pose[:3, :3].T
    direction = np.where(np.abs(direction) < 1e-12, 1e-12, direction)
    place = pose[:3, 3]
    depth_m = ((np.where(direction > 0, ROOM_M[1], ROOM_M[0]) - place) / direction).min(axis=-1)
    tile = np.floor((place + depth_m[..., None] * direction - ROOM_M[0]) / TILE_M + 1e-6).astype(np.int64)
    ids = len(FURNITURE_M) + 1 + (tile * np.array([1, 8, 64])).sum(axis=-1)
    for number, corners in enumerate(FURNITURE_M, start=1):
        ends = (corners[:, None, None] - place) / direction
        enters, leaves = ends.min(axis=0).max(axis=-1), ends.max(axis=0).min(axis=-1)
        nearer = (enters > 0) & (enters <= leaves) & (enters < depth_m)
        depth_m, ids = np.where(nearer, enters, depth_m), np.where(nearer, number, ids)
    return depth_m.astype(np.float32), ids


def walk(frames: int, seed: int) -> np.ndarray:
    """Return world-from-camera poses of a way around the pillar in the middle, looking ahead and aside."""
    rng = np.random.default_rng(seed)
    along = rng.uniform(0, 2 * np.pi) + np.linspace(0, 0.9 * np.pi, frames)
    aside = 0.5 * np.sin(3 * along)
    places = np.stack([1.3 * np.cos(along), 0.1 * np.sin(2 * along), 1.1 * np.sin(along)], axis=-1)
    return np.stack([look_pose(p, np.pi - a + b, -0.1) for p, a, b in zip(places, along, aside, strict=True)])


def make_batch(sizes: Sizes, seed: int = 0) -> Batch:
    """Return a batch whose depth, instances and poses fit together exactly."""
    width, height, frames = sizes.config.image_width, sizes.config.image_height, sizes.frames
    intrinsics = intrinsics_from_hfov(width, height, FIELD_OF_VIEW_DEG)
    poses = np.stack([walk(frames, seed + b) for b in range(sizes.batch)])
    seen = [[render(pose, intrinsics, width, height) for pose in way] for way in poses]
    ids = np.stack([[ids for _, ids in views] for views in seen])
    currents = np.linspace(frames - 1, max(frames // 2, 1), sizes.currents).round().astype(np.int64)
    positions = np.arange(frames)
    history = np.stack([positions[positions != current] for current in currents])
    groups = np.array([[b, current] for b in range(sizes.batch) for current in currents])
    shape = sizes.batch, sizes.instructions
    return Batch(
        rgb=torch.zeros(1, dtype=torch.uint8).expand(sizes.batch, frames, 3, height, width),
        depth_m=torch.from_numpy(np.stack([[depth_m for depth_m, _ in views] for views in seen])),
        instance_ids=torch.from_numpy(ids),
        intrinsics=torch.from_numpy(intrinsics).float().expand(sizes.batch, 3, 3).contiguous(),
        world_from_camera=torch.from_numpy(poses).float(),
        frame_index=(7 * torch.arange(frames)).expand(sizes.batch, -1).contiguous(),
        keyframes=torch.from_numpy(uniform_keyframes(frames, sizes.keyframes)).expand(sizes.batch, -1).contiguous(),
        current=torch.from_numpy(groups),
        history=torch.from_numpy(np.tile(history, (sizes.batch, 1))),
        instruction_tokens=torch.zeros(*shape, 1, dtype=torch.long),
        answer_tokens=torch.zeros(*shape, 1, dtype=torch.long),
        target_ids=torch.from_numpy(_targets(ids, sizes.instructions)),
        has_instruction=torch.ones(shape, dtype=torch.bool),
        has_truth=torch.ones(shape[0], dtype=torch.bool),
    )


def _targets(ids: np.ndarray, instructions: int) -> np.ndarray:
    """The instances that most pixels of a sample show; every fourth instruction asks for two of them."""
    chosen = np.full((len(ids), instructions, 2), -1, dtype=np.int64)
    for sample, views in enumerate(ids):
        found, count = np.unique(views, return_counts=True)
        falling = found[np.argsort(-count)]
        for number in range(instructions):
            chosen[sample, number, 0] = falling[number % len(falling)]
            if number % 4 == 3 and len(falling) > number + 1:
                chosen[sample, number, 1] = falling[number + 1]
    return chosen


def make_outputs(sizes: Sizes, device: torch.device, seed: int = 0) -> Outputs:
    """Return random outputs with the widths and grids of the model's configuration."""
    generator = torch.Generator(device).manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, device=device)

    def free(values: Tensor) -> Tensor:
        return values.detach().requires_grad_()

    config, grid, frames = sizes.config, sizes.grid, sizes.frames
    views = sizes.batch, frames
    pairs = sizes.batch * sizes.currents, frames - 1
    patches = config.patch_rows, config.patch_columns
    scale = config.fusion.correlation_scale
    cells = scale**2 * patches[0] * patches[1]
    ratio = 14 / config.geometry.depth_down_ratio
    depths = round(patches[0] * ratio), round(patches[1] * ratio)
    targets = sizes.batch, sizes.instructions, sizes.keyframes
    answers = free(-normal(sizes.batch, sizes.instructions, ANSWER_TOKENS).abs())
    tokens = patches[0] * patches[1] // 4
    unread = torch.zeros((), device=device)
    correlation = unread.expand(*views, 1, scale * patches[0], scale * patches[1])
    encoding = Encoding(
        # Of this one the losses read the grid only.
        match=correlation,
        context=correlation,
        skip=unread.expand(*views, 1, grid.rows, grid.columns),
        trunk=correlation,
        fused_tokens=unread.expand(*views, patches[0] * patches[1], 1),
        geometry_features=free(normalize(normal(*views, 2 * config.geometry.width, *patches), dim=2) * 0.6**0.5),
        appearance_features=free(normalize(normal(*views, config.appearance.width, *patches), dim=2) * 0.4**0.5),
        camera_tokens=unread.expand(*views, 1),
        pose_encodings=free(normal(config.geometry.camera_iterations, *views, 9)),
        depth=free(normal(*views, *depths).exp()),
        depth_confidence=free(1 + normal(*views, *depths).exp()),
    )

    def poses(*shape: int) -> RelativePoses:
        found = relative_poses(normal(*shape, 9))
        return RelativePoses(*(free(getattr(found, field.name)) for field in fields(found)))

    footprints = Footprints(
        logits=free(normal(*pairs, grid.rows, grid.columns)),
        presence_logits=free(normal(*pairs)),
        bearing=free(normalize(normal(*pairs, 3), dim=-1)),
        log_distance=free(normal(*pairs)),
        similarity=free(normal(*pairs, cells, cells).tanh_()),
        direct=poses(*pairs),
        odometry=Odometry(poses(sizes.batch, frames - 1), unread.expand(*views, 4, 4), *2 * [unread.expand(*views)]),
    )
    return Outputs(
        encoding,
        footprints,
        Targets(
            free(normal(*targets, grid.rows, grid.columns)),
            free(normal(*targets)),
            answers=AnswerLikelihood(answers, torch.zeros_like(answers, dtype=torch.bool), answers.detach() < -0.3),
            attention=free(normal(*targets, sizes.keyframes, tokens).abs()),
        ),
    )
