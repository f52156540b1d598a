"""A tiny model and a batch of two walks for it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from backsight.data.batches import BatchConfig, build_batch, training_items
from backsight.data.cache import SequenceCache
from backsight.data.sampler import Draw
from backsight.data.truth import MapGrid
from backsight.geometry.cells import ImageFit
from backsight.model.backsight import Backsight
from backsight.model.presets import tiny
from backsight.model.tokenizer import build_tokenizer, token_ids
from backsight.records.batch import Batch
from backsight.storage.layout import list_sequence_ids


@pytest.fixture(scope="session")
def cache(make_dataset: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> SequenceCache:
    root = make_dataset(tmp_path_factory.mktemp("walks") / "set", places=3, frames=11, width=128, height=96)
    return SequenceCache(root, list_sequence_ids(root)[:2])


@pytest.fixture(scope="session")
def make_model(cache: SequenceCache) -> Callable[[int], Backsight]:
    texts = [text for k in range(2) for i in cache[k].annotations.instructions for text in (i.text, i.answer)]

    def make(seed: int) -> Backsight:
        torch.manual_seed(seed)
        config = tiny()
        return Backsight(config, build_tokenizer(texts, config.language.frame_tokens)).eval()

    return make


@pytest.fixture(scope="session")
def model(make_model: Callable[[int], Backsight]) -> Backsight:
    return make_model(0)


@pytest.fixture(scope="session")
def grid() -> MapGrid:
    return MapGrid(ImageFit(128, 96, 128, 96), 32, 24)


@pytest.fixture(scope="session")
def batch(cache: SequenceCache, model: Backsight) -> Batch:
    config = BatchConfig(num_frames=5, num_keyframes=3, currents_per_sample=2, instructions_per_sample=3)
    items = training_items([cache[k].annotations for k in range(2)], config)
    tokens = token_ids(model.tokenizer, model.config.language.frame_tokens)

    def tokenize(texts: list[str]) -> list[list[int]]:
        return [model.tokenizer.encode(text, add_special_tokens=False) for text in texts]

    draws = [Draw(item, (0, 0, item)) for item in range(len(items))]
    return build_batch(cache, items, draws, config, tokenize, tokens.padding, tokens.end)
