"""Maps of different history frames differ as much as geometry says, and no more."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

FLOOR = 1e-6
"""Added to every valid cell before a map is normalised, so that an empty map is an even one."""


def jensen_shannon_matrix(
    first: Float[Tensor, "groups history height width"],
    second: Float[Tensor, "groups history height width"],
    valid: Bool[Tensor, "groups history height width"],
) -> Float[Tensor, "groups history history"]:
    """Return the Jensen-Shannon divergence (base 2) of each first map k from each second map j of its group.

    Both are normalised to sum 1 over the cells that are valid in k and in j; 0 where there is no such cell.

    Args:
        first: Maps k, not negative.
        second: Maps j, not negative.
        valid: Cells that count, of frame k and of frame j.
    """
    counted = valid.flatten(2).to(first.dtype)
    floored_first = (first.flatten(2) + FLOOR) * counted
    floored_second = (second.flatten(2) + FLOOR) * counted
    columns = counted.transpose(1, 2)
    # Sums over the shared cells are matrix products with the other frame's mask.
    total_first = (floored_first @ columns).clamp_min(FLOOR)
    total_second = (counted @ floored_second.transpose(1, 2)).clamp_min(FLOOR)
    entropy_first = total_first.log() - (_x_log_x(floored_first) @ columns) / total_first
    entropy_second = total_second.log() - (counted @ _x_log_x(floored_second).transpose(1, 2)) / total_second
    share_first = floored_first[:, :, None] / total_first[..., None] * counted[:, None]
    share_second = floored_second[:, None] / total_second[..., None] * counted[:, :, None]
    mixture = 0.5 * (share_first + share_second)
    entropy_mixture = -_x_log_x(mixture).sum(dim=-1)
    shared = counted @ columns > 0
    divergence = (entropy_mixture - 0.5 * (entropy_first + entropy_second)) / math.log(2.0)
    return torch.where(shared, divergence, 0.0)


def _x_log_x(values: Tensor) -> Tensor:
    # The clamp leaves x log x as it is above 1e-30 and gives left-out cells 0 with a bounded slope.
    return values * values.clamp_min(1e-30).log()


def identification_loss(
    probability: Float[Tensor, "groups history height width"],
    truth: Float[Tensor, "groups history height width"],
    valid: Bool[Tensor, "groups history height width"],
    present: Bool[Tensor, "groups history"],
    temperature: float = 0.1,
) -> Float[Tensor, "groups history"]:
    """Return how far each frame's map is from telling it apart from its group's frames as well as its truth does.

    Over the present frames j: divergence of softmax(-JSD(P_k, Q_j) / t) from softmax(-JSD(Q_k, Q_j) / t), which is
    cross-entropy minus entropy. Least, zero, at P = Q, so it never asks for more difference than geometry has. 0 for
    absent frames.

    Args:
        probability: Predicted footprint maps P.
        truth: True maps Q.
        valid: Cells that count.
        present: Frames that are footprints of something; others are neither judged nor candidates.
        temperature: Divides the divergences.
    """
    predicted = jensen_shannon_matrix(probability, truth, valid)
    expected = jensen_shannon_matrix(truth, truth, valid)
    absent = ~present[:, None, :]
    # A large finite number: with -inf a group without present frames would be NaN.
    predicted_log = (-predicted / temperature).masked_fill(absent, -1e4).log_softmax(dim=-1)
    expected_log = (-expected / temperature).masked_fill(absent, -1e4).log_softmax(dim=-1)
    divergence = (expected_log.exp() * (expected_log - predicted_log)).sum(dim=-1)
    return divergence * present


def similarity_hinge_loss(
    probability: Float[Tensor, "groups history height width"],
    truth: Float[Tensor, "groups history height width"],
    valid: Bool[Tensor, "groups history height width"],
    present: Bool[Tensor, "groups history"],
) -> Float[Tensor, "groups history"]:
    """Return by how much each frame's map is more similar to the other frames' maps than the truths are.

    Similarity is 1 - JSD; a mean over the other present frames, 0 for absent frames and for a frame without others.

    Args:
        probability: Predicted footprint maps.
        truth: True maps.
        valid: Cells that count.
        present: Frames that are footprints of something.
    """
    predicted = jensen_shannon_matrix(probability, probability, valid)
    expected = jensen_shannon_matrix(truth, truth, valid)
    others = present[:, None, :] & present[:, :, None]
    others = others & ~torch.eye(present.shape[1], dtype=torch.bool, device=present.device)
    excess = torch.relu(expected - predicted) * others
    return excess.sum(dim=-1) / others.sum(dim=-1).clamp_min(1)
