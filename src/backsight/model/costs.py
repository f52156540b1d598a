"""What a model costs, component by component: parameters, memory and arithmetic; found without its weights.

Arithmetic is counted by torch's `FlopCounterMode`: matrix products, convolutions and attention, a multiplication and
its addition as two operations, causal attention as if nothing were masked. What works element by element isn't counted.
"""

import gc
from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.module_tracker import ModuleTracker

from backsight.model.adaptation import AdaptationConfig, adapt, published_adaptation
from backsight.model.backsight import COMPONENTS, Backsight
from backsight.model.config import ModelConfig
from backsight.model.question import Question
from backsight.model.shapes import META, ShapesOnly, model_of_shapes
from backsight.records.errors import UsageError

HISTORY_FRAMES = {"tiny": 6, "small": 12, "full": 16}
"""Frames beside the current one in a training sample of each preset."""
WORDS = 12
"""Tokens of the instruction that costs are stated for."""
OPTIMISER_BYTES = 12
"""Per trained number: gradient and AdamW's two moments in single precision."""
OUTSIDE = "Global"
"""What torch calls being in no module."""
PARTS = {
    "geometry": {
        "geometry.aggregator": "VGGT aggregator",
        "geometry.camera_head": "VGGT camera head",
        "geometry.depth_head": "VGGT depth head",
    },
    "appearance": {"appearance": "DINO encoder"},
    "language": {
        "language.model.model.visual": "Qwen2.5-VL vision tower",
        "language.model.model.language_model": "Qwen2.5-VL text layers",
        "language.model.model.language_model.embed_tokens": "Qwen2.5-VL embeddings",
        "language": "poses and words",
    },
    "fusion": {
        "fusion.token_fusion": "tokens of both encoders",
        "fusion.language_projection": "projection to language",
        "fusion.given": "known depth and poses",
        "fusion": "stem and trunk",
    },
    "heatmap": {
        "heatmap.footprint": "footprint decoder",
        "heatmap.target": "target decoder",
        "heatmap.imagined": "decoder of imagined views",
    },
}
"""Beginnings of module names by component, and what they are called; the longest that fits counts."""


@dataclass(frozen=True)
class SampleSize:
    """Size of the one sample that costs are stated for."""

    keyframes: int
    """Views that the language model reads, the current one included."""
    history: int
    """Frames before the current one; each gets a footprint."""
    instructions: int = 1
    words: int = WORDS
    """Tokens of each instruction."""
    currents: int = 1
    """Views, the last ones, that footprints are decoded in; each against all other frames."""

    @property
    def frames(self) -> int:
        """Frames that are encoded."""
        return self.history + 1


@dataclass(frozen=True)
class Cost:
    """Of a component, a part of one, or the whole model."""

    name: str
    parameters: int
    trained_parameters: int
    """As the adaptation says, adapters included."""
    adapter_parameters: int
    """Added by the adaptation; not among `parameters`."""
    training_weights_bytes: int
    """As stored while training, adapters included."""
    activation_bytes: int
    """What a training step's forward pass over one sample keeps for its backward pass, beside weights."""
    forward_flops: int
    """Of one forward pass over one sample, without adapters."""

    @property
    def weights_fp32_bytes(self) -> int:
        """Weights in single precision."""
        return 4 * self.parameters

    @property
    def weights_bf16_bytes(self) -> int:
        """Weights in half precision."""
        return 2 * self.parameters

    @property
    def optimiser_bytes(self) -> int:
        """Gradients and AdamW's moments of what is trained."""
        return OPTIMISER_BYTES * self.trained_parameters


@dataclass(frozen=True)
class ComponentCost:
    """A component and what it is made of."""

    whole: Cost
    parts: tuple[Cost, ...]


@dataclass(frozen=True)
class ModelCosts:
    """What a model costs for one stated sample."""

    preset: str
    attention: str
    """Backend of all transformers."""
    image_px: tuple[int, int]
    """Width and height."""
    map_cells: tuple[int, int]
    """Columns and rows."""
    sample: SampleSize
    adaptation: AdaptationConfig
    components: tuple[ComponentCost, ...]

    @property
    def total(self) -> Cost:
        """Sum of all components."""
        return _sum("total", [component.whole for component in self.components])


def default_sample(config: ModelConfig) -> SampleSize:
    """Return the preset's own sample: its keyframes, its history frames, one instruction.

    Args:
        config: of a preset.

    Raises:
        UsageError: nobody said how many history frames this preset has.
    """
    if config.preset not in HISTORY_FRAMES:
        raise UsageError(f"preset {config.preset!r} has no history frames of its own: give their number")
    return SampleSize(config.keyframes, HISTORY_FRAMES[config.preset])


def default_adaptation(config: ModelConfig) -> AdaptationConfig:
    """Return how the preset is trained: in full, or around published weights where it names them.

    Args:
        config: of a preset.
    """
    return AdaptationConfig() if config.language.checkpoint is None else published_adaptation()


def model_costs(config: ModelConfig, sample: SampleSize, adaptation: AdaptationConfig | None = None) -> ModelCosts:
    """Measure a model on the meta device.

    Args:
        config: of a preset.
        sample: its size.
        adaptation: how it is trained; the preset's own way when not given.

    Raises:
        UsageError: the sample has no history or instruction, or more keyframes than frames.
    """
    chosen = min(sample.keyframes, sample.currents), max(sample.keyframes, sample.currents)
    if min(sample.history, sample.instructions, sample.words, chosen[0]) < 1 or chosen[1] > sample.frames:
        raise UsageError(
            f"{sample.keyframes} keyframes, {sample.currents} current views, {sample.history} history frames, "
            f"{sample.instructions} instructions of {sample.words} tokens: each must be at least 1, and keyframes and "
            "current views are among the history frames and the last one"
        )
    if adaptation is None:
        adaptation = default_adaptation(config)
    model = model_of_shapes(config)
    flops = forward_flops(config, sample)
    parameters = _numbers_by_part(model)
    adapt(model, adaptation)
    trained = _numbers_by_part(model, trained=True)
    adapted = _numbers_by_part(model)
    stored = _numbers_by_part(model, in_bytes=True)
    kept = kept_activations(model.train(), sample)
    components = []
    for component in COMPONENTS:
        parts = [
            Cost(label, parameters[k], trained[k], adapted[k] - parameters[k], stored[k], kept[k], flops[k])
            for k, label in PARTS[component].items()
        ]
        components.append(ComponentCost(_sum(component, parts), tuple(parts)))
    image, cells = (config.image_width, config.image_height), (config.map_columns, config.map_rows)
    return ModelCosts(config.preset, config.attention, image, cells, sample, adaptation, tuple(components))


def forward_flops(config: ModelConfig, sample: SampleSize) -> dict[str, int]:
    """Return the arithmetic of one forward pass by part, as named in `PARTS`.

    Args:
        config: of a preset.
        sample: its size.
    """
    model = model_of_shapes(config).eval().requires_grad_(False)
    counter = FlopCounterMode(display=False)
    by_module = _Operations(counter)
    with ShapesOnly(), by_module.tracker, counter, by_module:
        _answer(model, sample)
    return by_module.by_part(type(model).__name__)


def kept_activations(model: Backsight, sample: SampleSize) -> dict[str, int]:
    """Return the bytes by part that a forward pass leaves for the backward pass, outputs included.

    Args:
        model: of `model_of_shapes`, adapted and in training mode; weights and inputs don't count.
        sample: its size.
    """
    storages = _Storages()
    with ShapesOnly(), storages.tracker, storages:
        outputs = _answer(model, sample)
    gc.collect()
    storages.count_alive()
    del outputs
    return storages.by_part(type(model).__name__)


class _ByModule(TorchDispatchMode):
    """Sums something over operations, by the innermost module that they happen in."""

    def __init__(self) -> None:
        super().__init__()
        self.tracker = ModuleTracker()
        self.sums: Counter[str] = Counter()

    @property
    def module(self) -> str:
        """Where the run is."""
        return max(self.tracker.parents, key=len)

    def by_part(self, root: str) -> dict[str, int]:
        """Return the sums by part, as named in `PARTS`."""
        found = dict.fromkeys(_prefixes(), 0)
        for module, number in self.sums.items():
            found[_part(module.removeprefix(root).removeprefix("."))] += number
        return found


class _Operations(_ByModule):
    """What a counter beneath counts; by module it would count what a module calls, too."""

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter = counter

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """Call the operation and note what the counter made of it."""
        before = self.counter.get_total_flops()
        out = func(*args, **(kwargs or {}))
        self.sums[self.module] += self.counter.get_total_flops() - before
        return out


class _Storages(_ByModule):
    """Notes every storage that is made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, tuple[StorageWeakRef, int, str]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """Call the operation and note what it made."""
        known = {_storage(tensor).cdata for tensor in tree_iter((args, kwargs)) if isinstance(tensor, Tensor)}
        out = func(*args, **(kwargs or {}))
        for tensor in tree_iter(out):
            if isinstance(tensor, Tensor) and tensor.is_meta:
                store = _storage(tensor)
                if store.cdata not in known and store.cdata not in self.made:
                    self.made[store.cdata] = (store, tensor.untyped_storage().nbytes(), self.module)
        return out

    def count_alive(self) -> None:
        """Sum the bytes that something still holds."""
        for store, size, module in self.made.values():
            if not store.expired():
                self.sums[module] += size


def _storage(tensor: Tensor) -> StorageWeakRef:
    return StorageWeakRef(tensor.untyped_storage())


def _answer(model: Backsight, sample: SampleSize) -> Any:
    """Call the model on one sample without values."""
    frames = sample.frames
    size = model.config.image_height, model.config.image_width
    rgb = torch.empty(1, frames, 3, *size, dtype=torch.uint8, device=META)
    keyframes = torch.arange(frames - sample.keyframes, frames)[None]
    positions = torch.arange(frames)
    views = positions[frames - sample.currents :]
    current = torch.stack([torch.zeros_like(views), views], dim=1)
    history = torch.stack([positions[positions != view] for view in views])
    words = torch.full((1, sample.instructions, sample.words), model.language.tokens.end)
    return model(rgb, Question(keyframes, torch.arange(frames)[None], words), current, history)


def _numbers_by_part(model: Backsight, trained: bool = False, in_bytes: bool = False) -> dict[str, int]:
    """Count a model's parameters by part, shared ones once."""
    found = dict.fromkeys(_prefixes(), 0)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad or not trained:
            found[_part(name)] += parameter.numel() * (parameter.element_size() if in_bytes else 1)
    return found


def _prefixes() -> list[str]:
    return [prefix for parts in PARTS.values() for prefix in parts]


def _part(name: str) -> str:
    """Return the part that a module belongs to.

    What a component computes itself counts as its first part, and what is computed between components as fusion.
    """
    fitting = [prefix for prefix in _prefixes() if _within(name, prefix)]
    if fitting:
        return max(fitting, key=len)
    if name in ("", OUTSIDE):
        return "fusion"
    if name not in PARTS:
        raise ValueError(f"{name}: no part in PARTS has this module")
    return next(iter(PARTS[name]))


def _within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _sum(name: str, costs: list[Cost]) -> Cost:
    return Cost(
        name,
        parameters=sum(cost.parameters for cost in costs),
        trained_parameters=sum(cost.trained_parameters for cost in costs),
        adapter_parameters=sum(cost.adapter_parameters for cost in costs),
        training_weights_bytes=sum(cost.training_weights_bytes for cost in costs),
        activation_bytes=sum(cost.activation_bytes for cost in costs),
        forward_flops=sum(cost.forward_flops for cost in costs),
    )
