"""Loads the measures that tests of scenes share under their plain name: tests are imported by file."""

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from backsight.sim.embedded.packed import PackedScene
from backsight.sim.embedded.scenes.scene_id import SCENE_TYPES

if "scene_checks" not in sys.modules:
    spec = importlib.util.spec_from_file_location("scene_checks", Path(__file__).with_name("scene_checks.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["scene_checks"] = module
    spec.loader.exec_module(module)


_BUILD_ALL = """
import pickle, sys
from backsight.sim.embedded.scenes.procedural import build_scene
from backsight.sim.embedded.scenes.scene_id import parse_scene_id
with open(sys.argv[1], "wb") as file:
    pickle.dump({text: build_scene(parse_scene_id(text)) for text in sys.argv[2:]}, file)
"""
BUILT_IDS = tuple(f"{name}-{seed}" for name in SCENE_TYPES for seed in (1, 2, 5))


def _build_elsewhere(path: Path, ids: tuple[str, ...]) -> dict[str, PackedScene]:
    """Build scenes in another process: with other hashes, and without the run-time type checks, which take long."""
    environment = {**os.environ, "PYTHONHASHSEED": "4242"}
    subprocess.run([sys.executable, "-c", _BUILD_ALL, str(path), *ids], env=environment, check=True)
    return pickle.loads(path.read_bytes())


@pytest.fixture(scope="session")
def built_elsewhere(tmp_path_factory) -> dict[str, PackedScene]:
    """Three scenes of each type, by id."""
    return _build_elsewhere(tmp_path_factory.mktemp("scenes") / "scenes.pickle", BUILT_IDS)


@pytest.fixture(scope="session")
def flats_built_elsewhere(tmp_path_factory) -> list[PackedScene]:
    """The first 24 flats."""
    ids = tuple(f"flat-{seed}" for seed in range(24))
    return list(_build_elsewhere(tmp_path_factory.mktemp("scenes") / "flats.pickle", ids).values())
