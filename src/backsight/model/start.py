"""A model to begin training with: from random weights, or around a published language model."""

from collections.abc import Iterable

from backsight.model.backsight import Backsight
from backsight.model.config import ModelConfig
from backsight.model.published import load_published
from backsight.model.tokenizer import build_tokenizer


def new_model(config: ModelConfig, texts: Iterable[str]) -> Backsight:
    """Return a model that has not been trained on this task.

    Args:
        config: of a preset; `language.checkpoint` names the published language model, if any.
        texts: instructions and answers of the training split; make the tokenizer where none is published.

    Raises:
        UsageError: the published weights cannot be loaded or do not fit.
    """
    if config.language.checkpoint is None:
        return Backsight(config, build_tokenizer(texts, config.language.frame_tokens))
    model, tokenizer = load_published(config.language, config.attention)
    return Backsight(config, tokenizer, model)
