"""Frame-indexed heatmaps for vision-language navigation: agents that can look back."""

__version__ = "0.1.0"
