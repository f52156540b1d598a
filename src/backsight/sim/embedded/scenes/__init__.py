"""Procedural scenes: furnished flats made from a seed."""
