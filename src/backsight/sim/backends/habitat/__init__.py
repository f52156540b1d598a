"""Habitat: a worker in its own Python, a client here, and every conversion between the two."""
