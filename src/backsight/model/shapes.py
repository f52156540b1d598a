"""Runs a model on shapes alone: on the meta device, where the largest one needs no memory and does no arithmetic.

Where tokens stand and how windows are cut depends on whole numbers, and the meta device forgets their values. So whole
numbers that the model makes for itself stay on the CPU, and meet the tensors without values only where both enter one
operation.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_iter, tree_map_only

from backsight.model.backsight import Backsight
from backsight.model.config import ModelConfig
from backsight.model.tokenizer import build_tokenizer, token_ids

META = torch.device("meta")
FACTORIES = (torch.tensor, torch.arange)
"""Called by the model, with the device of its weights, for numbers whose values matter."""


def model_of_shapes(config: ModelConfig) -> Backsight:
    """Return a model whose parameters have shapes but no values.

    Args:
        config: of a preset.
    """
    tokenizer = build_tokenizer([], config.language.frame_tokens)
    with META:
        model = Backsight(config, tokenizer)
    model.language.frame_ids = torch.tensor(token_ids(tokenizer, config.language.frame_tokens).frames)
    return model


class ShapesOnly(TorchFunctionMode):
    """Within it a `model_of_shapes` can be called."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call `func`; what it makes of whole numbers alone keeps its values."""
        kwargs = kwargs or {}
        if func in FACTORIES and _is_meta(kwargs.get("device")):
            made = func(*args, **(kwargs | {"device": "cpu"}))
            return made.to(META) if made.is_floating_point() else made
        met = {value.is_meta for value in tree_iter((args, kwargs)) if isinstance(value, Tensor)}
        if len(met) > 1:
            args, kwargs = tree_map_only(Tensor, _without_values, (args, kwargs))
        if func is functional.scaled_dot_product_attention:
            return _fused_attention(*args, **kwargs)
        return func(*args, **kwargs)


def _is_meta(device: torch.device | str | None) -> bool:
    return device is not None and torch.device(device).type == "meta"


def _without_values(tensor: Tensor) -> Tensor:
    return tensor if tensor.is_meta else tensor.to(META)


def _fused_attention(  # noqa: PLR0913 - the arguments are torch's
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Call the memory-efficient kernel: left alone, the meta device would take the one that stores all scores."""
    if enable_gqa:
        groups = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(groups, -3), value.repeat_interleave(groups, -3)
    bias = None
    if attn_mask is not None:
        bias = attn_mask.to(query.dtype).expand(*query.shape[:-1], key.shape[-2])
    return torch.ops.aten._scaled_dot_product_efficient_attention(
        query, key, value, bias, query.requires_grad, dropout_p, is_causal, scale=scale
    )[0]
