"""How the language model's sequence is laid out: one prefix, read once, and a suffix for each instruction.

The prefix holds every view: `<frame i>`, vision start, image tokens, vision end. A suffix holds an instruction's words,
one `<heat>` for each view, `<pose> <heat>` for each imagined view, and the answer. All suffixes of a sample stand
behind its prefix in one sequence, and a mask keeps them apart, so that the image tokens are computed once and not once
for each instruction. A suffix's positions go on from the prefix as if it stood there alone.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

VIEW_MARKS = 3
"""Tokens of a view beside its image tokens: `<frame i>` and vision start before them, vision end behind them."""
FIRST_IMAGE_TOKEN = 2
"""Place of a view's first image token within the view."""


@dataclass(frozen=True)
class PackedLayout:
    """Numbers of tokens; slots count within one suffix, places within the whole sequence."""

    views: int
    image_tokens: int
    """Of each view."""
    instructions: int
    words: int
    """Of the longest instruction; shorter ones are padded at the end."""
    imagined: int = 0
    answer: int = 0
    """Answer tokens that are read; the last token of an answer is predicted and never read."""

    @property
    def prefix(self) -> int:
        """Tokens that all instructions share."""
        return self.views * (self.image_tokens + VIEW_MARKS)

    @property
    def suffix(self) -> int:
        """Tokens of one instruction."""
        return self.words + self.views + 2 * self.imagined + self.answer

    @property
    def length(self) -> int:
        """Tokens of the whole sequence."""
        return self.prefix + self.instructions * self.suffix

    @property
    def text_positions(self) -> int:
        """How many successive positions behind the prefix a suffix can take."""
        return self.words + self.views + max(2 * min(self.imagined, 1), self.answer)

    def query_slots(self, device: torch.device) -> Int64[Tensor, " queries"]:
        """Return the slots of all `<heat>` tokens: of the views, then of the imagined views."""
        first = self.words + torch.arange(self.views, device=device)
        pairs = self.words + self.views + 1 + 2 * torch.arange(self.imagined, device=device)
        return torch.cat([first, pairs])

    def answer_slots(self, device: torch.device) -> Int64[Tensor, " answer_tokens"]:
        """Return the slots that predict the answer's tokens: the last view's `<heat>`, then the answer itself."""
        last_heat = torch.tensor([self.words + self.views - 1], device=device)
        return torch.cat([last_heat, self.suffix - self.answer + torch.arange(self.answer, device=device)])

    def places(self, slots: Int64[Tensor, " slots"]) -> Int64[Tensor, "instructions slots"]:
        """Return where the slots of each instruction stand in the sequence."""
        starts = self.prefix + self.suffix * torch.arange(self.instructions, device=slots.device)
        return starts[:, None] + slots

    def offsets(self, used: Int64[Tensor, "batch instructions"]) -> Int64[Tensor, "batch instructions suffix"]:
        """Return each slot's position behind the prefix; padding takes no position of what follows.

        Imagined views all begin where the answer does: neither sees the other.

        Args:
            used: words of each instruction.
        """
        device = used.device
        behind = [
            torch.arange(self.views, device=device),
            self.views + torch.arange(2, device=device).repeat(self.imagined),
            self.views + torch.arange(self.answer, device=device),
        ]
        words = torch.arange(self.words, device=device).expand(*used.shape, -1)
        return torch.cat([words, used[..., None] + torch.cat(behind)], dim=-1)

    def mask(self, used: Int64[Tensor, "batch instructions"]) -> Bool[Tensor, "batch length length"]:
        """Return which token (row) attends to which (column).

        Args:
            used: words of each instruction.
        """
        device, batch = used.device, len(used)
        mask = torch.zeros(batch, self.length, self.length, dtype=torch.bool, device=device)
        mask[:, : self.prefix, : self.prefix] = _causal(self.prefix, device)
        mask[:, self.prefix :, : self.prefix] = True
        slot = torch.arange(self.suffix, device=device)
        is_word = slot < self.words
        real = ~is_word | (slot < used[..., None])
        own = self._within_suffix(device) & real[:, :, None]
        same = torch.eye(self.instructions, dtype=torch.bool, device=device)[:, None, :, None]
        blocks = own[:, :, :, None] & same
        mask[:, self.prefix :, self.prefix :] = blocks.flatten(3, 4).flatten(1, 2)
        return mask

    def _within_suffix(self, device: torch.device) -> Bool[Tensor, "suffix suffix"]:
        """Causal, but imagined views are seen by themselves alone."""
        counts = [self.words + self.views, *[2] * self.imagined, self.answer]
        branch = torch.repeat_interleave(torch.arange(len(counts), device=device), torch.tensor(counts, device=device))
        return _causal(self.suffix, device) & ((branch == 0) | (branch == branch[:, None]))

    def needs_mask(self, used: Int64[Tensor, "batch instructions"]) -> bool:
        """Whether plain causal attention would see more than it should."""
        return self.instructions > 1 or self.imagined > 0 or bool((used < self.words).any())


def _causal(length: int, device: torch.device) -> Bool[Tensor, "length length"]:
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()
