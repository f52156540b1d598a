"""Predictors without learning, each answering the same samples as the model."""
