"""The embedded simulator: procedural flats, rendered by ray queries on warp-lang."""
