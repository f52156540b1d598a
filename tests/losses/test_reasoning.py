import math

import torch

from backsight.losses.projection import balanced_bce, presence_bce, soft_iou_loss
from backsight.losses.reasoning import (
    answer_cross_entropy,
    attention_alignment_loss,
    pooled_map,
    target_losses,
)


def test_terms_are_those_of_the_footprints_on_every_target_map() -> None:
    torch.manual_seed(0)
    logits, truth = torch.randn(2, 3, 5, 7, 11), torch.rand(2, 3, 5, 7, 11)
    valid, present = torch.rand(2, 3, 5, 7, 11) > 0.1, torch.rand(2, 3, 5) > 0.5
    presence_logits = torch.randn(2, 3, 5)
    losses = target_losses(logits, presence_logits, truth, valid, present, balance=0.7)
    torch.testing.assert_close(losses.bce, balanced_bce(logits, truth, valid, 0.7))
    torch.testing.assert_close(losses.iou, soft_iou_loss(logits, truth, valid))
    torch.testing.assert_close(losses.presence, presence_bce(presence_logits, present))


def test_all_terms_are_zero_at_a_confident_hard_truth() -> None:
    truth = (torch.rand(2, 3, 5, 7, 11) > 0.8).float()
    present = truth.amax((-2, -1)) > 0
    sure = (truth * 2 - 1) * 120
    losses = target_losses(sure, present * 240.0 - 120.0, truth, torch.ones_like(truth, dtype=torch.bool), present)
    assert losses.bce.abs().max() == losses.iou[present].abs().max() == losses.presence.abs().max() == 0


def naive_cross_entropy(logits, tokens, padding):
    """Mean over each answer's tokens, one token after the other."""
    found = []
    for row, answer in zip(logits, tokens, strict=True):
        costs = [
            -math.log(math.exp(r[t]) / sum(math.exp(v) for v in r))
            for r, t in zip(row, answer, strict=True)
            if t != padding
        ]
        found.append(sum(costs) / len(costs) if costs else 0.0)
    return torch.tensor(found, dtype=torch.float64)


def test_answer_cross_entropy_is_the_mean_over_the_tokens_of_each_answer() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(3, 5, 11, generator=generator, dtype=torch.float64)
    tokens = torch.tensor([[3, 7, 2, 0, 0], [5, 1, 1, 9, 2], [0] * 5])
    counted = tokens != 0
    log_probability = logits.log_softmax(-1).gather(2, tokens[..., None])[..., 0]
    found = answer_cross_entropy(log_probability, counted)
    torch.testing.assert_close(found, naive_cross_entropy(logits.tolist(), tokens.tolist(), 0))
    # What stands in the padding is nothing to the loss.
    assert torch.equal(found, answer_cross_entropy(log_probability.masked_fill(~counted, -50.0), counted))
    assert found[2] == 0
    torch.testing.assert_close(
        answer_cross_entropy(torch.full((5,), -math.log(11.0)), counted[1]).item(), math.log(11.0)
    )
    torch.autograd.gradcheck(lambda p: answer_cross_entropy(p, counted), log_probability.requires_grad_(True))


def naive_alignment(attention, truth, rows, columns):
    side_y, side_x = truth.shape[0] // rows, truth.shape[1] // columns
    mass = [
        float(truth[r * side_y : (r + 1) * side_y, c * side_x : (c + 1) * side_x].mean())
        for r in range(rows)
        for c in range(columns)
    ]
    q = [m / sum(mass) for m in mass]
    p = [float(a) / float(attention.sum()) for a in attention]
    return sum(b * math.log(b / a) for a, b in zip(p, q, strict=True) if b > 0)


def test_attention_alignment_is_the_divergence_over_the_tokens_of_the_own_view() -> None:
    generator = torch.Generator().manual_seed(2)
    attention = torch.rand(2, 5, 3 * 7, generator=generator, dtype=torch.float64)
    truth = torch.rand(2, 5, 6, 14, generator=generator, dtype=torch.float64)
    truth = truth * (truth > 0.6)
    found = attention_alignment_loss(attention, truth, rows=3)
    expected = [
        [naive_alignment(a, t, 3, 7) for a, t in zip(*pair, strict=True)] for pair in zip(attention, truth, strict=True)
    ]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    # Only the shares count: what is attended to elsewhere makes every value smaller.
    torch.testing.assert_close(attention_alignment_loss(attention * 0.01, truth, rows=3), found)
    torch.autograd.gradcheck(
        lambda a: attention_alignment_loss(a, truth, rows=3), (attention + 0.1).requires_grad_(True)
    )


def test_attention_alignment_is_zero_at_the_truth_finite_without_one_and_even_rows_get_their_entropy() -> None:
    truth = torch.zeros(6, 14)
    truth[2:4, 4:8] = 1.0
    at_truth = pooled_map(truth, 3, 7)
    assert at_truth.sum() == 2
    assert attention_alignment_loss(at_truth, truth, rows=3).abs() < 1e-6
    even = attention_alignment_loss(torch.full((21,), 0.01), truth, rows=3)
    torch.testing.assert_close(even.item(), math.log(21) - math.log(2), rtol=1e-5, atol=0)
    away = torch.zeros(21)
    away[0] = 1.0
    assert attention_alignment_loss(away, truth, rows=3) > 5
    assert attention_alignment_loss(torch.zeros(21), torch.zeros(6, 14), rows=3) == 0


def test_free_attention_that_is_optimised_ends_at_the_truth() -> None:
    generator = torch.Generator().manual_seed(3)
    truth = torch.rand(6, 14, generator=generator)
    truth = truth * (truth > 0.7)
    free = torch.randn(21, generator=generator, requires_grad=True)
    optimiser = torch.optim.Adam([free], 0.1)
    for _ in range(400):
        optimiser.zero_grad()
        attention_alignment_loss(free.softmax(-1), truth, rows=3).backward()
        optimiser.step()
    pooled = pooled_map(truth, 3, 7)
    torch.testing.assert_close(free.softmax(-1).detach(), pooled / pooled.sum(), rtol=0, atol=5e-3)
