"""Data sets on disk: layout, codecs, hashes, writers and readers."""
