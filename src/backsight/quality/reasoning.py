"""What an instruction is solved by, as far as its relation says."""

REASONING_OF_RELATION: dict[str, str] = {
    "left of": "left_right",
    "right of": "left_right",
    "in front of": "front_behind",
    "behind": "front_behind",
    "next to": "near_far",
    "near": "near_far",
    "far from": "near_far",
    "on": "above_below",
    "above": "above_below",
    "below": "above_below",
    "under": "above_below",
    "inside": "inside_outside",
    "outside": "inside_outside",
    "between": "between_among",
    "among": "between_among",
}
"""Reasoning type of each relation."""
