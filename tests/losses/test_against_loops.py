"""Every term of the losses against loops over single numbers (`naive.py`): values, gradients, and empty masks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor
from torch.nn.functional import normalize

from backsight.losses.camera import camera_loss
from backsight.losses.coherence import compactness_loss, temporal_excess, total_variation_loss
from backsight.losses.consistency import consistency_loss, ordered_view_pairs
from backsight.losses.depth import depth_loss
from backsight.losses.discrimination import identification_loss, similarity_hinge_loss
from backsight.losses.matching import MatchingConfig, TrueMatches, matching_loss
from backsight.losses.projection import balanced_bce, bearing_loss, log_distance_loss, presence_bce, soft_iou_loss
from backsight.losses.reasoning import answer_cross_entropy, attention_alignment_loss, target_losses
from backsight.losses.relative_pose import relative_pose_loss
from backsight.losses.total import TERMS_OF_LOSS, Term
from backsight.losses.transfer import transfer_loss

ROWS, COLUMNS = 5, 7


@dataclass
class Case:
    """One term on random inputs."""

    free: dict[str, Tensor]
    """What gradients flow into."""
    real: Callable[[dict[str, Tensor]], Term]
    loop: Callable[[dict[str, Tensor]], list]
    constant: tuple[str, ...] = ()
    """Free inputs on which a factor without gradient depends: numerical differences say something else there."""


class Draw:
    """Random float64 inputs; with `empty` every mask is empty."""

    def __init__(self, seed: int, empty: bool) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.empty = empty

    def unit(self, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=self.generator, dtype=torch.float64)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64)

    def mask(self, share: float, *shape: int) -> Tensor:
        return (self.unit(*shape) < share) & (not self.empty)

    def rotation(self, count: int) -> np.ndarray:
        return Rotation.random(count, rng=int(torch.randint(9999, (1,), generator=self.generator))).as_matrix()

    def maps(self, *shape: int) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, a truth of soft, certain and impossible cells, the first map empty, and valid cells, none in the
        second map."""
        truth = (self.unit(*shape) * 1.6 - 0.3).clamp(0, 1)
        valid = self.mask(0.8, *shape)
        truth[0, 0], valid[0, 1] = 0.0, False
        return self.normal(*shape) * 2, truth, valid


def each(function: Callable, *tensors: Tensor) -> list:
    """Nested lists of a function of the maps of the first two dimensions."""
    return [[function(*parts) for parts in zip(*rows, strict=True)] for rows in zip(*tensors, strict=True)]


def everywhere(values: Tensor) -> Tensor:
    return torch.ones_like(values, dtype=torch.bool)


def bce(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    logits, truth, valid = draw.maps(2, 3, ROWS, COLUMNS)
    return Case(
        {"logits": logits},
        lambda free: Term(v := balanced_bce(free["logits"], truth, valid, 0.7), everywhere(v)),
        lambda free: each(lambda *maps: naive.balanced_bce(*maps, 0.7), free["logits"], truth, valid),
    )


def iou(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    logits, truth, valid = draw.maps(2, 3, ROWS, COLUMNS)
    return Case(
        {"logits": logits},
        lambda free: Term(v := soft_iou_loss(free["logits"], truth, valid), everywhere(v)),
        lambda free: each(naive.soft_iou, free["logits"], truth, valid),
    )


def presence(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    present, counted = draw.mask(0.5, 2, 5), draw.mask(0.7, 2, 5)
    return Case(
        {"logits": draw.normal(2, 5) * 3},
        lambda free: Term(presence_bce(free["logits"], present), counted),
        lambda free: each(naive.presence, free["logits"], present),
    )


def target(name: str) -> Callable:
    def make(draw: Draw, naive: ModuleType, room: Callable) -> Case:
        logits, truth, valid = draw.maps(2, 3, ROWS, COLUMNS)
        present = draw.mask(0.5, 2, 3)
        loops = {
            "bce": lambda free: each(lambda *maps: naive.balanced_bce(*maps, 1.0), free["logits"], truth, valid),
            "iou": lambda free: each(naive.soft_iou, free["logits"], truth, valid),
            "presence": lambda free: each(naive.presence, free["presence"], present),
        }

        def real(free: dict[str, Tensor]) -> Term:
            loss = target_losses(free["logits"], free["presence"], truth, valid, present)
            return Term(getattr(loss, name), draw.mask(0.8, 2, 3))

        return Case({"logits": logits, "presence": draw.normal(2, 3)}, real, loops[name])

    return make


def bearing(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    truth, counted = normalize(draw.normal(2, 5, 3), dim=-1), draw.mask(0.7, 2, 5)
    return Case(
        {"bearing": draw.normal(2, 5, 3) * 3},
        lambda free: Term(bearing_loss(free["bearing"], truth), counted),
        lambda free: each(naive.bearing, free["bearing"], truth),
    )


def log_distance(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    truth_m, counted = draw.unit(2, 5) * 3, draw.mask(0.7, 2, 5)
    truth_m[0, 0] = 0.01
    return Case(
        {"log_distance": draw.normal(2, 5)},
        lambda free: Term(log_distance_loss(free["log_distance"], truth_m), counted),
        lambda free: each(lambda *pair: naive.log_distance(pair[0], float(pair[1])), free["log_distance"], truth_m),
    )


def relative_pose(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    truth = torch.eye(4, dtype=torch.float64).repeat(2, 3, 1, 1)
    truth[..., :3, :3] = torch.from_numpy(draw.rotation(6)).view(2, 3, 3, 3)
    truth[..., :3, 3] = draw.normal(2, 3, 3)
    counted = draw.mask(0.7, 2, 3)
    free = {"position": draw.normal(2, 3, 3), "quaternion": draw.normal(2, 3, 4)}
    free |= {"log_m": draw.normal(2, 3), "log_rad": draw.normal(2, 3)}

    def arguments(free: dict[str, Tensor]) -> tuple[Tensor, ...]:
        return free["position"], normalize(free["quaternion"], dim=-1), free["log_m"], free["log_rad"], truth

    return Case(
        free,
        lambda free: Term(relative_pose_loss(*arguments(free)), counted),
        lambda free: each(naive.relative_pose, *arguments(free)),
        constant=("log_m", "log_rad"),
    )


def camera(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    truth, counted = draw.normal(2, 3, 9), draw.mask(0.7, 2, 3)
    # Errors on both sides of Huber's delta.
    predicted = truth + draw.normal(4, 2, 3, 9) * torch.tensor([0.03, 0.3]).double().repeat(5)[:9]
    predicted[1, ..., 3:7] *= -1
    return Case(
        {"predicted": predicted},
        lambda free: Term(camera_loss(free["predicted"], truth), counted),
        lambda free: each(naive.camera, free["predicted"].permute(1, 2, 0, 3), truth),
    )


def depth(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    truth_m, valid = 1 + 3 * draw.unit(2, 3, ROWS, COLUMNS), draw.mask(0.8, 2, 3, ROWS, COLUMNS)
    valid[0, 1] = False
    # Two thirds of the cells agree on the scale: the median does not move with the others.
    free_cells = draw.mask(0.33, *truth_m.shape) if not draw.empty else torch.ones_like(valid)
    wrong = truth_m * torch.where(draw.unit(*truth_m.shape) < 0.5, 0.8, 0.2)

    def arguments(free: dict[str, Tensor]) -> tuple[Tensor, ...]:
        return torch.where(free_cells, free["depth"], truth_m / 2), free["confidence"], truth_m, valid

    return Case(
        {"depth": wrong, "confidence": 1 + draw.unit(*truth_m.shape)},
        lambda free: Term(depth_loss(*arguments(free)), valid.flatten(2).any(-1)),
        lambda free: [naive.depth(*parts) for parts in zip(*arguments(free), strict=True)],
    )


def view_maps(draw: Draw, room: Callable, size: tuple[int, int]) -> tuple:
    """View pairs of a room, a truth over them and where the target is present: not in every view."""
    pairs = ordered_view_pairs(*room(*size).tensors())
    truth = (draw.unit(2, 2, 3, *size) * 1.6 - 0.6).clamp(0, 1)
    present = torch.ones(2, 2, 3, dtype=torch.bool) & (not draw.empty)
    present[0, 1, 2] = False
    return pairs, truth, present


def consistency(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    pairs, truth, present = view_maps(draw, room, (ROWS, COLUMNS))
    # Maps of view 0 travel and carry no gradient: the free ones are those of the other views.
    chosen = pairs.source == 0
    pairs = replace(pairs, **{name: value[chosen] for name, value in vars(pairs).items()})
    source = draw.unit(2, 2, 1, ROWS, COLUMNS)

    def arguments(free: dict[str, Tensor]) -> tuple:
        return torch.cat([source, free["maps"]], dim=2), truth, present, pairs

    return Case(
        {"maps": draw.unit(2, 2, 2, ROWS, COLUMNS)},
        lambda free: Term(*consistency_loss(*arguments(free), above_truth=True)),
        lambda free: naive.consistency(*arguments(free), above_truth=True),
    )


def transfer(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    pairs, truth, present = view_maps(draw, room, (7, 11))
    features = normalize(draw.normal(2, 3, 6, 5), dim=-1)
    return Case(
        {"features": features},
        lambda free: Term(*transfer_loss(free["features"], truth, present, pairs, (2, 3), 0.2)),
        lambda free: naive.transfer(free["features"], truth, present, pairs, (2, 3), 0.2),
    )


def matching(share: float, radius: float) -> Callable:
    def make(draw: Draw, naive: ModuleType, room: Callable) -> Case:
        rows, columns = 3, 5
        position = draw.unit(2, 2, 15, 2).float() * torch.tensor([columns, rows])
        position[0, 0, 0] = torch.tensor([1.5, 2.5])
        matched = draw.mask(0.4, 2, 2, 15)
        matched[1, 0] = False
        matches = TrueMatches(position, matched, rows, columns)
        negatives = MatchingConfig(hard_negative_share=share, exclusion_radius=radius)
        return Case(
            {"similarity": draw.unit(2, 2, 15, 15) * 2 - 1},
            lambda free: Term(matching_loss(free["similarity"], matches, 0.2, False, negatives), matched.any(-1)),
            lambda free: naive.matching(free["similarity"], matches, 0.2, share, radius),
        )

    return make


def total_variation(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    depth_m = (1 + draw.unit(2, 3, ROWS, COLUMNS)) * draw.mask(0.9, 2, 3, ROWS, COLUMNS)
    truth = draw.unit(2, 3, ROWS, COLUMNS) * 0.8
    truth[0, 1] = 0.0
    return Case(
        {"maps": draw.unit(2, 3, ROWS, COLUMNS)},
        lambda free: Term(v := total_variation_loss(free["maps"], depth_m, truth=truth), everywhere(v)),
        lambda free: each(naive.total_variation, free["maps"], depth_m, truth),
    )


def compactness(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    truth, valid = draw.unit(2, 3, ROWS, COLUMNS) ** 6, draw.mask(0.9, 2, 3, ROWS, COLUMNS)
    valid[0, 1] = False
    return Case(
        {"maps": draw.unit(2, 3, ROWS, COLUMNS)},
        lambda free: Term(v := compactness_loss(free["maps"], truth, valid), everywhere(v)),
        lambda free: each(naive.compactness, free["maps"], truth, valid),
    )


def temporal_smoothness(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    truth_warped = draw.unit(3, 5, ROWS, COLUMNS)
    truth = truth_warped + 0.2 * draw.normal(3, 5, ROWS, COLUMNS)
    covisible, counted = draw.mask(0.6, 3, ROWS, COLUMNS), draw.mask(0.7, 3, 5)
    covisible[1] = False
    counted[2, 1:] = False
    return Case(
        {"warped": draw.unit(3, 5, ROWS, COLUMNS), "maps": draw.unit(3, 5, ROWS, COLUMNS)},
        lambda free: Term(
            v := temporal_excess(free["warped"], free["maps"], truth_warped, truth, covisible, counted), everywhere(v)
        ),
        lambda free: naive.temporal_smoothness(free["warped"], free["maps"], truth_warped, truth, covisible, counted),
    )


def group_maps(draw: Draw) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    truth = draw.unit(2, 5, ROWS, COLUMNS) ** 4
    valid, present = draw.mask(0.8, 2, 5, ROWS, COLUMNS), draw.mask(0.8, 2, 5)
    valid[0, 1, : ROWS // 2], valid[0, 2, ROWS // 2 :] = False, False  # 1 and 2 share no cell
    present[:, 1:3] = not draw.empty
    return draw.unit(2, 5, ROWS, COLUMNS), truth, valid, present


def identification(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    maps, *rest = group_maps(draw)
    return Case(
        {"maps": maps},
        lambda free: Term(v := identification_loss(free["maps"], *rest), everywhere(v)),
        lambda free: naive.identification(free["maps"], *rest),
    )


def similarity_hinge(draw: Draw, naive: ModuleType, room: Callable) -> Case:
    maps, *rest = group_maps(draw)
    return Case(
        {"maps": maps},
        lambda free: Term(v := similarity_hinge_loss(free["maps"], *rest), everywhere(v)),
        lambda free: naive.similarity_hinge(free["maps"], *rest),
    )


def answer(draw: Draw, naive: ModuleType, make_room: Callable) -> Case:
    counted = draw.mask(0.7, 3, 5)
    return Case(
        {"log_probability": -3 * draw.unit(3, 5)},
        lambda free: Term(answer_cross_entropy(free["log_probability"], counted), counted.any(-1)),
        lambda free: naive.answer_cross_entropy(free["log_probability"], counted),
    )


def attention_alignment(draw: Draw, naive: ModuleType, make_room: Callable) -> Case:
    truth = draw.unit(5, 4, 6) * (not draw.empty)
    return Case(
        {"attention": draw.unit(5, 6) + 0.1},
        lambda free: Term(attention_alignment_loss(free["attention"], truth, 2), truth.flatten(1).any(-1)),
        lambda free: naive.attention_alignment(free["attention"], truth, 2),
    )


CASES = {
    "consistency": consistency,
    "footprint_bce": bce,
    "footprint_iou": iou,
    "footprint_presence": presence,
    "bearing": bearing,
    "log_distance": log_distance,
    "relative_pose": relative_pose,
    "odometry": relative_pose,
    "camera": camera,
    "depth": depth,
    "transfer": transfer,
    "matching": matching(1.0, 0.0),
    "matching, hard negatives": matching(0.3, 0.0),
    "matching, hard negatives outside a radius": matching(0.4, 1.6),
    "total_variation": total_variation,
    "compactness": compactness,
    "temporal_smoothness": temporal_smoothness,
    "target_bce": target("bce"),
    "target_iou": target("iou"),
    "target_presence": target("presence"),
    "answer": answer,
    "attention_alignment": attention_alignment,
    "identification": identification,
    "similarity_hinge": similarity_hinge,
    "imagined_bce": target("bce"),
    "imagined_iou": target("iou"),
    "imagined_presence": target("presence"),
}


@pytest.fixture(params=list(CASES))
def make_case(request: pytest.FixtureRequest, naive: ModuleType, make_room: Callable) -> Callable[..., Case]:
    seed = list(CASES).index(request.param)
    return lambda empty=False: CASES[request.param](Draw(seed, empty), naive, make_room)


def stacked(numbers: list | Tensor | float) -> Tensor:
    if isinstance(numbers, list):
        return torch.stack([stacked(number) for number in numbers])
    return torch.as_tensor(numbers, dtype=torch.float64)


def gradients(values: Tensor, free: dict[str, Tensor]) -> dict[str, Tensor]:
    # Different weights, so that no value hides behind another.
    weights = torch.linspace(1, 2, values.numel(), dtype=values.dtype).view_as(values)
    found = torch.autograd.grad((weights * values).sum(), list(free.values()), allow_unused=True)
    return {
        name: torch.zeros_like(free[name]) if gradient is None else gradient
        for name, gradient in zip(free, found, strict=True)
    }


WITH_A_TEACHER = {"footprint_distillation", "target_distillation", "footprint_pseudo", "target_pseudo"}
"""The first two are held against a loop in test_distillation; the others are terms of this file on another truth."""


def test_every_term_has_a_loop() -> None:
    named = {name for names in TERMS_OF_LOSS.values() for name in names}
    assert {name.split(",")[0] for name in CASES} == named - WITH_A_TEACHER


def test_values_and_gradients_are_those_of_the_loop(make_case: Callable) -> None:
    case = make_case()
    free = {name: value.requires_grad_() for name, value in case.free.items()}
    found, expected = case.real(free).values, stacked(case.loop(free))
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    looped = gradients(expected, free)
    for name, gradient in gradients(found, free).items():
        torch.testing.assert_close(gradient, looped[name], atol=1e-4, rtol=1e-4)


def test_gradients_are_those_of_numerical_differences(make_case: Callable) -> None:
    case = make_case()
    fixed = {name: case.free[name] for name in case.constant}
    names = [name for name in case.free if name not in fixed]

    def values(*tensors: Tensor) -> Tensor:
        return case.real(fixed | dict(zip(names, tensors, strict=True))).values

    assert torch.autograd.gradcheck(values, [case.free[name].requires_grad_() for name in names], fast_mode=True)


def test_empty_masks_give_zero_and_finite_gradients(make_case: Callable) -> None:
    case = make_case(empty=True)
    free = {name: value.requires_grad_() for name, value in case.free.items()}
    value = case.real(free).mean()
    assert value.item() == 0
    assert all(torch.isfinite(gradient).all() for gradient in gradients(value, free).values())
