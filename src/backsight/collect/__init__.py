"""Collecting data sets in a simulator: plan, walk, annotate, check, commit."""
