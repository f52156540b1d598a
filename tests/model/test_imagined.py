"""The decoder of imagined views: what it says before it has learned, and what it may not depend on."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from backsight.geometry.poses import invert_pose, look_pose
from backsight.model.heatmap.imagined import ImaginedDecoder
from backsight.model.heatmap.rays import ViewGeometry
from backsight.model.outputs import Encoding, Targets
from backsight.model.presets import tiny
from backsight.model.question import Question

CLOSE = {"rtol": 1e-3, "atol": 1e-4}
ROWS, COLUMNS = 24, 32
RIGHT = math.radians(-30.0)
"""Yaw grows turning left."""


def in_current(yaw_rad: float, position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> torch.Tensor:
    pose = invert_pose(look_pose(np.zeros(3), 0.0)) @ look_pose(np.array(position_m), yaw_rad)
    return torch.tensor(pose, dtype=torch.float32)


IMAGINED = torch.stack([in_current(RIGHT), in_current(1.1, (0.2, 0.0, -0.3))])[None]


def geometry_of(imagined: list[torch.Tensor], keyframes: list[torch.Tensor]) -> ViewGeometry:
    return ViewGeometry(
        current_from_imagined=torch.stack(imagined)[None],
        current_from_keyframe=torch.stack(keyframes)[None],
        half_field=torch.tensor([[0.8, 0.6]]),
        median_depth_m=torch.tensor([2.0]),
        depth_m=torch.full((1, len(keyframes), 12, 16), 2.0),
        variance=torch.zeros(1, len(keyframes), 2),
    )


def scene(views: int) -> Encoding:
    generator = torch.Generator().manual_seed(3)
    config = tiny()

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(1, views, *shape, generator=generator)

    unread = torch.full((1, views, 1), torch.nan)
    return Encoding(
        match=normal(config.fusion.channels, 12, 16), context=normal(2, 12, 16), skip=normal(2, 24, 32),
        trunk=normal(config.fusion.channels, 12, 16), fused_tokens=normal(48, config.fusion.tokens),
        geometry_features=normal(5, 6, 8), appearance_features=normal(5, 6, 8), camera_tokens=unread,
        pose_encodings=torch.zeros(1, 1, views, 9), depth=normal(12, 16), depth_confidence=normal(12, 16),
    )  # fmt: skip


def targets_at(*cells: tuple[int, int] | None) -> Targets:
    """A peak at one cell of each keyframe, or none."""
    logits = torch.full((1, 1, len(cells), ROWS, COLUMNS), -6.0)
    presence = torch.full((1, 1, len(cells)), -6.0)
    for view, cell in enumerate(cells):
        if cell is not None:
            row, column = cell
            logits[0, 0, view, row - 1 : row + 2, column - 1 : column + 2] = 5.0
            presence[0, 0, view] = 4.0
    return Targets(logits, presence)


@pytest.fixture
def decoder() -> ImaginedDecoder:
    torch.manual_seed(5)
    return ImaginedDecoder(tiny()).eval()


def peak(decoder: ImaginedDecoder, seen: Targets, geometry: ViewGeometry) -> tuple[int, int]:
    views = seen.logits.shape[2]
    queries = torch.zeros(1, 1, 1, tiny().language.width)
    with torch.no_grad():
        logits, _ = decoder(scene(views), torch.arange(views)[None], queries, seen, geometry)
    return divmod(int(logits[0, 0, 0].argmax()), COLUMNS)


def column_of(bearing_rad: float) -> float:
    """Column of the map at which a camera sees what lies so far to its right."""
    return (math.tan(bearing_rad) / 0.8 + 1) / 2 * COLUMNS


def test_before_learning_a_turn_moves_the_current_views_map_by_its_homography(decoder):
    row, column = peak(decoder, targets_at((12, 26)), geometry_of([in_current(RIGHT)], [torch.eye(4)]))
    bearing = math.atan(((26.5 / COLUMNS) * 2 - 1) * 0.8)
    assert column + 0.5 == pytest.approx(column_of(bearing + RIGHT), abs=1.6)
    assert row == pytest.approx(12, abs=1)


def test_what_only_an_older_keyframe_saw_is_found_where_the_turned_head_would_see_it(decoder):
    """It stands 80 degrees to the right, outside of the current view."""
    older, asked = in_current(math.radians(-60)), in_current(math.radians(-90))
    column = column_of(math.radians(20))
    seen = targets_at((9, int(column)), None)
    found = peak(decoder, seen, geometry_of([asked], [older, torch.eye(4)]))
    assert found[1] + 0.5 == pytest.approx(column_of(math.radians(-10)), abs=1.6)
    mirrored = peak(decoder, seen, geometry_of([in_current(math.radians(90))], [older, torch.eye(4)]))
    assert mirrored != found


def test_the_order_of_keyframes_and_of_imagined_views_does_not_matter(decoder):
    keyframes = [in_current(-0.9, (0.5, 0.0, 0.1)), in_current(0.4), torch.eye(4)]
    seen = targets_at((9, 20), (12, 7), None)
    geometry = geometry_of([in_current(-1.2), in_current(0.5)], keyframes)
    for layer in (decoder.key, decoder.logit):
        torch.nn.init.normal_(layer.weight, std=0.3)
    queries = torch.randn(1, 1, 2, tiny().language.width)
    encoding, order = scene(3), [2, 0, 1]
    with torch.no_grad():
        logits, presence = decoder(encoding, torch.arange(3)[None], queries, seen, geometry)
        moved = Targets(seen.logits[:, :, order], seen.presence_logits[:, :, order])
        other = replace(
            geometry,
            current_from_keyframe=geometry.current_from_keyframe[:, order],
            current_from_imagined=geometry.current_from_imagined.flip(1),
        )
        again, again_presence = decoder(encoding, torch.tensor([order]), queries.flip(2), moved, other)
    torch.testing.assert_close(again.flip(2), logits, **CLOSE)
    torch.testing.assert_close(again_presence.flip(2), presence, **CLOSE)
    assert logits.std() > 0.1


def test_no_gradient_goes_back_to_the_keyframes_maps(decoder):
    seen = targets_at((9, 20))
    seen.logits.requires_grad_()
    queries = torch.randn(1, 1, 1, tiny().language.width)
    logits, presence = decoder(
        scene(1), torch.zeros(1, 1, dtype=torch.long), queries, seen, geometry_of([in_current(0.3)], [torch.eye(4)])
    )
    (logits.sum() + presence.sum()).backward()
    assert seen.logits.grad is None


def asked_with(inputs) -> Question:
    return replace(inputs.question(), current_from_imagined=IMAGINED.expand(3, -1, -1, -1).contiguous())


def test_imagined_views_leave_everything_else_as_it_was(model, inputs):
    with torch.no_grad():
        encoding = model.encode(inputs.rgb)
        plain = model.targets(encoding, inputs.rgb, inputs.question())
        both = model.targets(encoding, inputs.rgb, asked_with(inputs))
        seen = model._seen_views(encoding, inputs.rgb, inputs.question(), None)
        queries = model.language.read(seen, inputs.instruction_tokens).queries
        alone = model.heatmap["target"](encoding, inputs.keyframes, queries)
    assert plain.imagined_logits is None
    assert torch.equal(plain.logits, alone.logits)
    assert both.imagined_logits.shape == (3, 2, 2, ROWS, COLUMNS)
    assert both.imagined_presence_logits.shape == (3, 2, 2)
    torch.testing.assert_close(both.logits, plain.logits, **CLOSE)


def test_an_imagined_view_is_answered_each_on_its_own(model, inputs):
    with torch.no_grad():
        encoding = model.encode(inputs.rgb)
        both = model.targets(encoding, inputs.rgb, asked_with(inputs))
        poses = IMAGINED[:, 1:].expand(3, -1, -1, -1).contiguous()
        second = model.targets(encoding, inputs.rgb, replace(inputs.question(), current_from_imagined=poses))
    torch.testing.assert_close(both.imagined_logits[:, :, 1:], second.imagined_logits, **CLOSE)


def test_gradients_reach_every_parameter_in_half_precision_too(own_model, inputs):
    decoder = own_model.heatmap["imagined"]
    for layer in (decoder.key, decoder.logit):
        torch.nn.init.normal_(layer.weight, std=0.3)
    own_model.train()
    with torch.autocast("cpu", torch.bfloat16):
        _, _, found = own_model(inputs.rgb, asked_with(inputs), inputs.current, inputs.history)
    parts = [found.imagined_logits, found.imagined_presence_logits]
    assert all(part.dtype == torch.float32 and part.isfinite().all() for part in parts)
    sum((part * torch.linspace(-1, 2, part.numel()).view(part.shape)).sum() for part in parts).backward()
    parameters = {**dict(decoder.named_parameters()), "pose": own_model.language.pose.weight}
    without = {name for name, p in parameters.items() if p.grad is None or not p.grad.any()}
    assert without == set()
    assert all(p.grad.isfinite().all() for p in parameters.values())
