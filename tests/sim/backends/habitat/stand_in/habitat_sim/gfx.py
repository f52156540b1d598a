"""Lamps."""

from enum import Enum

import magnum as mn

DEFAULT_LIGHTING_KEY = ""
NO_LIGHT_KEY = "no_lights"


class LightPositionModel(Enum):
    Camera = 0
    Global = 1
    Object = 2


class LightInfo:
    def __init__(self, vector, color, model=LightPositionModel.Global):
        self.vector, self.color, self.model = mn.Vector4(*vector), mn.Color3(*color), model


def default_lights():
    half = mn.Color3(0.5, 0.5, 0.5)
    ways = [(0.0, -0.5, -0.5), (0.0, -0.5, 0.5), (-0.5, -0.5, 0.0), (0.5, -0.5, 0.0)]
    return [LightInfo(mn.Vector4(*way, 0.0), half) for way in ways]
