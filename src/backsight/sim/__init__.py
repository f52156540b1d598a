"""Simulators behind one protocol: scenes, rendering, navigation."""
