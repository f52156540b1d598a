"""Rigid objects."""

from enum import Enum

import magnum as mn
import numpy as np

from habitat_sim.boxes import SolidBox, extent, rotation_matrix


class MotionType(Enum):
    UNDEFINED = 0
    STATIC = 1
    KINEMATIC = 2
    DYNAMIC = 3


class _Node:
    def __init__(self, low, high):
        self.cumulative_bb = extent(low, high)


class RigidObject:
    def __init__(self, number, facts):
        self._facts = facts
        self.object_id = number
        self.handle = facts["handle"]
        # Data sets put the number of the thing's class here.
        self.semantic_id = facts.get("class_id", 1)
        middle, half = np.array(facts["offset"]), np.array(facts["half"])
        self.root_scene_node = _Node(middle - half, middle + half)
        self.reset()

    def reset(self):
        x, y, z, w = self._facts["rotation_xyzw"]
        self.motion_type = MotionType.STATIC
        self._translation = mn.Vector3(*self._facts["translation"])
        self._rotation = mn.Quaternion(mn.Vector3(x, y, z), w)

    @property
    def translation(self):
        return self._translation

    @translation.setter
    def translation(self, place):
        assert isinstance(place, mn.Vector3), "a translation is a magnum.Vector3"
        self._move()
        self._translation = place

    @property
    def rotation(self):
        return self._rotation

    @rotation.setter
    def rotation(self, turn):
        assert isinstance(turn, mn.Quaternion), "a rotation is a magnum.Quaternion"
        self._move()
        self._rotation = turn

    def _move(self):
        if self.motion_type is MotionType.STATIC:
            raise RuntimeError("a static object can't be moved; make it kinematic first")

    def solid(self):
        turn = rotation_matrix([*self._rotation.vector, self._rotation.scalar])
        middle = np.array(list(self._translation)) + turn @ np.array(self._facts["offset"])
        return SolidBox(middle, np.array(self._facts["half"]), turn, np.array(self._facts["colour"]), self.semantic_id)


class RigidObjectManager:
    def __init__(self, objects):
        self._objects = {thing.handle: thing for thing in objects}

    def get_object_handles(self, search_str="", contains=True):
        return [handle for handle in self._objects if (search_str in handle) == contains]

    def get_object_by_handle(self, handle):
        return self._objects.get(handle)

    def get_object_by_id(self, object_id):
        return next((thing for thing in self._objects.values() if thing.object_id == object_id), None)
