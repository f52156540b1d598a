"""Parametric furniture, one function per category: each returns a `Piece` in its own frame."""
