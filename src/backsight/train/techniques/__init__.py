"""Techniques of the phases, each a switch of its own."""
