import torch

from backsight.losses.projection import balanced_bce, presence_bce, soft_iou_loss
from backsight.losses.reasoning import target_losses


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
