"""The tiny preset learns where a shifted view lies, within a minute."""

import pytest
import torch
from torch.nn import functional

STEPS = 36


def shifted_views(generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Windows of a textured plane: one current view, four others, and the true footprints."""
    batch, frames, side = 4, 5, 256
    texture = torch.zeros(batch, 3, side, side)
    for cell, share in ((4, 0.3), (8, 0.4), (16, 0.5), (40, 0.6)):
        coarse = torch.rand(batch, 3, side // cell + 2, side // cell + 2, generator=generator) - 0.5
        texture += functional.interpolate(coarse, size=(side, side), mode="bicubic") * share
    plane = ((texture * 0.6 + 0.5).clamp(0, 1) * 255).to(torch.uint8)
    top = torch.randint(0, side - 96, (batch, frames), generator=generator)
    left = torch.randint(0, side - 128, (batch, frames), generator=generator)
    rgb = torch.stack(
        [
            torch.stack([plane[b, :, y : y + 96, x : x + 128] for y, x in zip(top[b], left[b], strict=True)])
            for b in range(batch)
        ]
    )
    down, right = top[:, :-1] - top[:, -1:], left[:, :-1] - left[:, -1:]
    y, x = torch.arange(96) - down[..., None], torch.arange(128) - right[..., None]
    inside = ((y >= 0) & (y < 96))[..., :, None] & ((x >= 0) & (x < 128))[..., None, :]
    return rgb, functional.avg_pool2d(inside.float(), 4)


def area_under_curve(logits: torch.Tensor, truth: torch.Tensor) -> float:
    scores = []
    for values, wanted in zip(logits.flatten(0, 1).flatten(1), truth.flatten(0, 1).flatten(1) >= 0.5, strict=True):
        positive, negative = values[wanted], values[~wanted]
        if min(len(positive), len(negative)) >= 8:
            scores.append((positive[:, None] > negative).float().mean())
    assert len(scores) > 5
    return float(torch.stack(scores).mean())


@pytest.mark.slow
def test_footprints_of_shifted_views_are_learned_in_a_minute(own_model):
    generator = torch.Generator().manual_seed(5)
    batches = [shifted_views(generator) for _ in range(3)]
    unseen = shifted_views(generator)
    current = torch.tensor([[b, 4] for b in range(4)])
    history = torch.arange(4).repeat(4, 1)
    optimiser = torch.optim.AdamW(own_model.parameters(), 1e-3)
    own_model.train()
    for step in range(STEPS):
        rgb, truth = batches[step % len(batches)]
        with torch.autocast("cpu", torch.bfloat16):
            found = own_model.footprints(own_model.encode(rgb), current, history)
        loss = functional.binary_cross_entropy_with_logits(found.logits, truth)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(own_model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
    own_model.eval()
    with torch.no_grad():
        seen = [own_model.footprints(own_model.encode(rgb), current, history).logits for rgb, _ in batches]
        new = own_model.footprints(own_model.encode(unseen[0]), current, history).logits
    assert min(area_under_curve(o, truth) for o, (_, truth) in zip(seen, batches, strict=True)) > 0.85
    assert area_under_curve(new, unseen[1]) > 0.65
