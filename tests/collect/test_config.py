import pytest
from pydantic import ValidationError

from backsight.collect.config import CollectConfig
from backsight.records.kinds import GROUPS
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": "640"}, "width x height"),
        ({"size": "641x480"}, "even"),
        ({"size": "30x480"}, "32 to 2048"),
        ({"size": "4096x480"}, "32 to 2048"),
        ({"mean_frames": 60}, "mean_frames 60 is not possible"),
        ({"min_frames": 65}, "not possible"),
        ({"num_sequences": 0}, "greater than or equal to 1"),
        ({"num_sequence": 3}, "num_sequence"),
        ({"places": 0}, "greater than or equal to 1"),
        ({"patterns": ("circular",)}, "patterns"),
        ({"groups": ("geometry",)}, "unknown group 'geometry'; did you mean 'geometric'"),
        ({"groups": ()}, "at least one of geometric"),
        ({"groups": ("reasoning", "reasoning")}, "each group once"),
        ({"kinds": ("sharp turn",)}, "unknown kind 'sharp turn'; did you mean 'sharp turns'"),
        ({"kinds": ("sharp turns", "sharp_turns")}, "each kind once"),
        ({"kinds": ("zzz",)}, "known: smooth"),
        ({"kinds": ("smooth",), "groups": ("reasoning",)}, "none of kinds smooth is in groups reasoning"),
        ({"scene_types": ()}, "each scene type once"),
        ({"scene_types": ("flat", "flat")}, "each scene type once"),
        ({"scene_types": ("kichen",)}, "did you mean 'kitchen'"),
        ({"hold_out": ("gyms",)}, "did you mean 'gym'"),
        ({"hold_out": ("textures=repetitve",)}, "did you mean 'textures=repetitive'"),
        ({"hold_out": ("textures=mixed",)}, "unknown scene type or look 'textures=mixed'"),
        ({"hold_out": ("gym",), "scene_types": ("flat", "shop")}, "hold_out gym: scene_types has no such type"),
        ({"hold_out": ("flat",), "scene_types": ("flat",)}, "nothing is left for training"),
        ({"hold_out": ("gym",), "scene_dir": "scans"}, "scenes that are made"),
    ],
)
def test_a_configuration_that_makes_no_sense_says_why(change, words):
    with pytest.raises(ValidationError, match=words):
        CollectConfig(**change)


def test_everything_is_collected_unless_something_is_chosen():
    config = CollectConfig()
    assert config.groups == tuple(GROUPS)
    assert config.scene_types == SCENE_TYPES
    assert config.kinds == config.hold_out == ()


def test_kinds_are_named_with_spaces_or_underlines():
    assert CollectConfig(kinds=("sharp_turns", "single object")).kinds == ("sharp turns", "single object")


def test_the_size_is_parsed():
    config = CollectConfig(size="128x96")
    assert (config.width, config.height) == (128, 96)


@pytest.mark.parametrize("field", ["workers", "out", "sequence_timeout_s", "shard"])
def test_what_does_not_change_the_content_is_not_part_of_it(field):
    config = CollectConfig(num_sequences=5)
    changed = config.model_copy(update={field: {"out": "elsewhere", "shard": "1/2"}.get(field, 77)})
    assert changed.content() == config.content()


@pytest.mark.parametrize(
    ("field", "value"),
    [("groups", ("reasoning",)), ("kinds", ("smooth",)), ("places", 3), ("hold_out", ("gym",)), ("seed", 1)],
)
def test_what_changes_the_content_is_part_of_it(field, value):
    assert CollectConfig(**{field: value}).content() != CollectConfig().content()
