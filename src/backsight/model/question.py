"""What is asked of the frames of a batch."""

from dataclasses import dataclass

from jaxtyping import Float32, Int64
from torch import Tensor


@dataclass(frozen=True)
class Question:
    """Keyframes to read, instructions to follow, and what else should be told of them."""

    keyframes: Int64[Tensor, "batch keyframes"]
    """Positions on the frames axis, rising; the last one is the current view."""
    frame_index: Int64[Tensor, "batch frames"]
    """Index of each frame in its sequence."""
    instruction_tokens: Int64[Tensor, "batch instructions tokens"]
    """Ids, padded at the end."""
    answer_tokens: Int64[Tensor, "batch instructions answer_tokens"] | None = None
    """True answers with their end token, padded at the end; how likely they are is then told."""
    with_attention: bool = False
    """Whether to tell what the `<heat>` tokens attend to."""
    current_from_imagined: Float32[Tensor, "batch imagined 4 4"] | None = None
    """Poses, metres, of views without an image, relative to the current one."""
