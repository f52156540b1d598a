"""A scene as text: it comes back to the byte, and says where it is broken."""

import msgspec
import numpy as np
import pytest
from scene_checks import arrays, fingerprint

from backsight.records.errors import DataError
from backsight.sim.embedded.scenes.description import SceneDescription, build_described
from backsight.sim.embedded.scenes.procedural import build_scene, describe_scene
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES, SceneId, parse_scene_id

IDS = [
    *(f"{name}-3" for name in SCENE_TYPES if name not in ("warehouse", "library", "shop")),
    "shop-5+clutter=0.1+lighting=evening+textures=distinctive",
    "study-2+clutter=0+lighting=dim+textures=plain",
]


@pytest.mark.parametrize("text", IDS)
def test_a_scene_is_rebuilt_from_its_json_to_the_byte(text):
    scene_id = parse_scene_id(text)
    scene = build_scene(scene_id)
    description = SceneDescription.from_json(describe_scene(scene_id).to_json())
    again = build_described(description)
    for one, two in zip(arrays(scene), arrays(again), strict=True):
        assert one.dtype == two.dtype
        assert np.array_equal(one, two)
    assert fingerprint(scene) == fingerprint(again)
    assert description.to_json() == describe_scene(scene_id).to_json()
    assert description.scene_id == text


def test_a_description_does_not_ask_the_id_again():
    description = describe_scene(SceneId("study", 1))
    renamed = msgspec.structs.replace(description, scene_id="a study of mine", pieces=description.pieces[:-1])
    scene = build_described(renamed)
    assert len(scene.objects) == len(description.pieces) - 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 0}, "version: is 0"),
        ({"textures": ()}, "texture"),
        ({"textures": (b"no image",) * 99}, r"textures\[0\]: not a PNG"),
        ({"materials": ()}, "material"),
    ],
)
def test_a_broken_description_is_refused(change, message):
    text = msgspec.structs.replace(describe_scene(SceneId("bathroom", 2)), **change).to_json()
    with pytest.raises(DataError, match=message):
        build_described(SceneDescription.from_json(text))


def test_what_is_no_description_is_refused():
    for text in (b"", b"{}", b'{"version": 1}', b"[1, 2]"):
        with pytest.raises(DataError, match="scene description"):
            SceneDescription.from_json(text)


def test_a_piece_must_have_parts_and_stand_on_what_is_there():
    description = describe_scene(SceneId("bathroom", 2))
    first = description.pieces[0]
    empty = msgspec.structs.replace(first, boxes=(), frustums={}, quads=())
    for piece, message in ((empty, "no parts"), (msgspec.structs.replace(first, supported_by=9999), "supported_by")):
        broken = msgspec.structs.replace(description, pieces=(piece, *description.pieces[1:]))
        with pytest.raises(DataError, match=message):
            build_described(broken)
