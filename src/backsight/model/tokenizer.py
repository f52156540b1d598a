"""Tokenizers: a word-level one built from texts, or a published one; both with the special tokens the model needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from torch import Tensor
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from backsight.records.errors import UsageError

PADDING = "<pad>"
UNKNOWN = "<unknown>"
END = "<end>"
END_OF_TURN = "<|im_end|>"
"""With which published chat models end an answer."""
HEAT = "<heat>"
POSE = "<pose>"
VISION_START = "<|vision_start|>"
VISION_END = "<|vision_end|>"
IMAGE = "<|image_pad|>"
VIDEO = "<|video_pad|>"
WORD_PATTERN = r"[a-z0-9]+|[^\sa-z0-9]"


def frame_token(number: int) -> str:
    """Return the token that says how many frames ago a view was seen."""
    return f"<frame {number}>"


def own_tokens(frame_tokens: int) -> list[str]:
    """Return the tokens that Backsight adds to a language.

    Args:
        frame_tokens: number of frame-index tokens.
    """
    return [HEAT, POSE, *(frame_token(number) for number in range(frame_tokens))]


@dataclass(frozen=True)
class TokenIds:
    """Ids of the special tokens."""

    size: int
    """Above the highest id in use."""
    padding: int
    end: int
    """Ends an answer."""
    heat: int
    pose: int
    vision_start: int
    vision_end: int
    image: int
    video: int
    frames: tuple[int, ...]


def build_tokenizer(texts: Iterable[str], frame_tokens: int) -> PreTrainedTokenizerFast:
    """Build a tokenizer that knows every word of the texts.

    Args:
        texts: all instructions and answers of the training split.
        frame_tokens: number of frame-index tokens.
    """
    special = [PADDING, UNKNOWN, END, *own_tokens(frame_tokens), VISION_START, VISION_END, IMAGE, VIDEO]
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    splitter = pre_tokenizers.Split(Regex(WORD_PATTERN), behavior="removed", invert=True)
    words = {word for text in texts for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)) if word}
    vocabulary = {token: number for number, token in enumerate([*special, *sorted(words - set(special))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = splitter
    # Puts answers together as they are written: no blank before a full stop.
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PADDING,
        unk_token=UNKNOWN,
        eos_token=END,
        additional_special_tokens=special[3:],
    )


def add_own_tokens(tokenizer: PreTrainedTokenizerBase, frame_tokens: int) -> None:
    """Add what Backsight needs to a published tokenizer, in place; tokens it has stay as they are.

    Args:
        tokenizer: of the published language model.
        frame_tokens: number of frame-index tokens.
    """
    added = {"extra_special_tokens": own_tokens(frame_tokens)}
    tokenizer.add_special_tokens(added, replace_extra_special_tokens=False)  # pyright: ignore[reportArgumentType]


def token_ids(tokenizer: PreTrainedTokenizerBase, frame_tokens: int) -> TokenIds:
    """Look up the special tokens.

    Args:
        tokenizer: built by `build_tokenizer`, or a published one after `add_own_tokens`.
        frame_tokens: number of frame-index tokens.

    Raises:
        UsageError: the tokenizer lacks one of them, or ends answers with what it pads with.
    """
    known = tokenizer.get_vocab()

    def identify(token: str) -> int:
        if token not in known:
            raise UsageError(f"the tokenizer has no token {token!r}: make it with build_tokenizer or add_own_tokens")
        return known[token]

    padding = identify(str(tokenizer.pad_token))
    end = identify(END_OF_TURN if END_OF_TURN in known else str(tokenizer.eos_token))
    if padding == end:
        raise UsageError(f"the tokenizer pads with {tokenizer.pad_token!r}, which ends answers: give it a pad token")
    return TokenIds(
        size=max(known.values()) + 1,
        padding=padding,
        end=end,
        heat=identify(HEAT),
        pose=identify(POSE),
        vision_start=identify(VISION_START),
        vision_end=identify(VISION_END),
        image=identify(IMAGE),
        video=identify(VIDEO),
        frames=tuple(identify(frame_token(number)) for number in range(frame_tokens)),
    )


def encode_texts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> Int64[Tensor, "texts tokens"]:
    """Return token ids, padded at the end to the longest text (at least one token wide).

    Args:
        tokenizer: the model's.
        texts: instructions.
    """
    rows = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    width = max([len(row) for row in rows], default=0)
    padding = tokenizer.pad_token_id
    padded = [row + [padding] * (max(width, 1) - len(row)) for row in rows]
    return torch.tensor(padded, dtype=torch.int64).reshape(len(rows), max(width, 1))


def decode_answers(tokenizer: PreTrainedTokenizerBase, tokens: Int64[Tensor, "answers tokens"]) -> list[str]:
    """Return answers as text; padding, end and other special tokens are left out.

    Args:
        tokenizer: the model's.
        tokens: ids of each answer.
    """
    return [str(tokenizer.decode(row, skip_special_tokens=True)).strip() for row in tokens.tolist()]
