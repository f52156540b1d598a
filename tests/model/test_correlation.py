import torch

from backsight.model.heatmap.correlation import (
    LARGEST_SHARPNESS,
    SCALE,
    STATISTICS,
    cell_positions,
    correlate,
    correlation_statistics,
)


def plainly(similarity, sharpness, rows, columns):
    logits = similarity * sharpness
    along, across = logits.softmax(2), logits.softmax(1)
    here = cell_positions(rows, columns, logits)
    found = along @ here
    spread = along @ here.square().sum(1) - found.square().sum(-1)
    maximum, where = logits.max(2)
    pick = where[..., None]
    channels = [
        maximum * SCALE,
        logits.logsumexp(2) * SCALE,
        *found.unbind(-1),
        *(found - here).unbind(-1),
        spread,
        (along * across).gather(2, pick)[..., 0],
        along.gather(2, pick)[..., 0],
        *(axis.expand_as(maximum) for axis in here.unbind(-1)),
    ]
    return torch.stack(channels, 1).unflatten(2, (rows, columns))


def test_statistics_and_their_gradients_equal_the_plain_formulas():
    generator = torch.Generator().manual_seed(3)
    similarity = torch.rand(5, 21, 21, generator=generator) * 2 - 1
    weights = torch.randn(5, STATISTICS, 3, 7, generator=generator)
    results = []
    for formula in (correlation_statistics, plainly):
        values = similarity.clone().requires_grad_()
        sharpness = torch.tensor(6.0, requires_grad=True)
        statistics = formula(values, sharpness, 3, 7)
        (statistics * weights).sum().backward()
        results.append((statistics.detach(), values.grad, sharpness.grad))
    for ours, plain in zip(*results, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5)


def test_the_sharpest_correlation_of_opposite_features_stays_finite():
    similarity = torch.full((1, 6, 6), -1.0, requires_grad=True)
    statistics = correlation_statistics(similarity, torch.tensor(LARGEST_SHARPNESS), 2, 3)
    statistics.sum().backward()
    assert statistics.isfinite().all()
    assert similarity.grad is not None
    assert similarity.grad.isfinite().all()


def test_a_shifted_view_is_found_at_its_shift():
    features = torch.nn.functional.normalize(torch.randn(1, 64, 5, 9), dim=1)
    moved = features.roll(2, dims=3)
    similarity = correlate(features, moved[:, None])
    assert similarity.shape == (1, 1, 45, 45)
    where = similarity[0, 0].argmax(1).view(5, 9)
    expected = torch.arange(5)[:, None] * 9 + (torch.arange(9) + 2) % 9
    assert (where == expected).all()


def test_cell_positions_are_x_then_y_row_major():
    positions = cell_positions(2, 3, torch.zeros(1))
    torch.testing.assert_close(positions[1], torch.tensor([0.0, -0.5]))
    torch.testing.assert_close(positions[5], torch.tensor([2 / 3, 0.5]))
