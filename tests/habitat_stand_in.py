"""A Habitat to test against: our worker in a process of its own, with the stand-in for habitat_sim."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from backsight.sim.backends.habitat.client import HabitatSimulator
from backsight.sim.backends.habitat.config import HabitatConfig

STAND_IN = Path(__file__).parent / "sim" / "backends" / "habitat" / "stand_in"


def load_beside(path: Path, name: str) -> ModuleType:
    """Load a module of the tests, which are no package, once and under a plain name."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def house() -> ModuleType:
    return load_beside(STAND_IN / "house.py", "house_of_the_stand_in")


@pytest.fixture(scope="session")
def stand_in_path() -> Iterator[None]:
    """The interpreter of the tests, asked for habitat_sim, finds the stand-in."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(STAND_IN), *([before] if before else [])])
    yield
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="session")
def habitat_python(stand_in_path) -> Path:
    return Path(sys.executable)


@pytest.fixture
def make_habitat(habitat_python) -> Iterator[Callable[..., HabitatSimulator]]:
    """A maker of simulators; what it has made ends with the test."""
    made = []

    def make(**options) -> HabitatSimulator:
        made.append(HabitatSimulator(HabitatConfig(python=habitat_python, **options)))
        return made[-1]

    yield make
    for simulator in made:
        simulator.close()
