"""The backends that the protocol's tests run on."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from backsight.sim.backends.habitat.client import HabitatSimulator
from backsight.sim.backends.habitat.config import HabitatConfig
from backsight.sim.embedded.simulator import EmbeddedSimulator

BACKENDS = ("embedded", "two_storeys", "habitat")
EMBEDDED_SCENE, HOUSE_SCENE = "flat-3", "two_storey_house-1"
_ELSEWHERE = """
import sys
import numpy as np
from backsight.sim.embedded.simulator import EmbeddedSimulator
from checks_of_the_protocol import digest
given = np.load(sys.argv[1])
simulator = EmbeddedSimulator()
simulator.load_scene(sys.argv[2])
print(digest(simulator.render(given["poses"], given["intrinsics"], int(given["width"]), int(given["height"]))))
"""


def load_checks() -> ModuleType:
    name = "checks_of_the_protocol"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("checks.py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "check" in metafunc.fixturenames:
        checks = [value for name, value in vars(load_checks()).items() if name.startswith("check_")]
        metafunc.parametrize("check", checks, ids=lambda check: check.__name__.removeprefix("check_"))


@pytest.fixture(scope="session")
def checks() -> ModuleType:
    return load_checks()


@pytest.fixture(scope="session")
def habitat_bench(house, habitat_python, tmp_path_factory) -> Iterator[object]:
    folder = tmp_path_factory.mktemp("house")
    scene_id = house.write(folder, "house", house.house())
    lone_room = house.house(floors=[{"y": 0.0, "rect": (0, 0, 14, 5)}], ramps=[])
    other = house.write(folder, "other", lone_room)
    config = HabitatConfig(python=habitat_python)
    simulator = HabitatSimulator(config)

    def elsewhere(poses, intrinsics, width, height):
        second = HabitatSimulator(config)
        second.load_scene(scene_id)
        seen = second.render(poses, intrinsics, width, height)
        second.close()
        return load_checks().digest(seen)

    yield load_checks().Bench(simulator, scene_id, other, elsewhere)
    simulator.close()


def embedded(folder: Path, scene_id: str, other_scene_id: str) -> object:
    (folder / "checks_of_the_protocol.py").write_text(Path(__file__).with_name("checks.py").read_text())

    def elsewhere(poses, intrinsics, width, height):
        given = folder / "given.npz"
        np.savez(given, poses=poses, intrinsics=intrinsics, width=width, height=height)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
        done = subprocess.run(
            [sys.executable, "-c", _ELSEWHERE, str(given), scene_id],
            capture_output=True, text=True, check=True, env=environment, timeout=120,
        )  # fmt: skip
        return done.stdout.split()[-1]

    return load_checks().Bench(EmbeddedSimulator(), scene_id, other_scene_id, elsewhere)


@pytest.fixture(scope="session")
def embedded_bench(tmp_path_factory) -> object:
    return embedded(tmp_path_factory.mktemp("elsewhere"), EMBEDDED_SCENE, "flat-4")


@pytest.fixture(scope="session")
def two_storeys_bench(tmp_path_factory) -> object:
    return embedded(tmp_path_factory.mktemp("elsewhere"), HOUSE_SCENE, EMBEDDED_SCENE)


@pytest.fixture(params=BACKENDS)
def bench(request) -> Callable[..., object]:
    bench = request.getfixturevalue(f"{request.param}_bench")
    bench.simulator.load_scene(bench.scene_id)
    return bench
