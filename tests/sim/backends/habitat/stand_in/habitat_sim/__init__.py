"""A stand-in for habitat_sim, written to its documented behaviour and not to the code that is tested against it.

Scenes are JSON files of boxes. Environment: HABITAT_STAND_IN_VERSION chooses whose habits it has,
HABITAT_STAND_IN_FAULT makes it do one thing wrongly.
"""

import os
import time

from habitat_sim import agent, gfx, physics, simulator
from habitat_sim.agent import AgentState
from habitat_sim.nav import MultiGoalShortestPath, NavMeshSettings, PathFinder, ShortestPath
from habitat_sim.simulator import (
    CameraSensorSpec,
    Configuration,
    SensorSubType,
    SensorType,
    Simulator,
    SimulatorConfiguration,
)

__version__ = os.environ.get("HABITAT_STAND_IN_VERSION", "0.3.3")
built_with_bullet = False
cuda_enabled = False

__all__ = [
    "AgentState",
    "CameraSensorSpec",
    "Configuration",
    "MultiGoalShortestPath",
    "NavMeshSettings",
    "PathFinder",
    "SensorSubType",
    "SensorType",
    "ShortestPath",
    "Simulator",
    "SimulatorConfiguration",
    "agent",
    "gfx",
    "physics",
    "simulator",
]

if os.environ.get("HABITAT_STAND_IN_FAULT") == "slow_import":
    time.sleep(60.0)
print("habitat_sim says hello on standard output, as C++ libraries do")
