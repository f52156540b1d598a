import json

import pytest

from backsight.records.errors import DataError
from backsight.sim.embedded.scans.sidecar import Sidecar, read_sidecar, sidecar_path


def written(tmp_path, content):
    scene = tmp_path / "flat.glb"
    sidecar_path(scene).write_text(content if isinstance(content, str) else json.dumps(content))
    return scene


def test_without_a_side_car_nothing_is_given(tmp_path):
    assert read_sidecar(tmp_path / "flat.glb") == Sidecar()


def test_the_first_fitting_pattern_counts(tmp_path):
    labels = {"stack_1*": "cabinet", "stack_*": "counter", "Thing?": "object"}
    sidecar = read_sidecar(written(tmp_path, {"labels": labels}))
    assert [sidecar.category_of(name) for name in ("stack_1_a", "stack_2", "Thing7", "Thing77")] == [
        "cabinet",
        "counter",
        "object",
        None,
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "json"),
        ("[1]", "content: Expected `object`, got `array`"),
        ({"upp": "+y"}, "upp: unknown key .did you mean 'up'"),
        ({"metre_per_unit": 1}, "did you mean 'metres_per_unit'"),
        ({"up": "y"}, "up: 'y' is no axis .use one of"),
        ({"metres_per_unit": 0}, "metres_per_unit: is 0"),
        ({"metres_per_unit": "1"}, "metres_per_unit: Expected"),
        ({"labels": {"a": "chiar"}}, "labels.a: no category 'chiar' .did you mean 'chair'"),
        ({"lighting": "sun"}, "lighting: Invalid enum value 'sun'"),
        ({"rooms": [{"bounds_m": [0, 0, 1, 1], "room_typ": "kitchen"}]}, "did you mean 'room_type'"),
        ({"rooms": [{"bounds_m": [0, 0, 1, 1], "room_type": "kichen"}]}, "did you mean 'kitchen'"),
        ({"rooms": [{"bounds_m": [0, 0, 0, 1]}]}, r"rooms\[0\].bounds_m: is empty"),
        ({"rooms": [{"bounds_m": [0, 0, 1]}]}, "bounds_m"),
        ({"floors_m": [2.8, 0]}, "floors_m: does not rise"),
    ],
)
def test_what_means_nothing_is_refused_by_name(content, message, tmp_path):
    with pytest.raises(DataError, match=message) as raised:
        read_sidecar(written(tmp_path, content))
    assert "flat.glb.backsight.json" in str(raised.value)
