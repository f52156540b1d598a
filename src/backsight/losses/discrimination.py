"""Maps of different history frames differ as much as geometry says, and no more."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

FLOOR = 1e-6
"""Added to every valid cell before a map is normalised, so that an empty map is an even one."""
CHUNK_CELLS = 2**22
"""Cells of pairs of maps that are mixed at a time."""


def jensen_shannon_matrix(
    first: Float[Tensor, "groups history height width"],
    second: Float[Tensor, "groups history height width"],
    valid: Bool[Tensor, "groups history height width"],
    wanted: Bool[Tensor, "groups history history"] | None = None,
) -> Float[Tensor, "groups history history"]:
    """Return the Jensen-Shannon divergence (base 2) of each first map k from each second map j of its group.

    Both are normalised to sum 1 over the cells that are valid in k and in j; 0 where there is no such cell.

    Args:
        first: Maps k, not negative.
        second: Maps j, not negative.
        valid: Cells that count, of frame k and of frame j.
        wanted: Pairs k, j to compute, the others are 0; None computes all.
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
    shared = counted @ columns > 0
    pair = (shared if wanted is None else shared & wanted).nonzero(as_tuple=True)
    entropy_mixture = _mixture_entropy(
        floored_first.flatten(0, 1),
        floored_second.flatten(0, 1),
        counted.flatten(0, 1),
        pair[0] * valid.shape[1] + pair[1],
        pair[0] * valid.shape[1] + pair[2],
        torch.stack([0.5 / total_first[pair], 0.5 / total_second[pair]]),
    )
    divergence = (entropy_mixture - 0.5 * (entropy_first[pair] + entropy_second[pair])) / math.log(2.0)
    return torch.zeros_like(total_first).index_put(pair, divergence)


def _mixture_entropy(
    first: Tensor, second: Tensor, counted: Tensor, k: Tensor, j: Tensor, scales: Tensor
) -> Float[Tensor, " pairs"]:
    rows = max(CHUNK_CELLS // first.shape[1], 1)
    if len(k) <= rows:
        return _mixture_entropy_of_chunk(first, second, counted, k, j, scales)
    # Chunks stay in the processor's cache, and what they hold is computed again in the backward pass.
    chunks = zip(k.split(rows), j.split(rows), scales.split(rows, dim=1), strict=True)
    return torch.cat(
        [
            checkpoint(
                _mixture_entropy_of_chunk, first, second, counted, *chunk, use_reentrant=False, preserve_rng_state=False
            )
            for chunk in chunks
        ]
    )


def _mixture_entropy_of_chunk(
    first: Tensor, second: Tensor, counted: Tensor, k: Tensor, j: Tensor, scales: Tensor
) -> Float[Tensor, " pairs"]:
    share_first = first.index_select(0, k) * counted.index_select(0, j) * scales[0, :, None]
    share_second = second.index_select(0, j) * counted.index_select(0, k) * scales[1, :, None]
    return -_x_log_x(share_first + share_second).sum(dim=-1)


def _x_log_x(values: Tensor) -> Tensor:
    # The clamp leaves x log x as it is above 1e-30 and gives left-out cells 0 with a bounded slope.
    return values * values.clamp_min(1e-30).log()


def own_divergence(
    maps: Float[Tensor, "groups history height width"],
    valid: Bool[Tensor, "groups history height width"],
    present: Bool[Tensor, "groups history"],
) -> Float[Tensor, "groups history history"]:
    """Return the divergence of each present map from each other present one of its group, 0 for the rest.

    Args:
        maps: Not negative.
        valid: Cells that count.
        present: Frames that are footprints of something.
    """
    both = present[:, None, :] & present[:, :, None]
    upper = jensen_shannon_matrix(maps, maps, valid, both.triu(1))
    return upper + upper.transpose(1, 2)


def identification_loss(
    probability: Float[Tensor, "groups history height width"],
    truth: Float[Tensor, "groups history height width"],
    valid: Bool[Tensor, "groups history height width"],
    present: Bool[Tensor, "groups history"],
    temperature: float = 0.1,
    truth_divergence: Float[Tensor, "groups history history"] | None = None,
) -> Float[Tensor, "groups history"]:
    """Return how far each frame's map is from telling it apart from its group's frames as well as its truth does.

    Over the present frames j: divergence of softmax(-JSD(P_k, Q_j) / t) from softmax(-JSD(Q_k, Q_j) / t), which is
    cross-entropy minus entropy. Least, zero, at P = Q, so it never asks for more difference than geometry has. 0 for
    absent frames.

    Optimised alone it ends at the set of maps that are as far from every truth of their group, but for one common
    number, as their own truth is; a constant map is in it only if all truths are equally far from a constant and from
    each other.

    Args:
        probability: Predicted footprint maps P.
        truth: True maps Q.
        valid: Cells that count.
        present: Frames that are footprints of something; others are neither judged nor candidates.
        temperature: Divides the divergences.
        truth_divergence: `own_divergence` of the truths, for callers that have it.
    """
    both = present[:, None, :] & present[:, :, None]
    predicted = jensen_shannon_matrix(probability, truth, valid, both)
    expected = own_divergence(truth, valid, present) if truth_divergence is None else truth_divergence
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
    truth_divergence: Float[Tensor, "groups history history"] | None = None,
) -> Float[Tensor, "groups history"]:
    """Return by how much each frame's map is more similar to the other frames' maps than the truths are.

    Similarity is 1 - JSD; a mean over the other present frames, 0 for absent frames and for a frame without others.

    Optimised alone it ends at the set of maps that differ from each other at least as much as the truths do; maps that
    are all the same, constant ones among them, cost most.

    Args:
        probability: Predicted footprint maps.
        truth: True maps.
        valid: Cells that count.
        present: Frames that are footprints of something.
        truth_divergence: `own_divergence` of the truths, for callers that have it.
    """
    predicted = own_divergence(probability, valid, present)
    expected = own_divergence(truth, valid, present) if truth_divergence is None else truth_divergence
    others = present[:, None, :] & present[:, :, None]
    others = others & ~torch.eye(present.shape[1], dtype=torch.bool, device=present.device)
    excess = torch.relu(expected - predicted) * others
    return excess.sum(dim=-1) / others.sum(dim=-1).clamp_min(1)
