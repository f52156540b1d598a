"""Names of published checkpoints, and what to tell a user whose machine can't have them."""

import re
from pathlib import Path

from backsight.records.errors import EnvironmentProblem

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
"""owner/name."""


def is_hub_id(source: str | Path) -> bool:
    """Return whether `source` can only mean a model on the hub: owner/name, and nothing of that name on disk."""
    named_like_a_file = Path(source).suffix in (".safetensors", ".bin", ".pt", ".json")
    is_name = isinstance(source, str) and HUB_ID.fullmatch(source) is not None
    return is_name and not named_like_a_file and not Path(source).exists()


def unreachable(hub_id: str, error: OSError) -> EnvironmentProblem:
    """Return the error that says what to do about a checkpoint that can't be had.

    Args:
        hub_id: owner/name.
        error: of huggingface_hub or transformers.
    """
    reason = str(error).strip().splitlines()
    return EnvironmentProblem(
        f"{hub_id}: the published weights can't be had: {reason[0] if reason else type(error).__name__}. "
        f"Where a licence must be accepted first, do that at https://huggingface.co/{hub_id} and run `hf auth login`; "
        "without a network, download the folder elsewhere and set `checkpoint` to its path"
    )
