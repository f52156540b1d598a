"""Typed records that the stages hand to each other: frozen, checked, free of live objects."""
