"""Loads the measures that tests of scenes share under their plain name: tests are imported by file."""

import importlib.util
import sys
from pathlib import Path

if "scene_checks" not in sys.modules:
    spec = importlib.util.spec_from_file_location("scene_checks", Path(__file__).with_name("scene_checks.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["scene_checks"] = module
    spec.loader.exec_module(module)
