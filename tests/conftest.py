"""Fixtures that several folders of tests share."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from backsight.records.sequence import Sequence
from backsight.sim.survey import survey_scene


def _load(name: str):
    # Tests are imported by file, so the folder is no package; the module is loaded once under its plain name.
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


_load("factories")
_load("random_walks")
_load("paper_world")
_stand_in = _load("habitat_stand_in")
habitat_python, make_habitat = _stand_in.habitat_python, _stand_in.make_habitat
house, stand_in_path = _stand_in.house, _stand_in.stand_in_path


@pytest.fixture(scope="session")
def make_sequence() -> Callable[..., Sequence]:
    """A maker of consistent sequences of a small furnished room; see `factories.make_sequence`."""
    return _load("factories").make_sequence


@pytest.fixture(scope="session")
def factories():
    """The module that makes them, for scenes of one's own."""
    return _load("factories")


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Path]:
    """A maker of whole data sets of such sequences; see `factories.make_dataset`."""
    return _load("factories").make_dataset


@pytest.fixture(scope="session")
def box_room_simulator():
    """A simulator of those sequences' room: two chairs, a table, a plant on it."""
    return _load("fake_simulator").box_room_simulator(_load("factories"))


@pytest.fixture(scope="session")
def box_room_survey(box_room_simulator):
    """A look round that room."""
    return survey_scene(box_room_simulator)
