"""How Habitat is run."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class HabitatConfig(BaseModel):
    """Which Habitat, on what, and for which agent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    python: Path
    """The Python in whose environment habitat_sim is installed."""
    scene_dataset: str = "default"
    """A *.scene_dataset_config.json; semantics of HM3D, Replica and others come through it alone."""
    gpu_device_id: int = Field(default=0, ge=-1, le=63)
    """CUDA device as EGL numbers them; -1: the first EGL device there is, such as Mesa on the CPU."""
    lighting: Literal["scene", "default"] = "scene"
    """'scene': as the data set says, often unlit with baked colours. 'default': Habitat's four directional lights."""
    clear_colour: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Colour of holes in the mesh, 0 to 1; a black one looks like a dark object."""
    agent_radius_m: float = Field(default=0.2, gt=0.0, le=2.0)
    """Of who walks."""
    agent_height_m: float = Field(default=1.5, gt=0.0, le=4.0)
    """Of who walks."""
    max_climb_m: float = Field(default=0.2, ge=0.0, le=1.0)
    """Highest step that is climbed."""
    scenes_per_worker: int = Field(default=20, ge=1, le=10_000)
    """So many scenes, then a fresh process: what Habitat holds on to goes with the old one."""
    load_timeout_s: float = Field(default=900.0, gt=0.0, le=86_400.0)
    """Loading a scene, its navigation mesh included, may take so long."""
    answer_timeout_s: float = Field(default=300.0, gt=0.0, le=86_400.0)
    """Everything else may take so long."""
    debug: bool = False
    """Let Habitat say all it has to say on standard error."""
