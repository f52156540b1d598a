"""Agents: a body, sensors on it, and states in the world frame."""

from dataclasses import dataclass, field

import numpy as np
import quaternion as qt

from habitat_sim.boxes import fault, rotation_matrix


@dataclass
class AgentConfiguration:
    height: float = 1.5
    radius: float = 0.1
    sensor_specifications: list = field(default_factory=list)


class AgentState:
    def __init__(self):
        self.position = np.zeros(3)
        self.rotation = qt.quaternion(1, 0, 0, 0)
        self.sensor_states = {}


class SixDOFPose:
    def __init__(self, position, rotation):
        self.position, self.rotation = position, rotation


class Agent:
    def __init__(self, configuration):
        self.agent_config = configuration
        self._position = np.zeros(3)
        self._rotation = qt.quaternion(1, 0, 0, 0)

    def set_state(self, state, reset_sensors=True, infer_sensor_states=True):
        if not np.isfinite(state.position).all():
            raise ValueError("contains non-finite values which are forbidden")
        rotation = state.rotation
        if not isinstance(rotation, qt.quaternion):
            # Coefficients come as [x, y, z, w].
            x, y, z, w = rotation
            if fault() == "wxyz":
                w, x, y, z = rotation
            rotation = qt.quaternion(w, x, y, z)
        if abs(rotation.norm() - 1.0) > 1e-3:
            raise ValueError("is not a unit length vector which is required for rotation")
        self._position, self._rotation = np.array(state.position, dtype=np.float32), rotation

    def get_state(self):
        state = AgentState()
        state.position, state.rotation = self._position, self._rotation
        turn = rotation_matrix([self._rotation.x, self._rotation.y, self._rotation.z, self._rotation.w])
        for sensor in self.agent_config.sensor_specifications:
            assert list(sensor.orientation) == [0.0, 0.0, 0.0], "the stand-in's sensors look straight ahead"
            place = self._position + turn @ np.array(sensor.position)
            state.sensor_states[sensor.uuid] = SixDOFPose(place, self._rotation)
        return state
