"""A tiny model and a batch with frame and history counts that are prime."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from backsight.model.backsight import Backsight
from backsight.model.given import GivenGeometry
from backsight.model.presets import tiny
from backsight.model.question import Question
from backsight.model.tokenizer import build_tokenizer, encode_texts

TEXTS = (
    "find the red chair",
    "where is the lamp left of the bed",
    "the sofa",
    "go to the blue vase on the desk next to the stove",
)


@dataclass
class Inputs:
    rgb: Tensor
    keyframes: Tensor
    frame_index: Tensor
    current: Tensor
    history: Tensor
    instruction_tokens: Tensor

    def question(self) -> Question:
        return Question(self.keyframes, self.frame_index, self.instruction_tokens)

    def all(self) -> tuple[Tensor, Question, Tensor, Tensor]:
        return self.rgb, self.question(), self.current, self.history

    def given(self) -> GivenGeometry:
        """Any depth and cameras, as the model is told of them."""
        generator = torch.Generator().manual_seed(3)
        batch, frames = self.rgb.shape[:2]
        numbers = torch.randn(batch, frames, 48 + 48 + 9, generator=generator)
        return GivenGeometry(numbers[..., :48], numbers[..., 48:96].sigmoid(), numbers[..., 96:])


def make_model(seed: int = 0) -> Backsight:
    torch.manual_seed(seed)
    config = tiny()
    return Backsight(config, build_tokenizer(TEXTS, config.language.frame_tokens))


def awaken(model: Backsight) -> Backsight:
    """Give the projections that start at zero something to say."""
    torch.manual_seed(11)
    for layer in (
        model.fusion.grid_projection,
        model.fusion.language_projection,
        model.heatmap["footprint"].cameras,
        model.language.words[-1],
        model.fusion.given.depth[-1],
        model.fusion.given.pose[-1],
    ):
        torch.nn.init.normal_(layer.weight, std=0.3)
    return model


@pytest.fixture(scope="session")
def fresh_model() -> Backsight:
    return make_model().eval()


@pytest.fixture(scope="session")
def model() -> Backsight:
    return awaken(make_model()).eval()


@pytest.fixture
def own_model() -> Backsight:
    """For tests that change it."""
    return awaken(make_model())


@pytest.fixture(scope="session")
def inputs() -> Inputs:
    generator = torch.Generator().manual_seed(7)
    batch, frames = 3, 5
    tokenizer = build_tokenizer(TEXTS, tiny().language.frame_tokens)
    return Inputs(
        rgb=torch.randint(0, 256, (batch, frames, 3, 96, 128), generator=generator, dtype=torch.uint8),
        keyframes=torch.tensor([[0, 2, 4]] * batch),
        frame_index=torch.arange(frames).repeat(batch, 1) * 3,
        current=torch.tensor([[0, 4], [1, 4], [2, 4], [1, 2]]),
        history=torch.tensor([[0, 1, 3], [2, 1, 0], [3, 2, 1], [4, 0, 1]]),
        instruction_tokens=encode_texts(tokenizer, TEXTS[:2])[None].repeat(batch, 1, 1),
    )
