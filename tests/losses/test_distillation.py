import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from backsight.losses.distillation import distillation_loss


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return 2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


SHAPE = (2, 3, 5, 7)


def logits(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    return drawn(seed, *SHAPE), drawn(seed + 100, *SHAPE[:2])


@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.7])
def test_the_teacher_itself_costs_nothing_and_any_other_something(temperature):
    teacher = logits(0)
    torch.testing.assert_close(
        distillation_loss(*teacher, *teacher, temperature), torch.zeros(SHAPE[:2], dtype=torch.float64)
    )
    assert (distillation_loss(*logits(1), *teacher, temperature) > 0.01).all()
    absent = teacher[0], teacher[1] + 1
    assert (distillation_loss(*absent, *teacher, temperature) > 0.001).all()


def test_by_a_loop_over_cells():
    (maps, presence), (teacher, teacher_presence) = logits(1), logits(0)
    found = distillation_loss(maps, presence, teacher, teacher_presence, 2.0)
    for b in range(2):
        for m in range(3):
            soft = torch.sigmoid(teacher[b, m] / 2).flatten()
            student = (maps[b, m] / 2).flatten()
            own = torch.tensor([0.0], dtype=torch.float64)
            weights = soft / soft.sum() / 2 + (1 - soft) / (1 - soft).sum() / 2
            for w, s, t in zip(weights, student, soft, strict=True):
                own += w * (bce(s, t) - bce(torch.logit(t), t))
            p = torch.sigmoid(teacher_presence[b, m] / 2)
            own += bce(presence[b, m] / 2, p) - bce(torch.logit(p), p)
            assert found[b, m].item() == pytest.approx(4 * own.item(), rel=1e-9)


def test_optimised_alone_it_ends_at_the_teacher():
    teacher = logits(0)
    student = [value.clone().requires_grad_() for value in logits(1)]
    optimiser = torch.optim.Adam(student, lr=0.1)
    for _ in range(400):
        optimiser.zero_grad()
        distillation_loss(*student, *teacher).sum().backward()
        optimiser.step()
    for own, wanted in zip(student, teacher, strict=True):
        torch.testing.assert_close(own.detach(), wanted, atol=0.05, rtol=0.05)


def test_no_gradient_flows_into_the_teacher():
    teacher = [value.requires_grad_() for value in logits(0)]
    student = [value.requires_grad_() for value in logits(1)]
    distillation_loss(*student, *teacher).sum().backward()
    assert all(value.grad is None for value in teacher)
    assert all(value.grad is not None and value.grad.abs().max() > 0 for value in student)


def test_gradients_agree_with_finite_differences():
    teacher = logits(0)
    student = tuple(value.requires_grad_() for value in logits(1))
    assert torch.autograd.gradcheck(lambda *own: distillation_loss(*own, *teacher), student)
