"""Chosen rows of the attention matrix, whatever kernel computed the layer.

Fused attention returns no weights. Queries and keys are read where the layer projects them, turned by the same rotary
embedding, and softmax(Q K^T) is computed for the asked rows alone.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from backsight.model.precision import full_precision


@dataclass
class Projections:
    """Queries and keys of the watched layers before the rotary embedding, by layer."""

    queries: dict[int, Float[Tensor, "batch length query_width"]] = field(default_factory=dict)
    keys: dict[int, Float[Tensor, "batch length key_width"]] = field(default_factory=dict)


@contextmanager
def watched_projections(layers: nn.ModuleList, chosen: Sequence[int]) -> Iterator[Projections]:
    """Collect the projections of the chosen layers during one forward pass.

    Args:
        layers: decoder layers with `self_attn.q_proj` and `self_attn.k_proj`.
        chosen: their numbers, from 0.
    """
    found = Projections()

    def keep(store: dict[int, Tensor], number: int) -> Any:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            store[number] = output

        return hook

    handles = []
    for number in chosen:
        attention = cast(nn.Module, layers[number].self_attn)
        handles.append(cast(nn.Module, attention.q_proj).register_forward_hook(keep(found.queries, number)))
        handles.append(cast(nn.Module, attention.k_proj).register_forward_hook(keep(found.keys, number)))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def attention_rows(
    queries: Float[Tensor, "batch length query_width"],
    keys: Float[Tensor, "batch length key_width"],
    rotary: tuple[Float[Tensor, "batch length head"], Float[Tensor, "batch length head"]],
    rows: Int64[Tensor, " rows"],
    visible: Bool[Tensor, "batch rows length"],
) -> Float[Tensor, "batch rows length"]:
    """Return the rows of softmax(Q K^T / sqrt(head width)), mean over heads, in single precision.

    Args:
        queries: projected, heads side by side.
        keys: the same with fewer heads; each serves as many successive query heads as there are more of them.
        rotary: cosines and sines of the rotary embedding.
        rows: places whose attention is asked for.
        visible: what these rows may attend to.
    """
    width = rotary[0].shape[-1]
    with full_precision(queries):
        cosine, sine = (part.float()[:, :, None] for part in rotary)
        asked = _turned(queries[:, rows].float().unflatten(2, (-1, width)), cosine[:, rows], sine[:, rows])
        known = _turned(keys.float().unflatten(2, (-1, width)), cosine, sine)
        grouped = asked.unflatten(2, (known.shape[2], -1))
        scores = torch.einsum("brghw,bkgw->bghrk", grouped, known) * width**-0.5
        scores = scores.masked_fill(~visible[:, None, None], float("-inf"))
        return scores.softmax(-1).mean(dim=(1, 2))


def _turned(vectors: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = vectors.chunk(2, dim=-1)
    return vectors * cosine + torch.cat([-second, first], dim=-1) * sine
