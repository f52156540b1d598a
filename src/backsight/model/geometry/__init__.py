"""VGGT: geometry from images, with the parameter names of the published checkpoint."""
