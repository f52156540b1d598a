"""Where an agent can stand and walk, on any number of floors: a grid of layers made from the triangles of a scene."""

from backsight.sim.embedded.navigation.grid import GridNavigation

__all__ = ["GridNavigation"]
