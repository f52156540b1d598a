"""Importers and exporters of other formats."""
