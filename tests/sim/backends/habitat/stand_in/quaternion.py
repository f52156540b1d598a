"""numpy-quaternion's class, as far as it is needed: the real part comes first."""


class quaternion:  # noqa: N801 - its name
    def __init__(self, w, x, y, z):
        self.w, self.x, self.y, self.z = float(w), float(x), float(y), float(z)

    def norm(self):
        return self.w**2 + self.x**2 + self.y**2 + self.z**2
