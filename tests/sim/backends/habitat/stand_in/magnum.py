"""As much of magnum's Python bindings as Habitat's users touch: vectors, quaternions, ranges, as documented."""


class _Vector:
    def __init__(self, *values):
        self._values = [float(value) for value in values]

    def __iter__(self):
        return iter(self._values)

    def __getitem__(self, index):
        return self._values[index]

    def __len__(self):
        return len(self._values)

    def __repr__(self):
        return f"Vector{tuple(self._values)}"


class Vector3(_Vector):
    def __init__(self, x, y, z):
        super().__init__(x, y, z)


class Vector4(_Vector):
    def __init__(self, x, y, z, w):
        super().__init__(x, y, z, w)


class Color3(_Vector):
    def __init__(self, red, green, blue):
        super().__init__(red, green, blue)


class Color4(_Vector):
    def __init__(self, red, green, blue, alpha=1.0):
        super().__init__(red, green, blue, alpha)


class Quaternion:
    """Made of a vector and a scalar, in this order."""

    def __init__(self, vector, scalar):
        assert isinstance(vector, Vector3), "magnum's quaternions are made of a Vector3 and a number"
        self.vector = vector
        self.scalar = float(scalar)


class Range3D:
    """Methods for centre and size, properties for the ends."""

    def __init__(self, low, high):
        self.min = Vector3(*low)
        self.max = Vector3(*high)

    def center(self):
        return Vector3(*((low + high) / 2 for low, high in zip(self.min, self.max, strict=True)))

    def size(self):
        return Vector3(*(high - low for low, high in zip(self.min, self.max, strict=True)))
