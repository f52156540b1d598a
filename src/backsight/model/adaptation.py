"""Which parts of the model are trained, and how: in full, frozen, or through low-rank adapters.

Adapters are stored beside the weights that they adapt, not merged into them on saving: a loaded model then computes
bit for bit what the saved one did (a merged product is rounded), and a run can be resumed with its optimiser's state.
The price is a larger file. A checkpoint's `config.json` says which parts carry adapters or are stored in bfloat16.

Source: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, arXiv 2106.09685.
"""

from typing import Annotated, Literal, TypeVar, cast

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import nn
from transformers import PreTrainedModel

from backsight.model.geometry.vggt import VGGT
from backsight.records.errors import UsageError

ENCODERS = {"geometry": "aggregator", "appearance": "model", "language": "model"}
"""Components that can be large, and what of each is stored in half precision: of VGGT not the heads, as published."""
LORA_TARGETS = {
    "geometry": ("attn.qkv", "attn.proj"),
    "appearance": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "language": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "fusion": ("hidden", "out"),
    "heatmap": ("pooled", "pose", "key", "modulation"),
}
"""Linear layers that carry adapters unless told otherwise: attention in the encoders. Of the language model these are
the text layers'; its vision tower calls its own otherwise."""
LORA_BESIDE = {"language": ("embed_tokens", "words", "pose")}
"""Modules trained in full beside the adapters unless told otherwise: rows of `<heat>` and frame tokens are new, and so
are the words' shortcut and the poses of imagined views."""
LORA_RATE_FACTOR = 0.1

Model = TypeVar("Model", bound="Adaptable")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoraConfig(_Frozen):
    """Low-rank adapters of one component."""

    rank: int = Field(default=16, ge=1, le=1024)
    alpha: int = Field(default=32, ge=1)
    """The adapters' product is scaled by alpha / rank."""
    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Of the adapters' input, while training."""
    targets: tuple[str, ...] | None = None
    """Ends of the names of the linear layers that carry adapters; None takes the attention's."""
    beside: tuple[str, ...] | None = None
    """Ends of the names of modules that are trained in full beside the adapters; None takes the language model's
    embedding table, whose rows of `<heat>` and frame tokens are new, and nothing elsewhere."""


class ComponentAdaptation(_Frozen):
    """How one component is trained."""

    train: Literal["full", "frozen", "lora"] = "full"
    lora: LoraConfig = LoraConfig()
    rate_factor: Annotated[float, Field(gt=0, le=100)] | None = None
    """On the learning rate; None takes 0.1 for adapters and 1 otherwise."""
    recompute: bool = False
    """Activation checkpointing: the backward pass runs blocks again instead of keeping their activations."""
    half_precision: bool = False
    """Whether a frozen encoder is stored in bfloat16 and computes with it."""

    @property
    def learning_rate_factor(self) -> float:
        """Factor on the learning rate."""
        if self.rate_factor is not None:
            return self.rate_factor
        return LORA_RATE_FACTOR if self.train == "lora" else 1.0

    @model_validator(mode="after")
    def _check(self) -> "ComponentAdaptation":
        if self.half_precision and self.train != "frozen":
            raise ValueError("half_precision needs train: frozen; small updates are lost in bfloat16 weights")
        if self.recompute and self.train == "frozen":
            raise ValueError("recompute needs train: full or lora; a frozen part keeps no activations")
        return self


class AdaptationConfig(_Frozen):
    """How each component is trained."""

    geometry: ComponentAdaptation = ComponentAdaptation()
    appearance: ComponentAdaptation = ComponentAdaptation()
    language: ComponentAdaptation = ComponentAdaptation()
    fusion: ComponentAdaptation = ComponentAdaptation()
    heatmap: ComponentAdaptation = ComponentAdaptation()

    @model_validator(mode="after")
    def _check(self) -> "AdaptationConfig":
        for name, part in self.components().items():
            if name not in ENCODERS and (part.recompute or part.half_precision):
                raise ValueError(f"{name}: recompute and half_precision are for {', '.join(ENCODERS)}")
        return self

    def components(self) -> dict[str, ComponentAdaptation]:
        """Return every component's part by name."""
        return {
            "geometry": self.geometry,
            "appearance": self.appearance,
            "language": self.language,
            "fusion": self.fusion,
            "heatmap": self.heatmap,
        }


def published_adaptation() -> AdaptationConfig:
    """Return how preset full is trained: encoders frozen, adapters on the language model, the rest in full."""
    encoder = ComponentAdaptation(train="frozen", half_precision=True)
    language = ComponentAdaptation(train="lora", recompute=True)
    return AdaptationConfig(geometry=encoder, appearance=encoder, language=language)


class Adaptable(nn.Module):
    """A model whose direct children are components that can be adapted."""

    def __init__(self) -> None:
        super().__init__()
        self.adaptation = AdaptationConfig()

    def train(self: Model, mode: bool = True) -> Model:
        """Switch between training and evaluation; frozen components stay in evaluation."""
        super().train(mode)
        for name, part in self.adaptation.components().items():
            if part.train == "frozen":
                self.get_submodule(name).eval()
        return self


def adapt(model: Adaptable, config: AdaptationConfig) -> None:
    """Make a model trainable as told, in place; its published weights must be in it already.

    Frozen encoders see images alone, so nothing of them needs a graph and autograd builds none.

    Args:
        model: not adapted before.
        config: how.

    Raises:
        UsageError: the model was adapted already, or LoRA targets name no layer.
    """
    if model.adaptation != AdaptationConfig():
        raise UsageError("the model was adapted already: adapters can't be laid over adapters")
    for name, part in config.components().items():
        component = model.get_submodule(name)
        if part.train == "frozen":
            component.requires_grad_(False)
        elif part.train == "lora":
            _add_adapters(name, component, part.lora)
        if part.half_precision:
            # Parameters alone: rotary frequencies and image means are buffers, and bfloat16 would blur them.
            for parameter in component.get_submodule(ENCODERS[name]).parameters():
                parameter.data = parameter.data.to(torch.bfloat16)
        if part.recompute:
            _recompute_activations(component)
    model.adaptation = config
    model.train(model.training)


def _add_adapters(name: str, component: nn.Module, config: LoraConfig) -> None:
    from peft import LoraConfig as PeftLoraConfig
    from peft import inject_adapter_in_model

    targets = LORA_TARGETS[name] if config.targets is None else config.targets
    beside = LORA_BESIDE.get(name, ()) if config.beside is None else config.beside
    for target in (*targets, *beside):
        if not any(_ends_with(module, target) for module, _ in component.named_modules()):
            raise UsageError(f"{name}: LoRA: no layer's name ends with {target!r}")
    settings = PeftLoraConfig(
        r=config.rank, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules=list(targets)
    )
    inject_adapter_in_model(settings, component)
    for module_name, module in component.named_modules():
        if any(_ends_with(module_name, end) for end in beside):
            module.requires_grad_(True)


def _ends_with(module: str, end: str) -> bool:
    return module == end or module.endswith(f".{end}")


def _recompute_activations(component: nn.Module) -> None:
    if isinstance(component, VGGT):
        component.recompute_activations()
    else:
        _enable_checkpointing(component.get_submodule("model"))


def _enable_checkpointing(model: nn.Module) -> None:
    # Renamed in transformers 5.2x; the older name of the same switch is deprecated there.
    pretrained = cast(PreTrainedModel, model)
    newer = getattr(pretrained, "activation_checkpointing_enable", None)
    (newer or pretrained.gradient_checkpointing_enable)()
    # It makes embeddings ask for gradients: re-entrant checkpoints alone need that.
    pretrained.disable_input_require_grads()
