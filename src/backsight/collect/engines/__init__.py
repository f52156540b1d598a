"""Collecting on many machines: each part of a plan is a job of a scheduler."""
