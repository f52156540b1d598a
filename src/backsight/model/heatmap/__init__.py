"""Decoders of the two families of heatmaps."""
