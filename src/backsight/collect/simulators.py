"""The simulator that a configuration asks for."""

from collections.abc import Callable
from contextlib import closing

from backsight.collect.config import CollectConfig
from backsight.sim.backends.habitat.client import HabitatSimulator
from backsight.sim.backends.habitat.config import HabitatConfig
from backsight.sim.embedded.simulator import EmbeddedSimulator
from backsight.sim.simulator import Simulator

SimulatorMaker = Callable[[CollectConfig], Simulator]


def configured_simulator(config: CollectConfig) -> EmbeddedSimulator | HabitatSimulator:
    """Return the simulator that a collection walks in.

    Args:
        config: Says which, and where its scenes are.

    Raises:
        EnvironmentProblem: Habitat can't be started.
    """
    if config.simulator == "habitat":
        return HabitatSimulator(habitat_config(config))
    return embedded_simulator(config)


def embedded_simulator(config: CollectConfig) -> EmbeddedSimulator:
    """Return the simulator that needs nothing but pip packages.

    Args:
        config: For its colour samples and the folder of scene files.
    """
    return EmbeddedSimulator(rgb_samples_per_axis=config.rgb_samples_per_axis, scene_dir=config.scene_dir)


def habitat_config(config: CollectConfig) -> HabitatConfig:
    """Return how Habitat is run for a collection.

    Args:
        config: With the Python of Habitat.
    """
    assert config.habitat_python is not None, "the configuration has been checked for it"
    return HabitatConfig(
        python=config.habitat_python,
        scene_dataset=config.scene_dataset,
        gpu_device_id=config.habitat_gpu,
        lighting=config.habitat_lighting,
    )


def name_and_version(make_simulator: SimulatorMaker, config: CollectConfig) -> tuple[str, str]:
    """Return what the simulator is called; one that has a process of its own is ended again.

    Args:
        make_simulator: Makes it.
        config: For it.
    """
    simulator = make_simulator(config)
    if not isinstance(simulator, HabitatSimulator):
        return simulator.name, simulator.version
    with closing(simulator):
        return simulator.name, simulator.version
