import pytest
from hypothesis import given
from hypothesis import strategies as st

from backsight.records.errors import UsageError
from backsight.sim.embedded.scenes.scene_id import (
    LIGHTING_CHOICES,
    SCENE_TYPES,
    TEXTURE_CHOICES,
    SceneId,
    parse_scene_id,
)


@given(
    st.builds(
        SceneId,
        st.sampled_from(SCENE_TYPES),
        st.integers(0, 10**18 - 1),
        st.integers(0, 1000).map(lambda thousandths: thousandths / 1000),
        st.sampled_from(LIGHTING_CHOICES),
        st.sampled_from(TEXTURE_CHOICES),
    )
)
def test_every_id_is_read_back_from_its_text(scene_id):
    assert parse_scene_id(str(scene_id)) == scene_id


def test_options_at_their_defaults_are_not_written():
    assert str(SceneId("kitchen", 12, 0.5, "mixed", "mixed")) == "kitchen-12"
    assert str(SceneId("kitchen", 12, 0.8, "evening", "repetitive")) == (
        "kitchen-12+clutter=0.8+lighting=evening+textures=repetitive"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kichen-1", "did you mean 'kitchen'"),
        ("livingroom-1", "did you mean 'living_room'"),
        ("office-1", "did you mean 'open_plan_office'"),
        ("kitchen", "a seed is a number"),
        ("kitchen-", "a seed is a number"),
        ("kitchen-01", "leading zeros"),
        ("kitchen--1", "no scene"),
        ("kitchen-1.5", "a seed is a number"),
        ("kitchen-1+cluter=0.2", "did you mean 'clutter'"),
        ("kitchen-1+lighting=evning", "did you mean 'evening'"),
        ("kitchen-1+textures=plane", "did you mean 'plain'"),
        ("kitchen-1+clutter", "as key=value"),
        ("kitchen-1+clutter=lots", "not a number"),
        ("kitchen-1+clutter=1.01", "from 0 to 1"),
        ("kitchen-1+clutter=-0", "from 0 to 1"),
        ("kitchen-1+clutter=nan", "from 0 to 1"),
        ("kitchen-1+clutter=0.12345", "three decimals"),
        ("kitchen-1+clutter=0.2+clutter=0.3", "each option once"),
        ("kitchen-1+clutter=0.80", "'kitchen-1\\+clutter=0.8'"),
        ("kitchen-1+clutter=0.5", "'kitchen-1'"),
        ("kitchen-1+textures=plain+clutter=0.1", "'kitchen-1\\+clutter=0.1\\+textures=plain'"),
        ("", "scene type"),
    ],
)
def test_another_spelling_is_refused_with_what_to_write(text, message):
    with pytest.raises(UsageError, match=message):
        parse_scene_id(text)


def test_a_negative_seed_is_refused():
    with pytest.raises(UsageError, match="seed"):
        SceneId("flat", -1)
