"""Simulators that live outside of this package, behind the same protocol."""
