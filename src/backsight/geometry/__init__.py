"""Cameras, poses, projection, co-visibility and heatmap cells: numpy, with torch twins for batches."""
